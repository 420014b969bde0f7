"""Building in outside CI systems: a run is started, followed and taken in, each of which may happen again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activities.makings import MakingRecords
from activities.records import Records
from activities.runs import follow, start_once, stop, take_in
from activities.work import does, progress
from baton.builders.outside import Unusable
from baton.builders.systems import outside_builder
from baton.model import work
from baton.model.attesting import Making, Ordered
from baton.model.errors import Refused
from baton.model.outside import OutsideRun, RunReport

if TYPE_CHECKING:
    from baton.settings import WorkerSettings
    from baton.store import Store


class OutsideActivities:
    """What a worker does that holds the credentials of outside CI systems; it runs nobody's commands."""

    def __init__(self, store: Store, settings: WorkerSettings) -> None:
        self._store = store
        self._scratch = settings.workspace

    @does(work.ORDER_RUN)
    def order_run(self, what: work.OrderRun) -> OutsideRun:
        """Start a run once for each order; its id is recorded before anything else can fail."""
        records = Records(self._store, what.release)
        run = start_once(records, _record_of(what), lambda: outside_builder(what.step).dispatch(what.order))
        MakingRecords(self._store, what.release).keep_ordered(Ordered(step=what.step, run=run))
        return run

    @does(work.FOLLOW_RUN)
    def follow_run(self, what: work.FollowRun) -> RunReport:
        """Look at a run until it is elsewhere than it was; a try that was killed is followed by one that goes on."""
        overdue = f"the {what.step.timeout} s that step {what.step.name} may take"
        return follow(outside_builder(what.step), what.run, seen=what.seen, until=what.until, overdue=overdue)

    @does(work.RETRY_RUN)
    def retry_run(self, what: work.RetryRun) -> OutsideRun:
        """Have what failed run again, once."""
        progress().at(what.run.url)
        return outside_builder(what.step).retry_failed(what.run)

    @does(work.COLLECT_RUN)
    def collect_run(self, what: work.CollectRun) -> work.Built:
        """Take in what a run made, which has to be of the source's commit."""
        records, name = Records(self._store, what.release), f"collected/{what.step.name}/{what.run.id}"
        if (done := records.find(name, work.Built)) is not None:
            return done
        making_records = MakingRecords(self._store, what.release)
        ordered = making_records.find_ordered(what.step, what.run.id)
        if ordered is None:
            raise Refused(f"run {what.run.id} was not started for {what.step.name} as it is planned: {what.run.url}")
        # Its address as the system gave it, not as the workflow tells it.
        run = ordered.run.model_copy(update={"attempt": what.run.attempt})
        made = take_in(
            outside_builder(what.step),
            run,
            what.step.files,
            store=self._store,
            scratch=self._scratch,
            limits=what.limits,
        )
        if made.commit != what.source.commit:
            raise Unusable(f"run {what.run.id} built commit {made.commit}; expected {what.source.commit}")
        built = work.Built(
            step=what.step.name, commit=made.commit, artifacts=made.artifacts, log=made.log, builder=made.builder
        )
        making = Making(
            step=what.step,
            repository=what.source.repository,
            commit=made.commit,
            artifacts=made.artifacts.digest,
            by=made.builder,
            log=made.log,
            run=run,
            started=ordered.run.dispatched,
        )
        # First, so that whoever finds it taken in finds how it was made as well.
        making_records.keep_making(making)
        return records.keep(name, built)

    @does(work.CANCEL_RUN)
    def cancel_run(self, what: work.OrderRun) -> work.Undone:
        """Stop the run that an order started, if it still goes on."""
        run = Records(self._store, what.release).find(_record_of(what), OutsideRun)
        return stop(outside_builder(what.step), run, what.order, of=what.step.name)


def _record_of(what: work.OrderRun) -> str:
    return f"ordered/{what.step.name}/{what.number}"
