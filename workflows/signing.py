"""Collect, check and sign: from what the steps made to a signed manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import workflow

from workflows import orders
from workflows.concurrency import together
from workflows.errands import SignElsewhere
from workflows.orders import order
from workflows.outside import OutsideRuns

with workflow.unsafe.imports_passed_through():
    from baton.model import work
    from baton.model.base import counted, short
    from baton.model.signing import (
        DispatchedSigner,
        HumanGpgSigner,
        HumanSigner,
        HumanSigstoreSigner,
        who_may_sign,
    )
    from baton.model.status import Phase

if TYPE_CHECKING:
    from baton.model.building import Check
    from baton.model.manifest import ManifestRef, SetRef
    from baton.model.signing import OwnSigner, Signer
    from workflows.board import Board
    from workflows.files import ReleaseFiles
    from workflows.step import Steps

DESCRIBE = "describe"
MANIFEST = "manifest"
VERIFY = "verify"


class Signing:
    """The units of work between the builds and the staging."""

    def __init__(self, board: Board, steps: Steps) -> None:
        self._board = board
        self._plan = board.plan
        self._ref = board.ref
        self._queue = board.plan.queue
        self._steps = steps
        self._outside = OutsideRuns(board)

    def list(self) -> None:
        """Put the units on the board."""
        if self._plan.sboms:
            self._steps.add(DESCRIBE, Phase.COLLECT, self._queue)
        self._steps.add(MANIFEST, Phase.COLLECT, self._queue)
        for check in self._plan.checks:
            self._steps.add(f"check-{check.name}", Phase.COLLECT, check.queue)
        self.list_signers()

    def list_signers(self) -> None:
        """Put the signing and its verification on the board, all that there is where nothing is built."""
        for signer in self._plan.signers:
            if isinstance(signer, HumanSigner):
                people = tuple(one.person for one in signer.people)
                self._steps.add(f"sign-{signer.kind}", Phase.SIGN, self._queue, signed_by=people)
            else:
                self._steps.add(f"sign-{signer.kind}", Phase.SIGN, signer.queue)
        self._steps.add(VERIFY, Phase.SIGN, self._queue)

    async def collect(self, source: work.Source, built: tuple[work.Built, ...]) -> ManifestRef:
        """Describe each file in an SPDX document and list all of them. From here everything refers to the manifest."""
        sboms = await self._describe(source, built) if self._plan.sboms else None

        async def attempt(_: int) -> ManifestRef:
            return await order(
                work.MAKE_MANIFEST,
                work.MakeManifest(release=self._ref, built=built, sboms=sboms, source=source),
                queue=self._queue,
                patience=orders.LOCAL,
                summary="list every file",
            )

        manifest = await self._steps.finish(
            MANIFEST, attempt, done=lambda made: f"{counted(made.files, 'file')}, {short(made.digest)}"
        )
        self._board.manifest = manifest
        self._board.note("baton", f"manifest {manifest.digest}: {counted(manifest.files, 'file')}")
        return manifest

    async def check(self, source: work.Source, manifest: ManifestRef) -> None:
        """Run the project's own checks on the manifest's files, all at once."""
        await together(*(self._check(check, source, manifest) for check in self._plan.checks))

    async def sign(self, manifest: ManifestRef) -> tuple[work.Signed, ...]:
        """Have every signer sign every file, the signers at once."""
        return tuple(await together(*(self._sign(signer, manifest) for signer in self._plan.signers)))

    async def undo(self) -> None:
        """Stop outside runs that sign; what is in a public log by then stays there."""
        await self._outside.undo(self._steps)

    async def verify(self, files: ReleaseFiles) -> None:
        """Verify every signature and statement as a stranger would, before anyone is asked anything."""

        async def attempt(_: int) -> work.Verified:
            return await order(
                work.VERIFY_SIGNATURES,
                work.VerifySignatures(
                    release=self._ref,
                    signers=self._plan.signers,
                    manifest=files.manifest,
                    signed=files.signed,
                    attested=files.attested,
                ),
                queue=self._queue,
                patience=orders.WHOLE_RELEASE,
                summary="verify as a stranger would",
            )

        await self._steps.finish(
            VERIFY,
            attempt,
            done=lambda seen: f"{counted(seen.signatures, 'good signature')} on {counted(seen.files, 'file')}",
        )

    async def _describe(self, source: work.Source, built: tuple[work.Built, ...]) -> SetRef:
        async def attempt(_: int) -> SetRef:
            return await order(
                work.DESCRIBE_FILES,
                work.DescribeFiles(release=self._ref, built=built, source=source),
                queue=self._queue,
                patience=orders.WHOLE_RELEASE,
                summary="an SPDX document for each file",
            )

        return await self._steps.finish(DESCRIBE, attempt, done=lambda made: f"{counted(made.files, 'SPDX document')}")

    async def _check(self, check: Check, source: work.Source, manifest: ManifestRef) -> work.Checked:
        async def attempt(number: int) -> work.Checked:
            return await order(
                work.RUN_CHECK,
                work.RunCheck(release=self._ref, check=check, source=source, manifest=manifest, attempt=number),
                queue=check.queue,
                patience=orders.building(check.timeout, check.wait_for_runner),
                summary=f"check {check.name}, attempt {number}",
            )

        return await self._steps.finish(f"check-{check.name}", attempt, done=lambda _: "passed")

    async def _sign(self, signer: Signer, manifest: ManifestRef) -> work.Signed:
        match signer:
            case HumanSigstoreSigner() | HumanGpgSigner():
                return await self._signed_by_people(signer, manifest)
            case DispatchedSigner():
                return await self._steps.finish(
                    f"sign-{signer.kind}",
                    lambda _: self._outside.do(SignElsewhere(self._board, signer, manifest)),
                    done=_summary,
                )
            case _:
                return await self._signed_here(signer, manifest)

    async def _signed_by_people(self, signer: HumanSigner, manifest: ManifestRef) -> work.Signed:
        """Wait until one of the people hands in signatures that count; others are refused at once, and it waits on."""

        async def provided(digest: str) -> work.Signed:
            return await order(
                work.TAKE_SIGNATURES,
                work.TakeSignatures(release=self._ref, signer=signer, manifest=manifest, provided=digest),
                queue=self._queue,
                patience=orders.WHOLE_RELEASE,
                summary="verify what a person signed, as a stranger would",
            )

        asks = f"{counted(manifest.files, 'file')} of manifest {manifest.digest} to be signed. {who_may_sign(signer)}"
        return await self._steps.finish(f"sign-{signer.kind}", None, provided=provided, done=_summary, asks=asks)

    async def _signed_here(self, signer: OwnSigner, manifest: ManifestRef) -> work.Signed:
        async def attempt(_: int) -> work.Signed:
            return await order(
                work.SIGN_FILES,
                work.SignFiles(release=self._ref, signer=signer, manifest=manifest, gates=self._board.agreed),
                queue=signer.queue,
                patience=orders.SIGNING,
                summary=f"sign {counted(manifest.files, 'file')} with {signer.kind}",
            )

        return await self._steps.finish(f"sign-{signer.kind}", attempt, done=_summary)


def _summary(made: work.Signed) -> str:
    return counted(made.signatures.files, "signature")
