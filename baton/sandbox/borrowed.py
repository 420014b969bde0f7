"""A world for as long as something needs it: this process's own, one in the background, or one that runs already."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import baton
from baton.model.errors import Failed, Invalid, Missing, Refused
from baton.sandbox.children import Health, tail_of
from baton.sandbox.embedded import READY_WITHIN, WORLD, EmbeddedWorld
from baton.sandbox.processes import end, still_running
from baton.sandbox.state import State
from baton.sandbox.workers import FAKE_CI_QUEUES, QUEUES
from baton.sandbox.world import World, read_world

if TYPE_CHECKING:
    from collections.abc import Iterator

_POLL = 0.1
_GIVEN_UP_AFTER = 3
"""How often something may end by itself until it counts as broken."""

_GRACE = 15.0
"""Seconds that a world in the background gets to end in order."""


@dataclass(frozen=True)
class BorrowedWorld:
    """A world that is up.

    Attributes:
        embedded: the world itself, where it is this process's own.
        stays: whether it goes on when it is not needed here any more.
    """

    facts: World
    embedded: EmbeddedWorld | None = None
    stays: bool = False

    def broken(self) -> str | None:
        """What does not stay up, with the end of its log; None if nothing is known to be broken."""
        for status in self.embedded.statuses() if self.embedded is not None else ():
            if status.exits >= _GIVEN_UP_AFTER and status.health is not Health.READY:
                return f"{status.child.name} ended {status.exits} times; {tail_of(status.child.log)}"
        return None


@contextlib.contextmanager
def borrowed_world(folder: Path, *, keep: bool, fake_ci: bool = False) -> Iterator[BorrowedWorld]:
    """A world on this folder. Its workers may still be starting.

    One that another process runs there is used and left alone. Else one is brought up, which ends with the context
    unless it is to be kept and all went well; what is kept runs in the background, as ``baton dev`` would.

    Args:
        folder: the world's.
        keep: whether it is to be kept.
        fake_ci: whether it has to have the simulators of outside CI systems.

    Raises:
        Refused: another process brings a world up or down there just now, or runs one without what is wanted.
        BatonError: it could not come up.
    """
    state = State.at(folder)
    if state.owner() is not None:
        facts = _running(state)
        if fake_ci and facts.fake_ci is None:
            raise Refused(f"a world without simulators of CI systems runs on {folder}: end it, or name another folder")
        yield BorrowedWorld(facts, stays=True)
    elif keep:
        with _in_the_background(state, fake_ci=fake_ci) as facts:
            yield BorrowedWorld(facts, stays=True)
    else:
        with EmbeddedWorld(folder, queues=FAKE_CI_QUEUES if fake_ci else QUEUES, fake_ci=fake_ci) as world:
            world.bring_up()
            yield BorrowedWorld(world.facts, embedded=world)


def _running(state: State) -> World:
    """The facts of the world that the state's owner runs."""
    owner = state.owner()
    with contextlib.suppress(Missing, Invalid):
        facts = read_world(state.folder)
        if facts.pids.get(WORLD) == owner:
            return facts
    raise Refused(f"process {owner} brings a world on {state.folder} up or down just now: try again in a moment")


@contextlib.contextmanager
def _in_the_background(state: State, *, fake_ci: bool) -> Iterator[World]:
    """Start ``baton dev`` on its own, and end it only when something goes wrong meanwhile."""
    state.prepare()
    log = state.logs / f"{WORLD}.log"
    starter = Path(baton.__file__).parents[1] / "starter.py"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, str(starter), "dev", "--state", str(state.folder), *(["--fake-ci"] if fake_ci else [])],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield _came_up(state, process, log)
    except BaseException:
        end(still_running([process.pid]), grace=_GRACE)
        raise


def _came_up(state: State, process: subprocess.Popen[bytes], log: Path) -> World:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Failed(f"the world ended before it was up; {tail_of(log)}")
        with contextlib.suppress(Missing, Invalid):
            facts = read_world(state.folder)
            if facts.pids.get(WORLD) == process.pid:
                return facts
        time.sleep(_POLL)
    raise Failed(f"the world was not up within {READY_WITHIN:g} s; {tail_of(log)}")
