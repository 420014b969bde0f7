"""A run of GitHub Actions in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from textwrap import shorten
from typing import TYPE_CHECKING

from baton.model.base import counted
from baton.model.outside import RunReport, RunState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from baton.builders.github_answers import Job, PendingDeployment, WorkflowRun

_STATES = {
    "in_progress": RunState.RUNNING,
    "waiting": RunState.WAITING,
    # requested, queued, pending: by what the run waits for, none of which a person can approve
}

_ENDS = {"success": RunState.SUCCEEDED, "cancelled": RunState.CANCELLED}
"""Every other conclusion means that not everything was done, which is a failure here."""

_LOOKS = {RunState.QUEUED: 30, RunState.RUNNING: 20, RunState.WAITING: 60}
"""Seconds until the next look at a run in its first hour."""

_SOON = 5
"""The same in its first minute, while somebody may watch."""

_LATE = 120
"""Seconds between two looks at a run that is older."""

_GOOD = ("success", "skipped", "neutral")

_NO_TIME_LEFT = 1


def report_of(run: WorkflowRun, jobs: list[Job], pending: list[PendingDeployment]) -> RunReport:
    """What is to be said of a run.

    Args:
        run: the run.
        jobs: those of its latest attempt.
        pending: the deployments that wait for an approval.
    """
    state = _state(run, jobs)
    stage = _names(_current(state, jobs))
    look = _look_again(state, datetime.now(UTC) - run.created_at)
    return RunReport(
        state=state,
        stage=stage,
        line=_line(run, state, jobs, pending),
        url=run.html_url,
        attempt=run.run_attempt,
        look_again=look,
    )


def _look_again(state: RunState, age: timedelta) -> int:
    if age > timedelta(hours=1):
        return _LATE
    wanted = _LOOKS.get(state, _NO_TIME_LEFT)
    return min(wanted, _SOON) if age < timedelta(minutes=1) else wanted


def failed_jobs(jobs: list[Job]) -> list[Job]:
    """The jobs that ended, but not well."""
    return [job for job in jobs if job.status == "completed" and job.conclusion not in _GOOD]


def _state(run: WorkflowRun, jobs: list[Job]) -> RunState:
    if run.status == "completed":
        return _ENDS.get(run.conclusion or "", RunState.FAILED)
    if any(job.status == "waiting" for job in jobs):
        return RunState.WAITING
    return _STATES.get(run.status or "", RunState.QUEUED)


def _current(state: RunState, jobs: list[Job]) -> list[Job]:
    match state:
        case RunState.RUNNING:
            return [job for job in jobs if job.status == "in_progress"]
        case RunState.WAITING:
            return [job for job in jobs if job.status == "waiting"]
        case RunState.FAILED | RunState.CANCELLED:
            return failed_jobs(jobs)
        case RunState.QUEUED | RunState.SUCCEEDED:
            return []


def _line(run: WorkflowRun, state: RunState, jobs: list[Job], pending: list[PendingDeployment]) -> str:
    which = f"run {run.id}" + (f", attempt {run.run_attempt}," if run.run_attempt > 1 else "")
    current = _names(_current(state, jobs))
    match state:
        case RunState.QUEUED:
            said = f"is {run.status}: no runner has taken it yet"
        case RunState.RUNNING:
            done = sum(job.status == "completed" for job in jobs)
            said = f"has done {done} of {counted(len(jobs), 'job')}" + (f"; under way: {current}" if current else "")
        case RunState.WAITING:
            said = f"waits for {_approvals(pending)}"
        case RunState.SUCCEEDED:
            said = "succeeded"
        case RunState.FAILED:
            said = f"ended with {run.conclusion}" + (f" in {current}" if current else "")
        case RunState.CANCELLED:
            said = "was cancelled in GitHub"
    return shorten(f"{which} {said}", 1500, placeholder=" …")


def _approvals(pending: list[PendingDeployment]) -> str:
    if not pending:
        return "an approval"
    return " and ".join(_approval(each) for each in pending)


def _approval(pending: PendingDeployment) -> str:
    names = [entry.reviewer.login or entry.reviewer.slug for entry in pending.reviewers if entry.reviewer]
    by = [f"an approval by {' or '.join(name for name in names if name)}"] if any(names) else []
    timer = [f"a delay of {counted(pending.wait_timer, 'minute')}"] if pending.wait_timer else []
    return f"{' and '.join(by + timer) or 'an approval'} of the environment {pending.environment.name!r}"


def _names(jobs: Iterable[Job]) -> str:
    return shorten(", ".join(_name(job) for job in jobs), 200, placeholder=" …")


def _name(job: Job) -> str:
    """A job, with the step that is under way or failed."""
    step = next(
        (s.name for s in job.steps if s.status == "in_progress" or s.conclusion not in (None, *_GOOD)),
        None,
    )
    return f"{job.name} ({step})" if step else job.name
