"""One child process: what it is, how to launch it, when it is ready, and what becomes of it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from baton.sandbox.processes import listens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

_TAIL_LINES = 25
_TAIL_BYTES = 16 * 1024


class Health(StrEnum):
    """How a child is doing."""

    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"
    HELD = "held down"
    ENDED = "ended"


@dataclass(frozen=True)
class Child:
    """A process to keep running.

    Attributes:
        name: as people see it; one of a kind.
        command: program and arguments; no secret is among them.
        environment: everything that the process gets; nothing is inherited.
        log: the file that takes what it writes.
        purpose: for people: what it does, and where.
        ready_file: a file that it writes when it is ready; removed before each start.
        port: the port that it listens on when it is ready, where there is no such file.
        answers: tells whether what listens there is in working order; raises nothing.
        grace: seconds that it gets to end by itself.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    purpose: str
    ready_file: Path | None = None
    port: int | None = None
    answers: Callable[[], bool] | None = None
    grace: float = 5.0

    def is_ready(self, pid: int) -> bool:
        """Whether this process of it has shown, in the way it has, that it is ready."""
        if self.ready_file is not None and not self.ready_file.exists():
            return False
        # Not just anything may listen there: another world's server would answer as well.
        if self.port is not None and not listens(pid, self.port):
            return False
        return self.answers is None or self.answers()

    def launch(self) -> subprocess.Popen[bytes]:
        """Start it, as leader of a session of its own: a Ctrl-C at the terminal does not reach it.

        Raises:
            OSError: the program can't be started.
        """
        if self.ready_file is not None:
            self.ready_file.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self.command,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


@dataclass(frozen=True)
class ChildStatus:
    """A child as it is now.

    Attributes:
        pid: its process number, while it runs.
        exits: how often it ended by itself lately.
    """

    child: Child
    health: Health = Health.STARTING
    pid: int | None = None
    exits: int = 0


@dataclass(frozen=True)
class Event:
    """Something that happened to a child."""

    at: datetime
    who: str
    what: str


def end_orphans(leader: int) -> None:
    """Kill what a child that has ended left behind in its session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def manner_of(code: int) -> str:
    """How a process ended, in words, from its exit code as :class:`subprocess.Popen` gives it."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def tail_of(log: Path) -> str:
    """Where a log is and how it ends, for an error message."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = stream.read().decode(errors="replace").splitlines()[-_TAIL_LINES:]
    except FileNotFoundError:
        return f"there is no log at {log}"
    return "\n".join([f"its log {log} ends:", *(f"  {line}" for line in lines)])
