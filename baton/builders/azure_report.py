"""What people are told of a run of Azure Pipelines; worked out of its build, its timeline and its approvals."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from baton.model.base import counted
from baton.model.outside import RunReport, RunState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from baton.builders.azure_answers import Approval, Build, Record, Timeline
    from baton.model.outside import OutsideRun

_FOR_PEOPLE = ("Checkpoint.Approval", "Checkpoint.Authorization")
"""Checks that end only when a person does something; the others end by themselves."""

_LOOK_AGAIN = 30
_LOOK_AGAIN_SOON = 5
"""Seconds until the next look in the first minute, while somebody may watch."""

_LOOK_AGAIN_WAITING = 60
_SHOWN_ERRORS = 5
_LINE = 1900
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def waiting_for(timeline: Timeline) -> list[Record]:
    """The records that wait for a person: approvals, permissions, and tasks of manual validation."""
    return [
        record
        for record in timeline.of(*_FOR_PEOPLE, "Task")
        if record.state == "inProgress" and (record.type != "Task" or _is_validation(record))
    ]


def report(
    run: OutsideRun, build: Build, timeline: Timeline, approvals: Iterable[Approval], *, accept_partial: bool
) -> RunReport:
    """Where the run is.

    Args:
        run: what is followed; its address is shown.
        build: what Azure says of it.
        timeline: its parts.
        approvals: those that :func:`waiting_for` names.
        accept_partial: whether a partial success is one.
    """
    state, stage, said = _state(run, build, timeline, list(approvals), accept_partial=accept_partial)
    name = f"run {build.build_number}" if build.build_number else f"run {build.id}"
    return RunReport(
        state=state,
        stage=_plain(stage)[:200],
        line=_plain(f"{name} {said}")[:_LINE],
        url=run.url,
        attempt=max(run.attempt, timeline.attempt),
        look_again=_look_again(run, state),
    )


def _look_again(run: OutsideRun, state: RunState) -> int:
    if datetime.now(UTC) - run.dispatched < timedelta(minutes=1):
        return _LOOK_AGAIN_SOON
    return _LOOK_AGAIN_WAITING if state is RunState.WAITING else _LOOK_AGAIN


def _state(
    run: OutsideRun, build: Build, timeline: Timeline, approvals: list[Approval], *, accept_partial: bool
) -> tuple[RunState, str, str]:
    if build.status == "completed":
        if timeline.attempt < run.attempt:
            return RunState.QUEUED, "", "is about to run again what failed"
        return _ended(build, timeline, accept_partial=accept_partial)
    if build.status == "cancelling":
        return RunState.RUNNING, "", "is being cancelled"
    if waiting := waiting_for(timeline):
        return RunState.WAITING, _stage_of(waiting[0], timeline), _waits(waiting, timeline, approvals)
    if check := _checks(timeline):
        return RunState.RUNNING, _stage_of(check, timeline), f"waits for the check {check.name or check.type}"
    under_way = [stage for stage in timeline.of("Stage") if stage.state == "inProgress"]
    if build.status != "inProgress" or not under_way:
        return RunState.QUEUED, "", "is queued"
    return RunState.RUNNING, under_way[0].name, _runs(under_way, timeline)


def _ended(build: Build, timeline: Timeline, *, accept_partial: bool) -> tuple[RunState, str, str]:
    stages = timeline.of("Stage")
    broken = next((stage for stage in stages if stage.failed), None)
    stage = broken.name if broken else ""
    match build.result:
        case "succeeded":
            return RunState.SUCCEEDED, "", f"succeeded in {counted(len(stages), 'stage')}"
        case "partiallySucceeded" if accept_partial:
            return RunState.SUCCEEDED, "", "partially succeeded, which the plan accepts"
        case "canceled":
            return RunState.CANCELLED, stage, "was cancelled"
        case "partiallySucceeded":
            return RunState.FAILED, stage, f"only partially succeeded{_errors(timeline)}"
    return RunState.FAILED, stage, f"failed{_errors(timeline)}"


def failed_tasks(timeline: Timeline) -> list[Record]:
    """What failed by itself: tasks, or if none did, whatever is lowest."""
    tasks = [record for record in timeline.of("Task") if record.result in ("failed", "succeededWithIssues")]
    failed = [record for record in tasks if record.result == "failed"]
    return failed or tasks or [record for record in timeline.of("Job", "Stage") if record.failed]


def _errors(timeline: Timeline) -> str:
    told = []
    for record in failed_tasks(timeline)[:_SHOWN_ERRORS]:
        messages = [issue.message.strip() for issue in record.issues or () if issue.type == "error"]
        where = [_stage_of(record, timeline), _name_above(record, "Job", timeline), record.name]
        told.append(" / ".join(dict.fromkeys(filter(None, where))) + (f": {messages[0][:300]}" if messages else ""))
    return " in " + "; ".join(told) if told else ""


def _waits(waiting: list[Record], timeline: Timeline, approvals: list[Approval]) -> str:
    by_id = {approval.id: approval for approval in approvals}
    return "waits: " + "; ".join(_wish(record, by_id.get(record.id), timeline) for record in waiting)


def _wish(record: Record, approval: Approval | None, timeline: Timeline) -> str:
    stage = f"stage {_stage_of(record, timeline) or '?'}"
    if _is_validation(record):
        return f"someone has to resume or reject {record.name!r} in {stage}"
    if record.type == "Checkpoint.Authorization":
        return f"someone has to permit {stage} what it uses"
    names = [
        step.assigned_approver.display_name
        for step in (approval.steps if approval else None) or ()
        if step.assigned_approver and step.status in ("pending", "uninitiated", "undefined", "")
    ]
    told = f"{stage} needs the approval of {' and '.join(names) if names else 'someone who may'}"
    return f"{told} ({approval.instructions[:300]})" if approval and approval.instructions else told


def _checks(timeline: Timeline) -> Record | None:
    """A check under way that needs nobody, such as a lock that another run holds."""
    checks = (one for one in timeline.records if one.type.startswith("Checkpoint.") and one.state == "inProgress")
    return next(checks, None)


def _runs(under_way: list[Record], timeline: Timeline) -> str:
    stages = timeline.of("Stage")
    done = sum(stage.state == "completed" for stage in stages)
    jobs = [job.name for job in timeline.of("Job") if job.state == "inProgress"]
    names = " and ".join(stage.name for stage in under_way)
    told = f"runs {names}, {done} of {counted(len(stages), 'stage')} done"
    return f"{told}; {', '.join(jobs[:_SHOWN_ERRORS])}" if jobs else told


def _is_validation(record: Record) -> bool:
    """Whether it is a task that does nothing but wait for a person: ``ManualValidation@1`` and its elders."""
    return record.task is not None and record.task.name in ("ManualValidation", "ManualIntervention")


def _stage_of(record: Record, timeline: Timeline) -> str:
    return record.name if record.type == "Stage" else _name_above(record, "Stage", timeline)


def _name_above(record: Record, kind: str, timeline: Timeline) -> str:
    found = timeline.above(record, kind)
    return found.name if found else ""


def _plain(text: str) -> str:
    return _UNPRINTABLE.sub(" ", text)
