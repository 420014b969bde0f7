"""Stage, promote, check: from a signed manifest to public files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import workflow

from workflows import orders
from workflows.concurrency import together
from workflows.files import ReleaseFiles
from workflows.orders import order

with workflow.unsafe.imports_passed_through():
    from baton.model import work
    from baton.model.base import counted
    from baton.model.status import Phase, Published

if TYPE_CHECKING:
    from collections.abc import Callable

    from baton.model.manifest import ManifestRef
    from baton.model.plan import Target
    from workflows.board import Board
    from workflows.step import Steps

PUSH_TAG = "push-tag"


class Publishing:
    """The units of work that put files where people find them."""

    def __init__(self, board: Board, steps: Steps) -> None:
        self._board = board
        self._plan = board.plan
        self._ref = board.ref
        self._queue = board.plan.queue
        self._steps = steps
        self._staged: list[Target] = []
        self._promoted: dict[str, str] = {}

    def list(self) -> None:
        """Put the units on the board."""
        before = ((Phase.STAGE, "stage-files"),) if self._plan.signs_at_barrier else ()
        for phase, verb in (*before, (Phase.STAGE, "stage"), (Phase.PUBLISH, "promote"), (Phase.PUBLISH, "public")):
            for target in self._plan.targets:
                self._steps.add(f"{verb}-{target.name}", phase, target.queue)
        if self._plan.source.push_tag:
            self._steps.add(PUSH_TAG, Phase.ANNOUNCE, self._queue)

    async def stage(self, files: ReleaseFiles) -> None:
        """Put everything where it will be public, but where no one sees it yet; all targets at once."""
        await together(*(self._stage("stage", target, files) for target in self._plan.targets))

    async def stage_files(self, manifest: ManifestRef) -> None:
        """Put the files there without signatures, which are made later; so little is left to do behind a barrier."""
        await together(*(self._stage("stage-files", target, ReleaseFiles(manifest)) for target in self._plan.targets))

    async def promote(self, files: ReleaseFiles) -> None:
        """Make it public, one target after the other in the plan's order."""
        for target in self._plan.targets:
            promoted = await self._promote(target, files)
            self._board.note("baton", f"public at {promoted.url}")
            self._promoted[target.name] = promoted.url

    async def check_public(self, files: ReleaseFiles) -> None:
        """Fetch everything back from the public side and compare, all targets at once."""
        seen = await together(*(self._check_public(target, files) for target in self._plan.targets))
        self._board.published = [
            Published(target=target.name, url=self._promoted[target.name], checked=each.files)
            for target, each in zip(self._plan.targets, seen, strict=True)
        ]
        self._board.show()

    async def push_tag(self, source: work.Source, manifest: ManifestRef) -> None:
        """Push the tag last, so that nobody builds from a tag whose files never came."""
        if not self._plan.source.push_tag:
            return

        repository = self._plan.source.push_to or source.repository
        public = source.model_copy(update={"repository": repository})

        async def attempt(_: int) -> work.Pushed:
            return await order(
                work.PUSH_TAG,
                work.PushTag(release=self._ref, source=public, manifest=manifest, gates=self._board.agreed),
                queue=self._queue,
                patience=orders.REMOTE_GIT,
                summary=f"push {source.tag}",
            )

        await self._steps.finish(PUSH_TAG, attempt, done=lambda pushed: f"{source.tag} on {pushed.commit[:12]}")

    async def undo(self) -> None:
        """Take away what is staged; what is public is never touched."""
        for target in self._staged:
            argument = work.WithdrawStaging(release=self._ref, target=target)
            await self._steps.undo(work.UNSTAGE, argument, queue=target.queue)

    async def _stage(self, unit: str, target: Target, files: ReleaseFiles) -> work.Staged:
        # Noted before it is done, so that a cancellation in the middle is undone too.
        if target not in self._staged:
            self._staged.append(target)
        return await self._on(
            target,
            work.STAGE,
            lambda: self._publish(target, files),
            unit=unit,
            summary=f"stage on {target.name}",
            done=lambda made: f"{counted(made.files, 'file')}, {made.total_bytes:,} bytes",
        )

    async def _promote(self, target: Target, files: ReleaseFiles) -> work.Promoted:
        return await self._on(
            target,
            work.PROMOTE,
            lambda: self._publish(target, files),
            unit="promote",
            summary=f"make public on {target.name}",
            done=lambda made: made.url,
        )

    async def _check_public(self, target: Target, files: ReleaseFiles) -> work.Seen:
        return await self._on(
            target,
            work.CHECK_PUBLIC,
            lambda: self._publish(target, files),
            unit="public",
            summary=f"fetch back from {target.name}",
            done=lambda seen: f"{counted(seen.files, 'file')} fetched back and right",
        )

    async def _on(
        self,
        target: Target,
        what: work.Work[work.Publish, work.Result],
        argument: Callable[[], work.Publish],
        *,
        unit: str,
        summary: str,
        done: Callable[[work.Result], str],
    ) -> work.Result:
        """Do a piece of work on a target, as the unit of that name on the board."""

        async def attempt(_: int) -> work.Result:
            return await order(what, argument(), queue=target.queue, patience=orders.PUBLISHING, summary=summary)

        return await self._steps.finish(f"{unit}-{target.name}", attempt, done=done)

    def _publish(self, target: Target, files: ReleaseFiles) -> work.Publish:
        return work.Publish(
            release=self._ref,
            target=target,
            manifest=files.manifest,
            signed=files.signed,
            attested=files.attested,
            gates=self._board.agreed,
        )
