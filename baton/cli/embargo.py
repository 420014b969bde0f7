"""Whether a project that says its releases may be under embargo can have them from here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from baton.codec.keys import Keyring, keyring_of, read_keys
from baton.model.errors import BatonError, Refused
from baton.project.finding import error, ok, warning
from baton.project.schema import DirectoryTargetTable
from baton.settings import WorkerSettings
from baton.store import folder_of
from baton.store.closed import opening
from baton.targets.directory import staging_beside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.cli.place import Place
    from baton.project.finding import Finding
    from baton.project.read import Project

_HINT = "name the file with the project's keys in BATON_CODEC_KEYS_FILE; `baton codec new-key` makes one"


def require_encryption(project: Project, place: Place) -> None:
    """Require that what is sent from here to a project's releases is encrypted, if they may be under embargo.

    Raises:
        Refused: it would not be.
        BatonError: the keys can't be used.
    """
    if project.settings.project.embargo and _keyring(place).encrypting(project.name) is None:
        raise Refused(
            f"{project.file} says that releases of {project.name} may be under embargo, and this process has no key "
            f"for them, so that they would be sent unencrypted: {_HINT}"
        )


def embargo_findings(project: Project, place: Place) -> Iterator[Finding]:
    """What is to be said of keys, store and staging of a project whose releases may be under embargo."""
    if not project.settings.project.embargo:
        return
    yield _of_keys(project, place)
    try:
        store = folder_of(place.store)
    except BatonError as problem:
        yield error("store", str(problem))
        return
    if store is None:
        yield warning(
            "store",
            f"{place.store} is a bucket; whether it is closed and encrypted can't be seen from here",
            "have its policy let nobody in but the workers, and its owner's key encrypt it",
        )
    else:
        yield _of_folder("store", store)
    for target in project.settings.targets:
        if isinstance(target, DirectoryTargetTable):
            yield _of_folder(f"staging of {target.name}", staging_beside(Path(target.path).resolve()))


def _of_keys(project: Project, place: Place) -> Finding:
    try:
        key = _keyring(place).encrypting(project.name)
    except BatonError as problem:
        return error("codec keys", str(problem))
    if key is None:
        return error("codec keys", f"none here is for {project.name}: its releases would be sent unencrypted", _HINT)
    return ok("codec keys", f"{key.id} encrypts what is sent to Temporal")


def _of_folder(subject: str, folder: Path) -> Finding:
    try:
        how = opening(folder)
    except BatonError as problem:
        return error(subject, str(problem))
    if how is not None:
        return error(subject, how, f"chmod 700 {folder}")
    if not folder.exists():
        return ok(subject, f"{folder} is not on this machine; where it is made, it is closed")
    return ok(subject, f"{folder} is closed to everyone but its owner")


def _keyring(place: Place) -> Keyring:
    if place.codec_keys is not None:
        return read_keys(place.codec_keys)
    return Keyring() if place.address is not None else keyring_of(WorkerSettings())
