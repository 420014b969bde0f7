"""Processes by number and birth: writing down what was started, so that it can be found and ended later.

A process number alone is reused by the system; together with the time of creation it names one process for good.
What a world starts is written down the moment it runs, so that a world that was killed leaves nothing behind: its
keeper, or the next start, ends exactly what is on the list.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING

import psutil
from pydantic import RootModel, ValidationError

from baton.model.base import Value
from baton.sandbox.state import write_private

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_BIRTH_TOLERANCE = 2.0
"""Seconds. Linux counts a birth from its idea of boot time, which moves a little as the clock is set."""

_LAST_WAIT = 5.0
"""Seconds that the system gets to end what was killed."""


class ProcessId(Value):
    """One process, for good.

    Attributes:
        pid: the system's number for it, used again after its end.
        created: seconds since 1970.
    """

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> ProcessId | None:
        """The process that has this number now, or None when there is none."""
        try:
            return cls(pid=pid, created=psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return None

    def find(self) -> psutil.Process | None:
        """The process, if it still runs; another one that was given its number is not it."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < _BIRTH_TOLERANCE
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


class _Listed(RootModel[dict[str, ProcessId]]):
    """The list's form on disk: processes by name."""


class ProcessList:
    """The processes that a world has started, by name, kept in a file that outlives it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def read(self) -> dict[str, ProcessId]:
        """What is written down; nothing when there is no list, or no whole one."""
        try:
            return _Listed.model_validate_json(self._file.read_bytes()).root
        except (FileNotFoundError, ValidationError):
            return {}

    def note(self, name: str, process: ProcessId) -> None:
        """Write down a process that was just started, in place of an earlier one of that name."""
        with self._lock:
            self._write({**self.read(), name: process})

    def strike(self, name: str) -> None:
        """Take a process that has ended off the list."""
        with self._lock:
            self._write({other: process for other, process in self.read().items() if other != name})

    def end_all(self) -> tuple[str, ...]:
        """Kill everything on the list that still runs, this process excepted, and empty the list.

        It may be killed: everything in a world is made to be.

        Returns:
            The names of those that still ran.
        """
        found = {name: process.find() for name, process in self.read().items() if process.pid != os.getpid()}
        running = {name: process for name, process in found.items() if process is not None}
        end(list(running.values()), grace=0)
        with self._lock:
            self._write({})
        return tuple(running)

    def _write(self, processes: dict[str, ProcessId]) -> None:
        write_private(self._file, _Listed(processes).model_dump_json(indent=2).encode())


def still_running(pids: Iterable[int]) -> list[psutil.Process]:
    """Those of these processes that there are."""
    processes = []
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            processes.append(psutil.Process(pid))
    return processes


def end(roots: Sequence[psutil.Process], *, grace: float) -> None:
    """End processes and everything they started.

    The roots go first and what they started after them: a worker whose build command were killed under it would
    report a failed build.

    Args:
        roots: asked to end, and killed when they don't.
        grace: seconds to wait before killing; with 0 nobody is asked.
    """
    families = [member for root in roots for member in _descendants(root)]
    if grace:
        _signal(roots, signal.SIGTERM)
        _, roots = psutil.wait_procs(roots, timeout=grace)
    families += [member for root in roots for member in _descendants(root)]
    for group in (roots, families):
        _signal(group, signal.SIGKILL)
        psutil.wait_procs(group, timeout=_LAST_WAIT)


def listens(pid: int, port: int) -> bool:
    """Whether this process listens on this TCP port."""
    try:
        sockets = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return False
    return any(socket.status == psutil.CONN_LISTEN and socket.laddr.port == port for socket in sockets)


def _signal(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
