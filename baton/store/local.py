"""A store in a local folder, with the standard library alone: faster than any client, and fsynced."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING, BinaryIO

from baton.model.errors import BatonError, Missing
from baton.store.files import os_problem, sync_folder
from baton.store.port import CHUNK, Progress, Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.model.base import Digest

_ABANDONED_AFTER = 24 * 3600
"""Seconds after which a half-written file must belong to a process that died."""


class LocalStore(Store):
    """Content in a folder that every process on this machine may share.

    A new store is closed to everyone but its owner: it holds releases that are not public yet. Who opens the folder
    to a group opens what is written from then on to it as well.

    ``content/ab/abcd…`` holds the bytes, read-only, ``names/ab/abcd…`` one line ``DIGEST NAME`` for each name, and
    ``incoming/`` what is being written; a file moves from there in one rename once it is whole and on disk.

    Attributes:
        root: the store's folder, absolute.
    """

    def __init__(self, root: Path) -> None:
        """Open the folder, making it if needed, and drop what dead writers left behind.

        Raises:
            Failed: the folder can't be used.
        """
        self.root = root.absolute()
        self._incoming = self.root / "incoming"
        with _os_problems(f"could not open the store {self.root}"):
            self.root.parent.mkdir(parents=True, exist_ok=True)
            self.root.mkdir(mode=0o700, exist_ok=True)
            # Whoever may enter the store may read what is in it, and nobody may change it.
            self._mode = 0o400 | (self.root.stat().st_mode & 0o044)
            for folder in (self.root / "content", self.root / "names", self._incoming):
                folder.mkdir(exist_ok=True)
            self._sweep()

    def __repr__(self) -> str:
        return f"LocalStore({str(self.root)!r})"

    def _put(self, source: BinaryIO, progress: Progress | None) -> tuple[Digest, int]:
        hasher = sha256()
        with _os_problems(f"could not write to the store {self.root}"), self._part() as part:
            while chunk := source.read(CHUNK):
                hasher.update(chunk)
                part.write(chunk)
                if progress is not None:
                    progress(part.tell())
            size = part.tell()
            self._finish(part)
            to = self._content(hasher.hexdigest())
            folder = self._durable_folder(to.parent)
            # Replacing what is there heals damage, and changes nothing for those who read the old file.
            Path(part.name).replace(to)
            sync_folder(folder)
        return "sha256:" + hasher.hexdigest(), size

    def _chunks(self, hexdigest: str) -> Iterator[bytes]:
        path = self._content(hexdigest)
        with _os_problems(f"could not read {path}"):
            try:
                file = path.open("rb")
            except FileNotFoundError as error:
                raise Missing(f"the store {self.root} has no content sha256:{hexdigest}") from error
            with file:
                while chunk := file.read(CHUNK):
                    yield chunk

    def _holds(self, hexdigest: str) -> bool:
        path = self._content(hexdigest)
        with _os_problems(f"could not look for {path}"):
            return path.is_file()

    def _where(self, hexdigest: str) -> str:
        return str(self._content(hexdigest))

    def _write_record(self, key: str, record: bytes) -> bool:
        with _os_problems(f"could not write a name in the store {self.root}"), self._part() as part:
            part.write(record)
            self._finish(part)
            to = self._record(key)
            folder = self._durable_folder(to.parent)
            try:
                # Of several processes that link to one name, the kernel lets one succeed.
                os.link(part.name, to)
            except FileExistsError:
                return False
            sync_folder(folder)
            return True

    def _read_record(self, key: str) -> bytes | None:
        with _os_problems(f"could not read a name in the store {self.root}"):
            try:
                return self._record(key).read_bytes()
            except FileNotFoundError:
                return None

    def _drop_record(self, key: str) -> None:
        path = self._record(key)
        with _os_problems(f"could not drop a name in the store {self.root}"):
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync_folder(path.parent)

    def _content(self, hexdigest: str) -> Path:
        return self.root / "content" / hexdigest[:2] / hexdigest

    def _record(self, key: str) -> Path:
        return self.root / "names" / key[:2] / key

    @contextmanager
    def _part(self) -> Iterator[IO[bytes]]:
        """A file to write to that is gone afterwards, unless it was moved away."""
        with NamedTemporaryFile(dir=self._incoming, delete=False) as part:
            try:
                yield part
            finally:
                Path(part.name).unlink(missing_ok=True)

    def _finish(self, part: IO[bytes]) -> None:
        part.flush()
        os.fchmod(part.fileno(), self._mode)
        os.fsync(part.fileno())

    @staticmethod
    def _durable_folder(folder: Path) -> Path:
        if not folder.is_dir():
            folder.mkdir(exist_ok=True)
            sync_folder(folder.parent)
        return folder

    def _sweep(self) -> None:
        # A writer that was only suspended loses its file and fails cleanly: the next attempt writes it anew.
        for part in self._incoming.iterdir():
            with suppress(FileNotFoundError):
                if part.stat().st_mtime < time.time() - _ABANDONED_AFTER:
                    part.unlink()


@contextmanager
def _os_problems(what: str) -> Iterator[None]:
    try:
        yield
    except BatonError:
        raise
    except OSError as error:
        raise os_problem(error, what) from error
