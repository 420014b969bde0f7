"""A security release of small streams with fake activities: the workflows are real, the server is real."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from temporalio.worker import Worker

from baton.model.acts import Answer, Choice, Decision, SignOff
from baton.model.base import digest_of
from baton.model.errors import Failed
from baton.model.plan import JOINT_GATE, Plan
from baton.model.security import SecurityPlan, SecurityStatus, StreamState, new_security_id
from baton.model.status import ReleaseStatus
from tests.conftest import PLAN
from tests.workflows.conftest import MANIFEST, apart, worker_of
from workflows.release import ReleaseWorkflow
from workflows.security_release import SecurityReleaseWorkflow
from workflows.visibility import attributes_that_tell_nothing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from temporalio.client import WorkflowHandle
    from temporalio.testing import WorkflowEnvironment

    from baton.model import work
    from baton.model.acts import Act
    from baton.model.manifest import ManifestRef
    from tests.workflows.conftest import Machines

PATIENCE = 90
"""Seconds until a test gives up; nothing that works comes near it."""

JOINT = {"name": JOINT_GATE, "before": "publish", "needs": {"release-manager": 1}}
COMMIT_GATE = {"name": "commit", "before": "build", "needs": {"release-manager": 1}}


def security_plan(
    *versions: str, sign: str = "at-barrier", embargoed: bool = True, until: datetime | None = None, **changes: Any
) -> SecurityPlan:
    """Streams with one step each; a version that begins with 9 has a gate before its build."""
    security = new_security_id("hello")
    barrier = {"security": security.model_dump(), "gate": JOINT, "sign": sign}
    plans = tuple(_stream(version, barrier, changes.get("unsigned_acts", True)) for version in versions)
    if "roster" in changes:
        plans = tuple(plan.model_copy(update={"roster": changes["roster"]}) for plan in plans)
    facts = {
        "release": security,
        "title": "Hello",
        "advisory": "GHSA-aaaa-bbbb-cccc",
        "embargoed": embargoed,
        "until": until,
        "started_by": "ada",
        "sandbox": True,
        "unsigned_acts": True,
        "plans": plans,
        "roster": plans[0].roster,
        **changes,
    }
    return SecurityPlan.model_validate(facts)


def _stream(version: str, barrier: dict[str, Any], unsigned: bool) -> Plan:  # a fact of the plan
    changes = {
        "release": {"project": "hello", "version": version},
        "stream": {"name": version[0], "status": "bugfix"},
        "steps": PLAN["steps"][:1],  # type: ignore[index]  # the constant is a plan
        "source": {
            "repository": "/private",
            "push_to": "/public",
            "commit": version[0] * 40,
            "tag": f"v{version}",
        },
        "gates": [COMMIT_GATE] if version.startswith("9") else [],
        "announcers": [],
        "sboms": False,
        "unsigned_acts": unsigned,
        "barrier": barrier,
    }
    return Plan.model_validate({**PLAN, **changes})


def own_manifests(machines: Machines) -> None:
    """Each plan's files are its own."""

    def make(what: work.MakeManifest) -> ManifestRef:
        digest = digest_of(f"{what.release.release} {what.release.plan}".encode())
        return MANIFEST.model_copy(update={"digest": digest})

    machines.real["make_manifest"] = make


def failing(machines: Machines, name: str, version: str) -> Callable[[], None]:
    """An activity fails for one version, until what is returned is called."""
    broken = True
    answer = machines.answer(name)

    def attempt(what: Any) -> Any:
        if broken and what.release.release.version == version:
            raise Failed(f"{name} of {version} broke")
        return answer(what)

    def mend() -> None:
        nonlocal broken
        broken = False

    machines.real[name] = attempt
    return mend


