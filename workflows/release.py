"""One release, from a commit to public files.

:meth:`ReleaseWorkflow._runbook` is the runbook: read it top to bottom.
"""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.barrier import Barrier
from workflows.building import Building
from workflows.concurrency import to_the_end, together
from workflows.course import Course, drive
from workflows.doors import Doors
from workflows.evidence import Testimony
from workflows.hearing import Hearing
from workflows.publishing import Publishing
from workflows.signing import Signing

with workflow.unsafe.imports_passed_through():
    from baton.model.acts import AboutGate, Act, Answer, Cancel, Claim, Decision, HandOff, Heard, Proof, Replan
    from baton.model.manifest import ManifestRef
    from baton.model.plan import GatePoint, Plan
    from baton.model.security import ParentSays
    from baton.model.status import Beginning, Entry, Phase, ReleaseStatus, Waiting
    from workflows.board import Board
    from workflows.gate import Gates
    from workflows.notices import Notices
    from workflows.step import Steps


@workflow.defn(name="Release")
class ReleaseWorkflow(Doors):
    """A release that belongs to the roster: anyone on it can sign it off, decide about what failed, or end it.

    What people say comes in through its doors; see :mod:`workflows.doors`.
    """

    @workflow.init
    def __init__(self, beginning: Beginning) -> None:
        self._board = Board(beginning.plan, beginning.carried)
        self._course = Course(self._board)
        self._hearing = Hearing(self._board, self._judge)
        self._gates = Gates(self._board)
        self._steps = Steps(self._board)
        self._notices = Notices(self._board)
        self._barrier = Barrier(self._board)
        self._building = Building(self._board, self._steps)
        self._signing = Signing(self._board, self._steps)
        self._publishing = Publishing(self._board, self._steps)
        self._testimony = Testimony(self._board, self._steps)

    @workflow.run
    async def run(self, beginning: Beginning) -> ReleaseStatus:
        """Follow the runbook to the end, or undo what is not public if people end the release before that."""
        plan, carried = beginning.plan, beginning.carried
        if carried is None:
            self._board.note(plan.started_by, f"started {plan.release} from commit {plan.source.commit}")
        else:
            self._board.note(carried.replanned_by, f"planned {plan.release} anew, with plan {plan.digest}")
        for part in (self._building, self._signing, self._publishing, self._testimony):
            part.list()
        runbook = asyncio.create_task(self._runbook(plan))
        notices = asyncio.create_task(self._notices.watch())
        reports = asyncio.create_task(self._barrier.report())
        try:
            await self._until_done_or_left(runbook)
        except (Exception, asyncio.CancelledError):
            await to_the_end(self._finish(notices, reports))
            raise
        asked_to_cancel = await to_the_end(self._finish(notices, reports))
        if self._course.replanned is not None:
            if asked_to_cancel:
                raise asyncio.CancelledError
            new, by = self._course.replanned
            workflow.continue_as_new(Beginning(plan=new, carried=self._board.carry(by)))
        return self._board.status()

    async def _runbook(self, plan: Plan) -> None:
        board, building, signing, publishing = self._board, self._building, self._signing, self._publishing
        barrier = self._barrier

        board.enter(Phase.PREPARE)
        await building.keep_plan()
        source = await building.prepare()
        await self._pass_gates(GatePoint.BUILD, plan.digest)

        board.enter(Phase.BUILD)
        built = await building.build_everything(source)

        board.enter(Phase.COLLECT)
        manifest = await signing.collect(source, built)
        await signing.check(source, manifest)
        await self._pass_gates(GatePoint.SIGN, manifest.digest)

        if plan.signs_at_barrier:
            board.enter(Phase.STAGE)
            await publishing.stage_files(manifest)
            await barrier.open()

        board.enter(Phase.SIGN)
        signed = await signing.sign(manifest)
        await signing.verify(manifest, signed)

        board.enter(Phase.STAGE)
        await publishing.stage(manifest, signed)
        await self._pass_gates(GatePoint.PUBLISH, manifest.digest)
        await barrier.go()

        await self._pass_point_of_no_return()
        board.enter(Phase.PUBLISH)
        await publishing.promote(manifest, signed)
        await publishing.check_public(manifest, signed)

        board.enter(Phase.ANNOUNCE)
        await publishing.push_tag(source)
        await building.clear()
        await self._testimony.leave(source, manifest, built, signed)
        board.enter(Phase.RELEASED)

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
        await self._publishing.undo()
        await self._signing.undo()
        await self._building.undo()
        self._board.enter(Phase.CANCELLED if self._course.replanned is None else Phase.PREPARE)

    async def _finish(self, notices: asyncio.Task[None], reports: asyncio.Task[None]) -> None:
        """Tell how it ended, and let everybody who speaks to the release have their answer."""
        await self._notices.finish(notices)
        self._barrier.finish()
        await reports
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

    @workflow.signal(name="barrier", description="The word of the security release that this one belongs to.")
    def barrier(self, says: ParentSays) -> None:
        """Take its word; what is signed and published on it, the workers prove for themselves."""
        self._barrier.hear(says)

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
