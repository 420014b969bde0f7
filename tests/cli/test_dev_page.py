"""The local world as a page and as lines."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from baton.cli.dev_lines import DevLines
from baton.cli.dev_page import Sight, dev_page
from baton.cli.listing import Item
from baton.cli.place import Place
from baton.model.status import Waiting, WaitKind
from baton.model.version import ReleaseId
from baton.sandbox.children import Child, ChildStatus, Event, Health

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def child(name: str, health: Health, *, pid: int | None = None, exits: int = 0) -> ChildStatus:
    purpose = "Temporal at 127.0.0.1:7233" if name == "temporal" else f"worker of queue {name}"
    return ChildStatus(
        Child(name=name, command=("true",), environment={}, log=Path(f"{name}.log"), purpose=purpose),
        health,
        pid,
        exits,
    )


SIGHT = Sight(
    state=Path("/state"),
    logs=Path("/state/logs"),
    children=(child("temporal", Health.READY, pid=12), child("build-macos", Health.FAILED, exits=2)),
    events=(Event(NOW, "temporal", "ready"),),
)
RUNNING = Item(
    workflow_id="release/hello/1.0.0",
    release=ReleaseId(project="hello", version="1.0.0"),
    kind="final",
    phase="build",
    running=True,
    started=NOW,
    closed=None,
)
WAITING = RUNNING.model_copy(
    update={
        "phase": "stage",
        "waiting_on": ("release-manager",),
        "waiting_for": ("sign-off:publish",),
        "waiting": (
            Waiting(
                kind=WaitKind.SIGN_OFF,
                what="publish",
                since=NOW - timedelta(seconds=90),
                roles=("release-manager",),
                people=("ada", "grace"),
                why="gate publish has 0 of 1 sign-offs",
                command="baton sign-off hello/1.0.0 publish",
                message="{}",
            ),
        ),
    }
)
OVER = RUNNING.model_copy(update={"phase": "released", "running": False})
PLACE = Place(options=" --state /state")


def shown(sight: Sight) -> str:
    console = Console(file=io.StringIO(), width=140)
    console.print(dev_page(sight, now=NOW))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_page_says_how_every_server_and_worker_is() -> None:
    text = shown(SIGHT)
    assert "✓  temporal  Temporal at 127.0.0.1:7233  process 12" in text
    assert "✗ build-macos (ended 2 times)" in text
    assert "temporal: ready" in text
    assert "/state/logs" in text


def test_the_page_says_who_can_bring_a_release_forward_and_how() -> None:
    text = shown(replace(SIGHT, place=PLACE, items=(WAITING, OVER)))
    assert "sign-off publish since 1 min 30 s, from ada, grace" in text
    assert "--state /state" in text
    assert "released" not in text


@pytest.mark.parametrize(("items", "said"), [((), "none"), ((OVER,), "none"), ((RUNNING,), "hello 1.0.0")])
def test_the_page_says_which_releases_are_under_way(items: tuple[Item, ...], said: str) -> None:
    assert said in shown(replace(SIGHT, place=PLACE, items=items)).partition("Releases under way")[2]


def test_the_page_says_why_the_releases_are_not_known() -> None:
    assert "! no Temporal server answers" in shown(replace(SIGHT, trouble="no Temporal server answers"))


@pytest.fixture
def lines() -> tuple[DevLines, io.StringIO]:
    printed = io.StringIO()
    return DevLines(Console(file=printed, width=140)), printed


def test_each_event_is_told_once(lines: tuple[DevLines, io.StringIO]) -> None:
    view, printed = lines
    view.show(SIGHT)
    view.show(replace(SIGHT, events=(*SIGHT.events, Event(NOW, "build-macos", "ready"))))
    told = printed.getvalue().splitlines()
    assert [line.split("  ")[1] for line in told] == ["temporal: ready", "build-macos: ready"]


def test_addresses_and_logs_are_told_once_it_is_up(lines: tuple[DevLines, io.StringIO]) -> None:
    view, printed = lines
    view.show(replace(SIGHT, events=(), place=PLACE))
    view.show(replace(SIGHT, events=(), place=PLACE))
    assert printed.getvalue().splitlines() == [
        "the world in /state is up, for development only",
        "  Temporal at 127.0.0.1:7233",
        "  logs in /state/logs",
    ]


def test_each_change_of_a_release_is_told_once_and_old_ones_are_no_news(lines: tuple[DevLines, io.StringIO]) -> None:
    view, printed = lines
    up = replace(SIGHT, events=(), children=(), place=PLACE)
    old = OVER.model_copy(update={"workflow_id": "release/hello/0.9"})
    for items in ((old, RUNNING), (old, RUNNING), (old, WAITING), (old, OVER)):
        view.show(replace(up, items=items))
    assert printed.getvalue().splitlines()[2:] == [
        "hello 1.0.0: phase build",
        "hello 1.0.0: phase stage, waits for sign-off:publish from any release-manager",
        "  $ baton sign-off hello/1.0.0 publish --state /state",
        "hello 1.0.0: phase released",
    ]
