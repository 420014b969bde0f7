from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from baton.builders.port import FailedWithLog
from baton.model.errors import Failed, Refused, Unavailable
from baton.model.outside import RunState
from baton.sandbox.fake_ci.azure_pipeline import Fault
from tests.builders.azure_world import (
    APPROVED,
    BUILD,
    ENDLESS,
    FAIL_ONCE,
    World,
    azure_world,
    ended,
    stage,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLAKY = (stage("Build", BUILD), stage("Check", FAIL_ONCE))


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TOKEN", "pat-of-the-release-team")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """With a pipeline that works; tests share it and give orders of their own."""
    with azure_world(tmp_path_factory.mktemp("azure")) as world:
        yield world


@pytest.fixture
def other(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """With the stages that the test wants."""
    with azure_world(tmp_path, request.param) as world:
        yield world


def runs_of(world: World) -> int:
    return len(world.azure.runs.all(21))


def test_a_run_builds_exactly_the_commit_and_its_files_and_log_are_taken_in(world: World) -> None:
    azure = world.pipelines()
    run = azure.dispatch(world.order())

    report = ended(lambda: azure.look(run))

    assert (report.state, report.attempt, report.url) == (RunState.SUCCEEDED, 1, run.url)
    assert "succeeded in 2 stages" in report.line
    collected = azure.collect(run, ("hello.exe",), world.intake)
    (artifact,) = world.store.read_set(collected.artifacts).artifacts
    assert world.store.read(artifact.digest) == b"built of first\nfor v1.0.0, stable"
    assert collected.commit == world.commit
    assert collected.log is not None
    assert b"compiled hello.exe" in world.store.read(collected.log)
    assert f"pipeline 21, run {run.id}" in collected.builder
    assert list(world.scratch.iterdir()) == []


@pytest.mark.parametrize("variables", [{"Channel": "stable", "BatonKey": "{key}"}, {"Channel": "stable"}])
def test_a_run_whose_answer_was_lost_is_found_again(world: World, variables: dict[str, str]) -> None:
    azure, order, before = world.pipelines(variables=variables), world.order(), runs_of(world)
    world.fault(Fault.ANSWER_LOST)

    with pytest.raises(Unavailable, match="answers 500") as lost:
        azure.dispatch(order)

    assert lost.value.after is not None
    assert lost.value.after >= 60
    first, second = (azure.dispatch(order) for _ in range(2))
    assert first.id == second.id
    assert runs_of(world) == before + 1
    assert world.found(first).tags == [f"baton-{order.key}"]


@pytest.mark.parametrize("variables", [{"BatonKey": "{key}"}, {}])
def test_each_order_gets_a_run_of_its_own(world: World, variables: dict[str, str]) -> None:
    azure, orders = world.pipelines(variables=variables), [world.order(), world.order()]

    first, second, again_first, again_second = (azure.dispatch(order).id for order in orders * 2)

    assert (first, second) == (again_first, again_second)
    assert first != second


def test_a_run_that_is_older_than_the_order_is_none_of_its(world: World) -> None:
    azure = world.pipelines(variables={})
    run = azure.dispatch(world.order())
    old = world.found(run)
    old.tags.clear()
    old.queued -= timedelta(minutes=5)

    assert azure.dispatch(world.order()).id != run.id


def test_of_two_runs_for_one_order_a_person_decides(world: World) -> None:
    azure, orders = world.pipelines(variables={}), [world.order(), world.order()]
    first, second = (azure.dispatch(order) for order in orders)
    world.found(second).tags[:] = world.found(first).tags
    before = runs_of(world)

    with pytest.raises(Refused, match=rf"2 runs of pipeline 21 .*buildId={second.id}, .*buildId={first.id}$"):
        azure.dispatch(orders[0])
    assert runs_of(world) == before


@pytest.mark.parametrize("other", [APPROVED], indirect=True)
def test_a_stage_that_waits_says_for_whom_and_where_they_approve(other: World) -> None:
    azure = other.pipelines()
    run = azure.dispatch(other.order())

    report = until(lambda: azure.look(run), lambda one: one.state is RunState.WAITING)

    assert report.stage == "Sign"
    assert "stage Sign needs the approval of Steve and Grace (Look at the tag first)" in report.line
    page = httpx.get(report.url).text
    approval = page.partition('name="approval" value="')[2].partition('"')[0]
    address = report.url.replace("results?buildId=1", "approve")
    assert httpx.post(address, data={"approval": approval, "status": "approved"}).status_code == 303
    assert ended(lambda: azure.look(run)).state is RunState.SUCCEEDED
    assert other.built(run) == {"hello.exe": b"built of first\nfor v1.0.0, stable"}


@pytest.mark.parametrize("other", [FLAKY], indirect=True)
def test_only_the_stage_that_failed_runs_again(other: World) -> None:
    azure = other.pipelines()
    run = azure.dispatch(other.order())

    report = ended(lambda: azure.look(run))
    assert (report.state, report.stage) == (RunState.FAILED, "Check")
    assert "failed in Check / Check job / Check task: A command exited" in report.line
    with pytest.raises(FailedWithLog, match=r"it said last:\n(.*\n)*no compiler found\n(.*\n)*##\[error\]") as failure:
        azure.collect(run, ("hello.exe",), other.intake)
    assert b"compiled hello.exe" in other.store.read(failure.value.log)

    again = [azure.retry_failed(run) for _ in range(2)]

    assert [one.attempt for one in again] == [2, 2]
    assert ended(lambda: azure.look(again[0])).state is RunState.SUCCEEDED
    assert other.built(again[0]) == {"hello.exe": b"built of first\nfor v1.0.0, stable"}
    assert [one.attempt for one in other.found(run).stages] == [1, 2]
    with pytest.raises(Refused, match="no stage of it failed"):
        azure.retry_failed(again[0])


@pytest.mark.parametrize("other", [ENDLESS], indirect=True)
def test_a_run_under_way_can_be_stopped_and_stopped_again(other: World) -> None:
    azure = other.pipelines()
    run = azure.dispatch(other.order())
    report = until(lambda: azure.look(run), lambda one: one.state is RunState.RUNNING)
    assert "runs Build, 0 of 1 stage done; Build job" in report.line
    with pytest.raises(Unavailable, match="has not ended"):
        azure.retry_failed(run)
    with pytest.raises(Unavailable, match="expected that it had ended"):
        azure.collect(run, ("hello.exe",), other.intake)

    azure.cancel(run)
    azure.cancel(run)

    assert ended(lambda: azure.look(run)).state is RunState.CANCELLED
    azure.cancel(run)
    with pytest.raises(Failed, match="was cancelled: see http"):
        azure.collect(run, ("hello.exe",), other.intake)


@pytest.mark.parametrize("other", [ENDLESS], indirect=True)
def test_a_run_that_someone_else_cancelled_can_run_again(other: World) -> None:
    azure = other.pipelines()
    run = azure.dispatch(other.order())
    other.azure.runs.cancel(other.found(run))
    assert ended(lambda: azure.look(run)).state is RunState.CANCELLED

    again = azure.retry_failed(run)

    assert until(lambda: azure.look(again), lambda one: one.state is RunState.RUNNING).attempt == 2


def test_a_run_stays_queued_as_long_as_it_takes(world: World) -> None:
    azure = world.pipelines()
    world.fault(Fault.HELD)
    run = azure.dispatch(world.order())

    report = azure.look(run)
    assert (report.state, report.line) == (RunState.QUEUED, f"run {datetime.now(UTC):%Y%m%d}.{run.id} is queued")

    world.azure.runs.release(world.found(run))
    assert ended(lambda: azure.look(run)).state is RunState.SUCCEEDED


def test_a_run_of_another_commit_is_refused(world: World) -> None:
    azure = world.pipelines()
    run = azure.dispatch(world.order())
    ended(lambda: azure.look(run))
    world.found(run).version = "e" * 40

    for act in (azure.look, azure.retry_failed, lambda one: azure.collect(one, ("hello.exe",), world.intake)):
        with pytest.raises(Refused, match=f"builds {'e' * 40}; expected the commit {world.commit}"):
            act(run)


def test_a_pipeline_of_another_repository_is_held_to_the_commit_that_it_was_given(tmp_path: Path) -> None:
    with azure_world(tmp_path, commit_in="SourceCommit") as world:
        given = {"commit_in": "SourceCommit", "parameters": {"SourceCommit": "{commit}", "SourceTag": "{tag}"}}
        azure = world.pipelines(**given)
        run = azure.dispatch(world.order())
        ended(lambda: azure.look(run))

        assert world.built(run, **given) == {"hello.exe": b"built of first\nfor v1.0.0, stable"}
        found = world.found(run)
        found.parameters = {**found.parameters, "SourceCommit": "e" * 40}
        with pytest.raises(Refused, match=f"builds {'e' * 40}"):
            azure.look(run)


def test_a_parameter_that_the_pipeline_does_not_have_is_named(world: World) -> None:
    with pytest.raises(Failed, match=r"answers 400: Unexpected parameter 'Colour'"):
        world.pipelines(parameters={"Colour": "red"}).dispatch(world.order())


def test_a_stage_can_be_left_out(world: World) -> None:
    azure = world.pipelines(skip_stages=["Publish"])
    run = azure.dispatch(world.order())
    ended(lambda: azure.look(run))

    assert [one.result for one in world.found(run).stages] == ["succeeded", "skipped"]


@pytest.mark.parametrize(
    "other", [(stage("Build", BUILD + "(dist / 'hello.exe').write_bytes(b'changed')"),)], indirect=True
)
def test_a_file_that_is_not_what_its_pipeline_says_is_refused(other: World) -> None:
    azure = other.pipelines()
    run = azure.dispatch(other.order())
    ended(lambda: azure.look(run))

    with pytest.raises(
        Refused, match=r"hello\.exe has the digest sha256:[0-9a-f]{64}; SHA256SUMS .* says [0-9a-f]{64}"
    ):
        azure.collect(run, ("hello.exe",), other.intake)


@pytest.mark.parametrize("other", [(stage("Build", BUILD + "(dist.parent / 'hello.exe').touch()"),)], indirect=True)
def test_a_file_that_is_there_twice_is_refused(other: World) -> None:
    azure = other.pipelines()
    run = azure.dispatch(other.order())
    ended(lambda: azure.look(run))

    with pytest.raises(
        Failed, match=r"hello\.exe is there twice, .* as windows/.*hello\.exe in the artifact 'windows'"
    ):
        azure.collect(run, ("hello.exe",), other.intake)


def test_no_secret_reaches_a_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    azure = world.pipelines()
    with caplog.at_level(logging.DEBUG):
        run = azure.dispatch(world.order())
        ended(lambda: azure.look(run))
        world.built(run)

    assert "build/builds" in caplog.text
    assert "pat-of-the-release-team" not in caplog.text
    assert "_signed" not in caplog.text
    assert "sig=" not in caplog.text
