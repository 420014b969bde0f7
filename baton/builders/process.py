"""Run one command to its end, or end it with everything that it started."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING

from baton.builders.guard import end, guarded
from baton.builders.log import tail
from baton.builders.port import Stopped
from baton.model.errors import Failed, Missing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from baton.builders.port import Cancelled, Progress

_LOOK = 0.2
"""Seconds between two looks at a running command."""

_REPORT = 1.0
"""Seconds between two reports of its progress."""

_OWN_GROUP: int = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
"""Only Windows has it, and no sessions."""

LOG_LIMIT = 256 * 1024**2
"""Bytes of log after which a command must have run wild, and would fill the disk."""


@dataclass(frozen=True)
class Watch:
    """How a running command is followed, and what ends it before it ends by itself.

    Attributes:
        deadline: the value of :func:`time.monotonic` at which it is stopped.
        timeout: the seconds that led to the deadline, for the message.
        progress: told the last lines of the log.
        cancelled: asked whether to stop.
    """

    deadline: float
    timeout: int
    progress: Progress
    cancelled: Cancelled


def run(command: tuple[str, ...], *, folder: Path, environment: Mapping[str, str], log: Path, watch: Watch) -> None:
    """Run a command with its output appended to a log file. When this returns or raises, nothing of it runs any more.

    Args:
        command: the program and its arguments. ``python`` is the worker's own; another program without a slash is
            looked up on the environment's ``PATH``, one with a slash is relative to the folder.
        folder: where it runs.
        environment: all of its environment.
        log: the file that its output goes to.
        watch: who follows it, and what ends it early.

    Raises:
        Missing: there is no such program.
        Failed: it could not be started, its exit code is not 0, it ran out of time or wrote too much.
        Stopped: the caller wished it.
    """
    program = _find(command[0], folder, environment)
    shown = f"`{shorten(shlex.join(command), 300, placeholder=' …')}`"
    with log.open("ab") as output:
        output.write(f"$ {shlex.join(command)}\n".encode())
        output.flush()
        start = output.tell()
        try:
            # The output goes straight to the file: nobody has to read along, and a child that lives on holds no pipe.
            process = subprocess.Popen(
                [program, *command[1:]],
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # What is typed at the worker's terminal is for the worker; each system has its own word for it.
                start_new_session=True,
                creationflags=_OWN_GROUP,
                umask=0o022,
            )
        except OSError as error:
            raise Failed(f"{shown} could not be started: {error.strerror or error}") from error
    with guarded(process.pid):
        try:
            problem = _follow(process, log, start, watch)
        finally:
            end(process.pid, runs=process.poll() is None)
            process.wait()
    if watch.cancelled():
        raise Stopped(f"{shown} was stopped on request")
    if problem:
        raise Failed(f"{shown} {problem}; it said last:\n{tail(log, since=start)}")


def _find(program: str, folder: Path, environment: Mapping[str, str]) -> str:
    if program == "python":
        return sys.executable
    if Path(program).name != program:
        return str(folder / program)
    found = shutil.which(program, path=environment.get("PATH", os.defpath))
    if found is None:
        raise Missing(f"there is no program {program!r} on the PATH of this worker: install it, or correct the command")
    return found


def _follow(process: subprocess.Popen[bytes], log: Path, start: int, watch: Watch) -> str:
    """Follow a command until it ends or has to be ended; gives what is wrong with it, in words, or nothing."""
    reported = 0.0
    while True:
        with suppress(subprocess.TimeoutExpired):
            return _ending(process.wait(timeout=_LOOK))
        if watch.cancelled():
            return "was stopped on request"
        if time.monotonic() > watch.deadline:
            return f"was stopped after the {watch.timeout} s that the work may take"
        if log.stat().st_size > LOG_LIMIT:
            return f"was stopped, as its log grew longer than {LOG_LIMIT} bytes"
        if time.monotonic() - reported > _REPORT:
            watch.progress(tail(log, since=start))
            reported = time.monotonic()


def _ending(code: int) -> str:
    if code == 0:
        return ""
    if code > 0:
        return f"failed with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
