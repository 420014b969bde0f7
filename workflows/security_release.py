"""A security release: every stream up to ready, one barrier, one sign-off, and all of them public together.

:meth:`SecurityReleaseWorkflow._runbook` is the runbook: read it top to bottom.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows import orders
from workflows.concurrency import to_the_end
from workflows.course import drive
from workflows.hearing import Hearing
from workflows.joint import JointGate
from workflows.orders import order
from workflows.security_doors import SecurityDoors
from workflows.step import failure_text
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
        KEEP_JOINT,
        JointManifest,
        KeepJoint,
        SecurityPhase,
        SecurityPlan,
        SecurityStatus,
        StreamReport,
        StreamState,
        Word,
    )
    from baton.model.status import Entry
    from workflows.security_board import SecurityBoard

if TYPE_CHECKING:
    from baton.model.gate import GateResult

_OPEN = (SecurityPhase.SIGNING, SecurityPhase.PUBLISHING, SecurityPhase.RELEASED)
"""Where the barrier is open."""

_PAUSE = timedelta(minutes=1)
"""How long to wait before the store is tried again."""


@workflow.defn(name="SecurityRelease")
class SecurityReleaseWorkflow(SecurityDoors):
    """Several releases that go public together; people speak to it through its doors."""

    @workflow.init
    def __init__(self, plan: SecurityPlan) -> None:
        self._board = SecurityBoard(plan)
        self._hearing = Hearing(self._board, self._judge)
        self._gate = JointGate(self._board)
        self._streams = Streams(self._board)

    @workflow.run
    async def run(self, plan: SecurityPlan) -> SecurityStatus:
        """Follow the runbook to the end, or have every stream undo what it did if people end it before that."""
        self._board.note(plan.started_by, f"started {plan.release} with {len(plan.plans)} streams")
        self._board.show()
        runbook = asyncio.create_task(self._runbook(plan))
        await self._until_done_or_left(runbook)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._board.status()

    async def _runbook(self, plan: SecurityPlan) -> None:
        board, streams = self._board, self._streams
        for each in plan.plans:
            streams.start(each.version)

        while board.taking_part() and not board.all_are(lambda state: state.behind):
            # A stream that has to begin again after others are public comes this way a second time.
            agreed = await self._pass_barrier()
            if agreed is not None and await self._sign_together(agreed):
                await self._go_public(plan, agreed)
            await workflow.wait_condition(lambda: bool(board.before()) or board.all_are(lambda state: state.behind))

        if not board.taking_part():
            board.leave("every stream was taken out")
            return
        await workflow.wait_condition(lambda: board.all_are(lambda state: state is StreamState.RELEASED))
        board.enter(SecurityPhase.RELEASED)

    async def _pass_barrier(self) -> GateResult | None:
        """Wait until every stream is ready, people agree to all of it, and the embargo is over.

        Returns:
            The joint gate as it has passed; None if no stream is left to wait for.
        """
        board, gate = self._board, self._gate
        while board.before():
            board.enter(SecurityPhase.PUBLISHING if board.going_public else SecurityPhase.PREPARING)
            await workflow.wait_condition(lambda: not board.not_ready())
            joint = board.to_agree_to()
            if joint is None or not board.before():
                continue
            board.enter(SecurityPhase.PUBLISHING if board.going_public else SecurityPhase.BARRIER)
            await self._keep(joint)
            if board.to_agree_to() != joint:
                continue
            if gate.passed is not None and gate.passed.subject == joint.digest:
                # What had to be made again after others were public came out the same.
                return gate.passed
            gate.reset(self._what_changed())
            gate.ask(joint)
            while board.to_agree_to() == joint and not (gate.agreed and self._embargo_is_over()):
                await self._until_news_at(joint)
            if board.to_agree_to() == joint:
                return gate.pass_()
            gate.reset(self._what_changed())
        return None

    async def _until_news_at(self, joint: JointManifest) -> None:
        """Wait for people or streams; and on a durable timer for the end of the embargo."""
        board, until, agreed = self._board, self._board.until, self._gate.agreed
        over = self._embargo_is_over()
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: board.to_agree_to() != joint or self._gate.agreed is not agreed or board.until != until,
                timeout=None if over or until is None else max(until - workflow.now(), timedelta(0)),
                timeout_summary="the embargo ends",
            )

    async def _sign_together(self, agreed: GateResult) -> bool:
        """Open the barrier: every stream signs, verifies and stages; nobody is public before everybody could be.

        Returns:
            Whether all are ready to be public. If one of them changed, the joint gate is reset.
        """
        board = self._board
        joint = board.to_agree_to()
        if not board.going_public:
            board.enter(SecurityPhase.SIGNING)
        opened = [stream.version for stream in board.before()]
        await self._streams.tell(opened, Word.OPEN, agreed)
        await workflow.wait_condition(
            lambda: board.to_agree_to() != joint or all(s.state is StreamState.SIGNED for s in board.before())
        )
        if board.to_agree_to() == joint and board.leaving is None:
            return True
        self._gate.reset(self._what_changed())
        await self._streams.tell([stream.version for stream in board.before()], Word.HOLD)
        return False

    async def _go_public(self, plan: SecurityPlan, agreed: GateResult) -> None:
        """From here on everything is finished, not undone. The order is the plan's, and the pause."""
        board = self._board
        board.going_public = True
        board.enter(SecurityPhase.PUBLISHING)
        going = [stream.version for stream in board.before()]
        for version in going:
            board.change(version, StreamState.PUBLISHING)
        if not plan.pause:
            await self._streams.tell(going, Word.GO, agreed)
            return
        for number, version in enumerate(going):
            if number:
                await workflow.sleep(plan.pause, summary="the pause between two streams")
            await self._streams.tell([version], Word.GO, agreed)

    async def _keep(self, joint: JointManifest) -> None:
        """Put what people are asked to agree to into the store, where workers read it; tried until it is there."""
        while True:
            try:
                await order(
                    KEEP_JOINT,
                    KeepJoint(release=self._board.ref, joint=joint),
                    queue=self._board.plan.queue,
                    patience=orders.LOCAL,
                    summary="keep the joint manifest",
                )
            except ActivityError as error:
                self._board.note("baton", f"could not keep {joint.digest}: {failure_text(error)}; trying again")
                await workflow.sleep(_PAUSE)
            else:
                return

    def _embargo_is_over(self) -> bool:
        until = self._board.until
        return until is None or until <= workflow.now()

    def _what_changed(self) -> str:
        joint, board = self._board.joint, self._board
        now = {stream.version: stream for stream in board.taking_part()}
        for agreed in () if joint is None else joint.streams:
            stream = now.get(agreed.version)
            if stream is None:
                return f"{agreed.version} was taken out"
            shipped = None if stream.report is None else stream.report.shipped
            if shipped is None or shipped.manifest != agreed.manifest or stream in board.not_ready():
                return f"{agreed.version} changed, and is {stream.state}"
        return "the date of the embargo was moved"

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
        if board.phase in _OPEN:
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
