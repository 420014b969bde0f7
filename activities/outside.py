"""Building in outside CI systems: a run is started, followed and taken in, each of which may happen again.

The worker holds tokens that start such runs, and shows them to whatever address a step names. So it believes no
workflow what a step is: each of its activities wants one that the worker's own rules name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from activities.makings import MakingRecords
from activities.mandate import Mandate
from activities.records import Records
from activities.runs import follow, start_once, stop, take_in
from activities.work import does, progress
from baton.builders.outside import Unusable
from baton.builders.systems import outside_builder
from baton.model import work
from baton.model.attesting import Making, Ordered
from baton.model.outside import OutsideRun, RunReport

if TYPE_CHECKING:
    from baton.settings import WorkerSettings
    from baton.store import Store


class OutsideActivities:
    """What a worker does that holds the credentials of outside CI systems; it runs nobody's commands."""

    def __init__(self, store: Store, settings: WorkerSettings) -> None:
        self._store = store
        self._scratch = settings.workspace
        self._mandate = Mandate(store, settings)

    @does(work.ORDER_RUN)
    def order_run(self, what: work.OrderRun) -> OutsideRun:
        """Start a run once for each order, if this worker has proven for itself that people agreed to what precedes.

        Its id is recorded before anything else can fail.
        """
        self._mandate.to_order(what)
        records = Records(self._store, what.release)
        run = start_once(records, _record_of(what), lambda: outside_builder(what.step).dispatch(what.order))
        MakingRecords(self._store, what.release).keep_ordered(Ordered(step=what.step, run=run))
        return run

    @does(work.FOLLOW_RUN)
    def follow_run(self, what: work.FollowRun) -> RunReport:
        """Look at a run until it is elsewhere than it was; a try that was killed is followed by one that goes on."""
        run = self._mandate.to_attend_run(what.release, what.step, what.run)
        overdue = f"the {what.step.timeout} s that step {what.step.name} may take"
        return follow(outside_builder(what.step), run, seen=what.seen, until=what.until, overdue=overdue)

    @does(work.RETRY_RUN)
    def retry_run(self, what: work.RetryRun) -> OutsideRun:
        """Have what failed run again, once."""
        run = self._mandate.to_attend_run(what.release, what.step, what.run)
        progress().at(run.url)
        return outside_builder(what.step).retry_failed(run)

    @does(work.COLLECT_RUN)
    def collect_run(self, what: work.CollectRun) -> work.Built:
        """Take in what a run made, which has to be of the source's commit."""
        run = self._mandate.to_attend_run(what.release, what.step, what.run)
        records, name = Records(self._store, what.release), f"collected/{what.step.name}/{what.run.id}"
        if (done := records.find(name, work.Built)) is not None:
            return done
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
            started=run.dispatched,
        )
        # First, so that whoever finds it taken in finds how it was made as well.
        MakingRecords(self._store, what.release).keep_making(making)
        return records.keep(name, built)

    @does(work.CANCEL_RUN)
    def cancel_run(self, what: work.OrderRun) -> work.Undone:
        """Stop the run that an order started, if it still goes on."""
        self._mandate.to_attend_order(what.release, what.step)
        run = Records(self._store, what.release).find(_record_of(what), OutsideRun)
        return stop(outside_builder(what.step), run, what.order, of=what.step.name)


def _record_of(what: work.OrderRun) -> str:
    return f"ordered/{what.step.name}/{what.number}"
