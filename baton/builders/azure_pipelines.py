"""Build with a pipeline of Azure DevOps, by version 7.1 of its REST API.

A run of Pipelines and a build are the same thing with the same number; what one API leaves out the other one tells.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from baton.builders.azure_answers import Approval, Approvals, Build, Leases, Run, Timeline
from baton.builders.azure_api import AzureApi, Rejected, conversation
from baton.builders.azure_artifacts import Wanted, take_in
from baton.builders.azure_find import find, run_address, tag_of
from baton.builders.azure_log import keep_log, last_words
from baton.builders.azure_report import failed_tasks, report, waiting_for
from baton.builders.outside import SETTLE, OutsideBuilder, Unusable
from baton.builders.port import FailedWithLog
from baton.model.errors import Failed, Invalid, Missing, Refused, Unavailable
from baton.model.outside import Collected, OutsideRun, RunState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.builders.outside import Intake
    from baton.model.base import FileName
    from baton.model.outside import OutsideOrder, RunReport
    from baton.model.outside_azure import AzureBuilder

T = TypeVar("T")

_YOUNG = timedelta(minutes=5)
"""For so long a run that was just queued may not be known everywhere."""

_LAG = 10
"""Seconds after which it may be."""


@dataclass(frozen=True)
class AzurePipelines(OutsideBuilder):
    """Runs the pipeline that a plan names.

    Attributes:
        builder: the plan's part of it.
    """

    builder: AzureBuilder

    def dispatch(self, order: OutsideOrder) -> OutsideRun:
        """See :meth:`OutsideBuilder.dispatch`."""
        begun = time.monotonic()
        with conversation(self.builder) as api:
            found = find(api, self.builder, order)
            if found is None and time.monotonic() - begun > SETTLE / 2:
                raise Unavailable("Azure DevOps took too long to say which runs there are: nothing was started")
            run = found.id if found else self._queue(api, order)
            if found is None or tag_of(order) not in found.tags:
                self._mark(api, run, order)
        url = run_address(self.builder, run)
        return OutsideRun(
            key=order.key,
            commit=order.commit,
            id=str(run),
            url=url,
            dispatched=datetime.now(UTC).replace(microsecond=0),
        )

    def look(self, run: OutsideRun) -> RunReport:
        """See :meth:`OutsideBuilder.look`."""
        with conversation(self.builder) as api:
            build, timeline = self._seen(api, run)
            said = report(run, build, timeline, _approvals(api, timeline), accept_partial=self.builder.accept_partial)
            return said.model_copy(update={"look_again": max(said.look_again, int(api.delay))})

    def retry_failed(self, run: OutsideRun) -> OutsideRun:
        """See :meth:`OutsideBuilder.retry_failed`. Each failed stage runs again, and in it what failed."""
        with conversation(self.builder) as api:
            build, timeline = self._seen(api, run)
            if timeline.attempt > run.attempt:
                return run.model_copy(update={"attempt": timeline.attempt})
            if build.status != "completed":
                raise Unavailable(f"run {run.id} has not ended: what failed can't be run again yet", after=_LAG)
            failed = [stage for stage in timeline.of("Stage") if stage.failed]
            if not failed:
                raise Refused(f"run {run.id} ended as {build.result} and no stage of it failed: start a new one")
            for stage in failed:
                self._retry(api, run, stage.identifier or stage.name)
        return run.model_copy(update={"attempt": run.attempt + 1})

    def cancel(self, run: OutsideRun) -> None:
        """See :meth:`OutsideBuilder.cancel`."""
        path = f"build/builds/{run.id}"
        with conversation(self.builder) as api:
            if self._build(api, run).status in ("completed", "cancelling"):
                return
            try:
                api.send("PATCH", path, {"status": "cancelling"}, Build)
            except Rejected:
                # It may have ended between the two.
                if self._build(api, run).status not in ("completed", "cancelling"):
                    raise

    def collect(self, run: OutsideRun, files: tuple[FileName, ...], intake: Intake) -> Collected:
        """See :meth:`OutsideBuilder.collect`. The run is kept from now on, if the plan says so."""
        with conversation(self.builder) as api:
            build, timeline = self._seen(api, run)
            said = report(run, build, timeline, (), accept_partial=self.builder.accept_partial)
            if not said.state.ended:
                raise Unavailable(f"{said.line}; expected that it had ended", after=said.look_again)
            if said.state is RunState.CANCELLED:
                raise Failed(f"{said.line}: see {run.url}")
            log = keep_log(api, run, intake)
            if said.state is RunState.FAILED:
                words = "\n".join(
                    filter(None, (last_words(api, run, one, intake) for one in failed_tasks(timeline)[:1]))
                )
                told = f"{said.line}; it said last:\n{words}" if words else f"{said.line}: see {run.url}"
                raise FailedWithLog(told, log=log) if log else Failed(told)
            self._keep(api, run)
            wanted = Wanted(files=files, checksums=self.builder.checksums)
            address = f"pipelines/{self.builder.pipeline}/runs/{run.id}"
            artifacts = take_in(api, address, self.builder.artifacts, wanted, intake)
        return Collected(
            artifacts=intake.store.put_set(artifacts),
            commit=run.commit,
            log=log,
            builder=f"Azure Pipelines: {self.builder.organization}, project {self.builder.project}, pipeline "
            f"{self.builder.pipeline}, run {run.id} ({build.build_number}), {run.url}",
        )

    def _queue(self, api: AzureApi, order: OutsideOrder) -> int:
        """Start a run; the body is ``RunPipelineParameters``."""
        builder, fill = self.builder, order.fill
        source = {"refName": fill(builder.ref)} | ({} if builder.commit_in else {"version": order.commit})
        body: dict[str, Any] = {
            "resources": {"repositories": {"self": source}},
            "templateParameters": {name: fill(template) for name, template in builder.parameters.items()},
            "variables": {name: {"value": fill(template)} for name, template in builder.variables.items()},
            "stagesToSkip": list(builder.skip_stages),
        }
        with _open_whether_done():
            return api.send("POST", f"pipelines/{builder.pipeline}/runs", body, Run).id

    @staticmethod
    def _mark(api: AzureApi, run: int, order: OutsideOrder) -> None:
        """Put the order's tag on a run."""
        with _open_whether_done():
            try:
                api.send("POST", f"build/builds/{run}/tags", [tag_of(order)], object)
            except Missing as error:
                raise Unavailable(f"run {run} was started and does not show yet: {error}") from None

    @staticmethod
    def _build(api: AzureApi, run: OutsideRun) -> Build:
        build = _get(api, run, "", Build)
        if build.deleted:
            raise Unusable(f"run {run.id} was deleted; only a new one can be started")
        return build

    def _seen(self, api: AzureApi, run: OutsideRun) -> tuple[Build, Timeline]:
        """The run and its parts, once it is clear that it builds the right commit."""
        build = self._build(api, run)
        if self.builder.commit_in:
            commit: object = (build.template_parameters or {}).get(self.builder.commit_in)
        else:
            commit = build.source_version
        if commit != run.commit and (commit or build.status not in ("notStarted", "postponed")):
            raise Unusable(
                f"run {run.id} builds {str(commit or 'nobody knows what')[:80]}; expected the commit {run.commit}"
            )
        return build, _get(api, run, "/timeline", Timeline)

    def _retry(self, api: AzureApi, run: OutsideRun, stage: str) -> None:
        try:
            api.send(
                "PATCH",
                f"build/builds/{run.id}/stages/{quote(stage, safe='')}",
                {"state": "retry", "forceRetryAllJobs": False},
                object,
            )
        except Rejected as error:
            raise Refused(f"stage {stage} of run {run.id} can't be run again: {error}") from None

    def _keep(self, api: AzureApi, run: OutsideRun) -> None:
        """Have the run kept: by a retention lease of its own, once."""
        owner = f"baton:{run.key}"
        if not self.builder.keep_days:
            return
        leases = api.get(f"build/builds/{run.id}/leases", Leases)
        if any(lease.owner_id == owner for lease in leases.value):
            return
        lease = {
            "daysValid": self.builder.keep_days,
            "definitionId": self.builder.pipeline,
            "ownerId": owner,
            "protectPipeline": False,
            "runId": int(run.id),
        }
        api.send("POST", "build/retention/leases", [lease], Leases)


