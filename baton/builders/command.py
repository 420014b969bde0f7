"""Build by running a step's commands on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baton.builders.checkout import check_out
from baton.builders.collect import collect
from baton.builders.port import Builder
from baton.builders.workspace import machine
from baton.git import git
from baton.model.building import CommandBuilder
from baton.model.errors import Refused
from baton.model.work import Built

if TYPE_CHECKING:
    from baton.builders.port import Cancelled, Progress
    from baton.builders.workspace import Workspace
    from baton.model.work import BuildStep


@dataclass(frozen=True)
class LocalBuilder(Builder):
    """Runs the commands of a :class:`~baton.model.building.CommandBuilder` in a fresh checkout.

    Attributes:
        workspace: where.
    """

    workspace: Workspace

    def build(self, work: BuildStep, *, progress: Progress, cancelled: Cancelled) -> Built:
        """Make the step's artifacts, as the port says."""
        step, source, store = work.step, work.source, self.workspace.store
        if not isinstance(step.builder, CommandBuilder):
            raise Refused(f"step {step.name} is {step.builder.kind}: this worker runs commands")
        with self.workspace.bench(step.name, timeout=step.timeout, progress=progress, cancelled=cancelled) as bench:
            checkout = check_out(source, bench)
            commit = git("rev-parse", "HEAD", folder=checkout)
            environment = {"SOURCE_DATE_EPOCH": str(source.epoch), **step.builder.environment}
            bench.run(step.builder.commands, checkout, environment)
            artifacts = collect(checkout, step.builder.output, store)
            return Built(
                step=step.name,
                commit=commit,
                artifacts=store.put_set(artifacts),
                log=bench.keep_log(),
                builder=machine(),
            )
