"""A release with fake activities: the workflow is real, the server is real, nothing is built."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter, defaultdict
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.hearing import HearActivities
from baton.model import evidence, hearing, platform, renewing, security, work
from baton.model.acts import Answer
from baton.model.code_signing import Notarization
from baton.model.errors import BatonError
from baton.model.manifest import Artifact, ManifestRef, SetRef
from baton.model.outside import OutsideRun, RunReport, RunState
from baton.model.signing import HumanSigner
from baton.model.status import Beginning
from baton.settings import WorkerSettings
from baton.store.local import LocalStore
from tests.conftest import CONTRACT, PATIENCE, executable
from tests.workflows.people import People, make_people
from workflows.release import ReleaseWorkflow
from workflows.resign import ReSigningWorkflow
from workflows.visibility import SEARCH_ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from temporalio.client import WorkflowHandle

    from baton.model.acts import Act
    from baton.model.base import Value
    from baton.model.code_signing import PlatformStep
    from baton.model.plan import Plan
    from baton.model.signing import Signer
    from baton.model.status import ReleaseStatus

DIGEST = "sha256:" + "d" * 64
SET = SetRef(digest=DIGEST, files=1, total_bytes=5)
MANIFEST = ManifestRef(
    digest="sha256:" + "a" * 64,
    files=2,
    total_bytes=10,
    preview=(Artifact(name="hello.exe", digest=DIGEST, size=5), Artifact(name="hello.tar.gz", digest=DIGEST, size=5)),
)

SIGNED = SET.model_copy(update={"digest": "sha256:" + "5" * 64})
STAPLED = SET.model_copy(update={"digest": "sha256:" + "6" * 64})


def _submissions(step: PlatformStep) -> tuple[platform.Submission, ...]:
    return tuple(platform.Submission(id="submission-1", name=name, digest=DIGEST) for name in step.files)


ANSWERS: dict[str, Callable[[Any], Value]] = {
    "keep_joint": lambda a: security.KeptJoint(digest=a.joint.digest),
    "keep_plan": lambda a: hearing.Kept(digest=a.plan.digest),
    "prepare_source": lambda a: work.Source(
        repository=a.source.repository, commit=a.source.commit, tag=a.source.tag, bundle=DIGEST, epoch=1
    ),
    "build_step": lambda a: work.Built(step=a.step.name, commit=a.source.commit, artifacts=SET),
    "offer_source": lambda a: work.Offered(branch=a.branch),
    "withdraw_source": lambda a: work.Undone(detail=f"removed {a.branch}"),
    "order_run": lambda a: OutsideRun(
        key=a.order.key, commit=a.source.commit, id=str(a.number), url="https://ci.example.org/1", dispatched=a.asked
    ),
    "follow_run": lambda a: RunReport(state=RunState.SUCCEEDED, line="run 1 succeeded", url=a.run.url),
    "retry_run": lambda a: a.run.model_copy(update={"attempt": a.run.attempt + 1}),
    "collect_run": lambda a: work.Built(step=a.step.name, commit=a.source.commit, artifacts=SET),
    "cancel_run": lambda a: work.Undone(detail=f"stopped the run of {a.step.name}"),
    "take_provided": lambda a: work.Built(step=a.step.name, commit=a.source.commit, artifacts=SET, builder="by hand"),
    "inspect_step": lambda _: work.Inspected(files=1, archives=0),
    "compare_steps": lambda _: work.Agreed(files=1),
    "describe_files": lambda _: SET,
    "make_manifest": lambda _: MANIFEST,
    "run_check": lambda _: work.Checked(log=DIGEST),
    "sign_files": lambda a: work.Signed(signer=a.signer, signatures=SET),
    "take_signatures": lambda a: work.Signed(signer=a.signer, signatures=SET),
    "order_signing": lambda a: OutsideRun(
        key=a.order("c" * 40).key,
        commit="c" * 40,
        id=str(a.number),
        url="https://ci.example.org/sign/1",
        dispatched=a.asked,
    ),
    "follow_signing": lambda a: RunReport(state=RunState.SUCCEEDED, line="run 1 succeeded", url=a.run.url),
    "retry_signing": lambda a: a.run.model_copy(update={"attempt": a.run.attempt + 1}),
    "collect_signing": lambda a: work.Signed(signer=a.signer, signatures=SET),
    "cancel_signing": lambda a: work.Undone(detail=f"stopped the run of sign-{a.signer.kind}"),
    "attest_files": lambda _: SET,
    "attest_release": lambda _: Artifact(name="manifest.json.release.sigstore.json", digest=DIGEST, size=5),
    "verify_signatures": lambda _: work.Verified(files=2, signatures=2),
    "stage": lambda _: work.Staged(files=4, total_bytes=20),
    "promote": lambda a: work.Promoted(target=a.target.name, url=f"https://example.org/{a.target.name}"),
    "check_public": lambda _: work.Seen(files=4),
    "unstage": lambda a: work.Undone(detail=f"unstaged {a.target.name}"),
    "push_tag": lambda a: work.Pushed(commit=a.source.commit),
    "forget_source": lambda _: work.Undone(detail="forgot the source"),
    "sign_platform": lambda a: a.built.model_copy(update={"step": a.step.name, "artifacts": SIGNED}),
    "verify_authenticode": lambda _: platform.CodeVerified(files=1),
    "submit_notarization": lambda a: platform.Submitted(submissions=_submissions(a.step)),
    "await_notarization": lambda a: platform.Notarized(submissions=a.submitted.submissions, logs=(DIGEST,)),
    "staple": lambda a: a.built.model_copy(update={"step": a.step.name, "artifacts": STAPLED}),
    "take_stock": lambda a: renewing.Stock(target=a.target.name, manifest=MANIFEST, old=SET),
    "renew_signatures": lambda a: renewing.Renewed(
        target=a.target.name, url=f"https://example.org/{a.target.name}", signatures=2, kept=1
    ),
    "tell": lambda _: work.Told(sent=True),
    "write_evidence": lambda _: SET,
    "sign_evidence": lambda _: SET,
    "publish_evidence": lambda a: evidence.Shown(url=f"https://example.org/{a.target.name}/evidence", documents=9),
}


class Machines:
    """Stands in for every activity: answers at once, fails or waits where a test says so, and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Value]] = []
        self.failures: dict[str, list[ApplicationError]] = defaultdict(list)
        self.holding: dict[str, asyncio.Event] = {}
        self.holds: dict[str, Callable[[Any], bool]] = {}
        self.real: dict[str, Callable[[Any], Value]] = {}
        self.store: LocalStore | None = None

    def fail(self, name: str, *messages: str, retryable: bool = False) -> None:
        """Let the next tries of an activity fail, one for each message."""
        self.failures[name] += [ApplicationError(text, type="Failed", non_retryable=not retryable) for text in messages]

    def hold(self, name: str, only: Callable[[Any], bool] = lambda _: True) -> asyncio.Event:
        """Let an activity wait until the returned event is set, or only where its argument is such."""
        self.holds[name] = only
        return self.holding.setdefault(name, asyncio.Event())

    def answer(self, name: str) -> Callable[[Any], Value]:
        """What an activity answers as things are."""
        return self.real.get(name, ANSWERS[name])

    def hear_for_real(self, folder: Path) -> None:
        """Let acts be proven, and plans be kept and taken, by the real activities with a store of their own."""
        store = LocalStore(folder / "store")
        hearer = HearActivities(store, WorkerSettings(workspace=folder))
        heard = (hearer.prove_act, hearer.keep_plan, hearer.take_plan, hearer.keep_joint)
        self.real |= {activity_.__name__: activity_ for activity_ in heard}
        self.store = store

    def arguments(self, name: str) -> list[Any]:
        return [argument for asked, argument in self.asked if asked == name]

    @property
    def counts(self) -> Counter[str]:
        return Counter(name for name, _ in self.asked)

    def activities(self) -> list[Callable[..., Any]]:
        return [self._activity(item) for item in CONTRACT.values()]

    def _activity(self, item: work.Work[Any, Any]) -> Callable[..., Any]:
        async def run(argument: Any) -> Any:
            self.asked.append((item.name, argument))
            if item.name in self.holding and self.holds[item.name](argument):
                while not self.holding[item.name].is_set():
                    activity.heartbeat()
                    await asyncio.wait([asyncio.create_task(self.holding[item.name].wait())], timeout=0.2)
            if self.failures[item.name]:
                raise self.failures[item.name].pop(0)
            if item.name in self.real:
                return await really(self.real[item.name], argument)
            return ANSWERS[item.name](argument)

        run.__annotations__ = {"argument": item.takes, "return": item.gives}
        return activity.defn(name=item.name)(run)


