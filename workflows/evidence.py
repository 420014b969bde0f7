"""The evidence: written when the release is public, signed by the workers that sign, and shown if the plan says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import workflow

from workflows import orders
from workflows.concurrency import together
from workflows.orders import order

with workflow.unsafe.imports_passed_through():
    from baton.model.base import counted
    from baton.model.evidence import (
        PUBLISH_EVIDENCE,
        SIGN_EVIDENCE,
        WRITE_EVIDENCE,
        PublishEvidence,
        Record,
        Shown,
        SignEvidence,
        WriteEvidence,
    )
    from baton.model.signing import own_signers
    from baton.model.status import Phase

if TYPE_CHECKING:
    from baton.model.manifest import Artifact, ManifestRef, SetRef
    from baton.model.plan import Target
    from baton.model.signing import OwnSigner
    from baton.model.status import Entry
    from baton.model.work import Built, Source
    from workflows.board import Board
    from workflows.files import ReleaseFiles
    from workflows.step import Steps

WRITE = "evidence"

LOG_LINE = 300
"""How much of a line of the log the evidence keeps; the acts that it tells of are there in full beside it."""


class Testimony:
    """The units of work that leave the evidence behind."""

    def __init__(self, board: Board, steps: Steps) -> None:
        self._board = board
        self._plan = board.plan
        self._ref = board.ref
        self._steps = steps

    def list(self) -> None:
        """Put the units on the board."""
        self._steps.add(WRITE, Phase.ANNOUNCE, self._plan.queue)
        for signer in own_signers(self._plan.signers):
            self._steps.add(f"{WRITE}-{signer.kind}", Phase.ANNOUNCE, signer.queue)
        for target in self._plan.targets if self._plan.publish_evidence else ():
            self._steps.add(f"{WRITE}-on-{target.name}", Phase.ANNOUNCE, target.queue)

    async def leave(
        self, source: Source | None, built: tuple[Built, ...], files: ReleaseFiles, attestation: Artifact | None
    ) -> None:
        """Write the record that anyone can check later without Temporal, sign it, and show it.

        Args:
            source: what was built.
            built: who made what of it.
            files: what is released.
            attestation: the statement of who agreed to that, if there is one.
        """
        manifest = files.manifest
        evidence = await self._write(source, built, files, attestation)
        for signer in own_signers(self._plan.signers):
            evidence = await self._sign(signer, manifest, evidence)
        self._board.evidence = evidence.digest
        if self._plan.publish_evidence:
            await together(*(self._publish(target, manifest, evidence) for target in self._plan.targets))

    async def _write(
        self, source: Source | None, built: tuple[Built, ...], files: ReleaseFiles, attestation: Artifact | None
    ) -> SetRef:
        async def attempt(_: int) -> SetRef:
            board = self._board
            record = Record(
                release=self._plan.release,
                run=self._ref.run,
                sandbox=self._plan.sandbox,
                plan=self._ref.plan,
                phase=board.phase,
                complete=True,
                at=workflow.now(),
                manifest=files.manifest.digest,
                source=source,
                built=built,
                signed=files.signed,
                attested=files.attested,
                attestation=attestation,
                steps=tuple(board.steps.values()),
                gates=tuple(board.gates.values()),
                joint=board.joint,
                published=tuple(board.published),
                journal=tuple(_cut(entry) for entry in board.journal),
            )
            return await order(
                WRITE_EVIDENCE,
                WriteEvidence(release=self._ref, record=record, heard=tuple(board.heard)),
                queue=self._plan.queue,
                patience=orders.LOCAL,
                summary="write the evidence",
            )

        return await self._steps.finish(WRITE, attempt, done=lambda _: f"{counted(len(self._board.heard), 'act')} told")

    async def _sign(self, signer: OwnSigner, manifest: ManifestRef, evidence: SetRef) -> SetRef:
        async def attempt(_: int) -> SetRef:
            return await order(
                SIGN_EVIDENCE,
                SignEvidence(
                    release=self._ref,
                    signer=signer,
                    manifest=manifest,
                    evidence=evidence,
                    gates=self._board.agreed,
                ),
                queue=signer.queue,
                patience=orders.SIGNING,
                summary=f"sign the evidence with {signer.kind}",
            )

        return await self._steps.finish(f"{WRITE}-{signer.kind}", attempt, done=lambda _: "signed")

    async def _publish(self, target: Target, manifest: ManifestRef, evidence: SetRef) -> None:
        async def attempt(_: int) -> Shown:
            return await order(
                PUBLISH_EVIDENCE,
                PublishEvidence(
                    release=self._ref,
                    target=target,
                    manifest=manifest,
                    evidence=evidence,
                    gates=self._board.agreed,
                ),
                queue=target.queue,
                patience=orders.PUBLISHING,
                summary=f"show the evidence on {target.name}",
            )

        shown = await self._steps.finish(
            f"{WRITE}-on-{target.name}", attempt, done=lambda shown: f"{counted(shown.documents, 'document')}, right"
        )
        self._board.note("baton", f"the evidence is public at {shown.url}")


def _cut(entry: Entry) -> Entry:
    return entry.model_copy(update={"what": entry.what[:LOG_LINE]})