def _approvals(api: AzureApi, timeline: Timeline) -> tuple[Approval, ...]:
    """The approvals that are asked for; the record of one in the timeline has its id."""
    ids = [record.id for record in waiting_for(timeline) if record.type == "Checkpoint.Approval"]
    if not ids:
        return ()
    try:
        return api.get("pipelines/approvals", Approvals, approvalIds=",".join(ids), expand="steps").value
    except (Missing, Refused):
        # That something waits is known without; who may approve, the credential may not be allowed to know.
        return ()


def _get(api: AzureApi, run: OutsideRun, part: str, answer: type[T]) -> T:
    try:
        return api.get(f"build/builds/{run.id}{part}", answer)
    except Missing as error:
        if datetime.now(UTC) - run.dispatched > _YOUNG:
            raise
        raise Unavailable(f"run {run.id} does not show yet: {error}", after=_LAG) from None


@contextmanager
def _open_whether_done() -> Iterator[None]:
    """Turn what leaves open whether a change was made into what can be tried again, once the change would show."""
    try:
        yield
    except (Unavailable, Invalid) as error:
        after = max(SETTLE, error.after or 0) if isinstance(error, Unavailable) else SETTLE
        raise Unavailable(f"{error}. Whether it was done will show in {after:.0f} s", after=after) from None
