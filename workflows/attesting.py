"""Attest: what a machine states of the release, signed: how each file was made, and what people agreed to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import workflow

from workflows import orders
from workflows.orders import order

with workflow.unsafe.imports_passed_through():
    from baton.model.acts import Decision
    from baton.model.attesting import (
        ATTEST_FILES,
        ATTEST_RELEASE,
        NO_ATTESTATIONS,
        AttestFiles,
        AttestRelease,
        attester,
    )
    from baton.model.base import counted
    from baton.model.status import Phase

if TYPE_CHECKING:
    from baton.model.base import Digest
    from baton.model.manifest import Artifact, ManifestRef, SetRef
    from workflows.board import Board
    from workflows.step import Steps

FILES = "attest-files"
RELEASE = "attest-release"


class Attesting:
    """The units of work that leave statements behind; none if no machine with a Sigstore identity signs."""

    def __init__(self, board: Board, steps: Steps) -> None:
        self._board = board
        self._ref = board.ref
        self._steps = steps
        self._signer = attester(board.plan.signers)

    def list(self) -> None:
        """Put the units on the board; or say that there are none, and why."""
        if self._signer is None:
            self._board.note("baton", NO_ATTESTATIONS)
            return
        self._steps.add(FILES, Phase.SIGN, self._signer.queue)
        self._steps.add(RELEASE, Phase.ANNOUNCE, self._signer.queue)

    async def attest_files(self, manifest: ManifestRef) -> SetRef | None:
        """State how each file was made."""
        signer = self._signer
        if signer is None:
            return None

        async def attempt(_: int) -> SetRef:
            return await order(
                ATTEST_FILES,
                AttestFiles(
                    release=self._ref,
                    signer=signer,
                    manifest=manifest,
                    decisions=self._decisions,
                    gates=self._board.agreed,
                ),
                queue=signer.queue,
                patience=orders.SIGNING,
                summary=f"state how {counted(manifest.files, 'file')} were made",
            )

        return await self._steps.finish(FILES, attempt, done=lambda made: counted(made.files, "signed statement"))

    async def attest_release(self, manifest: ManifestRef) -> Artifact | None:
        """State what people agreed to."""
        signer = self._signer
        if signer is None:
            return None

        async def attempt(_: int) -> Artifact:
            return await order(
                ATTEST_RELEASE,
                AttestRelease(release=self._ref, signer=signer, manifest=manifest, gates=self._board.agreed),
                queue=signer.queue,
                patience=orders.SIGNING,
                summary="state who agreed to the release",
            )

        return await self._steps.finish(RELEASE, attempt, done=lambda _: "signed")

    @property
    def _decisions(self) -> tuple[Digest, ...]:
        """The envelopes of what people decided; the signing worker finds those that hand files in, and proves them."""
        said = (heard for heard in self._board.heard if heard.accepted and heard.kind == Decision.kind)
        return tuple(heard.proof.envelope for heard in said if heard.proof is not None)
