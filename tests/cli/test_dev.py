"""``baton dev`` as people run it."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from baton.sandbox.world import read_world
from tests.conftest import PATIENCE, own_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

STARTER = Path(__file__).parents[2] / "starter.py"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A state folder with a path as short as people's own, on ports that nobody else wants."""
    folder = Path(tempfile.mkdtemp(prefix="baton-dev-"))
    own_ports(folder)
    yield folder
    shutil.rmtree(folder)


def command(folder: Path) -> list[str]:
    return [sys.executable, str(STARTER), "dev", "--state", str(folder)]


@contextmanager
def dev_in_lines(folder: Path) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """``baton dev`` with its output in a pipe, read until its servers are up."""
    with subprocess.Popen(command(folder), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines: list[str] = []
            while not lines or not lines[-1].startswith("  logs in"):
                line = process.stdout.readline()
                assert line, f"it ended: {lines}"
                lines.append(line.rstrip())
            yield process, lines
        finally:
            process.kill()


def left_of(folder: Path) -> list[str]:
    """The command lines of what still runs on this state."""
    running = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
    return [" ".join(line) for line in running if any(str(folder) in word for word in line)]


def test_it_runs_in_the_foreground_and_ends_in_order_when_told_to(folder: Path) -> None:
    with dev_in_lines(folder) as (process, lines):
        facts = read_world(folder)
        assert any(facts.temporal_address in line and facts.ui_url in line for line in lines)
        second = subprocess.run(command(folder), capture_output=True, text=True, check=False)
        assert (second.returncode, second.stdout) == (1, "")
        assert f"as process {process.pid}" in second.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE) == 0
    assert left_of(folder) == []


def test_nothing_outlives_it_for_long_when_it_is_killed(folder: Path) -> None:
    with dev_in_lines(folder) as (process, _):
        process.kill()
        process.wait()
        deadline = time.monotonic() + PATIENCE
        while left := left_of(folder):
            assert time.monotonic() < deadline, left
            time.sleep(0.1)


def test_on_a_terminal_it_is_a_page_until_ctrl_c(folder: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(COLUMNS="120", LINES="40")
        os.execv(sys.executable, command(folder))  # noqa: S606  # no shell is wanted between the terminal and the command
    seen = _read(terminal, until="✓\x1b[0m  temporal")
    assert "Workers" in seen
    os.write(terminal, b"\x03")
    last = _read(terminal)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    assert f"The world in {folder} has ended." in last
    assert left_of(folder) == []


def _read(terminal: int, *, until: str | None = None) -> str:
    """What a terminal shows, up to some text or to its end."""
    shown, deadline = b"", time.monotonic() + PATIENCE
    while until is None or until not in shown.decode(errors="replace"):
        assert time.monotonic() < deadline, shown.decode(errors="replace")[-2000:]
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                more = os.read(terminal, 65_536)
            except OSError:  # how Linux says that the other end is gone
                break
            if not more:
                break
            shown += more
    return shown.decode(errors="replace")
