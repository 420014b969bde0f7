"""The state folder of a world: what lies where, and who owns it now.

One folder holds everything, so that removing it removes the world. It is private to its owner, for it holds keys.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from baton.model.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator


def default_state() -> Path:
    """The state folder that is used when none is named."""
    return platformdirs.user_state_path("baton") / "sandbox"


def write_private(file: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all, even when the machine stops half way."""
    handle, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(draft).replace(file)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


@dataclass(frozen=True)
class State:
    """A state folder.

    Attributes:
        folder: its absolute path.
    """

    folder: Path

    @classmethod
    def at(cls, folder: Path) -> State:
        """The state in this folder, whether or not it is there."""
        return cls(folder.expanduser().absolute())

    def prepare(self) -> None:
        """Make the folder, readable by its owner alone, with the folders in it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for inside in (self.logs, self.ready, self.store, self.target, self.sigstore, self.ci):
            inside.mkdir(mode=0o700, exist_ok=True)

    @property
    def logs(self) -> Path:
        """One log for each process."""
        return self.folder / "logs"

    @property
    def ready(self) -> Path:
        """One file for each process that has said it is ready."""
        return self.folder / "ready"

    @property
    def store(self) -> Path:
        """The content-addressed store."""
        return self.folder / "store"

    @property
    def target(self) -> Path:
        """Where the sandbox target keeps its folders: what it stages, and what is served."""
        return self.folder / "target"

    @property
    def sigstore(self) -> Path:
        """The Sigstore instance's own state."""
        return self.folder / "sigstore"

    @property
    def ci(self) -> Path:
        """The simulators of outside CI systems: what they are told, and their runs."""
        return self.folder / "ci"

    @property
    def database(self) -> Path:
        """Temporal's SQLite file: every release and its history."""
        return self.folder / "temporal.db"

    @property
    def codec_keys(self) -> Path:
        """The keys that encrypt what passes through Temporal, in a world that encrypts."""
        return self.folder / "codec.keys"

    @property
    def evidence(self) -> Path:
        """The evidence of releases, as far as it was exported: one folder for each."""
        return self.folder / "evidence"

    @property
    def identities(self) -> Path:
        """The trusted-identities document of what was released last."""
        return self.folder / "trusted-identities.json"

    @property
    def hello(self) -> Path:
        """The example project's git repository."""
        return self.folder / "hello.git"

    @property
    def ports(self) -> Path:
        """The ports that were used last."""
        return self.folder / "ports.json"

    @property
    def facts(self) -> Path:
        """The facts of the world that runs here."""
        return self.folder / "world.json"

    @property
    def processes(self) -> Path:
        """The list of what was started."""
        return self.folder / "processes.json"

    def workspace(self, queue: str) -> Path:
        """The working folder of the worker for a queue: each has its own, as separate machines would."""
        return self.folder / "work" / queue

    @property
    def _lock(self) -> Path:
        return self.folder / "lock"

    @contextlib.contextmanager
    def owned(self) -> Iterator[None]:
        """Own the state: at most one process does at a time. The system gives it up when that process ends, however.

        Raises:
            Refused: another process owns it; its number is in the message.
        """
        with self._lock.open("a+", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                owner = self._lock.read_text(encoding="utf-8").strip() or "not written down yet"
                raise Refused(
                    f"a world runs on {self.folder} already, as process {owner}: "
                    "use that one, end it, or name another folder with --state"
                ) from error
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield

    def owner(self) -> int | None:
        """The number of the process that owns the state now, or None when nothing does."""
        try:
            with self._lock.open(encoding="utf-8") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return None
        except BlockingIOError:
            written = self._lock.read_text(encoding="utf-8").strip()
            return int(written) if written.isdigit() else None
        return None
