"""A security release: every stream up to ready, one barrier, one sign-off, and all of them public together.

:meth:`SecurityReleaseWorkflow._runbook` is the runbook: read it top to bottom.
"""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.concurrency import to_the_end
from workflows.course import drive
from workflows.hearing import Hearing
from workflows.joint import JointGate
from workflows.meeting import Meeting
from workflows.security_doors import SecurityDoors
from workflows.streams import Streams

with workflow.unsafe.imports_passed_through():
    from baton.model.acts import (
        AboutGate,
        Act,
        Answer,
        Cancel,
        Claim,
        HandOff,
        Heard,
        MoveDate,
        Proof,
        StartAgain,
        TakeOut,
    )
    from baton.model.security import (
        JointManifest,
        SecurityPhase,
        SecurityPlan,
        SecurityStatus,
        StreamReport,
        StreamState,
    )
    from baton.model.status import Entry
    from workflows.notices import Notices
    from workflows.security_board import SecurityBoard


@workflow.defn(name="SecurityRelease")
class SecurityReleaseWorkflow(SecurityDoors):
    """Several releases that go public together; people speak to it through its doors."""

    @workflow.init
    def __init__(self, plan: SecurityPlan) -> None:
        self._board = SecurityBoard(plan)
        self._hearing = Hearing(self._board, self._judge)
        self._gate = JointGate(self._board)
        self._streams = Streams(self._board)
        self._meeting = Meeting(self._board, self._gate, self._streams)
        self._notices = Notices(self._board)

    @workflow.run
    async def run(self, plan: SecurityPlan) -> SecurityStatus:
        """Follow the runbook to the end, or have every stream undo what it did if people end it before that."""
        self._board.note(plan.started_by, f"started {plan.release} with {len(plan.plans)} streams")
        self._board.show()
        runbook = asyncio.create_task(self._runbook(plan))
        notices = asyncio.create_task(self._notices.watch())
        try:
            await self._until_done_or_left(runbook)
        except (Exception, asyncio.CancelledError):
            await to_the_end(self._finish(notices))
            raise
        if await to_the_end(self._finish(notices)):
            self._board.note("baton", "asked to cancel, but everything was done")
        return self._board.status()

    async def _runbook(self, plan: SecurityPlan) -> None:
        board, streams, meeting = self._board, self._streams, self._meeting
        for each in plan.plans:
            streams.start(each.version)

        while board.taking_part() and not board.all_are(lambda state: state.behind):
            # A stream that has to begin again after others are public comes this way a second time.
            agreed = await meeting.pass_barrier()
            if agreed is not None and await meeting.sign_together(agreed):
                await meeting.go_public(agreed, plan.pause)
            await workflow.wait_condition(lambda: bool(board.before()) or board.all_are(lambda state: state.behind))

        if not board.taking_part():
            board.leave("every stream was taken out")
            return
        await workflow.wait_condition(lambda: board.all_are(lambda state: state is StreamState.RELEASED))
        board.enter(SecurityPhase.RELEASED)

    async def _until_done_or_left(self, runbook: asyncio.Task[None]) -> None:
        board = self._board
        while not runbook.done() and board.leaving is None:
            try:
                await workflow.wait_condition(lambda: runbook.done() or board.leaving is not None)
            except asyncio.CancelledError:
                if not board.going_public:
                    board.leave("somebody asked Temporal to cancel the security release")
                    await to_the_end(self._undo(runbook))
                    raise
                board.note("baton", "asked to cancel, but streams are going public: they are finished instead")
        if board.leaving is None:
            await runbook
            return
        if await to_the_end(self._undo(runbook)):
            raise asyncio.CancelledError
        raise ApplicationError(board.leaving, type="ReleaseCancelled")

    async def _undo(self, runbook: asyncio.Task[None]) -> None:
        """Have every stream take back what is not public, to the end."""
        runbook.cancel()
        await workflow.wait([runbook])
        self._board.note("baton", f"undoing: {self._board.leaving}")
        await self._streams.end()
        self._board.enter(SecurityPhase.CANCELLED)

    async def _finish(self, notices: asyncio.Task[None]) -> None:
        """Tell how it ended, and let everybody who speaks to it have their answer."""
        await self._notices.finish(notices)
        await workflow.wait_condition(workflow.all_handlers_finished)

    async def _judge(self, act: Act, proof: Proof | None) -> Answer:
        match act:
            case AboutGate():
                return self._gate.take(act, proof)
            case Claim() | HandOff():
                return drive(self._board, act)
            case TakeOut():
                return self._streams.take_out(act)
            case StartAgain():
                return self._streams.start_again(act)
            case MoveDate():
                return self._move_date(act)
            case Cancel():
                return self._cancel(act)
        return _refused(f"a security release does not know what to do with a {act.kind}")

    def _move_date(self, act: MoveDate) -> Answer:
        board = self._board
        if self._gate.passed is not None or not board.before():
            return _refused("the barrier is open: the date can't be moved any more")
        if objection := board.objection_to(act, board.may_decide):
            return _refused(objection)
        board.until = act.until
        board.show()
        return Answer(accepted=True, message=act.said)

    def _cancel(self, act: Cancel) -> Answer:
        board = self._board
        if board.going_public:
            return _refused("streams are going public: they are finished, not undone")
        if objection := board.objection_to(act, board.may_decide):
            return _refused(objection)
        board.leave(f"{act.by} cancelled the security release: {act.reason or 'no reason given'}")
        return Answer(accepted=True, message="the security release ends; every stream undoes what it did")

    @workflow.signal(name="report", description="How a stream's release stands; sent by that release.")
    def report(self, report: StreamReport) -> None:
        """Take what a stream's release says of itself; what is signed and published, the workers prove themselves."""
        self._streams.hear(report)

    @workflow.query(name="status", description="Every stream side by side, the joint gate, and what is waited for.")
    def status(self) -> SecurityStatus:
        """Everything that a person asks first."""
        return self._board.status()

    @workflow.query(name="joint", description="What people are asked to agree to at the joint gate.")
    def joint(self) -> JointManifest | None:
        """The document whose digest is the subject of a sign-off."""
        return self._board.joint

    @workflow.query(name="acts", description="Every act that was heard, accepted or refused, with what proves it.")
    def acts(self) -> list[Heard]:
        """What people said; the envelopes are in the store."""
        return list(self._board.heard)

    @workflow.query(name="journal", description="Who did what, when.")
    def journal(self) -> list[Entry]:
        """The security release's log."""
        return list(self._board.journal)


def _refused(why: str) -> Answer:
    return Answer(accepted=False, message=why)
