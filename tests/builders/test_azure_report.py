from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from baton.builders.azure_answers import Approval, Build, Timeline
from baton.builders.azure_report import report
from baton.model.outside import OutsideRun, RunReport, RunState

RUN = OutsideRun(key="order-key", commit="c" * 40, id="7", url="https://ci.example/7", dispatched=datetime.now(UTC))


def stage(name: str, state: str = "completed", result: str | None = "succeeded", **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "Stage", "name": name, "state": state, "result": result, **more}


def said(
    *records: dict[str, Any],
    status: str = "inProgress",
    result: str | None = None,
    run: OutsideRun = RUN,
    approvals: tuple[Approval, ...] = (),
    accept_partial: bool = False,
) -> RunReport:
    build = Build.model_validate({"id": 7, "buildNumber": "20261122.1", "status": status, "result": result})
    timeline = Timeline.model_validate({"records": records})
    return report(run, build, timeline, approvals, accept_partial=accept_partial)


def test_a_run_that_no_agent_has_taken_is_queued() -> None:
    assert said(status="notStarted").state is RunState.QUEUED
    assert said(status="postponed").state is RunState.QUEUED
    assert said(stage("Build", "pending", None)).state is RunState.QUEUED


@pytest.mark.parametrize(
    ("kind", "task", "line"),
    [
        ("Checkpoint.Approval", None, "waits: stage Sign needs the approval of someone who may"),
        ("Checkpoint.Authorization", None, "waits: someone has to permit stage Sign what it uses"),
        ("Task", "ManualValidation", "waits: someone has to resume or reject 'look' in stage Sign"),
    ],
)
def test_whatever_needs_a_person_waits(kind: str, task: str | None, line: str) -> None:
    record = {"id": "1", "parentId": "Sign", "type": kind, "name": "look", "state": "inProgress"}

    report = said(stage("Sign", "pending", None), record | ({"task": {"name": task}} if task else {}))

    assert (report.state, report.stage) == (RunState.WAITING, "Sign")
    assert line in report.line


def test_who_has_approved_already_is_not_waited_for() -> None:
    record = {"id": "1", "parentId": "Sign", "type": "Checkpoint.Approval", "state": "inProgress"}
    steps = [
        {"status": status, "assignedApprover": {"displayName": name}}
        for name, status in (("Steve", "approved"), ("Grace", "pending"))
    ]

    report = said(
        stage("Sign", "pending", None),
        record,
        approvals=(Approval.model_validate({"id": "1", "status": "pending", "steps": steps}),),
    )

    assert report.line == "run 20261122.1 waits: stage Sign needs the approval of Grace"


def test_a_check_that_ends_by_itself_needs_nobody() -> None:
    record = {
        "id": "1",
        "parentId": "Publish",
        "type": "Checkpoint.ExclusiveLock",
        "name": "Exclusive lock",
        "state": "inProgress",
    }

    report = said(stage("Publish", "pending", None), record)

    assert (report.state, report.stage) == (RunState.RUNNING, "Publish")
    assert "waits for the check Exclusive lock" in report.line


def test_while_a_retry_has_not_begun_the_failure_before_is_not_told_again() -> None:
    again = RUN.model_copy(update={"attempt": 2})

    before = said(stage("Build", result="failed", attempt=1), status="completed", result="failed", run=again)
    after = said(stage("Build", result="failed", attempt=2), status="completed", result="failed", run=again)

    assert (before.state, after.state) == (RunState.QUEUED, RunState.FAILED)
    assert (before.attempt, after.attempt) == (2, 2)


@pytest.mark.parametrize(("accept", "state"), [(True, RunState.SUCCEEDED), (False, RunState.FAILED)])
def test_partial_success_is_one_only_if_the_plan_says_so(accept: bool, state: RunState) -> None:
    task = {
        "id": "2",
        "parentId": "Sign",
        "type": "Task",
        "name": "Sign catalog",
        "state": "completed",
        "result": "succeededWithIssues",
        "issues": [{"type": "error", "message": "timestamp server\nunreachable"}],
    }

    report = said(
        stage("Sign", result="succeededWithIssues"),
        task,
        status="completed",
        result="partiallySucceeded",
        accept_partial=accept,
    )

    assert report.state is state
    assert ("only partially succeeded in Sign / Sign catalog: timestamp server unreachable" in report.line) != accept


def test_a_line_stays_a_line_whatever_the_pipeline_says() -> None:
    tasks = [
        {
            "id": f"t{n}",
            "parentId": "Build",
            "type": "Task",
            "name": f"\x1b[31mcompile {n}\n" * 40,
            "result": "failed",
            "issues": [{"type": "error", "message": "no\r\n" * 1000}],
        }
        for n in range(100)
    ]

    report = said(stage("Build", result="failed"), *tasks, status="completed", result="failed")

    assert len(report.line) < 2000
    assert report.line.isprintable()


def test_records_in_a_circle_end_nowhere() -> None:
    circle = [
        {"id": "1", "parentId": "2", "type": "Task", "name": "a", "result": "failed"},
        {"id": "2", "parentId": "1", "type": "Job", "name": "b", "result": "failed"},
    ]
    assert said(*circle, status="completed", result="failed").state is RunState.FAILED
