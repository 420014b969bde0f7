"""Building in an outside CI system: a run is ordered, followed, and its files are taken in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows import orders
from workflows.orders import order

with workflow.unsafe.imports_passed_through():
    from baton.model import work
    from baton.model.outside import OutsideRun, RunState
    from baton.model.status import StepState

if TYPE_CHECKING:
    from baton.model.building import Step
    from workflows.board import Board
    from workflows.step import Steps


@dataclass
class _Ordered:
    """The order of a step that counts now, and what became of it.

    Attributes:
        run: the run that it started, once that is known.
        seen: where the run was last.
        unusable: whether the run can't give the files, whatever is done with it.
    """

    order: work.OrderRun
    run: OutsideRun | None = None
    seen: RunState | None = None
    unusable: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing of it goes on."""
        return self.seen is not None and self.seen.ended


class OutsideRuns:
    """The runs that make a release's files: for each step one at a time, with which every retry goes on if it can."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._ordered: dict[str, _Ordered] = {}

    async def build(self, step: Step, source: work.Source) -> work.Built:
        """Have a step's files made: by the run that is there, by what failed of it run again, or by a new run.

        Raises:
            temporalio.exceptions.ActivityError: they could not be; what is known of the run is kept for the next try.
        """
        ordered = await self._current(step, source)
        run = await self._running(step, ordered)
        try:
            await self._follow(step, ordered, run)
            return await order(
                work.COLLECT_RUN,
                work.CollectRun(
                    release=self._board.ref, step=step, run=run, source=source, limits=self._board.plan.limits
                ),
                queue=step.queue,
                patience=orders.collecting(step.wait_for_runner),
                summary=f"collect {step.name} from run {run.id}",
            )
        except ActivityError as error:
            ordered.unusable = isinstance(error.cause, ApplicationError) and error.cause.type == "Unusable"
            raise

    async def undo(self, steps: Steps) -> None:
        """Stop what still goes on."""
        for ordered in self._ordered.values():
            if not ordered.ended:
                await steps.undo(work.CANCEL_RUN, ordered.order, queue=ordered.order.step.queue)

    async def _current(self, step: Step, source: work.Source) -> _Ordered:
        """The order that counts: the last one, unless its run can neither be used nor be run again."""
        last = self._ordered.get(step.name)
        if last is None:
            return self._new(step, source, number=1)
        if last.run is None or not (last.unusable or await self._is_beyond_retry(step, last, last.run)):
            return last
        await order(
            work.CANCEL_RUN,
            last.order,
            queue=step.queue,
            patience=orders.asking(step.wait_for_runner),
            summary=f"stop run {last.run.id} of {step.name}, if it goes on",
        )
        return self._new(step, source, number=last.order.number + 1)

    def _new(self, step: Step, source: work.Source, *, number: int) -> _Ordered:
        ordered = _Ordered(
            work.OrderRun(release=self._board.ref, step=step, source=source, number=number, asked=workflow.now())
        )
        self._ordered[step.name] = ordered
        return ordered

    async def _is_beyond_retry(self, step: Step, last: _Ordered, run: OutsideRun) -> bool:
        """Run again what failed of a run that did not succeed; whether the system refuses that for good."""
        if last.seen not in (RunState.FAILED, RunState.CANCELLED):
            return False
        try:
            last.run = await order(
                work.RETRY_RUN,
                work.RetryRun(release=self._board.ref, step=step, run=run),
                queue=step.queue,
                patience=orders.ordering(step.wait_for_runner),
                summary=f"run again what failed of run {run.id} of {step.name}",
            )
        except ActivityError as error:
            if isinstance(error.cause, ApplicationError) and error.cause.non_retryable:
                self._board.note("baton", f"{step.name} gets a new run: {error.cause.message}")
                return True
            raise
        last.seen = None
        _leave_if_cancelled()
        return False

    async def _running(self, step: Step, ordered: _Ordered) -> OutsideRun:
        """The order's run, started if it is not yet."""
        if ordered.run is None:
            ordered.run = await order(
                work.ORDER_RUN,
                ordered.order,
                queue=step.queue,
                patience=orders.ordering(step.wait_for_runner),
                summary=f"start {step.name}, order {ordered.order.number}",
            )
            self._board.note("baton", f"{step.name} is built by run {ordered.run.id}: {ordered.run.url}")
        self._board.change(step.name, StepState.RUNNING, link=ordered.run.url)
        _leave_if_cancelled()
        return ordered.run

    async def _follow(self, step: Step, ordered: _Ordered, run: OutsideRun) -> None:
        """Show where the run is, each time that it is elsewhere, until it has ended."""
        until = workflow.now() + timedelta(seconds=step.timeout)
        ordered.seen = None
        while not ordered.ended:
            report = await order(
                work.FOLLOW_RUN,
                work.FollowRun(release=self._board.ref, step=step, run=run, seen=ordered.seen, until=until),
                queue=step.queue,
                patience=orders.following(step.timeout, step.wait_for_runner),
                summary=f"follow run {run.id} of {step.name}" + (f", {ordered.seen}" if ordered.seen else ""),
            )
            ordered.seen = report.state
            self._board.change(step.name, StepState.RUNNING, detail=report.line, link=report.url)
            _leave_if_cancelled()


def _leave_if_cancelled() -> None:
    """Go no further if the task was cancelled while an activity could not be stopped any more, but finished.

    Its outcome is worth knowing, since what it did can be undone; the cancellation counts all the same.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
