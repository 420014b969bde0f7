"""One release, from a commit to public files.

:meth:`ReleaseWorkflow._runbook` is the runbook: read it top to bottom.
"""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.building import Building
from workflows.concurrency import together
from workflows.publishing import Publishing
from workflows.signing import Signing

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

    from baton.model.decision import Cancel, Decision
    from baton.model.gate import Answer, SignOff
    from baton.model.manifest import ManifestRef
    from baton.model.plan import GatePoint, Plan
    from baton.model.status import Entry, Phase, ReleaseStatus, Waiting
    from workflows.board import RELEASE_MANAGER, Board
    from workflows.gate import Gates
    from workflows.notices import Notices
    from workflows.step import Abandoned, Steps

Message = TypeVar("Message", SignOff, Decision, Cancel)


@workflow.defn(name="Release")
class ReleaseWorkflow:
    """A release that belongs to the roster: anyone on it can sign it off, decide about what failed, or end it."""

    @workflow.init
    def __init__(self, plan: Plan) -> None:
        self._board = Board(plan)
        self._gates = Gates(self._board)
        self._steps = Steps(self._board)
        self._notices = Notices(self._board)
        self._building = Building(self._board, self._steps)
        self._signing = Signing(self._board, self._steps)
        self._publishing = Publishing(self._board, self._steps)
        self._ended_by: str | None = None

    @workflow.run
    async def run(self, plan: Plan) -> ReleaseStatus:
        """Follow the runbook to the end, or undo what is not public if people end the release before that."""
        self._board.note(plan.started_by, f"started {plan.release} from commit {plan.source.commit}")
        for part in (self._building, self._signing, self._publishing):
            part.list()
        runbook = asyncio.create_task(self._runbook(plan))
        notices = asyncio.create_task(self._notices.watch())
        try:
            await self._until_done_or_ended(runbook)
        finally:
            await self._notices.finish(notices)
            await workflow.wait_condition(workflow.all_handlers_finished)
        return self._board.status()

    async def _runbook(self, plan: Plan) -> None:
        board, building, signing, publishing = self._board, self._building, self._signing, self._publishing

        board.enter(Phase.PREPARE)
        source = await building.prepare()
        await self._pass_gates(GatePoint.BUILD, plan.digest)

        board.enter(Phase.BUILD)
        built = await building.build_everything(source)

        board.enter(Phase.COLLECT)
        manifest = await signing.collect(source, built)
        await signing.check(source, manifest)
        await self._pass_gates(GatePoint.SIGN, manifest.digest)

        board.enter(Phase.SIGN)
        signed = await signing.sign(manifest)
        await signing.verify(manifest, signed)

        board.enter(Phase.STAGE)
        await publishing.stage(manifest, signed)
        await self._pass_gates(GatePoint.PUBLISH, manifest.digest)

        board.enter(Phase.PUBLISH)
        board.going_public = True
        await publishing.promote(manifest, signed)
        await publishing.check_public(manifest, signed)

        board.enter(Phase.ANNOUNCE)
        await publishing.push_tag(source)
        await publishing.write_evidence(source, manifest, built, signed)
        board.enter(Phase.RELEASED)

    async def _pass_gates(self, point: GatePoint, subject: str) -> None:
        await together(*(self._gates.open(gate, subject) for gate in self._board.plan.gates_before(point)))

    async def _until_done_or_ended(self, runbook: asyncio.Task[None]) -> None:
        """Wait for the runbook; a cancellation before the release goes public stops it and undoes what it did."""
        while not runbook.done():
            try:
                await workflow.wait_condition(lambda: runbook.done() or self._ended_by is not None)
            except asyncio.CancelledError:
                if not self._board.going_public:
                    await self._undo(runbook, "somebody asked Temporal to cancel the release")
                    raise
                self._board.note("baton", "asked to cancel, but the release is going public: it is finished instead")
            if self._ended_by is not None and not runbook.done():
                await self._undo(runbook, self._ended_by)
                raise ApplicationError(self._ended_by, type="ReleaseCancelled")
        try:
            await runbook
        except Abandoned as abandoned:
            await self._undo(runbook, str(abandoned))
            raise ApplicationError(str(abandoned), type="ReleaseCancelled") from abandoned

    async def _undo(self, runbook: asyncio.Task[None], why: str) -> None:
        self._board.ending = True
        runbook.cancel()
        await workflow.wait([runbook])
        self._board.note("baton", f"undoing: {why}")
        await self._publishing.undo()
        await self._building.undo()
        self._board.enter(Phase.CANCELLED)

    @workflow.update(
        name="sign_off",
        description="Agree to what a gate asks about; answers at once. The JSON to send is in the current details.",
    )
    def sign_off(self, message: SignOff) -> Answer:
        """Count a sign-off and say what became of it."""
        return self._gates.sign_off(message)

    @workflow.signal(
        name="sign_off",
        description="Agree to what a gate asks about. The JSON to send is in the current details; "
        "what became of it is in the log (query `journal`).",
    )
    def sign_off_signal(self, message: Any) -> None:
        """The durable twin of the update: kept while no worker is up."""
        if (read := self._read(SignOff, message)) is not None:
            self._gates.sign_off(read)

    @workflow.update(
        name="decide",
        description="Decide about a step that could not finish: retry, skip, abort or provide; answers at once.",
    )
    def decide(self, message: Decision) -> Answer:
        """Take a decision and say what became of it."""
        return self._steps.decide(message)

    @workflow.signal(
        name="decide",
        description="Decide about a step that could not finish. The JSON to send is in the current details.",
    )
    def decide_signal(self, message: Any) -> None:
        """The durable twin of the update."""
        if (read := self._read(Decision, message)) is not None:
            self._steps.decide(read)

    @workflow.update(
        name="cancel", description="End a release that is not public yet, and undo what it did; answers at once."
    )
    def cancel(self, message: Cancel) -> Answer:
        """End the release if that is still possible."""
        return self._cancel(message)

    @workflow.signal(name="cancel", description="End a release that is not public yet, and undo what it did.")
    def cancel_signal(self, message: Any) -> None:
        """The durable twin of the update."""
        if (read := self._read(Cancel, message)) is not None:
            self._cancel(read)

    def _cancel(self, message: Cancel) -> Answer:
        objection = self._objection_to_cancel(message)
        if objection is not None:
            self._board.note(message.by, f"cancel refused: {objection}")
            return Answer(accepted=False, message=objection)
        self._ended_by = f"{message.by} cancelled the release: {message.reason or 'no reason given'}"
        self._board.note(message.by, f"cancelled the release. {message.reason}".strip())
        return Answer(accepted=True, message="the release ends; what is not public is undone")

    def _objection_to_cancel(self, message: Cancel) -> str | None:
        if message.run != self._board.ref.run:
            return f"the message names run {message.run}; this is run {self._board.ref.run}"
        if self._board.going_public:
            return "the release is going public: it is finished, not undone"
        if self._ended_by is not None:
            return f"already ending: {self._ended_by}"
        return self._board.objection_to(message.by, message.role, (RELEASE_MANAGER,))

    def _read(self, kind: type[Message], message: Any) -> Message | None:
        try:
            return kind.model_validate(message)
        except ValidationError as error:
            facts = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'message'}: {e['msg']}" for e in error.errors()[:5])
            self._board.note("unknown", f"a {kind.__name__} signal could not be read: {facts}")
            return None

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

    @workflow.query(name="journal", description="Who did what, when.")
    def journal(self) -> list[Entry]:
        """The release's log."""
        return list(self._board.journal)
