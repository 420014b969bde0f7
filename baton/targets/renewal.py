"""Fresh signatures in a public folder: a whole new folder is made beside it, and the two trade places."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from baton.model.errors import Conflict, Missing
from baton.model.manifest import Artifact
from baton.store.files import digest_of_file, sync_folder
from baton.targets.exchange import exchange, mend
from baton.targets.parallel import for_each

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from baton.store import Progress, Store

_AT_ONCE = 4
_NAMED = 5
_ASIDE = ".aside"


@dataclass(frozen=True)
class Renewal:
    """What changes in a public folder.

    Attributes:
        files: what must be there, and stays as it is.
        fresh: the signatures that are to be there.
        old: those that are there under the same names now.
        kept: what each of these becomes; empty if they are dropped.
    """

    files: tuple[Artifact, ...]
    fresh: tuple[Artifact, ...]
    old: tuple[Artifact, ...]
    kept: tuple[Artifact, ...]


def look(folder: Path, names: Iterable[str]) -> list[Artifact]:
    """Those of these files that are in a folder, with their content's digests."""
    found = []
    for name in names:
        if os.path.lexists(folder / name):
            digest, size = digest_of_file(folder / name)
            found.append(Artifact(name=name, digest=digest, size=size))
    return found


def renew(public: Path, renewal: Renewal, store: Store, *, staging: Path, progress: Progress | None = None) -> None:
    """Put the fresh signatures into the public folder, all at one moment; whatever else is in it stays.

    Done again, it finds what it did; cut off at any point, it leaves the old folder or the new one.

    Args:
        public: the folder that people see.
        renewal: what changes.
        store: has the fresh signatures.
        staging: a folder on the same filesystem that is not public, for this release alone.
        progress: told the bytes that were compared.

    Raises:
        Conflict: the folder holds neither what was there before nor what is to be there; nothing is changed then.
        Missing: there is no such folder.
        OSError: it can't be read or written.
    """
    aside = staging.with_name(staging.name + _ASIDE)
    mend(public, aside=aside)
    if public.is_symlink() or not public.is_dir():
        raise Missing(f"{public} is not there, so that nothing in it can be signed anew")
    after = (*renewal.fresh, *renewal.kept)
    if not _differing(public, after):
        _require(public, renewal.files, progress)
    else:
        _require_before(public, renewal)
        made = _make(public, renewal, store, staging)
        # What is compared is what becomes public; another attempt may have changed the folder meanwhile.
        _require(made, (*renewal.files, *after), progress)
        sync_folder(made)
        exchange(made, public, aside=aside)
        sync_folder(public.parent)
    # Nobody needs any more what was public before, nor what attempts that were cut off have left.
    for left in (staging, aside):
        shutil.rmtree(left, ignore_errors=True)


def _make(public: Path, renewal: Renewal, store: Store, staging: Path) -> Path:
    """The whole folder as it is to be: the same files as in the public one, and the fresh signatures."""
    made = Path(mkdtemp(dir=staging)) / public.name
    replaced = {signature.name for signature in renewal.fresh}
    shutil.copytree(
        public,
        made,
        symlinks=True,
        copy_function=_link,
        ignore=lambda folder, _: replaced if Path(folder) == public else (),
    )
    for kept, old in zip(renewal.kept, renewal.old, strict=bool(renewal.kept)):
        _link(public / old.name, made / kept.name)
    for signature in renewal.fresh:
        store.fetch(signature.digest, made / signature.name)
        (made / signature.name).chmod(0o444)
    made.chmod(0o755)
    return made


def _link(source: str | Path, to: str | Path) -> None:
    """The same file in another folder; a copy, where the system lets nobody link to a file of somebody else's."""
    try:
        os.link(source, to, follow_symlinks=False)
    except PermissionError:
        shutil.copy2(source, to, follow_symlinks=False)


def _require_before(public: Path, renewal: Renewal) -> None:
    """What is there is exactly what was there when people agreed, and nothing stands where old ones are kept."""
    old = {signature.name for signature in renewal.old}
    others = [one.name for one in (*renewal.fresh, *renewal.kept) if one.name not in old]
    unexpected = [name for name in others if os.path.lexists(public / name)]
    if differing := [*_differing(public, renewal.old), *unexpected]:
        named = ", ".join(sorted(differing)[:_NAMED])
        raise Conflict(
            f"{public} has signatures that were not there when people were asked, or lacks some that were: {named}. "
            "Find out who changed them, then cancel and sign anew"
        )


def _require(folder: Path, files: Sequence[Artifact], progress: Progress | None) -> None:
    def compare(file: Artifact, _: Progress) -> None:
        path = folder / file.name
        if not os.path.lexists(path):
            raise Conflict(f"{folder} is without {file.name}; expected {file.digest}: find out who removed it")
        came, size = digest_of_file(path)
        if came != file.digest:
            raise Conflict(
                f"{path} is {came} ({size} bytes); expected {file.digest} ({file.size} bytes): what is public never "
                "changes, so find out who changed it"
            )

    for_each(files, compare, at_once=_AT_ONCE, progress=progress)


def _differing(folder: Path, files: Sequence[Artifact]) -> list[str]:
    """The names of those that are not in the folder, or with other content."""
    there = {file.name: file.digest for file in look(folder, [file.name for file in files])}
    return [file.name for file in files if there.get(file.name) != file.digest]
