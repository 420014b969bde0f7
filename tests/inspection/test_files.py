from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from baton.inspection import inspect_files
from baton.model.base import digest_of
from baton.model.errors import Invalid, Missing
from baton.model.manifest import Artifact, ArtifactSet
from baton.model.plan import ArchiveLimits
from baton.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from baton.inspection import Inspection


@pytest.fixture
def inspect_all(tmp_path: Path) -> Callable[..., Inspection]:
    store = open_store(str(tmp_path / "store"))

    def inspect_all(expected: list[str], **files: bytes) -> Inspection:
        artifacts = [
            Artifact(name=name.replace("_", "."), digest=store.put_bytes(content), size=len(content))
            for name, content in files.items()
        ]
        return inspect_files(
            ArtifactSet.of(artifacts), expected, store=store, scratch=tmp_path / "scratch", limits=ArchiveLimits()
        )

    return inspect_all


def zipped(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, b"")
    return buffer.getvalue()


def test_what_is_expected_and_safe_passes(inspect_all: Callable[..., Inspection], tmp_path: Path) -> None:
    result = inspect_all(["a.exe", "a.zip"], a_exe=b"MZ", a_zip=zipped("fine"))

    assert result
    assert (result.files, result.archives) == (2, 1)
    assert str(result) == "2 files as expected, 1 of them archives that are safe to open"
    assert list((tmp_path / "scratch").iterdir()) == []
    result.require()


def test_missing_and_unexpected_files_are_named(inspect_all: Callable[..., Inspection]) -> None:
    result = inspect_all(["a.exe", "b.exe"], a_exe=b"MZ", c_exe=b"MZ")

    assert not result
    with pytest.raises(Invalid, match=r"^b\.exe: is missing.*; c\.exe: is not expected"):
        result.require()


def test_a_file_that_differs_in_case_is_another_file(inspect_all: Callable[..., Inspection]) -> None:
    assert len(inspect_all(["A.exe"], a_exe=b"MZ").findings) == 2


def test_an_unsafe_archive_is_named_with_its_member(inspect_all: Callable[..., Inspection]) -> None:
    with pytest.raises(Invalid, match=r"a\.zip, member '\.\./evil': has '\.\.' in its path"):
        inspect_all(["a.zip"], a_zip=zipped("../evil")).require()


def test_a_message_stays_readable_whatever_is_wrong(inspect_all: Callable[..., Inspection]) -> None:
    result = inspect_all([f"file-{n}" for n in range(500)])

    assert str(result).endswith("and 490 more")
    assert len(str(result)) < 2000


def test_content_that_the_store_lost_is_missing(tmp_path: Path) -> None:
    lost = ArtifactSet.of([Artifact(name="a", digest=digest_of(b"lost"), size=4)])

    with pytest.raises(Missing):
        inspect_files(
            lost, ["a"], store=open_store(str(tmp_path)), scratch=tmp_path / "scratch", limits=ArchiveLimits()
        )
