"""Whether places that hold a release before it is public are closed to everyone but their owner."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from baton.model.errors import Refused
from baton.store import folder_of
from baton.store.files import os_problem

if TYPE_CHECKING:
    from pathlib import Path

    from baton.settings import WorkerSettings


def opening(folder: Path) -> str | None:
    """How others than its owner can get into a folder; None if nobody can, or if it is not there.

    What is inside needs no looking at: who may not enter a folder reaches nothing below it.

    Raises:
        BatonError: the folder can't be looked at.
    """
    try:
        mode = folder.stat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise os_problem(error, f"could not look at {folder}") from error
    # Windows keeps no such modes; there the user's profile is closed.
    if os.name != "posix" or not mode & 0o077:
        return None
    return f"others than its owner may use {folder} (mode {stat.S_IMODE(mode):04o}, expected 0700)"


def require_closed_folder(folder: Path) -> None:
    """Require that nobody but its owner gets into a folder.

    Raises:
        Refused: somebody does.
    """
    if (how := opening(folder)) is not None:
        raise Refused(f"{how}: chmod it to 700")


def require_closed(settings: WorkerSettings) -> None:
    """Require that a worker's own folders are closed, as befits one that encrypts what passes through Temporal.

    Raises:
        Refused: one is not.
        BatonError: one can't be looked at.
    """
    for folder in local_folders(settings):
        require_closed_folder(folder)


def local_folders(settings: WorkerSettings) -> tuple[Path, ...]:
    """Where on this machine a worker keeps what it works on: its workspace, and its store unless that is a bucket."""
    store = folder_of(settings.store)
    return (settings.workspace,) if store is None else (store, settings.workspace)
