"""Streams and a security release that do not move in step: what comes late, twice, or after something was lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from temporalio.client import WorkflowFailureError

from baton.model.acts import Cancel, StartAgain, TakeOut
from baton.model.plan import JOINT_GATE
from baton.model.security import SecurityPhase, StreamState
from tests.workflows.security import (
    PATIENCE,
    about,
    failing,
    joint_sign_off,
    own_manifests,
    running_together,
    security_plan,
    state_of,
)
from tests.workflows.test_security_release import done, replanned
from workflows.security_release import SecurityReleaseWorkflow

if TYPE_CHECKING:
    from temporalio.testing import WorkflowEnvironment

    from baton.model.security import SecurityStatus, StreamReport
    from tests.workflows.conftest import Machines
    from tests.workflows.security import SecurityRun


@pytest.fixture(autouse=True)
def _own_manifests(machines: Machines) -> None:
    own_manifests(machines)


def report_of(status: SecurityStatus, version: str) -> StreamReport:
    (report,) = [stream.report for stream in status.streams if stream.version == version]
    assert report is not None
    return report


async def started_again(run: SecurityRun) -> None:
    """The security release was lost, and is started again under its id with the same plan."""
    await run.handle.terminate("an accident")
    handle = await run.env.client.start_workflow(
        SecurityReleaseWorkflow.run, run.plan, id=run.handle.id, task_queue=run.plan.queue
    )
    run.handle = run.env.client.get_workflow_handle_for(SecurityReleaseWorkflow.run, handle.id)


async def test_a_stream_that_is_held_back_while_it_signs_goes_on_by_what_people_agreed_to(
    temporal: WorkflowEnvironment, machines: Machines
) -> None:
    signing = machines.hold("sign_files", lambda what: what.release.release.version == "1.0.1")
    async with running_together(temporal, security_plan("1.0.1", "2.0.1"), machines) as run:
        assert (await run.sign_off()).accepted
        status = await run.until_stream("2.0.1", StreamState.SIGNED)
        assert (await run.say(TakeOut(**about(status, "ada", version="2.0.1")))).accepted
        status = await run.until_asked(attempt=2)
        signing.set()
        staged = 0
        async with asyncio.timeout(PATIENCE):
            while not staged:
                await asyncio.sleep(0.05)
                of_first = [a for a in machines.arguments("stage") if a.release.release.version == "1.0.1"]
                staged = len([a for a in of_first if a.signed])
        # What it does with secrets meanwhile, it does on the agreement that opened the barrier.
        assert [gate.attempt for gate in of_first[-1].gates if gate.gate == JOINT_GATE] == [1]
        assert not machines.counts["promote"]
        assert (await run.say(joint_sign_off(status, "ada"))).accepted
        await done(run)
    (promoted,) = machines.arguments("promote")
    assert promoted.gates[-1].attempt == 2
    (record,) = [argument.record for argument in machines.arguments("write_evidence")]
    assert record.joint == promoted.gates[-1]


async def test_a_stream_planned_anew_behind_the_open_barrier_closes_it(
    temporal: WorkflowEnvironment, machines: Machines
) -> None:
    mend = failing(machines, "sign_files", "2.0.1")
    async with running_together(temporal, security_plan("1.0.1", "2.0.1"), machines) as run:
        assert (await run.sign_off()).accepted
        await run.until_stuck("2.0.1")
        await run.until_stream("1.0.1", StreamState.SIGNED)
        assert (await replanned(run, machines, "2.0.1")).accepted
        mend()
        status = await run.until_asked(attempt=2)
        assert status.gate is not None
        assert status.gate.reset == ("ada",)
        assert not machines.counts["promote"]
        # Grace planned it anew; by the rules of this project that does not exclude her.
        assert (await run.say(joint_sign_off(status, "grace"))).accepted
        final = await done(run)
    joint = {argument.gates[-1].subject for argument in machines.arguments("promote")}
    assert joint == {final.joint}


async def test_what_a_lost_stream_said_last_does_not_bring_it_back(
    temporal: WorkflowEnvironment, machines: Machines
) -> None:
    async with running_together(temporal, security_plan("1.0.1", "2.0.1"), machines) as run:
        ready = report_of(await run.until_asked(), "2.0.1")
        await run.stream("2.0.1").terminate("an accident")
        await run.until_stream("2.0.1", StreamState.LEFT)
        await run.handle.signal(SecurityReleaseWorkflow.report, ready)
        await run.handle.signal(SecurityReleaseWorkflow.report, ready)
        status = await run.status()
        assert state_of(status, "2.0.1") is StreamState.LEFT
        assert status.gate is None
        assert (await run.say(StartAgain(**about(status, "ada", version="2.0.1")))).accepted
        # The other run of the same release is heard again.
        await run.until_asked(attempt=2)
        status = await run.until_stream("2.0.1", StreamState.READY)
        assert report_of(status, "2.0.1").run != ready.run
        # A report that comes twice changes nothing.
        await run.handle.signal(SecurityReleaseWorkflow.report, report_of(status, "1.0.1"))
        again = await run.status()
        assert (again.gate, again.streams) == (status.gate, status.streams)
        assert (await run.say(Cancel(**about(again, "ada")))).accepted


async def test_when_every_stream_is_taken_out_the_security_release_ends(
    temporal: WorkflowEnvironment, machines: Machines
) -> None:
    async with running_together(temporal, security_plan("1.0.1"), machines) as run:
        status = await run.until_asked()
        assert (await run.say(TakeOut(**about(status, "ada", version="1.0.1")))).accepted
        with pytest.raises(WorkflowFailureError):
            await done(run)
        assert (await run.status()).phase is SecurityPhase.CANCELLED
    # Its release had undone everything by then.
    assert machines.counts["unstage"] == machines.counts["forget_source"] == 1


async def test_begun_again_after_streams_went_public_it_finishes_and_undoes_nothing(
    temporal: WorkflowEnvironment, machines: Machines
) -> None:
    mend = failing(machines, "promote", "2.0.1")
    async with running_together(temporal, security_plan("1.0.1", "2.0.1"), machines) as run:
        assert (await run.sign_off()).accepted
        await run.until_stuck("2.0.1")
        await run.until_stream("1.0.1", StreamState.RELEASED)
        await run.stream("1.0.1").result()
        await started_again(run)
        await run.until_stream("1.0.1", StreamState.RELEASED)
        status = await run.until_stuck("2.0.1")
        assert state_of(status, "2.0.1") is StreamState.PUBLISHING
        assert status.going_public
        assert status.phase is SecurityPhase.PUBLISHING
        answer = await run.say(Cancel(**about(status, "ada")))
        assert "finished, not undone" in answer.message
        mend()
        await run.decide_to_retry("2.0.1")
        final = await done(run)
    assert {stream.state for stream in final.streams} == {StreamState.RELEASED}
    assert machines.counts["build_step"] == 2


async def test_a_stream_that_it_went_on_with_is_missed_when_it_is_gone(
    skipping: WorkflowEnvironment, machines: Machines
) -> None:
    async with running_together(skipping, security_plan("1.0.1"), machines) as run:
        with skipping.auto_time_skipping_disabled():
            await run.until_asked()
            await started_again(run)
            await run.until_asked()
            await run.stream("1.0.1").terminate("an accident")
        await skipping.sleep(timedelta(hours=2))
        with skipping.auto_time_skipping_disabled():
            status = await run.until_stream("1.0.1", StreamState.LEFT)
            assert (await run.say(StartAgain(**about(status, "ada", version="1.0.1")))).accepted
            assert (await run.sign_off(attempt=2)).accepted
            await done(run)
