"""Building in outside CI systems: a run is started, followed and taken in, each of which may happen again."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from temporalio import activity

from activities.records import Records
from activities.work import does, progress
from baton.builders.outside import SETTLE, Intake, Unusable
from baton.builders.port import FailedWithLog, Stopped
from baton.builders.systems import outside_builder
from baton.model import work
from baton.model.errors import BatonError, Failed, Missing, Unavailable
from baton.model.outside import OutsideRun, RunReport, RunState

if TYPE_CHECKING:
    from baton.builders.outside import OutsideBuilder
    from baton.model.outside import Collected
    from baton.settings import WorkerSettings
    from baton.store import Store

_SILENCE = 15 * 60
"""Seconds for which a system may not answer while a run is followed; a run of hours outlives its API's bad moments."""

_SOON = 15
"""Seconds until a system that did not answer is asked again, unless it says when."""


class OutsideActivities:
    """What a worker does that holds the credentials of outside CI systems; it runs nobody's commands."""

    def __init__(self, store: Store, settings: WorkerSettings) -> None:
        self._store = store
        self._scratch = settings.workspace

    @does(work.ORDER_RUN)
    def order_run(self, what: work.OrderRun) -> OutsideRun:
        """Start a run once for each order; its id is recorded before anything else can fail."""
        records, name = Records(self._store, what.release), _record_of(what)
        run = records.find(name, OutsideRun) or self._start(what, records, name)
        progress().at(run.url)
        return run

    @does(work.FOLLOW_RUN)
    def follow_run(self, what: work.FollowRun) -> RunReport:
        """Look at a run until it is elsewhere than it was; a try that was killed is followed by one that goes on."""
        system, said, silent_since = outside_builder(what.step), progress(), None
        said.at(what.run.url)
        while True:
            try:
                report = system.look(what.run)
            except Unavailable as error:
                silent_since = silent_since or time.monotonic()
                if time.monotonic() - silent_since > _SILENCE:
                    raise
                said(f"{error}; it is asked again")
                pause = max(_SOON, error.after or 0)
            else:
                silent_since = None
                said(report.line)
                said.at(report.url)
                if report.state.ended or report.state is not what.seen:
                    return report
                pause = report.look_again
            _wait(pause, what)

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
        progress().at(what.run.url)
        made = self._take_in(outside_builder(what.step), what)
        if made.commit != what.source.commit:
            raise Unusable(f"run {what.run.id} built commit {made.commit}; expected {what.source.commit}")
        built = work.Built(
            step=what.step.name, commit=made.commit, artifacts=made.artifacts, log=made.log, builder=made.builder
        )
        return records.keep(name, built)

    @does(work.CANCEL_RUN)
    def cancel_run(self, what: work.OrderRun) -> work.Undone:
        """Stop the run that an order started, if it still goes on."""
        run = Records(self._store, what.release).find(_record_of(what), OutsideRun)
        if run is None:
            return work.Undone(
                detail=f"no run of {what.step.name} is on record; if one was started in the last moment, its name has "
                f"{what.order.key}: look for it, and cancel it"
            )
        # One that is not there any more does not go on either.
        with suppress(Missing, Unusable):
            outside_builder(what.step).cancel(run)
        return work.Undone(detail=f"stopped run {run.id} of {what.step.name}: {run.url}")

    def _start(self, what: work.OrderRun, records: Records, name: str) -> OutsideRun:
        run = outside_builder(what.step).dispatch(what.order)
        try:
            return records.keep(name, run)
        except (BatonError, OSError) as error:
            raise Unavailable(f"run {run.id} was started, but could not be recorded: {error}", after=SETTLE) from None

    def _take_in(self, system: OutsideBuilder, what: work.CollectRun) -> Collected:
        """Take in the files; what speaks against those of a run that succeeded speaks against the run for good."""
        # The system answers and knows the run: from here on the credential is not what stands in the way.
        state = system.look(what.run).state
        intake = Intake(
            store=self._store,
            scratch=self._scratch,
            limits=what.limits,
            progress=progress(),
            cancelled=activity.is_cancelled,
        )
        try:
            return system.collect(what.run, what.step.files, intake)
        except (Unavailable, FailedWithLog):
            raise
        except BatonError as error:
            if state is not RunState.SUCCEEDED:
                raise
            raise Unusable(str(error)) from None


def _record_of(what: work.OrderRun) -> str:
    return f"ordered/{what.step.name}/{what.number}"


def _wait(seconds: float, what: work.FollowRun) -> None:
    """Wait until the next look, unless nobody wants one.

    Raises:
        Failed: the run has taken as long as it may.
        Stopped: the caller wished it.
    """
    left = (what.until - datetime.now(UTC)).total_seconds()
    if left <= 0:
        raise Failed(
            f"run {what.run.id} has not ended in the {what.step.timeout} s that step {what.step.name} may take; it "
            f"goes on: a retry follows it for as long again: {what.run.url}"
        )
    activity.wait_for_cancelled_sync(min(seconds, left))
    if activity.is_cancelled():
        raise Stopped(f"run {what.run.id} is not followed any more, on request: {what.run.url}")