async def really(activity_: Callable[[Any], Value], argument: Any) -> Value:
    """Do it as a worker does: in a thread, and failing as :class:`activities.work.Conduct` lets it."""
    try:
        return await asyncio.to_thread(activity_, argument)
    except BatonError as error:
        raise ApplicationError(str(error), type=type(error).__name__, non_retryable=error.permanent) from None


class Run:
    """One release under test."""

    def __init__(
        self, handle: WorkflowHandle[Any, ReleaseStatus], machines: Machines, plan: Plan, worker: Worker | None = None
    ) -> None:
        self.handle = handle
        self.machines = machines
        self.plan = plan
        self.worker = worker

    async def say(self, act: Act) -> Answer:
        """Say something unsigned by update."""
        return await self.say_json(act.kind, act)

    async def say_json(self, kind: str, message: object) -> Answer:
        answer: Answer = await self.handle.execute_update(kind.replace("-", "_"), message, result_type=Answer)
        return answer

    async def status(self) -> ReleaseStatus:
        return await self.handle.query(ReleaseWorkflow.status)

    async def until(self, condition: Callable[[ReleaseStatus], bool]) -> ReleaseStatus:
        """Poll until the status fulfils a condition."""
        async with asyncio.timeout(PATIENCE):
            while not condition(status := await self.status()):
                await asyncio.sleep(0.05)
        return status

    async def stop_worker(self) -> None:
        """End the worker that runs the workflow, and forget with it what is not in the history; machines go on."""
        assert self.worker is not None
        await self.worker.shutdown()

    async def until_done(self, name: str, times: int) -> None:
        """Poll the history until an activity was completed so often."""
        async with asyncio.timeout(PATIENCE):
            while (await self._completed())[name] < times:
                await asyncio.sleep(0.05)

    async def _completed(self) -> Counter[str]:
        events = (await self.handle.fetch_history()).events
        names = {
            event.event_id: event.activity_task_scheduled_event_attributes.activity_type.name
            for event in events
            if event.HasField("activity_task_scheduled_event_attributes")
        }
        return Counter(
            names[event.activity_task_completed_event_attributes.scheduled_event_id]
            for event in events
            if event.HasField("activity_task_completed_event_attributes")
        )

    async def until_waiting(self, what: str) -> ReleaseStatus:
        return await self.until(lambda status: any(waiting.what == what for waiting in status.waiting))

    async def said(self) -> str:
        return "\n".join(f"{entry.who}: {entry.what}" for entry in await self.handle.query(ReleaseWorkflow.journal))


