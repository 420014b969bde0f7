"""What a release does that goes public together with others: it says how it stands, and waits for the word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from baton.model.security import Hindrance, StreamFiles, StreamReport, StreamState, TargetState, Word
    from baton.model.status import Phase, StepState

if TYPE_CHECKING:
    from baton.model.security import ParentSays
    from workflows.board import Board

REPORT = "report"
"""The signal by which a stream's release says to the security release how it stands."""


class Barrier:
    """The release's side of the barrier; where the plan has none, nothing here waits or tells."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._planned = board.plan.barrier
        self._ready = False
        self._signed = False
        self._word = Word.HOLD
        self._said: StreamReport | None = None
        self._over = False

    def hear(self, says: ParentSays) -> None:
        """Take the security release's word, if it is about these files; and say again how the release stands."""
        if self._planned is None:
            return
        self._said = None
        if says.word is not Word.HOLD and (
            self._board.manifest is None or says.manifest != self._board.manifest.digest
        ):
            return
        # Once gone, there is no holding back.
        if not self._board.going_public:
            self._word = says.word
            if says.word is not Word.HOLD:
                # Who is held back while it signs goes on with that: people have agreed to exactly these files.
                self._board.joint = says.joint
            self._bind()

    async def open(self) -> None:
        """Everything is staged but signatures; wait for the barrier to open."""
        await self._until(Word.OPEN, Word.GO)

    async def go(self) -> None:
        """Everything is staged; wait for the others to be so, and for the word to go."""
        if self._planned is None:
            return
        self._signed = True
        self._bind()
        await self._until(Word.GO)

    async def report(self) -> None:
        """Tell the security release of every change in how this one stands, until the end."""
        while self._planned is not None:
            await workflow.wait_condition(lambda: self._over or self._stands() != self._said)
            stands = self._stands()
            if stands == self._said:
                return
            self._said = stands
            await self._tell(stands)

    def finish(self) -> None:
        """Let :meth:`report` return once the last change is told."""
        self._over = True

    async def _until(self, *words: Word) -> None:
        self._ready = True
        self._board.show()
        await workflow.wait_condition(lambda: self._word in words)

    def _bind(self) -> None:
        self._board.bound = self._signed and self._word is not Word.HOLD

    async def _tell(self, stands: StreamReport) -> None:
        parent = workflow.info().parent
        if parent is None:
            return
        try:
            await workflow.get_external_workflow_handle(parent.workflow_id).signal(REPORT, stands)
        except FailureError as error:
            self._board.note("baton", f"could not tell {parent.workflow_id} that this is {stands.state}: {error}")

    def _stands(self) -> StreamReport:
        board, plan = self._board, self._board.plan
        manifest = board.manifest
        return StreamReport(
            release=plan.release,
            run=board.ref.run,
            plan=board.ref.plan,
            commit=plan.source.commit,
            state=self._state(),
            phase=board.phase,
            shipped=None
            if manifest is None
            else StreamFiles(manifest=manifest.digest, files=manifest.files, total_bytes=manifest.total_bytes),
            planners=board.planners,
            targets=tuple(self._target(target.name) for target in plan.targets),
            hindrances=tuple(
                Hindrance(step=step.name, attempt=step.attempt, roles=board.deciders(step), why=step.detail[:500])
                for step in board.steps.values()
                if step.state is StepState.NEEDS_DECISION
            ),
        )

    def _state(self) -> StreamState:
        board = self._board
        if board.leaving is not None:
            return StreamState.LEFT if board.phase is Phase.CANCELLED else StreamState.PREPARING
        if board.phase is Phase.RELEASED:
            return StreamState.RELEASED
        if board.published:
            return StreamState.PUBLIC
        if board.going_public or (self._signed and self._word is Word.GO):
            return StreamState.PUBLISHING
        if self._signed and self._word is Word.OPEN:
            return StreamState.SIGNED
        return StreamState.READY if self._ready else StreamState.PREPARING

    def _target(self, name: str) -> TargetState:
        promoted, staged = (self._board.steps[f"{verb}-{name}"] for verb in ("promote", "stage"))
        done = promoted.state is StepState.DONE
        shown = staged if promoted.state is StepState.PENDING else promoted
        return TargetState(
            target=name,
            url=promoted.detail if done else None,
            detail="" if done else f"{shown.name} {shown.state}{f': {shown.detail}' if shown.detail else ''}"[:500],
        )
