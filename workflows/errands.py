"""What runs in outside CI systems are wanted for: building a step's files, or signing by digest.

Each names the activities that order, follow and take in its runs; in which order, :mod:`workflows.outside` says.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from temporalio import workflow

from workflows import orders
from workflows.orders import order

with workflow.unsafe.imports_passed_through():
    from baton.model import dispatching, work

if TYPE_CHECKING:
    from datetime import datetime

    from baton.model.base import Value
    from baton.model.building import Step
    from baton.model.gate import GateResult
    from baton.model.manifest import ManifestRef
    from baton.model.outside import OutsideRun, RunReport, RunState
    from baton.model.signing import DispatchedSigner
    from workflows.board import Board

Made = TypeVar("Made")

_SIGNING_TIMEOUT = 3600
"""Seconds that a run may take to sign; minutes are usual, unless somebody has to approve it first."""

_WAIT_FOR_WORKER = 900
"""Seconds until a missing signing worker is put before a person."""


class Errand(ABC, Generic[Made]):
    """One thing to have done by runs.

    Attributes:
        name: as the board lists it.
        done_by: what its run does, for the log: ``is built by``.
        queue: polled by the worker that holds the system's credential.
        timeout: seconds that one attempt may take.
        wait_for_runner: seconds until a missing worker is put before a person.
    """

    def __init__(self, name: str, done_by: str, *, queue: str, timeout: int, wait_for_runner: int) -> None:
        self.name = name
        self.done_by = done_by
        self.queue = queue
        self.timeout = timeout
        self.wait_for_runner = wait_for_runner

    @abstractmethod
    async def start(self, number: int, asked: datetime) -> OutsideRun:
        """Start the run of an order, or find the one that it started."""

    @abstractmethod
    async def follow(self, number: int, run: OutsideRun, seen: RunState | None, until: datetime) -> RunReport:
        """Wait until an order's run is elsewhere than it was seen."""

    @abstractmethod
    async def retry(self, number: int, run: OutsideRun) -> OutsideRun:
        """Run again what failed of an order's run."""

    @abstractmethod
    async def collect(self, number: int, run: OutsideRun) -> Made:
        """Take in what an order's run made."""

    @abstractmethod
    def cancelling(self, number: int, asked: datetime) -> tuple[work.Work[Any, work.Undone], Value]:
        """What stops an order's run."""


class Build(Errand[work.Built]):
    """Has a step's files made."""

    def __init__(self, board: Board, step: Step, source: work.Source) -> None:
        super().__init__(
            step.name, "is built by", queue=step.queue, timeout=step.timeout, wait_for_runner=step.wait_for_runner
        )
        self._ref = board.ref
        self._limits = board.plan.limits
        self._step = step
        self._source = source
        self._gates = board.agreed

    async def start(self, number: int, asked: datetime) -> OutsideRun:
        """Start the run of an order, or find the one that it started."""
        return await order(
            work.ORDER_RUN,
            self._order(number, asked),
            queue=self.queue,
            patience=orders.ordering(self.wait_for_runner),
            summary=f"start {self.name}, order {number}",
        )

    async def follow(self, number: int, run: OutsideRun, seen: RunState | None, until: datetime) -> RunReport:  # noqa: ARG002  # the run says it all
        """Wait until the run is elsewhere than it was seen."""
        return await order(
            work.FOLLOW_RUN,
            work.FollowRun(release=self._ref, step=self._step, run=run, seen=seen, until=until),
            queue=self.queue,
            patience=orders.following(self.timeout, self.wait_for_runner),
            summary=f"follow run {run.id} of {self.name}" + (f", {seen}" if seen else ""),
        )

    async def retry(self, number: int, run: OutsideRun) -> OutsideRun:  # noqa: ARG002  # as above
        """Run again what failed of the run."""
        return await order(
            work.RETRY_RUN,
            work.RetryRun(release=self._ref, step=self._step, run=run),
            queue=self.queue,
            patience=orders.ordering(self.wait_for_runner),
            summary=f"run again what failed of run {run.id} of {self.name}",
        )

    async def collect(self, number: int, run: OutsideRun) -> work.Built:  # noqa: ARG002  # as above
        """Take in the files that the run made."""
        return await order(
            work.COLLECT_RUN,
            work.CollectRun(release=self._ref, step=self._step, run=run, source=self._source, limits=self._limits),
            queue=self.queue,
            patience=orders.collecting(self.wait_for_runner),
            summary=f"collect {self.name} from run {run.id}",
        )

    def cancelling(self, number: int, asked: datetime) -> tuple[work.Work[Any, work.Undone], Value]:
        """What stops the order's run."""
        return work.CANCEL_RUN, self._order(number, asked)

    def _order(self, number: int, asked: datetime) -> work.OrderRun:
        return work.OrderRun(
            release=self._ref,
            step=self._step,
            source=self._source,
            number=number,
            asked=asked,
            gates=self._gates,
        )


