"""What a worker with the credentials of an outside CI system does, against a simulator that really builds."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities import outside, runs
from activities.outside import OutsideActivities
from activities.records import Records
from activities.work import Progress, _failure, _progress
from baton.builders.outside import SETTLE, Unusable
from baton.builders.port import FailedWithLog, Stopped
from baton.model import work
from baton.model.base import canonical_json
from baton.model.building import Step
from baton.model.errors import Failed, Missing, Refused, Unavailable
from baton.model.gate import GateResult
from baton.model.outside import OutsideRun, RunReport, RunState
from baton.model.plan import ArchiveLimits, Plan
from baton.sandbox.fake_ci.github import Fault
from baton.settings import WorkerSettings
from baton.store import LocalStore
from tests.builders.github_world import FILES, TOKEN, World, github_world
from tests.conftest import NOW, PATIENCE, PLAN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from baton.store import Store


GATE = {"name": "start", "before": "build", "needs": {"release-manager": 1}}


class Worker:
    """The activities, each done as in a worker of its own."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.store: Store = LocalStore(folder / "store")
        self.activities = OutsideActivities(
            self.store, WorkerSettings(store=str(folder / "store"), workspace=folder / "work", sandbox=folder)
        )
        self.environment = ActivityEnvironment()
        self.said = Progress()
        self.plan_to_build()

    def plan_to_build(self, mode: str = "good", **changes: Any) -> None:
        """Plan a rehearsal with one step that the simulator builds, changed as whoever forges one likes."""
        builder = self.world.builder(inputs={"baton": "{key}", "mode": mode}, **changes)
        self.step = Step(name="windows", builder=builder, queue="ci", files=FILES, timeout=60)
        source = {"repository": "/nowhere/hello", "commit": self.world.commit, "tag": "v1.0.0"}
        self.plan = Plan.model_validate({**PLAN, "source": source, "steps": [self.step.model_dump()], "gates": [GATE]})
        digest = self.store.put_bytes(canonical_json(self.plan))
        self.release = work.ReleaseRef(release=self.plan.release, run="run-1", plan=digest, sandbox=True)

    def agreed(self) -> tuple[GateResult, ...]:
        """The gate before the build; in this rehearsal people are taken at their word."""
        given = {"by": "ada", "role": "release-manager", "at": NOW}
        asked = {"gate": "start", "attempt": 1, "run": "run-1", "needs": {"release-manager": 1}, "opened": NOW}
        return (GateResult.model_validate({**asked, "subject": self.release.plan, "given": [given]}),)

    def source(self) -> work.Source:
        planned = self.plan.source
        return work.Source(
            repository=planned.repository,
            commit=planned.commit,
            tag=planned.tag,
            bundle="sha256:" + "b" * 64,
            epoch=1,
        )

    def do(self, activity: Callable[[Any], Any], what: object) -> Any:
        token = _progress.set(self.said)
        try:
            return self.environment.run(activity, what)
        finally:
            _progress.reset(token)

    def wanted(self) -> work.OrderRun:
        return work.OrderRun(
            release=self.release,
            step=self.step,
            source=self.source(),
            number=1,
            asked=datetime.now(UTC),
            gates=self.agreed(),
        )

    def order(self, wanted: work.OrderRun | None = None) -> OutsideRun:
        run: OutsideRun = self.do(self.activities.order_run, wanted or self.wanted())
        return run

    def follow(self, run: OutsideRun, seen: RunState | None = None, seconds: float = 60) -> RunReport:
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        what = work.FollowRun(release=self.release, step=self.step, run=run, seen=seen, until=until)
        report: RunReport = self.do(self.activities.follow_run, what)
        return report

    def ended(self, run: OutsideRun) -> RunReport:
        deadline = time.monotonic() + PATIENCE
        while not (report := self.follow(run)).state.ended:
            assert time.monotonic() < deadline, report
            time.sleep(0.05)
        return report

    def collect(self, run: OutsideRun) -> work.Built:
        what = work.CollectRun(
            release=self.release, step=self.step, run=run, source=self.source(), limits=ArchiveLimits()
        )
        built: work.Built = self.do(self.activities.collect_run, what)
        return built


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setenv("GITHUB_TOKEN_FOR_TEST", TOKEN)
    monkeypatch.setattr(runs, "_SOON", 0.05)
    with github_world(tmp_path) as world:
        yield Worker(world, tmp_path)


