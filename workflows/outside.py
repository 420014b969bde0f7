"""Having something done in an outside CI system: a run is ordered and followed, and what it made is taken in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows import orders
from workflows.orders import order

with workflow.unsafe.imports_passed_through():
    from baton.model.outside import OutsideRun, RunState
    from baton.model.status import StepState

if TYPE_CHECKING:
    from workflows.board import Board
    from workflows.errands import Errand, Made
    from workflows.step import Steps


@dataclass
class _Ordered:
    """The order for an errand that counts now, and what became of it.

    Attributes:
        errand: what it is for.
        number: which order for it, from 1.
        asked: when it was first given.
        run: the run that it started, once that is known.
        seen: where the run was last.
        unusable: whether the run can't give what was wanted, whatever is done with it.
    """

    errand: Errand[Any]
    number: int
    asked: datetime
    run: OutsideRun | None = None
    seen: RunState | None = None
    unusable: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing of it goes on."""
        return self.seen is not None and self.seen.ended


class OutsideRuns:
    """The runs of a release: for each errand one at a time, with which every retry goes on if it can."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._ordered: dict[str, _Ordered] = {}

    async def do(self, errand: Errand[Made]) -> Made:
        """Have it done: by the run that is there, by what failed of it run again, or by a new run.

        Raises:
            temporalio.exceptions.ActivityError: it could not be; what is known of the run is kept for the next try.
        """
        ordered = await self._current(errand)
        run = await self._running(ordered)
        try:
            await self._follow(ordered, run)
            return await errand.collect(ordered.number, run)
        except ActivityError as error:
            ordered.unusable = isinstance(error.cause, ApplicationError) and error.cause.type == "Unusable"
            raise

    async def undo(self, steps: Steps) -> None:
        """Stop what still goes on."""
        for ordered in self._ordered.values():
            if not ordered.ended:
                what, argument = ordered.errand.cancelling(ordered.number, ordered.asked)
                await steps.undo(what, argument, queue=ordered.errand.queue)

    async def _current(self, errand: Errand[Any]) -> _Ordered:
        """The order that counts: the last one, unless its run can neither be used nor be run again."""
        last = self._ordered.get(errand.name)
        if last is None:
            return self._new(errand, number=1)
        if last.run is None or not (last.unusable or await self._is_beyond_retry(last, last.run)):
            return last
        what, argument = errand.cancelling(last.number, last.asked)
        await order(
            what,
            argument,
            queue=errand.queue,
            patience=orders.asking(errand.wait_for_runner),
            summary=f"stop run {last.run.id} of {errand.name}, if it goes on",
        )
        return self._new(errand, number=last.number + 1)

    def _new(self, errand: Errand[Any], *, number: int) -> _Ordered:
        ordered = _Ordered(errand, number, workflow.now())
        self._ordered[errand.name] = ordered
        return ordered

    async def _is_beyond_retry(self, last: _Ordered, run: OutsideRun) -> bool:
        """Run again what failed of a run that did not succeed; whether the system refuses that for good."""
        if last.seen not in (RunState.FAILED, RunState.CANCELLED):
            return False
        try:
            last.run = await last.errand.retry(last.number, run)
        except ActivityError as error:
            if isinstance(error.cause, ApplicationError) and error.cause.non_retryable:
                self._board.note("baton", f"{last.errand.name} gets a new run: {error.cause.message}")
                return True
            raise
        last.seen = None
        _leave_if_cancelled()
        return False

    async def _running(self, ordered: _Ordered) -> OutsideRun:
        """The order's run, started if it is not yet."""
        errand = ordered.errand
        if ordered.run is None:
            ordered.run = await errand.start(ordered.number, ordered.asked)
            self._board.note("baton", f"{errand.name} {errand.done_by} run {ordered.run.id}: {ordered.run.url}")
        self._board.change(errand.name, StepState.RUNNING, link=ordered.run.url)
        _leave_if_cancelled()
        return ordered.run

    async def _follow(self, ordered: _Ordered, run: OutsideRun) -> None:
        """Show where the run is, each time that it is elsewhere, until it has ended."""
        errand = ordered.errand
        until = workflow.now() + timedelta(seconds=errand.timeout)
        ordered.seen = None
        while not ordered.ended:
            report = await errand.follow(ordered.number, run, ordered.seen, until)
            ordered.seen = report.state
            self._board.change(errand.name, StepState.RUNNING, detail=report.line, link=report.url)
            _leave_if_cancelled()


def _leave_if_cancelled() -> None:
    """Go no further if the task was cancelled while an activity could not be stopped any more, but finished.

    Its outcome is worth knowing, since what it did can be undone; the cancellation counts all the same.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
