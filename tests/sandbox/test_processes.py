from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil
import pytest

from baton.sandbox.processes import ProcessId, ProcessList, end, listens
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STUBBORN = "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {STUBBORN!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
child.wait()
"""


@contextmanager
def running(code: str) -> Iterator[tuple[psutil.Process, str]]:
    """A Python program that runs, and the first line that it printed."""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        try:
            yield psutil.Process(process.pid), line
        finally:
            process.kill()


def ended(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.fixture
def listed(tmp_path: Path) -> ProcessList:
    return ProcessList(tmp_path / "processes.json")


def test_a_process_is_found_by_number_and_birth() -> None:
    with running(STUBBORN) as (process, _):
        found = ProcessId.of(process.pid)
        assert found is not None
        assert found.find() == process
    assert found.find() is None


def test_another_process_with_the_same_number_is_not_it() -> None:
    with running(STUBBORN) as (process, _):
        assert ProcessId(pid=process.pid, created=process.create_time() - 60).find() is None


def test_what_a_killed_world_left_is_ended_and_nothing_else(listed: ProcessList) -> None:
    with running(STUBBORN) as (left, _), running(STUBBORN) as (reused, _):
        listed.note("sign", ProcessId(pid=left.pid, created=left.create_time()))
        listed.note("publish", ProcessId(pid=reused.pid, created=reused.create_time() - 60))
        assert listed.end_all() == ("sign",)
        assert ended(left.pid)
        assert not ended(reused.pid)
    assert listed.read() == {}


def test_whoever_clears_the_list_survives_being_on_it(listed: ProcessList) -> None:
    me = psutil.Process()
    listed.note("keeper", ProcessId(pid=me.pid, created=me.create_time()))
    assert listed.end_all() == ()


def test_a_process_that_was_struck_off_is_left_alone(listed: ProcessList) -> None:
    with running(STUBBORN) as (process, _):
        listed.note("sign", ProcessId(pid=process.pid, created=process.create_time()))
        listed.strike("sign")
        assert listed.end_all() == ()
        assert not ended(process.pid)


def test_a_list_that_was_torn_lists_nothing(tmp_path: Path) -> None:
    (tmp_path / "processes.json").write_text('{"sign": {"pid": 1')
    assert ProcessList(tmp_path / "processes.json").read() == {}


def test_a_process_that_does_not_end_when_asked_is_killed_with_what_it_started() -> None:
    with running(PARENT) as (parent, child):
        end([parent], grace=0.2)
        assert ended(parent.pid)
        assert ended(int(child))


def test_a_process_that_is_asked_to_end_has_time_to_finish() -> None:
    polite = (
        "import signal, sys, time\n"
        "def finish(*_):\n  time.sleep(0.3)\n  print('finished', flush=True)\n  sys.exit()\n"
        "signal.signal(signal.SIGTERM, finish)\n"
        "print('up', flush=True)\nsignal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", polite], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        started = time.monotonic()
        end([psutil.Process(process.pid)], grace=PATIENCE)
        assert time.monotonic() - started < PATIENCE
        assert process.stdout.readline() == "finished\n"


def test_only_the_process_itself_counts_as_listening_on_its_port() -> None:
    server = (
        "import signal, socket\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "print(server.getsockname()[1], flush=True)\n"
        "signal.pause()"
    )
    with running(server) as (process, port), running(STUBBORN) as (other, _):
        assert listens(process.pid, int(port))
        assert not listens(other.pid, int(port))
