"""What having something done in an outside CI system comes down to, whatever it is done for.

Each part may happen again: a run is started once for each order, followed from wherever it is, and taken in anew.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from temporalio import activity

from activities.work import progress
from baton.builders.outside import SETTLE, Intake, Unusable
from baton.builders.port import FailedWithLog, Stopped
from baton.model.errors import BatonError, Failed, Missing, Unavailable
from baton.model.outside import OutsideRun, RunReport, RunState
from baton.model.work import Undone

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from activities.records import Records
    from baton.builders.outside import OutsideBuilder
    from baton.model.base import FileName
    from baton.model.outside import Collected, OutsideOrder
    from baton.model.plan import ArchiveLimits
    from baton.store import Store

_SILENCE = 15 * 60
"""Seconds for which a system may not answer while a run is followed; a run of hours outlives its API's bad moments."""

_SOON = 15
"""Seconds until a system that did not answer is asked again, unless it says when."""


def start_once(records: Records, name: str, start: Callable[[], OutsideRun]) -> OutsideRun:
    """The run of an order, started unless it is on record; its id is recorded before anything else can fail.

    Args:
        records: of the release's run.
        name: the order's, under which its run is recorded.
        start: starts the run, or finds the one that this order started.

    Raises:
        Unavailable: it was started and could not be recorded, or as the builder says.
    """
    run = records.find(name, OutsideRun)
    if run is None:
        started = start()
        try:
            run = records.keep(name, started)
        except (BatonError, OSError) as error:
            raise Unavailable(
                f"run {started.id} was started, but could not be recorded: {error}", after=SETTLE
            ) from None
    progress().at(run.url)
    return run


def follow(
    system: OutsideBuilder, run: OutsideRun, *, seen: RunState | None, until: datetime, overdue: str
) -> RunReport:
    """Look at a run until it is elsewhere than it was; a try that was killed is followed by one that goes on.

    Args:
        system: where the run is.
        run: which.
        seen: where it was last.
        until: when it has taken as long as it may.
        overdue: what is said then: of the run, what it may take.

    Raises:
        Failed: it has taken as long as it may.
        Stopped: the caller wished it.
        BatonError: as the builder says.
    """
    said, silent_since = progress(), None
    said.at(run.url)
    while True:
        try:
            report = system.look(run)
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
            if report.state.ended or report.state is not seen:
                return report
            pause = report.look_again
        _wait(pause, run, until, overdue)


def take_in(
    system: OutsideBuilder,
    run: OutsideRun,
    files: tuple[FileName, ...],
    *,
    store: Store,
    scratch: Path,
    limits: ArchiveLimits,
) -> Collected:
    """Take in a run's files; what speaks against those of one that succeeded speaks against the run for good.

    Raises:
        Unusable: the run can't give them, whatever is done with it.
        BatonError: as the builder says.
    """
    progress().at(run.url)
    # The system answers and knows the run: from here on the credential is not what stands in the way.
    state = system.look(run).state
    intake = Intake(store=store, scratch=scratch, limits=limits, progress=progress(), cancelled=activity.is_cancelled)
    try:
        return system.collect(run, files, intake)
    except (Unavailable, FailedWithLog):
        raise
    except BatonError as error:
        if state is not RunState.SUCCEEDED:
            raise
        raise Unusable(str(error)) from None


def stop(system: OutsideBuilder, run: OutsideRun | None, order: OutsideOrder, *, of: str) -> Undone:
    """Stop the run that an order started, if it still goes on.

    Args:
        system: where it is.
        run: the run on record, if there is one.
        order: what was ordered.
        of: what the run was for, as the release's status names it.
    """
    if run is None:
        return Undone(
            detail=f"no run of {of} is on record; if one was started in the last moment, its name has "
            f"{order.key}: look for it, and cancel it"
        )
    # One that is not there any more does not go on either.
    with suppress(Missing, Unusable):
        system.cancel(run)
    return Undone(detail=f"stopped run {run.id} of {of}: {run.url}")


def _wait(seconds: float, run: OutsideRun, until: datetime, overdue: str) -> None:
    """Wait until the next look, unless nobody wants one."""
    left = (until - datetime.now(UTC)).total_seconds()
    if left <= 0:
        raise Failed(
            f"run {run.id} has not ended in {overdue}; it goes on: a retry follows it for as long again: {run.url}"
        )
    activity.wait_for_cancelled_sync(min(seconds, left))
    if activity.is_cancelled():
        raise Stopped(f"run {run.id} is not followed any more, on request: {run.url}")
