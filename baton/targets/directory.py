"""A folder that a web server serves: ``PROJECT/VERSION/FILES``, public by one atomic rename."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Literal

from baton.model.errors import BatonError, Conflict, Failed, Invalid, Missing
from baton.model.version import Purpose
from baton.store.closed import require_closed_folder
from baton.store.files import digest_of_file, os_problem, sync_folder
from baton.store.port import PART_PREFIX
from baton.targets.documents import lay_out, require_laid_out
from baton.targets.parallel import for_each
from baton.targets.port import TargetAdapter
from baton.targets.public import fetch_and_compare, fetch_file
from baton.targets.renewal import look, renew

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from baton.model.manifest import Artifact
    from baton.model.version import ReleaseId
    from baton.store import Progress, Store
    from baton.targets.renewal import Renewal

EVIDENCE = "evidence"
"""The folder beside a project's releases with the record of each; no version is called so."""

_AT_ONCE = 4
_NAMED = 5

_State = Literal["staged", "public"]
_WHAT_TO_DO: dict[_State, str] = {
    "staged": "find out who changed it, withdraw the staging and stage again",
    "public": "what is public stays as it is: find out who published it, or release another version",
}


class DirectoryAdapter(TargetAdapter):
    """Stages beside the served folder, on the same filesystem, and renames the whole release into it.

    Attributes:
        served: the folder that the web server shows.
        staging: the folder for what is not public, which the web server must not show: by default the sibling
            ``.NAME.staging`` of the served folder, readable by the worker's user alone.
        url: the address of the served folder.
    """

    def __init__(self, served: Path, url: str, *, staging: Path | None = None) -> None:
        """Take note of the place; nothing is touched yet.

        Raises:
            Invalid: the served folder is the root of the filesystem.
        """
        self.served = served.resolve()
        if not self.served.name:
            raise Invalid(f"{served} can't be the served folder: staging has to lie beside it")
        self.staging = staging or staging_beside(self.served)
        self.url = url.rstrip("/")

    def address(self, release: ReleaseId) -> str:
        """See :meth:`TargetAdapter.address`."""
        return f"{self.url}/{release.project}/{release.version}/"

    def stage(
        self, release: ReleaseId, files: Sequence[Artifact], store: Store, *, progress: Progress | None = None
    ) -> None:
        """See :meth:`TargetAdapter.stage`. Each file appears in staging only when its content has been checked."""
        public = self._public(release)
        if os.path.lexists(public):
            _require_same(public, files, "public", progress)
            return
        with _os_problems(f"could not stage {release}"):
            staged = self._make_staging(release)
            _drop_unfinished(staged)
            _require_no_others(staged, files, "staged")
            there = {path.name for path in staged.iterdir()}
            _compare(staged, [file for file in files if file.name in there], "staged", progress)

            def fetch(file: Artifact, tell: Progress) -> None:
                store.fetch(file.digest, staged / file.name, progress=tell)

            absent = [file for file in files if file.name not in there]
            for_each(absent, fetch, at_once=_AT_ONCE, progress=progress)
            sync_folder(staged)

    def promote(self, release: ReleaseId, files: Sequence[Artifact], *, progress: Progress | None = None) -> str:
        """See :meth:`TargetAdapter.promote`."""
        public = self._public(release)
        if not os.path.lexists(public):
            try:
                self._promote_staged(release, files, progress)
            except BatonError:
                # Another attempt may have been first: then what it made public decides.
                if not os.path.lexists(public):
                    raise
        _require_same(public, files, "public", progress)
        return self.address(release)

    def check_public(self, release: ReleaseId, files: Sequence[Artifact], *, progress: Progress | None = None) -> int:
        """See :meth:`TargetAdapter.check_public`."""
        return fetch_and_compare(self.address(release), files, progress=progress)

    def unstage(self, release: ReleaseId) -> bool:
        """See :meth:`TargetAdapter.unstage`."""
        staged = self._staged(release)
        if not staged.is_dir():
            return False
        with _os_problems(f"could not remove {staged}"):
            shutil.rmtree(staged)
        return True

    def find_public(self, release: ReleaseId, names: Iterable[str]) -> list[Artifact]:
        """See :meth:`TargetAdapter.find_public`."""
        return look(self._public(release), names)

    def fetch_public(self, release: ReleaseId, name: str, to: Path, *, progress: Progress | None = None) -> None:
        """See :meth:`TargetAdapter.fetch_public`."""
        fetch_file(self.address(release), name, to, progress=progress)

    def renew(self, release: ReleaseId, renewal: Renewal, store: Store, *, progress: Progress | None = None) -> str:
        """See :meth:`TargetAdapter.renew`: a whole new folder is made in staging, and trades places with the old."""
        with _os_problems(f"could not put new signatures beside the files of {release.project} {release.version}"):
            renew(self._public(release), renewal, store, staging=self._make_staging(release), progress=progress)
        return self.address(release)

    def publish_evidence(
        self,
        release: ReleaseId,
        documents: Sequence[Artifact],
        store: Store,
        *,
        named: str | None = None,
        progress: Progress | None = None,
    ) -> str:
        """See :meth:`TargetAdapter.publish_evidence`. It stands in ``PROJECT/evidence/VERSION``."""
        name = named or release.version
        public = self.served / release.project / EVIDENCE / name
        address = f"{self.url}/{release.project}/{EVIDENCE}/{name}/"
        with _os_problems(f"could not make the evidence of {release} public"):
            if not os.path.lexists(public):
                staged = self._make_staging(release)
                lay_out(documents, public, store, staging=staged)
                with suppress(OSError):
                    staged.rmdir()
        require_laid_out(public, documents)
        fetch_and_compare(address, documents, progress=progress)
        return address

    def _public(self, release: ReleaseId) -> Path:
        return self.served / release.project / release.version

    def _staged(self, release: ReleaseId) -> Path:
        # No version has a - in its normal form, so that nothing else is staged there.
        name = release.version if release.purpose is Purpose.RELEASE else f"{release.version}-{release.purpose}"
        return self.staging / release.project / name

    def _make_staging(self, release: ReleaseId) -> Path:
        if not self.served.is_dir():
            raise Missing(f"{self.served} is not there: make the folder that the web server shows, or mount it")
        self.staging.mkdir(mode=0o700, exist_ok=True)
        require_closed_folder(self.staging)
        project = self._public(release).parent
        beside = project if project.is_dir() else self.served
        if self.staging.stat().st_dev != beside.stat().st_dev:
            raise Failed(f"{self.staging} and {beside} are on two filesystems, where no rename is atomic: use one")
        staged = self._staged(release)
        staged.mkdir(parents=True, exist_ok=True)
        return staged

    def _promote_staged(self, release: ReleaseId, files: Sequence[Artifact], progress: Progress | None) -> None:
        staged, public = self._staged(release), self._public(release)
        if not staged.is_dir():
            raise Missing(f"nothing of {release} is staged in {staged}: stage it first")
        with _os_problems(f"could not make {release} public"):
            _drop_unfinished(staged)
            _seal(staged)
            _require_same(staged, files, "staged", progress)
            if not public.parent.is_dir():
                public.parent.mkdir(exist_ok=True)
                public.parent.chmod(0o755)
                sync_folder(self.served)
            # rename(2) of a folder replaces nothing but an empty folder (POSIX.1-2017), so that whoever comes
            # second changes nothing; it needs no flag that only some systems and filesystems have.
            staged.rename(public)
            sync_folder(public.parent)


