"""Keeping children running: started, watched, started again when they end by themselves, and ended in order."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from baton.model.errors import Failed, Missing, Refused
from baton.sandbox.children import Child, ChildStatus, Event, Health, end_orphans, manner_of, tail_of
from baton.sandbox.processes import ProcessId, ProcessList, end, still_running

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

FIRST_DELAY = 0.5
"""Seconds until a child that ended is started again; doubled each time, up to:"""
LONGEST_DELAY = 30.0

_READY_POLL = 0.03
_EVENTS_KEPT = 200


@dataclass
class _Kept:
    """A child with what its thread works on.

    Attributes:
        wanted: whether it should run now; a child that is held down is not wanted.
        wake: ends the pause between two starts.
    """

    status: ChildStatus
    process: subprocess.Popen[bytes] | None = None
    wanted: bool = True
    wake: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


def ignore(_event: Event) -> None:
    """Tell nobody."""


class Supervisor:
    """Keeps children running, each minded by a thread of its own.

    Args:
        listed: where every running child is written down.
        on_event: called with each event as it happens, from any thread.
    """

    def __init__(self, listed: ProcessList, on_event: Callable[[Event], None] = ignore) -> None:
        self._listed = listed
        self._on_event = on_event
        self._kept: dict[str, _Kept] = {}
        self._events: deque[Event] = deque(maxlen=_EVENTS_KEPT)
        self._changed = threading.Condition(threading.RLock())
        self._closed = False

    def start(self, child: Child) -> None:
        """Start a child and keep it running from now on; returns before it is ready.

        Raises:
            Refused: the supervisor is closed.
        """
        kept = _Kept(ChildStatus(child))
        kept.thread = threading.Thread(target=self._mind, args=(kept,), name=f"minds {child.name}", daemon=True)
        with self._changed:
            if self._closed:
                raise Refused(f"{child.name} is not started: everything is being ended")
            self._kept[child.name] = kept
            kept.thread.start()

    def statuses(self) -> tuple[ChildStatus, ...]:
        """Every child as it is now, in the order in which they were started."""
        with self._changed:
            return tuple(kept.status for kept in self._kept.values())

    def events(self) -> tuple[Event, ...]:
        """The latest events, oldest first."""
        with self._changed:
            return tuple(self._events)

    def note(self, who: str, what: str) -> None:
        """Add an event to those that people see."""
        event = Event(datetime.now(UTC), who, what)
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()
            self._on_event(event)

    def wait_ready(self, name: str, *, within: float, exits_allowed: int = 0) -> None:
        """Wait until a child is ready.

        Args:
            name: which child.
            within: seconds.
            exits_allowed: how often it may have ended by itself and been started again.

        Raises:
            Failed: it ended more often, or is not ready in time; the end of its log is in the message.
            Missing: there is no such child.
        """
        kept = self._find(name)

        def settled() -> bool:
            return kept.status.health in (Health.READY, Health.ENDED) or kept.status.exits > exits_allowed

        with self._changed:
            in_time = self._changed.wait_for(settled, timeout=within)
            status = kept.status
        if status.health is Health.READY:
            return
        problem = "ended before it was ready" if in_time else f"was not ready within {within:g} s"
        raise Failed(f"{name} {problem}; {tail_of(status.child.log)}")

    def kill(self, name: str) -> None:
        """Kill a child at once, as ``kill -9`` does, and hold it down until it is restarted.

        Raises:
            Missing: there is no such child.
        """
        kept = self._find(name)
        with self._changed:
            kept.wanted = False
            if kept.process is None:
                kept.status = replace(kept.status, health=Health.HELD, pid=None)
                return
            kept.process.kill()
            self._changed.wait_for(lambda: kept.status.health in (Health.HELD, Health.ENDED))

    def restart(self, name: str) -> None:
        """Start a child that is held down; one that runs is left alone. Returns before it is ready.

        Raises:
            Missing: there is no such child.
        """
        kept = self._find(name)
        with self._changed:
            if kept.wanted:
                return
            kept.wanted = True
            kept.status = replace(kept.status, health=Health.STARTING, exits=0)
            kept.wake.set()

    def stop(self, *names: str) -> None:
        """End these children together, and forget them; one that outlives its grace is killed."""
        with self._changed:
            ending = [self._kept.pop(name) for name in names if name in self._kept]
            for kept in ending:
                kept.wanted = False
                kept.status = replace(kept.status, health=Health.ENDED)
                kept.wake.set()
            running = [kept.process.pid for kept in ending if kept.process is not None]
            self._changed.notify_all()
        end(still_running(running), grace=max((kept.status.child.grace for kept in ending), default=0))
        for kept in ending:
            if kept.thread is not None:
                kept.thread.join()

    def close(self) -> None:
        """Start nothing from now on; what runs goes on."""
        with self._changed:
            self._closed = True

    def _find(self, name: str) -> _Kept:
        with self._changed:
            kept = self._kept.get(name)
            if kept is None:
                raise Missing(f"nothing called {name} is kept running here; there are: {', '.join(self._kept)}")
            return kept

    def _mind(self, kept: _Kept) -> None:
        """One child's life: start it, watch it, and start it again, until it is forgotten."""
        while kept.status.health is not Health.ENDED:
            process = self._launch(kept)
            if process is not None:
                started = time.monotonic()
                self._await_ready(kept, process)
                code = process.wait()
                end_orphans(process.pid)
                self._note_exit(kept, manner_of(code), lived=time.monotonic() - started)
            kept.wake.wait(_delay(kept.status.exits) if kept.wanted else None)
            kept.wake.clear()

    def _launch(self, kept: _Kept) -> subprocess.Popen[bytes] | None:
        child = kept.status.child
        with self._changed:
            if not kept.wanted:
                return None
            try:
                kept.process = child.launch()
            except OSError as error:
                self._note_exit(kept, f"could not be started ({error})", lived=0)
                return None
            born = ProcessId.of(kept.process.pid)
            if born is not None:
                self._listed.note(child.name, born)
            kept.status = replace(kept.status, health=Health.STARTING, pid=kept.process.pid)
            self._changed.notify_all()
            return kept.process

    def _await_ready(self, kept: _Kept, process: subprocess.Popen[bytes]) -> None:
        child = kept.status.child
        while not child.is_ready(process.pid):
            if process.poll() is not None:
                return
            time.sleep(_READY_POLL)
        with self._changed:
            if kept.wanted:
                kept.status = replace(kept.status, health=Health.READY)
                self.note(child.name, "ready")

    def _note_exit(self, kept: _Kept, manner: str, *, lived: float) -> None:
        child = kept.status.child
        with self._changed:
            self._listed.strike(child.name)
            kept.process = None
            if kept.status.health is Health.ENDED:
                self.note(child.name, "ended")
                return
            if not kept.wanted:
                kept.status = replace(kept.status, health=Health.HELD, pid=None)
                self.note(child.name, f"{manner}, and is held down")
                return
            exits = 1 if lived > LONGEST_DELAY else kept.status.exits + 1
            kept.status = replace(kept.status, health=Health.FAILED, pid=None, exits=exits)
            self.note(child.name, f"{manner}; starting it again in {_delay(exits):g} s")


def _delay(exits: int) -> float:
    return float(min(LONGEST_DELAY, FIRST_DELAY * 2 ** (exits - 1))) if exits else 0.0
