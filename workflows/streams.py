"""The releases of a security release's streams: started together, told what to do, heard, and ended."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import FailureError, WorkflowAlreadyStartedError

from workflows.concurrency import together
from workflows.visibility import attributes_of, attributes_that_tell_nothing

with workflow.unsafe.imports_passed_through():
    from baton.model.acts import Answer, StartAgain, TakeOut
    from baton.model.security import ParentSays, StreamReport, StreamState, Word
    from baton.model.status import Beginning

if TYPE_CHECKING:
    from collections.abc import Iterable

    from temporalio.common import TypedSearchAttributes

    from baton.model.gate import GateResult
    from baton.model.plan import Plan
    from workflows.security_board import SecurityBoard

RELEASE = "Release"
"""The workflow type of a stream's release."""

BARRIER = "barrier"
"""The signal by which a stream's release is told what to do."""

_ANSWERS_WITHIN = timedelta(minutes=2)
"""How long a release that runs already may take to say that it belongs to this security release."""

_LOOKS_AFTER = timedelta(hours=1)
"""How often it is looked whether such a release is still there: Temporal tells only the parent that started it."""


class Streams:
    """Every stream's release, as far as the security release deals with it."""

    def __init__(self, board: SecurityBoard) -> None:
        self._board = board
        self._running: dict[str, asyncio.Task[None]] = {}
        self._ended: dict[str, str] = {}
        self._last: dict[str, ParentSays] = {}

    def start(self, version: str) -> None:
        """Start a stream's release; whatever becomes of it is on the board."""
        self._running[version] = asyncio.create_task(self._run(version))

    async def end(self) -> None:
        """Have the release of every stream end and undo what it did; returns when they have."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def tell(self, versions: Iterable[str], word: Word, joint: GateResult | None = None) -> None:
        """Tell streams' releases what to do, all at once; what can't be told to one is on the board."""
        await together(*(self._tell(version, word, joint) for version in versions))

    def hear(self, report: StreamReport) -> None:
        """Take what a stream's release says of itself."""
        stream = self._board.streams.get(report.release.version)
        ours = stream is not None and report.release.project == self._board.plan.release.project
        if stream is None or not ours or stream.state is StreamState.TAKEN_OUT:
            return
        if self._ended.get(stream.version) == report.run:
            # Sent before it ended, and overtaken by that.
            return
        state = report.state
        if state in (StreamState.READY, StreamState.SIGNED):
            if report.shipped is None:
                state = StreamState.PREPARING
            elif stream.state is StreamState.PUBLISHING:
                # Said before it was told to go.
                state = StreamState.PUBLISHING
        self._board.change(stream.version, state, report=report)

    def take_out(self, act: TakeOut) -> Answer:
        """Take a stream out, if it is not going public yet."""
        board = self._board
        stream = board.streams.get(act.version)
        if stream is None:
            return _refused(f"no stream releases {act.version}; they are {', '.join(board.streams)}")
        if objection := board.objection_to(act, board.may_decide):
            return _refused(objection)
        if stream not in board.before():
            return _refused(f"{act.version} is {stream.state}: it can't be taken out")
        board.change(act.version, StreamState.TAKEN_OUT, detail=f"{act.by} took it out: {act.reason}"[:500])
        if running := self._running.get(act.version):
            running.cancel()
        return Answer(
            accepted=True, message=f"{act.version} is taken out; start it alone once nothing speaks against it"
        )

    def start_again(self, act: StartAgain) -> Answer:
        """Start a stream's release again that has ended."""
        board = self._board
        stream = board.streams.get(act.version)
        if stream is None or stream.state is not StreamState.LEFT:
            state = "no stream" if stream is None else stream.state
            return _refused(f"{act.version} is {state}: only what has left can be started again")
        if objection := board.objection_to(act, board.may_decide):
            return _refused(objection)
        if not self._running[act.version].done():
            return _refused(f"the release of {act.version} is still ending: say it again when it has")
        board.change(act.version, StreamState.PREPARING, report=None, detail="")
        self.start(act.version)
        return Answer(accepted=True, message=f"{act.version} is started again")

    async def _run(self, version: str) -> None:
        plan = self._board.plan.plan_of(version)
        if plan is None:
            return
        try:
            await self._start_or_adopt(plan)
        except FailureError as error:
            self._leave(version, str(error.cause or error))
        except asyncio.CancelledError:
            self._leave(version, "it was ended and undone")

    async def _start_or_adopt(self, plan: Plan) -> None:
        """Start a release, or go on with the one that is there; returns when it has ended, and the board says how."""
        version = plan.version
        try:
            await self._child(plan)
        except WorkflowAlreadyStartedError:
            if await self._adopt(version):
                return
        else:
            self._release(version)
            return
        # It has ended by now. If it was not finished, its id can be had again.
        try:
            await self._child(plan)
        except WorkflowAlreadyStartedError:
            if not self._board.plan.embargoed and self._board.streams[version].state is not StreamState.RELEASED:
                # Without an embargo it may have been released alone.
                self._leave(version, f"{self._id(version)} was finished before")
                return
            self._board.note("baton", f"{version} was finished before, as {self._id(version)}")
        self._release(version)

    async def _child(self, plan: Plan) -> None:
        status = self._board.streams[plan.version]
        child = await workflow.start_child_workflow(
            RELEASE,
            Beginning(plan=plan),
            id=status.workflow_id,
            task_queue=plan.queue,
            # What is half public has to be finished, whatever becomes of this workflow.
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            cancellation_type=workflow.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            search_attributes=self._attributes(plan),
            static_summary=f"one of {self._board.plan.release}",
        )
        try:
            await child
        finally:
            if child.first_execution_run_id is not None:
                self._ended[plan.version] = child.first_execution_run_id

    def _attributes(self, plan: Plan) -> TypedSearchAttributes:
        if self._board.plan.embargoed:
            return attributes_that_tell_nothing(plan.release.project)
        return attributes_of(plan)

    async def _adopt(self, version: str) -> bool:
        """Go on with a release that runs already, as after a reset, if it says that it is one of ours.

        Returns:
            Whether it ran; the board says what became of it.
        """
        self._ended.pop(version, None)
        known = False
        try:
            await self._external(version).signal(BARRIER, ParentSays(word=Word.HOLD))
            await workflow.wait_condition(
                lambda: self._board.streams[version].report is not None,
                timeout=_ANSWERS_WITHIN,
                timeout_summary="does it belong here?",
            )
            known = True
            self._board.note("baton", f"{version} runs already, as {self._id(version)}: going on with it")
            await self._look_after(version)
        except FailureError:
            return False
        except TimeoutError:
            self._leave(version, f"{self._id(version)} runs already, and does not belong to this security release")
        except asyncio.CancelledError:
            # Under an embargo no other security release has that id.
            if known or self._board.plan.embargoed:
                await self._external(version).cancel()
            raise
        return True

    async def _look_after(self, version: str) -> None:
        """Return when a release that somebody else started has ended; it is spoken to now and then to find that out."""
        while not self._is_over(version):
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: self._is_over(version), timeout=_LOOKS_AFTER, timeout_summary="is it still there?"
                )
                return
            try:
                says = self._last.get(version, ParentSays(word=Word.HOLD))
                await self._external(version).signal(BARRIER, says)
            except FailureError as error:
                self._leave(version, f"it is not there any more: {error}")

    def _id(self, version: str) -> str:
        return self._board.streams[version].workflow_id

    def _external(self, version: str) -> workflow.ExternalWorkflowHandle[Any]:
        return workflow.get_external_workflow_handle(self._id(version))

    def _is_over(self, version: str) -> bool:
        return self._board.streams[version].state in (StreamState.RELEASED, StreamState.LEFT, StreamState.TAKEN_OUT)

    def _release(self, version: str) -> None:
        if self._board.streams[version].state is not StreamState.TAKEN_OUT:
            self._board.change(version, StreamState.RELEASED)

    def _leave(self, version: str, why: str) -> None:
        if self._board.streams[version].state is not StreamState.TAKEN_OUT:
            self._board.change(version, StreamState.LEFT, detail=why[:500])

    async def _tell(self, version: str, word: Word, joint: GateResult | None) -> None:
        stream = self._board.streams[version]
        shipped = None if stream.report is None else stream.report.shipped
        says = ParentSays(word=word, manifest=None if shipped is None else shipped.manifest, joint=joint)
        self._last[version] = says
        try:
            await self._external(version).signal(BARRIER, says)
        except FailureError as error:
            self._board.note("baton", f"could not tell {version} to {word}: {error}")


def _refused(why: str) -> Answer:
    return Answer(accepted=False, message=why)
