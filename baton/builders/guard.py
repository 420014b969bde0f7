"""Ends what a worker's commands do if the worker is killed before it can: a process of its own, beside the worker.

The worker tells it by a pipe which commands run. When the pipe ends, the worker has ended, in order or not, and what
still runs then is nobody's. Run as a program, this is that process; it needs nothing but psutil.
"""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_GRACE = 3.0
"""Seconds that a command has to end by itself when asked to."""


@contextmanager
def guarded(pid: int) -> Iterator[None]:
    """Have a command ended with all that it started, should this process be killed meanwhile.

    Args:
        pid: the command's process; where the system has sessions, it leads one of its own.
    """
    guard = _guard_of(os.getpid())
    guard.tell(f"+{pid}")
    try:
        yield
    finally:
        guard.tell(f"-{pid}")


def end(pid: int, *, runs: bool) -> None:
    """End what is left: a command and its descendants if it runs, and what it left behind in its group if not.

    Args:
        pid: the command's process.
        runs: whether it still runs; if not, its number may be another process's by now.
    """
    family = _family(pid) if runs else []
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.terminate()
    _, stubborn = psutil.wait_procs(family, timeout=_GRACE)
    for member in stubborn:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    if hasattr(os, "killpg"):  # Windows has no process groups of this kind
        # macOS answers EPERM for a group of which only zombies are left.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def _family(pid: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    return []


class _Guard:
    """The process, as the worker sees it."""

    def __init__(self) -> None:
        self._told = threading.Lock()
        self._process = subprocess.Popen(
            # Nothing of the folder that the worker runs in, or that this file is in, is imported.
            [sys.executable, "-P", __file__],
            stdin=subprocess.PIPE,
            # Whoever reads what the worker says waits for nothing else.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # It outlives what ends the worker's terminal or process group.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    def tell(self, line: str) -> None:
        """Tell it something; that it has been killed itself hinders no build."""
        pipe = self._process.stdin
        with self._told, suppress(OSError):
            if pipe is not None:
                pipe.write(f"{line}\n".encode())
                pipe.flush()


@functools.cache
def _guard_of(pid: int) -> _Guard:  # noqa: ARG001  # a forked process is another worker
    return _Guard()


def _watch(lines: Iterable[str]) -> None:
    """Follow what the worker tells until it ends, then end what it did not."""
    running: dict[int, psutil.Process] = {}
    for line in lines:
        pid = int(line[1:])
        running.pop(pid, None)
        if line.startswith("+"):
            with suppress(psutil.NoSuchProcess):
                running[pid] = psutil.Process(pid)
    for pid, process in running.items():
        # Another process that got the number meanwhile does not count as it.
        end(pid, runs=process.is_running())


if __name__ == "__main__":
    _watch(sys.stdin)
