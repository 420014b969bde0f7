"""What is public is looked at, and later gets its new signatures: the units of work on each target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import workflow

from workflows import orders
from workflows.concurrency import together
from workflows.orders import order

with workflow.unsafe.imports_passed_through():
    from baton.model import work
    from baton.model.base import counted, short
    from baton.model.renewing import RENEW, TAKE_STOCK, Renew, Renewed, Stock, TakeStock
    from baton.model.status import Phase, Published

if TYPE_CHECKING:
    from baton.model.manifest import ManifestRef
    from baton.model.plan import Target
    from workflows.board import Board
    from workflows.step import Steps


class Renewing:
    """The units of work that look at what is public, and put new signatures beside it."""

    def __init__(self, board: Board, steps: Steps) -> None:
        self._board = board
        self._plan = board.plan
        self._ref = board.ref
        self._steps = steps
        self._stocks: dict[str, Stock] = {}

    def list(self) -> None:
        """Put the units on the board."""
        for phase, verb in ((Phase.COLLECT, "stock"), (Phase.PUBLISH, "renew"), (Phase.PUBLISH, "public")):
            for target in self._plan.targets:
                self._steps.add(f"{verb}-{target.name}", phase, target.queue)

    async def take_stock(self) -> ManifestRef:
        """Fetch every file from every target and compare it; from here everything refers to the list of them."""
        stocks = await together(*(self._take_stock(target) for target in self._plan.targets))
        self._stocks = {stock.target: stock for stock in stocks}
        # Every target has the same files, or its stock could not have been taken.
        manifest = stocks[0].manifest
        self._board.manifest = manifest
        self._board.note("baton", f"manifest {manifest.digest}: {counted(manifest.files, 'file')}, public and right")
        self._board.show()
        return manifest

    async def renew(self, manifest: ManifestRef, signed: tuple[work.Signed, ...]) -> None:
        """Make the new signatures public, one target after the other, and fetch everything back from all of them."""
        renewed = [await self._renew(target, manifest, signed) for target in self._plan.targets]
        seen = await together(*(self._check_public(target, manifest, signed) for target in self._plan.targets))
        self._board.published = [
            Published(target=made.target, url=made.url, checked=each.files)
            for made, each in zip(renewed, seen, strict=True)
        ]
        self._board.show()

    async def _take_stock(self, target: Target) -> Stock:
        async def attempt(_: int) -> Stock:
            return await order(
                TAKE_STOCK,
                TakeStock(release=self._ref, target=target),
                queue=target.queue,
                patience=orders.WHOLE_RELEASE,
                summary=f"compare what is public on {target.name}",
            )

        return await self._steps.finish(
            f"stock-{target.name}",
            attempt,
            done=lambda stock: (
                f"{counted(stock.manifest.files, 'file')} fetched and right, {short(stock.manifest.digest)}; "
                f"{counted(stock.old.files, 'old signature')}"
            ),
        )

    async def _renew(self, target: Target, manifest: ManifestRef, signed: tuple[work.Signed, ...]) -> Renewed:
        async def attempt(_: int) -> Renewed:
            return await order(
                RENEW,
                Renew(
                    release=self._ref,
                    target=target,
                    manifest=manifest,
                    signed=signed,
                    gates=tuple(self._board.gates.values()),
                    stock=self._stocks[target.name],
                ),
                queue=target.queue,
                patience=orders.PUBLISHING,
                summary=f"put new signatures on {target.name}",
            )

        renewed = await self._steps.finish(
            f"renew-{target.name}",
            attempt,
            done=lambda made: f"{counted(made.signatures, 'new signature')}, {made.kept:,} old kept",
        )
        self._board.note("baton", f"{counted(renewed.signatures, 'new signature')} public at {renewed.url}")
        return renewed

    async def _check_public(self, target: Target, manifest: ManifestRef, signed: tuple[work.Signed, ...]) -> work.Seen:
        async def attempt(_: int) -> work.Seen:
            return await order(
                work.CHECK_PUBLIC,
                work.Publish(
                    release=self._ref,
                    target=target,
                    manifest=manifest,
                    signed=signed,
                    gates=tuple(self._board.gates.values()),
                ),
                queue=target.queue,
                patience=orders.PUBLISHING,
                summary=f"fetch back from {target.name}",
            )

        return await self._steps.finish(
            f"public-{target.name}", attempt, done=lambda seen: f"{counted(seen.files, 'file')} fetched back and right"
        )
