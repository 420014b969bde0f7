from __future__ import annotations

import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from baton.builders import github_actions
from baton.builders.outside import SETTLE
from baton.model.errors import BatonError, Failed, Invalid, Missing, Refused, Unavailable
from baton.model.outside import RunState
from baton.sandbox.fake_ci.github import Fault
from tests.builders.github_world import TOKEN, World, github_world, is_, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from baton.builders.github_actions import GitHubActions


@pytest.fixture(scope="module")
def whole_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with github_world(tmp_path_factory.mktemp("github")) as world:
        yield world


@pytest.fixture
def world(whole_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("GITHUB_TOKEN_FOR_TEST", TOKEN)
    whole_world.simulator.runs.faults.clear()
    return whole_world


@pytest.fixture
def idle(world: World) -> World:
    """The world, in which every run stays in the queue."""
    world.goes_wrong(Fault.HELD, times=100)
    return world


def test_a_run_is_started_followed_and_ends(world: World) -> None:
    adapter, order = world.adapter(), world.order()
    run = adapter.dispatch(order)
    assert (run.key, run.commit, run.attempt) == (order.key, order.commit, 1)
    assert run.url == f"{world.simulator.url}/example/hello/actions/runs/{run.id}"
    report = until(adapter, run)
    assert report.state is RunState.SUCCEEDED
    assert report.line == f"run {run.id} succeeded"


def test_the_same_order_starts_one_run_whoever_asks(idle: World) -> None:
    order, before = idle.order(), idle.dispatches
    first, second = idle.adapter().dispatch(order), idle.adapter().dispatch(order)
    assert (first.id, first.url) == (second.id, second.url)
    assert idle.dispatches == before + 1


def test_a_key_that_begins_another_is_another(idle: World) -> None:
    first = idle.order(key="release-run-windows-1")
    second = idle.order(key="release-run-windows-11")
    other, one = idle.adapter().dispatch(second), idle.adapter().dispatch(first)
    assert other.id != one.id


@pytest.mark.parametrize("fault", [Fault.ANSWER_LOST, Fault.GARBLED])
def test_a_run_whose_answer_was_lost_is_found_and_not_started_again(idle: World, fault: Fault) -> None:
    order, before = idle.order(), idle.dispatches
    idle.goes_wrong(fault)
    with pytest.raises(Unavailable) as error:
        idle.adapter().dispatch(order)
    assert error.value.after is not None
    assert error.value.after >= SETTLE
    run = idle.adapter().dispatch(order)
    assert idle.dispatches == before + 1
    assert idle.adapter().look(run).url == run.url


def test_a_dispatch_that_took_too_long_to_look_starts_nothing(idle: World, monkeypatch: pytest.MonkeyPatch) -> None:
    order, before = idle.order(), idle.dispatches
    clock = iter([0.0, SETTLE + 1.0])
    monkeypatch.setattr(github_actions, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with pytest.raises(Unavailable, match="nothing was started"):
        idle.adapter().dispatch(order)
    assert idle.dispatches == before


def test_an_older_api_says_no_id_and_the_run_is_found(idle: World) -> None:
    order, before = idle.order(), idle.dispatches
    adapter = idle.adapter(api_version="2022-11-28")
    with pytest.raises(Unavailable, match="the next try finds it") as error:
        adapter.dispatch(order)
    assert error.value.after == SETTLE
    assert adapter.dispatch(order).attempt == 1
    assert idle.dispatches == before + 1


def test_two_runs_with_one_key_are_for_a_person(idle: World) -> None:
    order = idle.order()
    run = idle.adapter().dispatch(order)
    inputs = {"baton": order.key, "mode": "good"}
    twin = idle.simulator.runs.start("main", idle.commit, inputs)
    with pytest.raises(Failed, match="2 runs carry the key") as error:
        idle.adapter().dispatch(order)
    assert run.url in str(error.value)
    assert str(twin.id) in str(error.value)


def test_runs_of_before_the_order_are_none_of_its(idle: World) -> None:
    order = idle.order()
    old = idle.adapter().dispatch(order)
    later = order.model_copy(update={"asked": datetime.now(UTC) + timedelta(hours=1)})
    assert idle.adapter().dispatch(later).id != old.id


def test_a_run_is_found_among_hundreds(idle: World) -> None:
    order, runs = idle.order(), idle.simulator.runs
    run = idle.adapter().dispatch(order)
    fake = runs.get(int(run.id))
    assert fake is not None
    others = {
        number: fake.model_copy(update={"id": number, "title": f"other {number}"}) for number in range(9000, 9250)
    }
    runs._runs.update(others)
    try:
        assert idle.adapter().dispatch(order).id == run.id
    finally:
        for number in others:
            del runs._runs[number]


def test_a_branch_on_another_commit_starts_nothing(idle: World) -> None:
    before = idle.dispatches
    with pytest.raises(Refused, match=f"main of example/hello is on commit {idle.commit}; expected {'c' * 40}"):
        idle.adapter().dispatch(idle.order(commit="c" * 40))
    assert idle.dispatches == before


def test_a_run_of_another_commit_is_refused(idle: World) -> None:
    run = idle.adapter().dispatch(idle.order())
    with pytest.raises(Refused, match=f"builds commit {idle.commit}; expected {'c' * 40}"):
        idle.adapter().look(run.model_copy(update={"commit": "c" * 40}))


def test_a_run_that_does_not_show_its_key_is_refused(idle: World) -> None:
    run = idle.adapter().dispatch(idle.order())
    with pytest.raises(Refused, match=r"let `run-name` of build\.yml show the input with the key"):
        idle.adapter().look(run.model_copy(update={"key": "some-other-key"}))


def test_what_the_workflow_does_not_know_is_for_a_person(idle: World) -> None:
    before = idle.dispatches
    with pytest.raises(Invalid, match="Unexpected inputs provided"):
        idle.adapter(inputs={"baton": "{key}", "colour": "red"}).dispatch(idle.order())
    with pytest.raises(Missing, match="404"):
        idle.adapter(workflow="no.yml").dispatch(idle.order())
    with pytest.raises(Invalid, match="No commit found"):
        idle.adapter(ref="nowhere").dispatch(idle.order())
    assert idle.dispatches == before


def test_a_run_that_is_not_known_yet_is_asked_for_again(idle: World) -> None:
    adapter = idle.adapter()
    run = adapter.dispatch(idle.order())
    idle.goes_wrong(Fault.LAG)
    with pytest.raises(Unavailable, match="it was started just now") as error:
        adapter.look(run)
    assert error.value.after == 10
    assert adapter.look(run).attempt == 1


def test_a_run_that_is_gone_is_for_a_person(idle: World) -> None:
    run = idle.adapter().dispatch(idle.order())
    old = run.model_copy(update={"id": "999999", "dispatched": datetime.now(UTC) - timedelta(hours=2)})
    with pytest.raises(Missing, match="actions/runs/999999"):
        idle.adapter().look(old)


@pytest.mark.parametrize(
    ("fault", "kind", "after", "words"),
    [
        (Fault.UNAUTHORIZED, Refused, None, "the credential is not valid"),
        (Fault.FORBIDDEN, Refused, None, "Resource not accessible by integration"),
        (Fault.SECONDARY_LIMIT, Unavailable, 60, "secondary rate limit"),
        (Fault.RETRY_AFTER, Unavailable, 17, "the rate limit ends in 17 s"),
        (Fault.PRIMARY_LIMIT, Unavailable, 90, "API rate limit exceeded"),
        (Fault.NOT_SENT, Unavailable, None, "500"),
    ],
)
def test_each_refusal_says_whether_and_when_to_try_again(
    idle: World, fault: Fault, kind: type[BatonError], after: int | None, words: str
) -> None:
    adapter = idle.adapter()
    run = adapter.dispatch(idle.order())
    idle.goes_wrong(fault)
    with pytest.raises(kind, match=words) as error:
        adapter.look(run)
    if isinstance(error.value, Unavailable):
        assert error.value.after == pytest.approx(after, abs=2) if after else error.value.after is None
    assert adapter.look(run).attempt == 1


@pytest.mark.parametrize("fault", [Fault.SECONDARY_LIMIT, Fault.NOT_SENT, Fault.UNAUTHORIZED])
def test_a_refused_dispatch_starts_nothing_and_the_next_one_does(idle: World, fault: Fault) -> None:
    order, before = idle.order(), idle.dispatches
    idle.goes_wrong(fault)
    with pytest.raises(BatonError):
        idle.adapter().dispatch(order)
    assert idle.dispatches == before
    idle.adapter().dispatch(order)
    assert idle.dispatches == before + 1


def test_nobody_answers(idle: World) -> None:
    adapter = idle.adapter(api="http://127.0.0.1:9")
    with pytest.raises(Unavailable, match=r"the connection failed \(ConnectError\)"):
        adapter.dispatch(idle.order())


def test_a_run_in_the_queue_is_queued_however_long(world: World) -> None:
    adapter = world.adapter()
    world.goes_wrong(Fault.HELD)
    run = adapter.dispatch(world.order())
    report = adapter.look(run)
    assert (report.state, report.look_again) == (RunState.QUEUED, 5)
    assert report.line == f"run {run.id} is queued: no runner has taken it yet"
    held = world.simulator.runs.get(int(run.id))
    assert held is not None
    for age, pause in ((timedelta(minutes=2), 30), (timedelta(hours=5), 120)):
        world.simulator.runs._runs[held.id] = held.model_copy(update={"created": held.created - age})
        assert adapter.look(run).look_again == pause
    world.simulator.runs.release(held)
    assert until(adapter, run).state is RunState.SUCCEEDED


def test_a_run_under_way_says_which_job_and_step(world: World) -> None:
    adapter = world.adapter("wait")
    run = adapter.dispatch(world.order())
    report = until(adapter, run, is_(RunState.RUNNING))
    assert report.stage == "build (Run the recipe)"
    assert report.line == f"run {run.id} has done 0 of 1 job; under way: build (Run the recipe)"
    adapter.cancel(run)
    assert until(adapter, run).state is RunState.CANCELLED


def test_cancelling_is_harmless_at_any_time(world: World) -> None:
    adapter = world.adapter("wait")
    run = adapter.dispatch(world.order())
    adapter.cancel(run)
    report = until(adapter, run)
    assert report.line == f"run {run.id} was cancelled in GitHub"
    adapter.cancel(run)


def test_a_run_that_does_not_respond_is_cancelled_by_force(world: World) -> None:
    adapter = world.adapter("wait")
    run = adapter.dispatch(world.order())
    world.goes_wrong(Fault.STUCK)
    adapter.cancel(run)
    assert ("POST", f"/repos/example/hello/actions/runs/{run.id}/force-cancel") in world.contract.spoken
    assert until(adapter, run).state is RunState.CANCELLED


def failed(adapter: GitHubActions, world: World) -> tuple[GitHubActions, str]:
    run = adapter.dispatch(world.order())
    report = until(adapter, run)
    assert report.state is RunState.FAILED
    return adapter, report.line


def test_a_failed_run_says_where(world: World) -> None:
    _, line = failed(world.adapter("fail"), world)
    assert "ended with failure in build (Run the recipe)" in line


def test_only_what_failed_runs_again_and_only_once(world: World) -> None:
    (world.folder / "mark").unlink(missing_ok=True)
    adapter = world.adapter("flaky")
    run = adapter.dispatch(world.order())
    assert until(adapter, run).state is RunState.FAILED
    again = adapter.retry_failed(run)
    assert (again.id, again.attempt) == (run.id, 2)
    assert until(adapter, again).state is RunState.SUCCEEDED
    assert adapter.retry_failed(run) == again
    assert adapter.dispatch(world.order(key=run.key)).attempt == 2


def test_a_retry_whose_answer_was_lost_is_not_asked_for_twice(world: World) -> None:
    adapter = world.adapter("fail")
    run = adapter.dispatch(world.order())
    until(adapter, run)
    world.goes_wrong(Fault.ANSWER_LOST)
    with pytest.raises(Unavailable) as error:
        adapter.retry_failed(run)
    assert error.value.after == SETTLE
    assert adapter.retry_failed(run).attempt == 2
    asked = [path for method, path in world.contract.spoken if path.endswith(f"{run.id}/rerun-failed-jobs")]
    assert len(asked) == 1


def test_an_attempt_that_has_not_begun_is_queued(world: World) -> None:
    adapter = world.adapter()
    run = adapter.dispatch(world.order())
    until(adapter, run)
    report = adapter.look(run.model_copy(update={"attempt": 2}))
    assert (report.state, report.attempt) == (RunState.QUEUED, 2)


def test_what_did_not_fail_does_not_run_again(world: World) -> None:
    adapter = world.adapter()
    world.goes_wrong(Fault.HELD)
    run = adapter.dispatch(world.order())
    with pytest.raises(Refused, match="has not ended"):
        adapter.retry_failed(run)
    held = world.simulator.runs.get(int(run.id))
    assert held is not None
    world.simulator.runs.release(held)
    until(adapter, run)
    with pytest.raises(Refused, match="nothing of run"):
        adapter.retry_failed(run)


def test_the_token_is_in_no_error_and_no_log(idle: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    adapter = idle.adapter()
    run = adapter.dispatch(idle.order())
    for fault in (Fault.UNAUTHORIZED, Fault.FORBIDDEN, Fault.NOT_SENT):
        idle.goes_wrong(fault)
        with pytest.raises(BatonError) as error:
            adapter.look(run)
        assert TOKEN not in f"{error.value!r} {error.value.__cause__!r} {error.value.__context__!r}"
    with suppress(BatonError):
        idle.adapter(api="http://127.0.0.1:9").dispatch(idle.order())
    assert TOKEN not in caplog.text
    assert idle.simulator.url not in caplog.text


def test_a_workflow_of_another_repository_proves_the_commit_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN_FOR_TEST", TOKEN)
    source = tmp_path / "source"
    with github_world(source) as origin:
        pass
    with github_world(
        tmp_path / "tools",
        source=source / "origin",
        commit_in="commit",
        run_name="Release ${{ inputs.commit }} for ${{ inputs.baton }}",
    ) as world:
        inputs = {"baton": "{key}", "commit": "{commit}", "mode": "good"}
        adapter = world.adapter(proof="run-name", inputs=inputs)
        run = adapter.dispatch(world.order(commit=origin.commit))
        assert until(adapter, run).state is RunState.SUCCEEDED
        with pytest.raises(Refused, match="does not show the commit"):
            adapter.look(run.model_copy(update={"commit": "c" * 40}))


def test_an_approval_in_github_is_waited_for_and_says_by_whom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN_FOR_TEST", TOKEN)
    with github_world(tmp_path, reviewers=("ada", "grace")) as world:
        adapter = world.adapter()
        run = adapter.dispatch(world.order())
        report = adapter.look(run)
        assert (report.state, report.stage, report.url) == (RunState.WAITING, "build", run.url)
        assert "waits for an approval by ada or grace of the environment 'release'" in report.line
        waiting = world.simulator.runs.get(int(run.id))
        assert waiting is not None
        world.simulator.runs.review(waiting, approved=True)
        assert until(adapter, run).state is RunState.SUCCEEDED


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"inputs": {"mode": "good"}}, "no input holds {key}"),
        ({"proof": "run-name"}, "no input holds {commit}"),
        ({"token_from": None}, "either token_from or app"),
        ({"inputs": {"baton": "{key} {secret}"}}, "unknown placeholder {secret}"),
        ({"api": "http://github.example.org"}, "api"),
        ({"workflow": "../../etc/passwd.yml"}, "workflow"),
        ({"repository": "example/../x"}, "repository"),
    ],
)
def test_a_plan_that_could_not_work_is_none(world: World, changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError) as error:
        world.builder(**changes)
    assert words in str(error.value)