def test_a_step_is_built_once_whatever_is_done_again(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = worker.wanted()
    run = worker.order(wanted)
    assert worker.order(wanted) == run
    assert worker.said.beat.link == run.url
    assert worker.ended(run).state is RunState.SUCCEEDED
    built = worker.collect(run)
    assert built.commit == worker.world.commit
    assert sorted(each.name for each in worker.store.read_set(built.artifacts).artifacts) == sorted(FILES)
    # What is on record needs nobody's answer.
    monkeypatch.delenv("GITHUB_TOKEN_FOR_TEST")
    assert worker.order(wanted) == run
    assert worker.collect(run) == built
    assert worker.world.dispatches == 1


def test_a_run_that_could_not_be_recorded_is_found_again_by_its_key(worker: Worker) -> None:
    wanted = worker.wanted()
    record = outside._record_of(wanted)
    run = worker.order(wanted)
    Records(worker.store, worker.release).drop(record)
    assert worker.order(wanted).id == run.id
    assert worker.world.dispatches == 1


def test_no_two_orders_have_the_same_key(worker: Worker) -> None:
    wanted = worker.wanted()
    other_plan = wanted.release.model_copy(update={"plan": "sha256:" + "f" * 64})
    others = [
        wanted.model_copy(update={"number": 2}),
        wanted.model_copy(update={"step": worker.step.model_copy(update={"name": "x" * 64})}),
        wanted.model_copy(update={"release": wanted.release.model_copy(update={"run": "run-2"})}),
        wanted.model_copy(update={"release": other_plan}),
    ]
    keys = [order.order.key for order in (wanted, *others)]
    assert len(set(keys)) == 5
    assert wanted.model_copy(update={"asked": datetime.now(UTC)}).order.key == keys[0]


def test_a_follower_tells_of_each_change_and_asks_again_while_there_is_no_answer(worker: Worker) -> None:
    worker.world.goes_wrong(Fault.HELD)
    run = worker.order()
    assert worker.follow(run).state is RunState.QUEUED
    worker.world.goes_wrong(Fault.NOT_SENT, 3)
    found = worker.world.simulator.runs.get(int(run.id))
    assert found is not None
    worker.world.simulator.runs.release(found)
    assert worker.follow(run, RunState.QUEUED).state is not RunState.QUEUED
    assert (worker.said.beat.link, run.id in worker.said.beat.line) == (run.url, True)


def test_a_follower_that_is_not_wanted_any_more_stops_and_leaves_the_run_alone(worker: Worker) -> None:
    worker.world.goes_wrong(Fault.HELD)
    run = worker.order()
    worker.environment.cancel()
    with pytest.raises(Stopped, match="is not followed any more"):
        worker.follow(run, RunState.QUEUED)
    assert worker.follow(run).state is RunState.QUEUED


def test_a_run_that_takes_too_long_is_for_a_person_and_goes_on(worker: Worker) -> None:
    worker.world.goes_wrong(Fault.HELD)
    run = worker.order()
    with pytest.raises(Failed, match="has not ended in the 60 s that step windows may take; it goes on") as failed:
        worker.follow(run, RunState.QUEUED, seconds=0)
    assert not isinstance(failed.value, Unusable)


def test_what_a_failed_run_said_is_kept_and_only_what_failed_runs_again(worker: Worker) -> None:
    worker.plan_to_build("flaky")
    run = worker.order()
    assert worker.ended(run).state is RunState.FAILED
    with pytest.raises(FailedWithLog, match="the compiler is on fire") as failed:
        worker.collect(run)
    assert b"the compiler is on fire" in worker.store.read(failed.value.log)
    again: OutsideRun = worker.do(
        worker.activities.retry_run, work.RetryRun(release=worker.release, step=worker.step, run=run)
    )
    assert again.attempt == 2
    assert worker.ended(again).state is RunState.SUCCEEDED
    assert worker.collect(again).artifacts.files == len(FILES)
    assert worker.world.dispatches == 1


def test_what_is_wrong_with_the_run_is_told_from_what_is_wrong_with_the_worker(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = worker.order()
    worker.ended(run)
    monkeypatch.delenv("GITHUB_TOKEN_FOR_TEST")
    with pytest.raises(Missing, match="this worker has neither GITHUB_TOKEN_FOR_TEST nor"):
        worker.collect(run)
    monkeypatch.setenv("GITHUB_TOKEN_FOR_TEST", TOKEN)
    worker.world.goes_wrong(Fault.EXPIRED)
    with pytest.raises(Unusable, match="expired"):
        worker.collect(run)
    assert worker.collect(run).artifacts.files == len(FILES)


def test_the_run_of_a_cancelled_release_is_stopped(worker: Worker) -> None:
    worker.plan_to_build("wait")
    wanted = worker.wanted()
    nothing: work.Undone = worker.do(worker.activities.cancel_run, wanted)
    assert wanted.order.key in nothing.detail
    run = worker.order(wanted)
    undone: work.Undone = worker.do(worker.activities.cancel_run, wanted)
    assert run.url in undone.detail
    assert worker.ended(run).state is RunState.CANCELLED
    worker.do(worker.activities.cancel_run, wanted)


def test_a_failure_leads_to_the_log_and_the_run_and_says_when_to_come_again() -> None:
    log = "sha256:" + "d" * 64
    assert _failure(FailedWithLog("no", log=log), "https://ci/1").details == (log, "https://ci/1")
    assert _failure(Failed("no"), "https://ci/1").details == (None, "https://ci/1")
    assert _failure(FailedWithLog("no", log=log), "").details == (log,)
    assert _failure(Failed("no"), "").details == ()
    assert _failure(Unavailable("no", after=SETTLE), "").next_retry_delay == timedelta(seconds=SETTLE)
    assert _failure(Unavailable("no"), "").next_retry_delay is None


def test_a_rehearsal_shows_no_token_to_a_real_system(worker: Worker) -> None:
    worker.plan_to_build(api="https://api.github.com")
    with pytest.raises(Refused, match=r"simulators on this machine alone; step windows is at https://api\.github\.com"):
        worker.order()


def test_a_run_is_left_alone_that_the_release_did_not_start(worker: Worker) -> None:
    run = worker.order()
    stranger = run.model_copy(update={"id": "4711"})
    retry = work.RetryRun(release=worker.release, step=worker.step, run=stranger)
    asks: list[Callable[[], object]] = [
        lambda: worker.follow(stranger),
        lambda: worker.do(worker.activities.retry_run, retry),
        lambda: worker.collect(stranger),
    ]
    for ask in asks:
        with pytest.raises(Refused, match="run 4711 was not started for windows"):
            ask()