def staging_beside(served: Path) -> Path:
    """Where what is not public yet waits for a served folder, on its filesystem and not served itself."""
    return served.with_name(f".{served.name}.staging")


def _seal(staged: Path) -> None:
    """Let nobody write to the files any more, and everybody read them."""
    for path in staged.iterdir():
        if path.is_file() and not path.is_symlink():
            path.chmod(0o444)
    staged.chmod(0o755)
    sync_folder(staged)


def _drop_unfinished(staged: Path) -> None:
    for part in staged.glob(f"{PART_PREFIX}*"):
        part.unlink(missing_ok=True)


def _require_same(folder: Path, files: Sequence[Artifact], state: _State, progress: Progress | None) -> None:
    """The folder holds these files, all of them, and nothing else."""
    if folder.is_symlink() or not folder.is_dir():
        raise _conflict(f"{folder} is {state}, but not a folder; expected one with {len(files)} files", state)
    _require_no_others(folder, files, state)
    _compare(folder, files, state, progress)


def _require_no_others(folder: Path, files: Sequence[Artifact], state: _State) -> None:
    with _os_problems(f"could not look into {folder}"):
        others = sorted({path.name for path in folder.iterdir()} - {file.name for file in files})
    if others:
        named = ", ".join(others[:_NAMED]) + (", …" if len(others) > _NAMED else "")
        raise _conflict(f"{folder} is {state} with {len(others)} that the release does not have: {named}", state)


def _compare(folder: Path, files: Sequence[Artifact], state: _State, progress: Progress | None) -> None:
    def compare(file: Artifact, _: Progress) -> None:
        path = folder / file.name
        if not os.path.lexists(path):
            raise _conflict(f"{folder} is {state} without {file.name}; expected {file.digest}", state)
        came, size = digest_of_file(path)
        if came != file.digest:
            facts = f"{came} ({size} bytes); expected {file.digest} ({file.size} bytes)"
            raise _conflict(f"{path} is {state} with {facts}", state)

    for_each(files, compare, at_once=_AT_ONCE, progress=progress)


def _conflict(facts: str, state: _State) -> Conflict:
    return Conflict(f"{facts}: {_WHAT_TO_DO[state]}")


@contextmanager
def _os_problems(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise os_problem(error, what) from error
