from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import psutil
import pytest

from baton.model.errors import Failed, Missing, Refused
from baton.sandbox.children import Child, Event, Health
from baton.sandbox.processes import ProcessList
from baton.sandbox.supervisor import Supervisor
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SERVE = "import sys, pathlib, signal; pathlib.Path(sys.argv[1]).touch(); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SERVE
FAIL = "import sys; print('no key in the home'); sys.exit(3)"
FAIL_ONCE = (
    "import sys, os, pathlib; been = pathlib.Path(sys.argv[1] + '.been'); been.exists() or (been.touch(), os._exit(1));"
    + SERVE
)


class MakeChild(Protocol):
    def __call__(self, name: str, code: str, *, grace: float = 5.0) -> Child: ...


@pytest.fixture
def child(tmp_path: Path) -> MakeChild:
    def make(name: str, code: str, *, grace: float = 5.0) -> Child:
        ready = tmp_path / name
        return Child(
            name=name,
            command=(sys.executable, "-c", code, str(ready)),
            environment={"MARK": name},
            log=tmp_path / f"{name}.log",
            purpose="a test",
            ready_file=ready,
            grace=grace,
        )

    return make


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def listed(tmp_path: Path) -> ProcessList:
    return ProcessList(tmp_path / "processes.json")


@pytest.fixture
def supervisor(listed: ProcessList, events: list[Event]) -> Iterator[Supervisor]:
    supervisor = Supervisor(listed, events.append)
    yield supervisor
    supervisor.close()
    supervisor.stop(*(status.child.name for status in supervisor.statuses()))


def pid_of(supervisor: Supervisor, name: str) -> int:
    [pid] = [status.pid for status in supervisor.statuses() if status.child.name == name]
    assert pid is not None
    return pid


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_child_runs_with_its_own_environment_only(supervisor: Supervisor, child: MakeChild) -> None:
    supervisor.start(child("sign", SERVE))
    supervisor.wait_ready("sign", within=PATIENCE)
    environment = psutil.Process(pid_of(supervisor, "sign")).environ()
    assert environment["MARK"] == "sign"
    assert "PATH" not in environment


def test_a_running_child_is_written_down_until_it_ends(
    supervisor: Supervisor, child: MakeChild, listed: ProcessList
) -> None:
    supervisor.start(child("sign", SERVE))
    supervisor.wait_ready("sign", within=PATIENCE)
    assert listed.read()["sign"].pid == pid_of(supervisor, "sign")
    supervisor.stop("sign")
    assert listed.read() == {}


def test_a_child_that_crashes_is_started_again(supervisor: Supervisor, child: MakeChild, events: list[Event]) -> None:
    supervisor.start(child("sign", SERVE))
    supervisor.wait_ready("sign", within=PATIENCE)
    first = pid_of(supervisor, "sign")
    os.kill(first, signal.SIGKILL)
    until(lambda: len(events) == 3)
    assert pid_of(supervisor, "sign") != first
    assert [event.what.split(";")[0] for event in events] == ["ready", "was ended by SIGKILL", "ready"]


def test_a_child_that_fails_at_first_comes_up_in_the_end(supervisor: Supervisor, child: MakeChild) -> None:
    supervisor.start(child("sign", FAIL_ONCE))
    supervisor.wait_ready("sign", within=PATIENCE, exits_allowed=1)
    [status] = supervisor.statuses()
    assert (status.health, status.exits) == (Health.READY, 1)


def test_a_child_that_does_not_come_up_is_reported_with_the_end_of_its_log(
    supervisor: Supervisor, child: MakeChild, tmp_path: Path
) -> None:
    supervisor.start(child("sign", FAIL))
    with pytest.raises(Failed, match="sign ended before it was ready") as failure:
        supervisor.wait_ready("sign", within=PATIENCE)
    assert "no key in the home" in str(failure.value)
    assert str(tmp_path / "sign.log") in str(failure.value)


def test_a_program_that_is_not_there_is_reported(
    supervisor: Supervisor, child: MakeChild, events: list[Event], tmp_path: Path
) -> None:
    supervisor.start(replace(child("sign", SERVE), command=(str(tmp_path / "absent"),)))
    with pytest.raises(Failed):
        supervisor.wait_ready("sign", within=PATIENCE)
    assert "could not be started" in events[0].what


def test_a_killed_child_stays_down_until_it_is_restarted(supervisor: Supervisor, child: MakeChild) -> None:
    supervisor.start(child("sign", SERVE))
    supervisor.wait_ready("sign", within=PATIENCE)
    first = pid_of(supervisor, "sign")
    supervisor.kill("sign")
    [status] = supervisor.statuses()
    assert (status.health, status.pid) == (Health.HELD, None)
    assert not psutil.pid_exists(first)
    supervisor.restart("sign")
    supervisor.wait_ready("sign", within=PATIENCE)
    assert pid_of(supervisor, "sign") != first


def test_a_child_between_two_starts_can_be_held_down(
    supervisor: Supervisor, child: MakeChild, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("baton.sandbox.supervisor.FIRST_DELAY", 0.05)
    supervisor.start(child("sign", FAIL))
    with pytest.raises(Failed):
        supervisor.wait_ready("sign", within=PATIENCE)
    supervisor.kill("sign")
    [status] = supervisor.statuses()
    assert status.health is Health.HELD
    # Another one that fails four times shows how long is long enough.
    supervisor.start(child("publish", FAIL))
    until(lambda: sum(event.who == "publish" for event in events) == 4)
    assert sum(event.who == "sign" for event in events) == 1


def test_a_child_that_ignores_the_end_is_killed(supervisor: Supervisor, child: MakeChild) -> None:
    supervisor.start(child("sign", STUBBORN, grace=0.2))
    supervisor.wait_ready("sign", within=PATIENCE)
    pid = pid_of(supervisor, "sign")
    supervisor.stop("sign")
    assert not psutil.pid_exists(pid)
    assert supervisor.statuses() == ()


def test_a_child_can_be_ended_while_it_starts(supervisor: Supervisor, child: MakeChild) -> None:
    supervisor.start(child("sign", "import signal; signal.pause()"))
    supervisor.stop("sign")
    assert supervisor.statuses() == ()


def test_nothing_is_started_while_everything_is_being_ended(supervisor: Supervisor, child: MakeChild) -> None:
    supervisor.close()
    with pytest.raises(Refused):
        supervisor.start(child("sign", SERVE))


def test_a_name_that_is_not_kept_is_refused_with_those_that_are(supervisor: Supervisor, child: MakeChild) -> None:
    supervisor.start(child("sign", SERVE))
    with pytest.raises(Missing, match=r"publish.*there are: sign"):
        supervisor.kill("publish")
