"""Where the streams of a security release meet: the barrier that opens for all of them, and the moment they all go."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import orders
from workflows.orders import order
from workflows.step import failure_text

with workflow.unsafe.imports_passed_through():
    from baton.model.security import KEEP_JOINT, JointManifest, KeepJoint, SecurityPhase, StreamState, Word

if TYPE_CHECKING:
    from baton.model.gate import GateResult
    from workflows.joint import JointGate
    from workflows.security_board import SecurityBoard
    from workflows.streams import Streams

_PAUSE = timedelta(minutes=1)
"""How long to wait before the store is tried again."""


class Meeting:
    """Holds the streams that are not going public yet until all of them can, and has them go."""

    def __init__(self, board: SecurityBoard, gate: JointGate, streams: Streams) -> None:
        self._board = board
        self._gate = gate
        self._streams = streams

    async def pass_barrier(self) -> GateResult | None:
        """Wait until every stream is ready, people agree to all of it, and the embargo is over.

        Returns:
            The joint gate as it has passed; None if no stream is left to wait for.
        """
        board, gate = self._board, self._gate
        while board.before():
            self._enter(SecurityPhase.PREPARING)
            await workflow.wait_condition(lambda: not board.not_ready())
            joint = board.to_agree_to()
            if joint is None or not board.before():
                continue
            self._enter(SecurityPhase.BARRIER)
            await self._keep(joint)
            if board.to_agree_to() != joint:
                continue
            if gate.passed is not None and gate.passed.subject == joint.digest:
                # What had to be made again after others were public came out the same.
                return gate.passed
            gate.reset(self._what_changed())
            gate.ask(joint)
            while board.to_agree_to() == joint and not (gate.agreed and self._embargo_is_over()):
                await self._until_news_about(joint)
            if board.to_agree_to() == joint:
                return gate.pass_()
            gate.reset(self._what_changed())
        return None

    async def sign_together(self, agreed: GateResult) -> bool:
        """Open the barrier: every stream signs, verifies and stages; nobody is public before everybody could be.

        Returns:
            Whether all are ready to be public. If one of them changed, the joint gate is reset.
        """
        board, joint = self._board, self._board.to_agree_to()
        self._enter(SecurityPhase.SIGNING)
        await self._streams.tell([stream.version for stream in board.before()], Word.OPEN, agreed)
        await workflow.wait_condition(
            lambda: board.to_agree_to() != joint or all(s.state is StreamState.SIGNED for s in board.before())
        )
        if board.to_agree_to() == joint:
            return True
        self._gate.reset(self._what_changed())
        await self._streams.tell([stream.version for stream in board.before()], Word.HOLD)
        return False

    async def go_public(self, agreed: GateResult, pause: int) -> None:
        """From here on everything is finished, not undone.

        Args:
            agreed: the joint gate as it has passed.
            pause: seconds between two streams, in the plan's order; 0 for all at once.
        """
        board = self._board
        # Whatever has the runbook be left before this wins.
        await workflow.wait_condition(lambda: board.leaving is None)
        board.going_public = True
        board.enter(SecurityPhase.PUBLISHING)
        going = [stream.version for stream in board.before()]
        for version in going:
            board.change(version, StreamState.PUBLISHING)
        if not pause:
            await self._streams.tell(going, Word.GO, agreed)
            return
        for number, version in enumerate(going):
            if number:
                await workflow.sleep(pause, summary="the pause between two streams")
            await self._streams.tell([version], Word.GO, agreed)

    def _enter(self, phase: SecurityPhase) -> None:
        # Once some are public, those that come later do not turn that back.
        if not self._board.going_public:
            self._board.enter(phase)

    async def _until_news_about(self, joint: JointManifest) -> None:
        """Wait for people or streams; and on a durable timer for the end of the embargo."""
        board, until, agreed = self._board, self._board.until, self._gate.agreed
        over = self._embargo_is_over()
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: board.to_agree_to() != joint or self._gate.agreed is not agreed,
                timeout=None if over or until is None else max(until - workflow.now(), timedelta(0)),
                timeout_summary="the embargo ends",
            )

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
                if self._board.leaving is not None:
                    raise
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
