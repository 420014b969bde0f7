"""What an interrupted signing has made is there when the person signs again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from baton.model.base import digest_of
from baton.model.errors import Failed
from baton.model.manifest import Artifact
from baton.signers.keeping import KeptSignatures

if TYPE_CHECKING:
    from pathlib import Path

FIRST, SECOND = (Artifact(name=name, digest=digest_of(name.encode()), size=1) for name in ("first", "second"))


def test_what_was_kept_is_found_until_it_is_dropped(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "signatures"
    KeptSignatures(folder).keep(FIRST, b"made before the power went")

    kept = KeptSignatures(folder)
    assert kept.find([FIRST, SECOND]) == {FIRST: b"made before the power went"}
    assert folder.stat().st_mode & 0o077 == 0
    kept.drop()
    kept.drop()
    assert KeptSignatures(folder).find([FIRST, SECOND]) == {}


def test_a_file_of_the_same_name_and_other_content_has_no_signature_yet(tmp_path: Path) -> None:
    kept = KeptSignatures(tmp_path)
    kept.keep(FIRST, b"of the first build")
    assert kept.find([SECOND.model_copy(update={"name": FIRST.name})]) == {}


def test_a_signature_that_can_not_be_kept_fails_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Failed, match="the signature of first can't be kept"):
        KeptSignatures(tmp_path / "file").keep(FIRST, b"made")
