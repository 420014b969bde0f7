"""Following a release in a local world until it needs a person or is finished."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from temporalio.client import WorkflowExecutionStatus

from baton.cli.demo_page import dev_command, typed
from baton.model.base import short
from baton.model.errors import Failed, Unavailable
from baton.model.status import Phase, StepState
from baton.sandbox.children import tail_of
from baton.sandbox.state import State
from baton.store import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from baton.cli.demo_view import DemoView
    from baton.cli.place import Place
    from baton.cli.releases import Releases
    from baton.model.status import ReleaseStatus, StepStatus
    from baton.model.version import ReleaseId
    from baton.sandbox.borrowed import BorrowedWorld

_EVERY = 0.5
"""Seconds between two looks."""

_GIVEN_UP_AFTER = 180.0
"""Seconds without any change after which something must be wrong."""


@dataclass(frozen=True)
class Followed:
    """A release that is followed.

    Attributes:
        world: where it is.
        place: how commands find it there.
        view: tells how it goes.
    """

    world: BorrowedWorld
    place: Place
    releases: Releases
    release: ReleaseId
    view: DemoView

    async def look(self) -> tuple[ReleaseStatus | None, bool]:
        """What it says of itself, None while no worker answers; and whether it is finished.

        Raises:
            Failed: it was ended without being finished.
        """
        handle = await self.releases.open(self.release)
        state = handle.description.status
        if state not in (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED):
            how = "ended" if state is None else state.name.lower().replace("_", " ")
            raise Failed(f"{self.release} ended without being finished ({how}); logs: {self._logs}")
        try:
            return await handle.status(), state is WorkflowExecutionStatus.COMPLETED
        except Unavailable:
            return None, False

    async def until_it_matters(self) -> ReleaseStatus:
        """Wait until the release asks for a sign-off or is finished for good.

        Returns:
            Its status then.

        Raises:
            Failed: it can't be finished without help, was ended, or does not move; the message has the end of the log
                that tells most, and where all logs are.
        """
        with self.view.opened() as show:
            seen, since = None, time.monotonic()
            while True:
                status, finished = await self.look()
                if status is not None:
                    show(status)
                    self._require_no_decision(status)
                    if finished or (status.waiting and status.phase is not Phase.CANCELLED):
                        return status
                if status != seen:
                    seen, since = status, time.monotonic()
                self._require_movement(seen, time.monotonic() - since)
                await asyncio.sleep(_EVERY)

    def _require_no_decision(self, status: ReleaseStatus) -> None:
        stopped = next((step for step in status.steps if step.state is StepState.NEEDS_DECISION), None)
        if stopped is None:
            return
        commands = [
            typed(self.place.command(waiting.command)) for waiting in status.waiting if waiting.what == stopped.name
        ]
        raise Failed(
            f"{stopped.name} of {self.release} could not finish: {stopped.detail}\n{self._log_of(stopped)}\n"
            f"all logs: {self._logs}\n"
            f"the release waits for a decision: start `{dev_command(self.world.facts, self.place)}` again, then "
            + " or ".join(f"`{command}`" for command in commands)
        )

    def _require_movement(self, status: ReleaseStatus | None, still: float) -> None:
        if (broken := self.world.broken()) is not None:
            raise Failed(f"{broken}\nall logs: {self._logs}")
        if still > _GIVEN_UP_AFTER:
            where = "no worker has answered for it" if status is None else f"it is in phase {status.phase}"
            worker = tail_of(self._logs / "release.log")
            raise Failed(f"nothing has happened to {self.release} for {still:.0f} s: {where}; {worker}")

    def _log_of(self, step: StepStatus) -> str:
        """The end of the log that says why a step stopped: its own, or else that of the worker that did it."""
        if step.log is None:
            return tail_of(self._logs / f"{step.queue}.log")
        log = self._logs / f"step-{step.name}-{short(step.log)}.log"
        open_store(str(self.world.facts.store)).fetch(step.log, log)
        return tail_of(log)

    @property
    def _logs(self) -> Path:
        return State.at(self.world.facts.state).logs