@pytest.fixture
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    environment = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=executable("temporal-test-server"), data_converter=pydantic_data_converter
    )
    async with environment:
        kinds = {key.name: IndexedValueType.ValueType(key.indexed_value_type) for key in SEARCH_ATTRIBUTES}
        await environment.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(search_attributes=kinds, namespace="default")
        )
        yield environment


@pytest.fixture
def machines() -> Machines:
    return Machines()


def _elsewhere(step: PlatformStep, queues: dict[str, str]) -> PlatformStep:
    signing = step.signing
    if isinstance(signing, Notarization):
        signing = signing.model_copy(update={"queue": queues[signing.queue]})
    return step.model_copy(update={"queue": queues[step.queue], "signing": signing})


def _on_queue(signer: Signer, queues: dict[str, str]) -> Signer:
    if isinstance(signer, HumanSigner):
        return signer
    return signer.model_copy(update={"queue": queues[signer.queue]})


@asynccontextmanager
async def running(env: WorkflowEnvironment, plan: Plan, machines: Machines, *, without: str = "") -> AsyncIterator[Run]:
    """A release with fake machines on every queue of its plan, but for one that may be left out."""
    unique = uuid.uuid4().hex[:8]
    renamed = {queue: f"{queue}-{unique}" for queue in plan.queues}
    plan = apart(plan, unique)
    workers = [worker_of(env, queue, machines.activities()) for queue in plan.queues if queue != renamed.get(without)]
    runner = Worker(env.client, task_queue=plan.queue, workflows=[ReleaseWorkflow, ReSigningWorkflow])
    workers.append(runner)
    async with asyncio.TaskGroup() as group:
        serving = [group.create_task(worker.run()) for worker in workers]
        try:
            handle = await env.client.start_workflow(
                ReleaseWorkflow.run if plan.resigning is None else ReSigningWorkflow.run,
                Beginning(plan=plan),
                id=f"{plan.release.purpose}/{unique}",
                task_queue=plan.queue,
            )
            yield Run(handle, machines, plan, runner)
        finally:
            await asyncio.gather(*(worker.shutdown() for worker in workers))
            await asyncio.gather(*serving)


