"""Signing inside the files, as Windows and macOS want it: between a build and the manifest, a step of its own each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import workflow

from workflows import orders
from workflows.orders import order

with workflow.unsafe.imports_passed_through():
    from baton.model import platform, work
    from baton.model.base import counted
    from baton.model.code_signing import Authenticode, Notarization
    from baton.model.status import Phase, StepState

if TYPE_CHECKING:
    from baton.model.code_signing import PlatformStep
    from baton.model.gate import GateResult
    from workflows.board import Board
    from workflows.step import Steps


class PlatformSigning:
    """The units of work that put a platform's signatures into files."""

    def __init__(self, board: Board, steps: Steps) -> None:
        self._board = board
        self._ref = board.ref
        self._steps = steps

    def list(self) -> None:
        """Put the units on the board."""
        for step in self._board.plan.platform:
            self._steps.add(step.name, Phase.BUILD, step.queue, role=step.role)

    async def sign(self, step: PlatformStep, built: work.Built | None) -> work.Built | None:
        """Sign what a step made.

        Args:
            step: what to do.
            built: what the step before made, or None if people decided to go on without it.

        Returns:
            The same files, those that the step names signed; None if there are none.
        """
        if built is None:
            self._board.change(step.name, StepState.SKIPPED, detail=f"{step.of} was skipped: there is nothing to sign")
            return None

        async def attempt(number: int) -> work.Built:
            if isinstance(step.signing, Notarization):
                return await self._notarize(step, step.signing, built, number)
            return await self._sign(step, built)

        return await self._steps.finish(
            step.name, attempt, done=lambda _: f"{counted(len(step.files), 'file')} signed, {step.signing.kind}"
        )

    async def _sign(self, step: PlatformStep, built: work.Built) -> work.Built:
        signed = await order(
            platform.SIGN_PLATFORM,
            platform.SignPlatform(release=self._ref, step=step, built=built, gates=self._gates),
            queue=step.queue,
            patience=orders.building(step.timeout, step.wait_for_runner),
            summary=f"sign {counted(len(step.files), 'file')} of {step.of}, {step.signing.kind}",
        )
        if isinstance(step.signing, Authenticode):
            await order(
                platform.VERIFY_AUTHENTICODE,
                platform.VerifyAuthenticode(release=self._ref, step=step, unsigned=built, signed=signed),
                queue=self._board.plan.queue,
                patience=orders.WHOLE_RELEASE,
                summary=f"verify the signatures of {step.name}",
            )
        return signed

    async def _notarize(
        self, step: PlatformStep, notarization: Notarization, built: work.Built, number: int
    ) -> work.Built:
        submitted = await order(
            platform.SUBMIT_NOTARIZATION,
            platform.SubmitNotarization(release=self._ref, step=step, built=built, gates=self._gates, attempt=number),
            queue=notarization.queue,
            patience=orders.SIGNING,
            summary=f"submit {counted(len(step.files), 'file')} of {step.of} to the notary service",
        )
        notarized = await order(
            platform.AWAIT_NOTARIZATION,
            platform.AwaitNotarization(release=self._ref, step=step, submitted=submitted, gates=self._gates),
            queue=notarization.queue,
            patience=orders.following(step.timeout, step.wait_for_runner),
            summary="wait for the notary service",
        )
        if not notarization.staple:
            return built.model_copy(update={"step": step.name})
        return await order(
            platform.STAPLE,
            platform.Staple(release=self._ref, step=step, built=built, notarized=notarized),
            queue=step.queue,
            patience=orders.building(step.timeout, step.wait_for_runner),
            summary="staple the tickets",
        )

    @property
    def _gates(self) -> tuple[GateResult, ...]:
        return tuple(self._board.gates.values())
