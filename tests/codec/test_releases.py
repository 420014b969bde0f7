"""Releases whose every payload is encrypted: what has the key goes on, what has not harms nothing."""

from __future__ import annotations

import asyncio
import logging
import uuid
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError
from temporalio.worker import Replayer, Worker

from baton.codec.converter import data_converter
from baton.codec.keys import CodecKey, Keyring
from baton.model.acts import Choice
from baton.model.status import Beginning, Phase
from tests.codec.conftest import client_with
from tests.conftest import PATIENCE
from tests.workflows.conftest import Machines, Run, running
from tests.workflows.test_release import decision, sign_off
from workflows.release import ReleaseWorkflow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from temporalio.client import Client
    from temporalio.testing import WorkflowEnvironment

    from baton.model.plan import Plan
    from baton.model.status import ReleaseStatus

SECRET = "CVE-2026-31337"  # noqa: S105  # what is to be kept secret, no password
TASK = timedelta(seconds=2)
"""After a workflow task that failed, the SDK says nothing of the next ones and the server waits for so long each."""


class Env:
    """An environment whose client has keys."""

    def __init__(self, client: Client) -> None:
        self.client = client


@asynccontextmanager
async def encrypted(
    temporal: WorkflowEnvironment, plan: Plan, machines: Machines, keyring: Keyring
) -> AsyncIterator[Run]:
    env = cast("WorkflowEnvironment", Env(client_with(temporal, keyring, serving=True)))
    async with running(env, plan, machines) as run:
        yield run


async def test_a_whole_release_leaves_nothing_readable_and_replays_with_the_key(
    temporal: WorkflowEnvironment, make_plan: Callable[..., Plan], keyring: Keyring
) -> None:
    machines = Machines()
    machines.fail("build_step", f"does not build: {SECRET}")
    # One build alone: of two, either could be the one that fails, and not everyone may decide on both.
    plan = make_plan(title=f"Fixes {SECRET}", steps=[{**STEP, "queue": "build-source"}])
    async with encrypted(temporal, plan, machines, keyring) as run:
        status = await run.until(lambda status: any(waiting.kind == "decision" for waiting in status.waiting))
        assert SECRET in status.waiting[0].why
        retry = decision(status, Choice.RETRY, reason=f"after {SECRET}")
        assert (await run.say(retry)).accepted
        await run.say(sign_off(await run.until_waiting("publish"), "ada"))
        assert (await run.handle.result()).phase is Phase.RELEASED
        assert f"after {SECRET}" in await run.said()
        history = await run.handle.fetch_history()
        described = await run.handle.describe()
    events = b"".join(event.SerializeToString() for event in history.events)
    for text in (SECRET, "hello.tar.gz", "c" * 40):
        assert text.encode() not in events
        assert text.encode() not in described.raw_description.SerializeToString()
    replayer = Replayer(
        workflows=[ReleaseWorkflow],
        data_converter=data_converter(keyring, namespace=temporal.client.namespace, serving=True),
    )
    await replayer.replay_workflow(history)


async def test_what_is_sent_unencrypted_is_refused_and_the_release_goes_on(
    temporal: WorkflowEnvironment, make_plan: Callable[..., Plan], keyring: Keyring
) -> None:
    async with encrypted(temporal, make_plan(), Machines(), keyring) as run:
        status = await run.until_waiting("publish")
        unencrypted = temporal.client.get_workflow_handle(run.handle.id)
        await unencrypted.signal("sign_off", sign_off(status, "ada"))
        with pytest.raises(WorkflowUpdateFailedError):
            await unencrypted.execute_update("sign_off", sign_off(status, "ada"))
        assert "unknown: a sign-off could not be read: it came unencrypted" in await run.said()
        answer = await run.say(sign_off(status, "ada"))
        assert answer.accepted
        assert (await run.handle.result()).phase is Phase.RELEASED


async def test_what_somebody_made_up_is_refused_and_the_release_goes_on(
    temporal: WorkflowEnvironment, make_plan: Callable[..., Plan], keyring: Keyring
) -> None:
    async with encrypted(temporal, make_plan(), Machines(), keyring) as run:
        status = await run.until_waiting("publish")
        # The right key's name, but not the key: as from somebody who has seen other payloads.
        forger = client_with(temporal, Keyring((_Named(keyring.keys[0].id),)))
        await forger.get_workflow_handle(run.handle.id).signal("sign_off", sign_off(status, "ada"))
        await run.until(lambda status: bool(status.steps))
        assert "a sign-off could not be read: it was encrypted for another namespace" in await run.said()
        await run.say(sign_off(status, "ada"))
        assert (await run.handle.result()).phase is Phase.RELEASED


