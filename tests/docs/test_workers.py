"""The service files in the manual, as far as this machine can judge them."""

from __future__ import annotations

import plistlib
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.docs.pages import blocks
from worker import arguments

if TYPE_CHECKING:
    from pathlib import Path

TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


def block(language: str, holds: str) -> str:
    (found,) = (each.text for each in blocks(language) if str(each.page) == "docs/workers.md" and holds in each.text)
    return found


def queue_of(line: list[str]) -> str:
    (queue,) = arguments(line).queue
    return str(queue.name)


def test_launchd_starts_a_worker() -> None:
    service = plistlib.loads(block("xml", "plist").encode())
    assert queue_of(service["ProgramArguments"][2:]) == "build-macos"
    assert service["KeepAlive"] is True


def test_the_scheduled_task_starts_a_worker_without_a_time_limit() -> None:
    task = ET.fromstring(block("xml", "Exec"))  # noqa: S314  # our own manual
    said = {name: task.findtext(f".//{TASK}{name}") for name in ("Arguments", "ExecutionTimeLimit")}
    assert queue_of(shlex.split(said["Arguments"] or "")[1:]) == "build-windows"
    assert said["ExecutionTimeLimit"] == "PT0S"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "baton-build-linux.service"
    # The program that it starts has to be there.
    unit.write_text(block("ini", "[Service]").replace("/opt/baton/.venv/bin/python", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    about_it = [line for line in done.stderr.splitlines() if unit.name in line]
    assert (done.returncode, about_it) == (0, [])