class SignElsewhere(Errand[work.Signed]):
    """Has a workflow elsewhere sign every file of the manifest by its digest.

    Attributes:
        gates: what people agreed to before, for the worker to prove again.
    """

    def __init__(self, board: Board, signer: DispatchedSigner, manifest: ManifestRef) -> None:
        super().__init__(
            f"sign-{signer.kind}",
            "is signed by",
            queue=signer.queue,
            timeout=_SIGNING_TIMEOUT,
            wait_for_runner=_WAIT_FOR_WORKER,
        )
        self._ref = board.ref
        self._tag = board.plan.source.tag
        self._limits = board.plan.limits
        self._signer = signer
        self._manifest = manifest
        self.gates: tuple[GateResult, ...] = board.agreed

    async def start(self, number: int, asked: datetime) -> OutsideRun:
        """Start the run of an order, or find the one that it started."""
        return await order(
            dispatching.ORDER_SIGNING,
            self._order(number, asked),
            queue=self.queue,
            patience=orders.ordering(self.wait_for_runner),
            summary=f"have {self._signer.run.workflow} of {self._signer.run.repository} sign, order {number}",
        )

    async def follow(self, number: int, run: OutsideRun, seen: RunState | None, until: datetime) -> RunReport:
        """Wait until the run is elsewhere than it was seen."""
        return await order(
            dispatching.FOLLOW_SIGNING,
            dispatching.FollowSigning(
                release=self._ref, signer=self._signer, number=number, run=run, seen=seen, until=until
            ),
            queue=self.queue,
            patience=orders.following(self.timeout, self.wait_for_runner),
            summary=f"follow run {run.id} of {self.name}" + (f", {seen}" if seen else ""),
        )

    async def retry(self, number: int, run: OutsideRun) -> OutsideRun:
        """Run again what failed of the run."""
        return await order(
            dispatching.RETRY_SIGNING,
            dispatching.OrderedSigning(release=self._ref, signer=self._signer, number=number, run=run),
            queue=self.queue,
            patience=orders.ordering(self.wait_for_runner),
            summary=f"run again what failed of run {run.id} of {self.name}",
        )

    async def collect(self, number: int, run: OutsideRun) -> work.Signed:
        """Take in the bundles that the run made, verified."""
        return await order(
            dispatching.COLLECT_SIGNING,
            dispatching.CollectSigning(
                release=self._ref,
                signer=self._signer,
                number=number,
                run=run,
                manifest=self._manifest,
                limits=self._limits,
            ),
            queue=self.queue,
            patience=orders.collecting(self.wait_for_runner),
            summary=f"collect the bundles of run {run.id}",
        )

    def cancelling(self, number: int, asked: datetime) -> tuple[work.Work[Any, work.Undone], Value]:
        """What stops the order's run."""
        return dispatching.CANCEL_SIGNING, self._order(number, asked)

    def _order(self, number: int, asked: datetime) -> dispatching.OrderSigning:
        return dispatching.OrderSigning(
            release=self._ref,
            signer=self._signer,
            manifest=self._manifest,
            gates=self.gates,
            tag=self._tag,
            number=number,
            asked=asked,
        )
