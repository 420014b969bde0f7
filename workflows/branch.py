"""The release's own branch: the prepared commit where outside CI systems find it, before its tag is public."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import workflow

from workflows import orders
from workflows.orders import order

with workflow.unsafe.imports_passed_through():
    from baton.model import work
    from baton.model.status import Phase

if TYPE_CHECKING:
    from workflows.board import Board
    from workflows.step import Steps

UNIT = "release-branch"


class ReleaseBranch:
    """Made where a step that is built outside names it, as what its run is of or is told to build; else not at all.

    The commit becomes as public as the repository is.
    """

    def __init__(self, board: Board, steps: Steps) -> None:
        self._board = board
        self._ref = board.ref
        self._queue = board.plan.queue
        self._steps = steps
        self._wanted = board.plan.branch is not None
        self._offered: work.OfferSource | None = None

    def list(self) -> None:
        """Put it on the board, if it is wanted."""
        if self._wanted:
            self._steps.add(UNIT, Phase.BUILD, self._queue)

    async def make(self, source: work.Source) -> None:
        """Make it, if it is wanted."""
        if not self._wanted:
            return
        offer = self._offered = work.OfferSource(release=self._ref, source=source, gates=self._board.agreed)

        async def attempt(_: int) -> work.Offered:
            return await order(
                work.OFFER_SOURCE,
                offer,
                queue=self._queue,
                patience=orders.REMOTE_GIT,
                summary=f"push {source.commit[:12]} to {offer.branch}",
            )

        await self._steps.finish(UNIT, attempt, done=lambda made: f"{made.branch} on {source.commit[:12]}")

    async def remove(self) -> None:
        """Take it away again; what is left of it holds nothing."""
        if self._offered is not None:
            offered, self._offered = self._offered, None
            await self._steps.undo(work.WITHDRAW_SOURCE, offered, queue=self._queue)