class SecurityRun:
    """One security release under test."""

    def __init__(
        self, env: WorkflowEnvironment, handle: WorkflowHandle[Any, SecurityStatus], plan: SecurityPlan, runner: Worker
    ) -> None:
        self.env = env
        self.handle = handle
        self.plan = plan
        self.runner = runner

    async def status(self) -> SecurityStatus:
        return await self.handle.query(SecurityReleaseWorkflow.status)

    async def until(self, condition: Callable[[SecurityStatus], bool]) -> SecurityStatus:
        async with asyncio.timeout(PATIENCE):
            while not condition(status := await self.status()):
                await asyncio.sleep(0.05)
        return status

    async def until_asked(self, attempt: int = 1) -> SecurityStatus:
        """Until the joint gate asks people."""
        return await self.until(lambda status: status.gate is not None and status.gate.attempt == attempt)

    async def until_stream(self, version: str, *states: StreamState) -> SecurityStatus:
        return await self.until(lambda status: state_of(status, version) in states)

    async def until_stuck(self, version: str) -> SecurityStatus:
        """Until a stream waits for a decision."""
        return await self.until(
            lambda status: any(s.version == version and s.report and s.report.hindrances for s in status.streams)
        )

    async def say(self, act: Act) -> Answer:
        return await self.say_json(act.kind, act)

    async def say_json(self, kind: str, message: object) -> Answer:
        answer: Answer = await self.handle.execute_update(kind.replace("-", "_"), message, result_type=Answer)
        return answer

    async def sign_off(self, attempt: int = 1) -> Answer:
        return await self.say(joint_sign_off(await self.until_asked(attempt), "ada"))

    def stream(self, version: str) -> WorkflowHandle[Any, ReleaseStatus]:
        return self.env.client.get_workflow_handle(self.plan.workflow_id(version), result_type=ReleaseStatus)

    async def say_to(self, version: str, act: Act) -> Answer:
        answer: Answer = await self.stream(version).execute_update(act.kind.replace("-", "_"), act, result_type=Answer)
        return answer

    async def decide_to_retry(self, version: str) -> tuple[Choice, ...]:
        """Have the step that waits in a stream tried again; returns what else could have been decided."""
        own = await self.stream(version).query(ReleaseWorkflow.status)
        (step,) = (step for step in own.steps if step.choices)
        retry = Decision(
            release=own.release,
            run=own.run,
            subject=own.subject,
            by="grace",
            role="release-manager",
            step=step.name,
            attempt=step.attempt,
            choice=Choice.RETRY,
        )
        answer = await self.say_to(version, retry)
        assert answer.accepted, answer.message
        return step.choices

    async def said(self) -> str:
        return "\n".join(
            f"{entry.who}: {entry.what}" for entry in await self.handle.query(SecurityReleaseWorkflow.journal)
        )


def state_of(status: SecurityStatus, version: str) -> StreamState:
    return next(stream.state for stream in status.streams if stream.version == version)


def about(status: SecurityStatus, by: str, **facts: Any) -> dict[str, Any]:
    """What every act about a security release says."""
    return {
        "release": status.release,
        "run": status.run,
        "subject": status.subject,
        "by": by,
        "role": "release-manager",
        **facts,
    }


def joint_sign_off(status: SecurityStatus, by: str, **facts: Any) -> SignOff:
    assert status.gate is not None
    return SignOff(**about(status, by, gate=JOINT_GATE, attempt=status.gate.attempt, **facts))


@asynccontextmanager
async def running_together(
    env: WorkflowEnvironment, plan: SecurityPlan, machines: Machines
) -> AsyncIterator[SecurityRun]:
    """A security release with fake machines on every queue."""
    unique = uuid.uuid4().hex[:8]
    plans = tuple(apart(each, unique) for each in plan.plans)
    plan = plan.model_copy(update={"plans": plans, "queue": plans[0].queue})
    queues = sorted({queue for each in plans for queue in each.queues})
    workers = [worker_of(env, queue, machines.activities()) for queue in queues]
    runner = Worker(env.client, task_queue=plan.queue, workflows=[ReleaseWorkflow, SecurityReleaseWorkflow])
    workers.append(runner)
    async with asyncio.TaskGroup() as group:
        serving = [group.create_task(worker.run()) for worker in workers]
        try:
            handle = await env.client.start_workflow(
                SecurityReleaseWorkflow.run,
                plan,
                id=plan.release.workflow_id,
                task_queue=plan.queue,
                search_attributes=attributes_that_tell_nothing(plan.release.project),
            )
            yield SecurityRun(env, handle, plan, runner)
        finally:
            await asyncio.gather(*(worker.shutdown() for worker in workers))
            await asyncio.gather(*serving)
