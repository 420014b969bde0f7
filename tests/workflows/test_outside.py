"""Steps that outside CI systems build: what is asked of them, and what is not asked twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from temporalio.exceptions import ApplicationError

from baton.builders.outside import SETTLE
from baton.model.acts import Choice
from baton.model.outside import RunReport, RunState
from baton.model.status import StepState
from baton.project.step_rules import TAKEN, TAKEN_BEGINNINGS
from tests.workflows import conftest
from tests.workflows.test_release import cancel, decision, finish
from workflows import orders

if TYPE_CHECKING:
    from baton.model import work
    from baton.model.status import ReleaseStatus, StepStatus
    from tests.workflows.conftest import Run

Release = Any
GITHUB = {
    "kind": "github-actions",
    "repository": "example/hello",
    "workflow": "build.yml",
    "ref": "main",
    "inputs": {"baton": "{key}"},
    "artifacts": ["windows"],
    "token_from": "GITHUB_TOKEN",
}
OUTSIDE = {"steps": [{"name": "windows", "builder": GITHUB, "queue": "ci", "files": ["hello.exe"]}]}
RUN = "https://ci.example.org/1"


class Course:
    """Where a run is at each look."""

    def __init__(self, *states: RunState) -> None:
        self._states = list(states)

    def __call__(self, what: work.FollowRun) -> RunReport:
        state = self._states.pop(0) if self._states else RunState.SUCCEEDED
        url = f"{RUN}/approve" if state is RunState.WAITING else what.run.url
        return RunReport(state=state, line=f"run {what.run.id} is {state}", url=url, attempt=what.run.attempt)


def windows(status: ReleaseStatus) -> StepStatus:
    return next(step for step in status.steps if step.name == "windows")


async def stopped(run: Run) -> ReleaseStatus:
    return await run.until(lambda status: windows(status).state is StepState.NEEDS_DECISION)


async def retry(run: Run) -> None:
    answer = await run.say(decision(await stopped(run), Choice.RETRY))
    assert answer.accepted, answer.message


def failure(kind: str, *details: object) -> ApplicationError:
    return ApplicationError("so it is", *details, type=kind, non_retryable=True)


def test_no_order_is_given_again_before_what_it_started_shows() -> None:
    patience = orders.ordering(60)
    assert patience.once.total_seconds() >= 2 * SETTLE
    assert not patience.missed


async def test_a_run_is_ordered_followed_and_taken_in_with_its_page_on_the_board(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = Course(RunState.QUEUED, RunState.WAITING, RunState.RUNNING)
    monkeypatch.setitem(conftest.ANSWERS, "follow_run", course)
    async with release(**OUTSIDE) as run:
        go_on = run.machines.hold("collect_run")
        status = await run.until(lambda status: "succeeded" in windows(status).detail)
        assert (windows(status).state, windows(status).link) == (StepState.RUNNING, RUN)
        go_on.set()
        ended = await finish(run)
        assert windows(ended).link == RUN
        seen = [asked.seen for asked in run.machines.arguments("follow_run")]
        assert seen == [None, RunState.QUEUED, RunState.WAITING, RunState.RUNNING]
        assert run.machines.counts["order_run"] == run.machines.counts["collect_run"] == 1
        assert run.machines.counts["build_step"] == 0
        assert f"windows is built by run 1: {RUN}" in await run.said()


async def test_of_a_failed_run_only_what_failed_runs_again(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(conftest.ANSWERS, "follow_run", Course(RunState.FAILED))
    async with release(**OUTSIDE) as run:
        run.machines.failures["collect_run"] = [failure("FailedWithLog", conftest.DIGEST, f"{RUN}/failed")]
        status = await stopped(run)
        assert (windows(status).log, windows(status).link) == (conftest.DIGEST, f"{RUN}/failed")
        await retry(run)
        await finish(run)
        assert (run.machines.counts["order_run"], run.machines.counts["retry_run"]) == (1, 1)
        assert run.machines.arguments("collect_run")[-1].run.attempt == 2


@pytest.mark.parametrize("lost_at", ["order_run", "follow_run", "collect_run"])
async def test_after_a_lost_credential_the_same_order_goes_on(release: Release, lost_at: str) -> None:
    async with release(**OUTSIDE) as run:
        run.machines.failures[lost_at] = [failure("Refused", None, RUN), failure("Missing", None, RUN)]
        assert windows(await stopped(run)).link == RUN
        await retry(run)
        await run.until(lambda status: windows(status).attempt == 2)
        await retry(run)
        await finish(run)
        assert len({asked.model_dump_json() for asked in run.machines.arguments("order_run")}) == 1
        assert run.machines.counts["retry_run"] == run.machines.counts["cancel_run"] == 0


async def test_a_run_that_can_give_nothing_is_stopped_and_replaced(release: Release) -> None:
    async with release(**OUTSIDE) as run:
        run.machines.failures["collect_run"] = [failure("Unusable", None, RUN)]
        run.machines.fail("cancel_run", "no route")
        await retry(run)
        assert "no route" in windows(await stopped(run)).detail
        assert run.machines.counts["order_run"] == 1
        await retry(run)
        await finish(run)
        first, second = run.machines.arguments("order_run")
        assert (first.number, second.number) == (1, 2)
        assert first.order.key != second.order.key
        assert run.machines.arguments("cancel_run") == [first, first]


async def test_a_run_that_can_not_be_run_again_is_replaced(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(conftest.ANSWERS, "follow_run", Course(RunState.CANCELLED))
    async with release(**OUTSIDE) as run:
        run.machines.fail("collect_run", "it was cancelled")
        run.machines.fail("retry_run", "no stage of it failed")
        await retry(run)
        await finish(run)
        assert run.machines.counts["order_run"] == 2
        assert "windows gets a new run: no stage of it failed" in await run.said()


@pytest.mark.parametrize("held", ["order_run", "follow_run"])
async def test_a_cancelled_release_stops_the_run(release: Release, held: str) -> None:
    async with release(**OUTSIDE) as run:
        run.machines.hold(held)
        status = await run.until(lambda _: run.machines.counts[held] == 1)
        answer = await run.say(cancel(status))
        assert answer.accepted, answer.message
        status = await run.until(lambda status: status.phase == "cancelled")
        assert run.machines.arguments("cancel_run") == run.machines.arguments("order_run")
        assert run.machines.counts["collect_run"] == 0
        assert "stopped the run of windows" in await run.said()


NAMED = {"steps": [{**OUTSIDE["steps"][0], "builder": {**GITHUB, "ref": "baton/hello-{version}"}}]}


async def test_the_prepared_commit_is_on_a_branch_for_as_long_as_a_run_may_need_it(release: Release) -> None:
    async with release(**NAMED) as run:
        ended = await finish(run)
        assert ended.phase == "released"
        asked = [name for name, _ in run.machines.asked]
        assert asked.index("prepare_source") < asked.index("offer_source") < asked.index("order_run")
        assert asked.index("push_tag") < asked.index("withdraw_source")
        assert run.machines.arguments("offer_source")[0].branch == "baton/hello-1.0.0"
        assert run.machines.counts["withdraw_source"] == 1


async def test_the_branch_of_a_cancelled_release_is_removed_and_no_rehearsal_that_pushes_nothing_makes_one(
    release: Release,
) -> None:
    async with release(**NAMED) as run:
        await run.say(cancel(await run.until_waiting("publish")))
        await run.until(lambda status: status.phase == "cancelled")
        assert run.machines.counts["withdraw_source"] == 1
    source = {"repository": "/nowhere/hello", "commit": "c" * 40, "tag": "v1.0.0", "push_tag": False}
    async with release(**NAMED, source=source) as run:
        before = run.machines.counts["offer_source"]
        await finish(run)
        assert run.machines.counts["offer_source"] == before == 1


async def test_no_unit_of_batons_own_work_can_have_the_name_of_a_step(release: Release) -> None:
    check = {"name": "runs", "commands": [["true"]], "queue": "ci"}
    async with release(**NAMED, checks=[check], publish_evidence=True) as run:
        ended = await finish(run)
    own = {unit.name for unit in ended.steps} - {"windows"}
    assert "release-branch" in own
    assert [name for name in own if name not in TAKEN and not name.startswith(TAKEN_BEGINNINGS)] == []
