"""A place is closed when nobody but its owner gets into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from baton.model.errors import Refused
from baton.settings import WorkerSettings
from baton.store import open_store
from baton.store.closed import opening, require_closed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701, 0o707])
def test_a_folder_that_others_may_enter_is_open(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    assert opening(tmp_path) == f"others than its owner may use {tmp_path} (mode {mode:04o}, expected 0700)"
    tmp_path.chmod(0o700)
    assert opening(tmp_path) is None


def test_a_workers_places_are_looked_at_and_a_new_store_is_closed(tmp_path: Path) -> None:
    settings = WorkerSettings(store=f"file://{tmp_path}/store", workspace=tmp_path / "work")
    require_closed(settings)
    open_store(settings.store)
    settings.workspace.mkdir(mode=0o700)
    require_closed(settings)
    settings.workspace.chmod(0o755)
    with pytest.raises(Refused, match=r"work .*chmod it to 700"):
        require_closed(settings)
    (tmp_path / "store").chmod(0o711)
    with pytest.raises(Refused, match="store "):
        require_closed(settings)


def test_a_bucket_has_no_folder_here(tmp_path: Path) -> None:
    require_closed(WorkerSettings(store="s3://bucket", workspace=tmp_path / "none"))
