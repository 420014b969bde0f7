"""One release, from a commit to public files.

:meth:`ReleaseWorkflow._runbook` is the runbook: read it top to bottom.
"""

from __future__ import annotations

import asyncio

from temporalio import workflow

from workflows.attesting import Attesting
from workflows.barrier import Barrier
from workflows.building import Building
from workflows.evidence import Testimony
from workflows.files import ReleaseFiles
from workflows.publishing import Publishing
from workflows.runbook import Runbook
from workflows.signing import Signing

with workflow.unsafe.imports_passed_through():
    from baton.model.plan import GatePoint, Plan
    from baton.model.security import ParentSays
    from baton.model.status import Beginning, Phase, ReleaseStatus


@workflow.defn(name="Release")
class ReleaseWorkflow(Runbook):
    """A release that belongs to the roster: anyone on it can sign it off, decide about what failed, or end it."""

    @workflow.init
    def __init__(self, beginning: Beginning) -> None:
        super().__init__(beginning)
        self._barrier = Barrier(self._board)
        self._building = Building(self._board, self._steps)
        self._signing = Signing(self._board, self._steps)
        self._attesting = Attesting(self._board, self._steps)
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
        for part in (self._building, self._signing, self._attesting, self._publishing, self._testimony):
            part.list()
        asked_to_cancel = await self._follow(self._runbook(plan))
        if self._course.replanned is not None:
            if asked_to_cancel:
                raise asyncio.CancelledError
            new, by = self._course.replanned
            workflow.continue_as_new(Beginning(plan=new, carried=self._board.carry(by)))
        return self._board.status()

    async def _runbook(self, plan: Plan) -> None:
        board, building, signing = self._board, self._building, self._signing
        attesting, publishing = self._attesting, self._publishing
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
        files = ReleaseFiles(manifest, signed, await attesting.attest_files(manifest))
        await signing.verify(files)

        board.enter(Phase.STAGE)
        await publishing.stage(files)
        await self._pass_gates(GatePoint.PUBLISH, manifest.digest)
        await barrier.go()

        await self._pass_point_of_no_return()
        board.enter(Phase.PUBLISH)
        await publishing.promote(files)
        await publishing.check_public(files)

        board.enter(Phase.ANNOUNCE)
        await publishing.push_tag(source, manifest)
        await building.clear()
        await self._testimony.leave(source, built, files, await attesting.attest_release(manifest))
        board.enter(Phase.RELEASED)

    async def _take_back(self) -> None:
        await self._publishing.undo()
        await self._signing.undo()
        await self._building.undo()

    async def _beside(self) -> None:
        await self._barrier.report()

    def _end_beside(self) -> None:
        self._barrier.finish()

    @workflow.signal(name="barrier", description="The word of the security release that this one belongs to.")
    def barrier(self, says: ParentSays) -> None:
        """Take its word; what is signed and published on it, the workers prove for themselves."""
        self._barrier.hear(says)