def apart(plan: Plan, unique: str) -> Plan:
    """The same plan on task queues of its own."""
    renamed = {queue: f"{queue}-{unique}" for queue in plan.queues}
    return plan.model_copy(
        update={
            "queue": renamed[plan.queue],
            "steps": tuple(s.model_copy(update={"queue": renamed[s.queue]}) for s in plan.steps),
            "platform": tuple(_elsewhere(p, renamed) for p in plan.platform),
            "checks": tuple(c.model_copy(update={"queue": renamed[c.queue]}) for c in plan.checks),
            "signers": tuple(_on_queue(signer, renamed) for signer in plan.signers),
            "targets": tuple(t.model_copy(update={"queue": renamed[t.queue]}) for t in plan.targets),
        }
    )


def worker_of(env: WorkflowEnvironment, queue: str, activities: list[Callable[..., Any]]) -> Worker:
    """A worker that does activities."""
    return Worker(
        env.client,
        task_queue=queue,
        activities=activities,
        # Cancellations arrive with the answers to heartbeats.
        max_heartbeat_throttle_interval=timedelta(seconds=0.2),
        default_heartbeat_throttle_interval=timedelta(seconds=0.2),
    )


@pytest.fixture
def release(temporal: WorkflowEnvironment, machines: Machines, make_plan: Callable[..., Plan]) -> Callable[..., Any]:
    def start(*, without: str = "", **changes: object) -> AbstractAsyncContextManager[Run]:
        return running(temporal, make_plan(**changes), machines, without=without)

    return start


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    return make_people(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def signed_release(
    release: Callable[..., Any], machines: Machines, people: People, tmp_path: Path
) -> Callable[..., AbstractAsyncContextManager[Run]]:
    """A rehearsal that takes nothing unsigned, whose acts are really proven."""
    machines.hear_for_real(tmp_path)

    def start(**changes: object) -> AbstractAsyncContextManager[Run]:
        started: AbstractAsyncContextManager[Run] = release(
            **{"unsigned_acts": False, "roster": people.roster.model_dump(by_alias=True, mode="json"), **changes}
        )
        return started

    return start
