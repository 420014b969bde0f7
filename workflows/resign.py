"""Fresh signatures for a version that is public. Its files stay as they are.

:meth:`ReSigningWorkflow._runbook` is the runbook: read it top to bottom.
"""

from __future__ import annotations

from temporalio import workflow

from workflows.building import Building
from workflows.evidence import Testimony
from workflows.files import ReleaseFiles
from workflows.renewing import Renewing
from workflows.runbook import Runbook
from workflows.signing import Signing

with workflow.unsafe.imports_passed_through():
    from baton.model.plan import GatePoint
    from baton.model.status import Beginning, Phase, ReleaseStatus


@workflow.defn(name="ReSigning")
class ReSigningWorkflow(Runbook):
    """The re-signing of one version: anyone on the roster can sign it off, decide about what failed, or end it."""

    @workflow.init
    def __init__(self, beginning: Beginning) -> None:
        super().__init__(beginning)
        self._building = Building(self._board, self._steps)
        self._signing = Signing(self._board, self._steps)
        self._renewing = Renewing(self._board, self._steps)
        self._testimony = Testimony(self._board, self._steps)

    @workflow.run
    async def run(self, beginning: Beginning) -> ReleaseStatus:
        """Follow the runbook to the end; until the new signatures go public, people may end it without a trace."""
        plan = beginning.plan
        self._board.note(plan.started_by, f"started {plan.release}")
        self._building.list_plan()
        self._renewing.list()
        self._signing.list_signers()
        self._testimony.list()
        await self._follow(self._runbook())
        return self._board.status()

    async def _runbook(self) -> None:
        board, signing, renewing = self._board, self._signing, self._renewing

        board.enter(Phase.PREPARE)
        await self._building.keep_plan()

        board.enter(Phase.COLLECT)
        manifest = await renewing.take_stock()
        await self._pass_gates(GatePoint.SIGN, manifest.digest)

        board.enter(Phase.SIGN)
        signed = await signing.sign(manifest)
        files = ReleaseFiles(manifest, signed)
        await signing.verify(files)

        board.enter(Phase.STAGE)
        await self._pass_gates(GatePoint.PUBLISH, manifest.digest)

        await self._pass_point_of_no_return()
        board.enter(Phase.PUBLISH)
        await renewing.renew(manifest, signed)

        board.enter(Phase.ANNOUNCE)
        await self._testimony.leave(None, (), files, None)
        board.enter(Phase.RELEASED)

    async def _take_back(self) -> None:
        await self._signing.undo()
