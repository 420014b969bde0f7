"""What every workflow shares that people bring forward: it follows a runbook, hears people, and can be looked at."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.concurrency import to_the_end, together
from workflows.course import Course, drive
from workflows.doors import Doors
from workflows.hearing import Hearing

with workflow.unsafe.imports_passed_through():
    from baton.model.acts import AboutGate, Act, Answer, Cancel, Claim, Decision, HandOff, Heard, Proof, Replan
    from baton.model.manifest import ManifestRef
    from baton.model.status import Beginning, Entry, Phase, ReleaseStatus, Waiting
    from workflows.board import Board
    from workflows.gate import Gates
    from workflows.notices import Notices
    from workflows.step import Steps

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from baton.model.plan import GatePoint


class Runbook(Doors):
    """A workflow with a runbook: its board, the people who speak to it, and how the runbook is left before its end.

    What people say comes in through its doors; see :mod:`workflows.doors`.
    """

    def __init__(self, beginning: Beginning) -> None:
        self._board = Board(beginning.plan, beginning.carried)
        self._course = Course(self._board)
        self._hearing = Hearing(self._board, self._judge)
        self._gates = Gates(self._board)
        self._steps = Steps(self._board)
        self._notices = Notices(self._board)

    async def _take_back(self) -> None:
        """Undo what was done and is not public; each runbook knows what that is."""

    async def _beside(self) -> None:
        """What else goes on until the end has been told; nothing, where a runbook does not say otherwise."""

    def _end_beside(self) -> None:
        """Let it come to its end."""

    async def _follow(self, steps: Coroutine[Any, Any, None]) -> bool:
        """Follow the runbook to its end, or leave it where people end it before anything is public.

        Returns:
            Whether somebody asked Temporal to cancel while the end was told.

        Raises:
            ApplicationError: people ended it.
        """
        runbook = asyncio.create_task(steps)
        notices = asyncio.create_task(self._notices.watch())
        beside = asyncio.create_task(self._beside())
        try:
            await self._until_done_or_left(runbook)
        except (Exception, asyncio.CancelledError):
            await to_the_end(self._finish(notices, beside))
            raise
        return await to_the_end(self._finish(notices, beside))

    async def _pass_gates(self, point: GatePoint, subject: str) -> None:
        await together(*(self._gates.open(gate, subject) for gate in self._board.plan.gates_before(point)))

    async def _pass_point_of_no_return(self) -> None:
        """From here on the release is finished, not undone; whatever has it leave the runbook before wins."""
        await workflow.wait_condition(lambda: self._board.leaving is None)
        self._board.going_public = True

    async def _until_done_or_left(self, runbook: asyncio.Task[None]) -> None:
        """Wait for the runbook; before the release goes public people may end it or have it follow another plan."""
        board = self._board
        while not runbook.done() and board.leaving is None:
            try:
                await workflow.wait_condition(lambda: runbook.done() or board.leaving is not None)
            except asyncio.CancelledError:
                if not board.going_public:
                    board.leave("somebody asked Temporal to cancel the release")
                    await to_the_end(self._undo(runbook))
                    raise
                board.note("baton", "asked to cancel, but the release is going public: it is finished instead")
        if board.leaving is None:
            await runbook
            return
        if await to_the_end(self._undo(runbook)):
            raise asyncio.CancelledError
        if self._course.replanned is None:
            raise ApplicationError(board.leaving, type="ReleaseCancelled")

    async def _undo(self, runbook: asyncio.Task[None]) -> None:
        """Take back what is not public; once begun it is done to the end, so that nothing half undone stays."""
        runbook.cancel()
        await workflow.wait([runbook])
        self._board.note("baton", f"undoing: {self._board.leaving}")
        await self._take_back()
        self._board.enter(Phase.CANCELLED if self._course.replanned is None else Phase.PREPARE)

    async def _finish(self, notices: asyncio.Task[None], beside: asyncio.Task[None]) -> None:
        """Tell how it ended, and let everybody who speaks to it have their answer."""
        await self._notices.finish(notices)
        self._end_beside()
        await beside
        await workflow.wait_condition(workflow.all_handlers_finished)

    async def _judge(self, act: Act, proof: Proof | None) -> Answer:
        match act:
            case AboutGate():
                return self._gates.take(act, proof)
            case Decision():
                return self._steps.decide(act)
            case Claim() | HandOff():
                return drive(self._board, act)
            case Replan():
                return await self._course.replan(act)
            case Cancel():
                return self._course.cancel(act)
        return Answer(accepted=False, message=f"a release does not know what to do with a {act.kind}")

    @workflow.query(name="status", description="Phase, steps, gates, files, and what the release waits for.")
    def status(self) -> ReleaseStatus:
        """Everything that a person asks first."""
        return self._board.status()

    @workflow.query(name="manifest", description="The manifest by its digest, with its first files.")
    def manifest(self) -> ManifestRef | None:
        """What people sign off, once it is made."""
        return self._board.manifest

    @workflow.query(name="waiting_on", description="What the release waits for, from whom, and how to give it.")
    def waiting_on(self) -> list[Waiting]:
        """What would bring the release forward."""
        return list(self._board.waiting())

    @workflow.query(name="acts", description="Every act that was heard, accepted or refused, with what proves it.")
    def acts(self) -> list[Heard]:
        """What people said; the envelopes are in the store."""
        return list(self._board.heard)

    @workflow.query(name="journal", description="Who did what, when.")
    def journal(self) -> list[Entry]:
        """The release's log."""
        return list(self._board.journal)