class _Named(CodecKey):
    """Another key under the name of one that it is not."""

    def __init__(self, name: str) -> None:
        super().__init__("*", b"\0" * 32)
        object.__setattr__(self, "_name", name)

    @property
    def id(self) -> str:
        return str(self.__dict__["_name"])


async def until_failed(handle: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            kinds = [event.event_type for event in (await handle.fetch_history()).events]
            if EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED in kinds:
                return
            await asyncio.sleep(0.1)


async def status_once_it_goes_on(handle: Any) -> ReleaseStatus:
    """The status; until a worker has taken over, the server may refuse to ask a release whose tasks failed."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(RPCError):
                status: ReleaseStatus = await handle.query(ReleaseWorkflow.status)
                return status
            await asyncio.sleep(0.1)


async def test_a_workflow_worker_without_the_key_says_so_and_one_with_it_goes_on(
    temporal: WorkflowEnvironment, plan: Plan, keyring: Keyring, caplog: pytest.LogCaptureFixture
) -> None:
    queue, plan = f"release-{uuid.uuid4().hex}", plan.model_copy(update={"title": SECRET})
    client = client_with(temporal, keyring, serving=True)
    wrong = client_with(temporal, Keyring((CodecKey.new(),)), serving=True)
    handle = await client.start_workflow(
        ReleaseWorkflow.run, Beginning(plan=plan), id=f"release/hello/{queue}", task_queue=queue, task_timeout=TASK
    )
    with caplog.at_level(logging.ERROR):
        async with Worker(wrong, task_queue=queue, workflows=[ReleaseWorkflow]):
            await until_failed(handle)
    assert f"encrypted with key '{keyring.keys[0].id}', which this process does not have" in caplog.text
    assert SECRET not in caplog.text
    async with Worker(client, task_queue=queue, workflows=[ReleaseWorkflow]):
        assert (await status_once_it_goes_on(handle)).phase is Phase.PREPARE
    await handle.terminate()


async def test_work_that_a_worker_without_the_key_took_is_done_once_there_is_one_with_it(
    temporal: WorkflowEnvironment, make_plan: Callable[..., Plan], keyring: Keyring
) -> None:
    machines, client = Machines(), client_with(temporal, keyring, serving=True)
    queue = f"keyless-{uuid.uuid4().hex}"
    plan = make_plan(steps=[{**STEP, "queue": queue}])
    env = cast("WorkflowEnvironment", Env(client))
    async with running(env, plan, machines, without=queue) as run:
        build = next(step.queue for step in run.plan.steps)
        keyless = client_with(temporal, Keyring())
        async with Worker(keyless, task_queue=build, activities=machines.activities()):
            status = await run.until(lambda status: any(w.kind == "decision" for w in status.waiting))
        assert "Failed decoding arguments" in status.waiting[0].why
        assert machines.counts["build_step"] == 0
        async with Worker(client, task_queue=build, activities=machines.activities()):
            await run.say(decision(status, Choice.RETRY))
            await run.say(sign_off(await run.until_waiting("publish"), "ada"))
            assert (await run.handle.result()).phase is Phase.RELEASED


STEP: dict[str, Any] = {
    "name": "source",
    "builder": {"kind": "command", "commands": [["make"]]},
    "files": ["hello.tar.gz"],
}


async def test_a_release_that_began_unencrypted_ends_where_that_is_allowed(
    temporal: WorkflowEnvironment, plan: Plan, keyring: Keyring
) -> None:
    queue = f"release-{uuid.uuid4().hex}"
    handle = await temporal.client.start_workflow(
        ReleaseWorkflow.run, Beginning(plan=plan), id=f"release/hello/{queue}", task_queue=queue, task_timeout=TASK
    )
    async with Worker(client_with(temporal, keyring, serving=True), task_queue=queue, workflows=[ReleaseWorkflow]):
        await until_failed(handle)
    moving = client_with(temporal, keyring, allow_plain=True, serving=True)
    async with Worker(moving, task_queue=queue, workflows=[ReleaseWorkflow]):
        going_on = moving.get_workflow_handle_for(ReleaseWorkflow.run, handle.id)
        assert (await status_once_it_goes_on(going_on)).phase is Phase.PREPARE
    await handle.terminate()
