"""The releases of a security release's streams: started together, told what to do, heard, and ended."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ChildWorkflowError, FailureError, WorkflowAlreadyStartedError

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


class Streams:
    """Every stream's release, as far as the security release deals with it."""

    def __init__(self, board: SecurityBoard) -> None:
        self._board = board
        self._running: dict[str, asyncio.Task[None]] = {}
        self._adopted: set[str] = set()

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
        board.change(act.version, StreamState.PREPARING, report=None, detail="")
        self.start(act.version)
        return Answer(accepted=True, message=f"{act.version} is started again")

    async def _run(self, version: str) -> None:
        plan = self._board.plan.plan_of(version)
        if plan is None:
            return
        try:
            await self._child(plan)
        except WorkflowAlreadyStartedError:
            await self._adopt(version)
        except ChildWorkflowError as error:
            self._leave(version, str(error.cause or error))
        except asyncio.CancelledError:
            self._leave(version, "it was ended and undone")
        else:
            if self._board.streams[version].state is not StreamState.TAKEN_OUT:
                self._board.change(version, StreamState.RELEASED)

    async def _child(self, plan: Plan) -> None:
        status = self._board.streams[plan.version]
        await workflow.execute_child_workflow(
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

    def _attributes(self, plan: Plan) -> TypedSearchAttributes:
        if self._board.plan.embargoed:
            return attributes_that_tell_nothing(plan.release.project)
        return attributes_of(plan)

    async def _adopt(self, version: str) -> None:
        """Go on with a release that runs already, as after a reset, if it says that it is one of ours."""
        status = self._board.streams[version]
        handle = workflow.get_external_workflow_handle(status.workflow_id)
        try:
            await handle.signal(BARRIER, ParentSays(word=Word.HOLD))
            await workflow.wait_condition(
                lambda: self._board.streams[version].report is not None,
                timeout=_ANSWERS_WITHIN,
                timeout_summary="does it belong here?",
            )
        except FailureError as error:
            self._leave(version, f"{status.workflow_id} was finished before, or can't be spoken to: {error}")
        except TimeoutError:
            self._leave(version, f"{status.workflow_id} runs already, and does not belong to this security release")
        else:
            self._board.note("baton", f"{version} runs already, as {status.workflow_id}: going on with it")
            try:
                await workflow.wait_condition(lambda: self._ended(version))
            except asyncio.CancelledError:
                await handle.cancel()
                raise

    def _ended(self, version: str) -> bool:
        return self._board.streams[version].state in (StreamState.RELEASED, StreamState.LEFT, StreamState.TAKEN_OUT)

    def _leave(self, version: str, why: str) -> None:
        if self._board.streams[version].state is not StreamState.TAKEN_OUT:
            self._board.change(version, StreamState.LEFT, detail=why[:500])

    async def _tell(self, version: str, word: Word, joint: GateResult | None) -> None:
        stream = self._board.streams[version]
        shipped = None if stream.report is None else stream.report.shipped
        says = ParentSays(word=word, manifest=None if shipped is None else shipped.manifest, joint=joint)
        try:
            await workflow.get_external_workflow_handle(stream.workflow_id).signal(BARRIER, says)
        except FailureError as error:
            self._board.note("baton", f"could not tell {version} to {word}: {error}")


def _refused(why: str) -> Answer:
    return Answer(accepted=False, message=why)
