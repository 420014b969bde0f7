"""Prepare and build: the source, then every platform at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from temporalio import workflow

from workflows import orders
from workflows.branch import ReleaseBranch
from workflows.concurrency import together
from workflows.errands import Build
from workflows.orders import order
from workflows.outside import OutsideRuns
from workflows.platform import PlatformSigning

with workflow.unsafe.imports_passed_through():
    from baton.model import work
    from baton.model.base import counted, short
    from baton.model.building import HandedInBuilder
    from baton.model.hearing import KEEP_PLAN, KeepPlan, Kept
    from baton.model.outside import GitHubBuilder
    from baton.model.outside_azure import AzureBuilder
    from baton.model.status import Phase

if TYPE_CHECKING:
    from baton.model.building import Step
    from baton.model.code_signing import PlatformStep
    from workflows.board import Board
    from workflows.step import Steps

PLAN = "plan"
PREPARE = "prepare"


class Building:
    """The units of work from a commit to what every step made."""

    def __init__(self, board: Board, steps: Steps) -> None:
        self._board = board
        self._plan = board.plan
        self._ref = board.ref
        self._queue = board.plan.queue
        self._steps = steps
        self._outside = OutsideRuns(board)
        self._platform = PlatformSigning(board, steps)
        self._branch = ReleaseBranch(board, steps)
        self._prepared = False
        self._made: dict[str, asyncio.Future[work.Built | None]] = {}

    def list(self) -> None:
        """Put the units on the board."""
        self.list_plan()
        self._steps.add(PREPARE, Phase.PREPARE, self._queue)
        self._branch.list()
        for step in self._plan.steps:
            self._steps.add(step.name, Phase.BUILD, step.queue, role=step.role)
        self._platform.list()

    def list_plan(self) -> None:
        """Put the keeping of the plan on the board, all that there is where nothing is built."""
        self._steps.add(PLAN, Phase.PREPARE, self._queue)

    async def keep_plan(self) -> None:
        """Put the plan where every worker that holds a secret reads it by its digest."""

        async def attempt(_: int) -> Kept:
            return await order(
                KEEP_PLAN,
                KeepPlan(release=self._ref, plan=self._plan),
                queue=self._queue,
                patience=orders.LOCAL,
                summary=f"keep plan {short(self._ref.plan)}",
            )

        await self._steps.finish(PLAN, attempt, done=lambda kept: short(kept.digest))

    async def prepare(self) -> work.Source:
        """Make a fresh clone at the commit, run the project's own preparation, make the tag; it is not pushed yet."""
        self._prepared = True

        async def attempt(number: int) -> work.Source:
            return await order(
                work.PREPARE_SOURCE,
                work.PrepareSource(release=self._ref, source=self._plan.source, attempt=number),
                queue=self._queue,
                patience=orders.REMOTE_GIT,
                summary=f"clone {self._plan.source.commit[:12]}, tag {self._plan.source.tag}",
            )

        return await self._steps.finish(PREPARE, attempt, done=lambda made: f"{made.tag} on {made.commit[:12]}")

    async def build_everything(self, source: work.Source) -> tuple[work.Built, ...]:
        """Build every step at once, each on its own queue.

        Returns:
            What is released, in the plan's order: what steps made, but for those that only had to agree with another;
            where it was signed further, what came of that; and nothing that people decided to skip.
        """
        await self._branch.make(source)
        plan = self._plan
        names = [step.name for step in plan.steps] + [step.name for step in plan.platform]
        self._made = {name: asyncio.Future() for name in names}
        outcomes = await together(
            *(self._build(step, source) for step in plan.steps), *(self._sign(step) for step in plan.platform)
        )
        signed_further = {step.of for step in plan.platform}
        building = {step.name for step in plan.steps if step.agrees_with is None}
        releasing = (building | {step.name for step in plan.platform}) - signed_further
        return tuple(built for built in outcomes if built is not None and built.step in releasing)

    async def clear(self) -> None:
        """Take away what only building needed."""
        await self._branch.remove()

    async def undo(self) -> None:
        """Stop outside runs, and forget the prepared source with its tag, which was never pushed."""
        await self._outside.undo(self._steps)
        await self._branch.remove()
        if self._prepared:
            await self._steps.undo(work.FORGET_SOURCE, work.ForgetSource(release=self._ref), queue=self._queue)

    async def _build(self, step: Step, source: work.Source) -> work.Built | None:
        async def attempt(number: int) -> work.Built:
            if isinstance(step.builder, GitHubBuilder | AzureBuilder):
                return await self._accept(step, source, await self._outside.do(Build(self._board, step, source)))
            built = await order(
                work.BUILD_STEP,
                work.BuildStep(release=self._ref, step=step, source=source, attempt=number),
                queue=step.queue,
                patience=orders.building(step.timeout, step.wait_for_runner),
                summary=f"build {step.name}, attempt {number}",
            )
            return await self._accept(step, source, built)

        async def provided(digest: str) -> work.Built:
            built = await order(
                work.TAKE_PROVIDED,
                work.ProvidedStep(release=self._ref, step=step, provided=digest, source=source),
                queue=self._queue,
                patience=orders.LOCAL,
                summary=f"take what was handed in for {step.name}",
            )
            return await self._accept(step, source, built)

        if isinstance(step.builder, HandedInBuilder):
            asks = f"files to be handed in: {', '.join(step.files)}. {step.builder.instructions}".strip()
            built = await self._steps.run(step.name, None, provided=provided, done=_summary, asks=asks)
        else:
            built = await self._steps.run(step.name, attempt, provided=provided, done=_summary)
        self._made[step.name].set_result(built)
        return built

    async def _sign(self, step: PlatformStep) -> work.Built | None:
        signed = await self._platform.sign(step, await asyncio.shield(self._made[step.of]))
        self._made[step.name].set_result(signed)
        return signed

    async def _accept(self, step: Step, source: work.Source, built: work.Built) -> work.Built:
        """Inspect what came, however it was made, and compare it where two builds must agree."""
        await order(
            work.INSPECT_STEP,
            work.InspectStep(
                release=self._ref,
                step=step,
                artifacts=built.artifacts,
                limits=self._plan.limits,
                commit=built.commit,
                expected=source.commit,
            ),
            queue=self._queue,
            patience=orders.WHOLE_RELEASE,
            summary=f"inspect the files of {step.name}",
        )
        if step.agrees_with is None:
            return built
        first = await asyncio.shield(self._made[step.agrees_with])
        if first is not None:
            await order(
                work.COMPARE_STEPS,
                work.CompareSteps(release=self._ref, first=first, second=built),
                queue=self._queue,
                patience=orders.LOCAL,
                summary=f"compare {step.name} with {step.agrees_with}",
            )
        return built


def _summary(built: work.Built) -> str:
    return f"{counted(built.artifacts.files, 'file')}, {built.artifacts.total_bytes:,} bytes"
