"""Several streams behind one barrier, on the real server: nothing is public before everything can be."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.worker import Worker

from baton.model.acts import Cancel, Choice, MoveDate, Rejection, Replan, SignOff, StartAgain, TakeOut, Withdrawal
from baton.model.plan import JOINT_GATE, Gate, GatePoint
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
from workflows.release import ReleaseWorkflow
from workflows.security_release import SecurityReleaseWorkflow

if TYPE_CHECKING:
    from pathlib import Path

    from temporalio.testing import WorkflowEnvironment

    from baton.model.acts import Answer
    from baton.model.security import SecurityStatus
    from tests.workflows.conftest import Machines
    from tests.workflows.people import People
    from tests.workflows.security import SecurityRun

LATER = timedelta(days=30)


@pytest.fixture(autouse=True)
def _own_manifests(machines: Machines) -> None:
    own_manifests(machines)


def order_of(machines: Machines, *names: str) -> list[str]:
    return [name for name, _ in machines.asked if name in names]


async def done(run: SecurityRun) -> SecurityStatus:
    async with asyncio.timeout(PATIENCE):
        final: SecurityStatus = await run.handle.result()
    return final


async def replanned(run: SecurityRun, machines: Machines, version: str, **changes: Any) -> Answer:
    """What becomes of the wish to plan a stream anew, from another commit."""
    plan = run.plan.plan_of(version)
    assert plan is not None
    source = plan.source.model_copy(update={"commit": "e" * 40})
    other = plan.model_copy(update={"source": source, **changes})
    machines.real["take_plan"] = lambda _: other
    own = await run.stream(version).query(ReleaseWorkflow.status)
    facts: dict[str, Any] = {"release": own.release, "run": own.run, "subject": own.subject}
    return await run.say_to(version, Replan(**facts, by="grace", role="release-manager", plan=other.digest))


async def test_one_person_ships_every_stream_with_one_sign_off(
    temporal: WorkflowEnvironment, machines: Machines
) -> None:
    async with running_together(temporal, security_plan("1.0.1", "2.0.1", "3.0.1"), machines) as run:
        status = await run.until_asked()
        joint = await run.handle.query(SecurityReleaseWorkflow.joint)
        assert joint is not None
        assert joint.digest == status.subject
        assert [stream.version for stream in joint.streams] == ["1.0.1", "2.0.1", "3.0.1"]
        assert [stream.commit[0] for stream in joint.streams] == ["1", "2", "3"]
        assert {stream.state for stream in status.streams} == {StreamState.READY}
        assert machines.counts["stage"] == 3
        assert not {"sign_files", "promote", "push_tag"} & set(machines.counts)
        assert (await run.sign_off()).accepted
        final = await done(run)
    assert final.phase is SecurityPhase.RELEASED
    assert {stream.state for stream in final.streams} == {StreamState.RELEASED}
    # Signed at the barrier: all signed and verified and staged again, before anybody is public.
    order = order_of(machines, "sign_files", "verify_signatures", "stage", "promote", "push_tag")
    first = order.index("promote")
    assert sorted(order[:first]) == ["sign_files"] * 3 + ["stage"] * 6 + ["verify_signatures"] * 3
    assert sorted(order[first:]) == ["promote"] * 3 + ["push_tag"] * 3
    assert {argument.source.repository for argument in machines.arguments("build_step")} == {"/private"}
    assert {argument.source.repository for argument in machines.arguments("push_tag")} == {"/public"}
    (told,) = {argument.gates[-1].gate for argument in machines.arguments("promote")}
    assert told == JOINT_GATE


async def test_people_are_told_without_a_version_and_at_the_end_of_all_streams_at_once(
    temporal: WorkflowEnvironment, machines: Machines
) -> None:
    mend = failing(machines, "build_step", "2.0.1")
    plan = security_plan("1.0.1", "2.0.1", announcers=[{"kind": "log", "name": "log"}])
    async with running_together(temporal, plan, machines) as run:
        await run.until_stuck("2.0.1")
        mend()
        await run.decide_to_retry("2.0.1")
        assert (await run.sign_off()).accepted
        await done(run)
    *before, last = [argument.text for argument in machines.arguments("tell")]
    assert [text for text in before if "waits for a decision" in text]
    assert [text for text in before if "gate joint has 0 of 1" in text]
    assert not [text for text in before if "1.0.1" in text or "2.0.1" in text or "GHSA" in text]
    assert "GHSA-aaaa-bbbb-cccc is public: 1.0.1: https://example.org/downloads; 2.0.1: https://" in last


async def test_the_pause_between_two_streams_and_their_order_are_the_plans(
    temporal: WorkflowEnvironment, machines: Machines
) -> None:
    async with running_together(temporal, security_plan("2.0.1", "1.0.1", pause=1), machines) as run:
        assert (await run.sign_off()).accepted
        await done(run)
        history = await run.handle.fetch_history()
    told = [
        event.signal_external_workflow_execution_initiated_event_attributes.workflow_execution.workflow_id[-1:]
        or event.WhichOneof("attributes")
        for event in history.events
        if event.WhichOneof("attributes")
        in (
            "signal_external_workflow_execution_initiated_event_attributes",
            "timer_started_event_attributes",
            "timer_fired_event_attributes",
        )
    ]
    # Open for both at once; go for the first, and after the pause for the second.
    assert told == ["1", "2", "1", "timer_started_event_attributes", "timer_fired_event_attributes", "2"]


async def test_ids_and_attributes_under_an_embargo_name_no_version(
    temporal: WorkflowEnvironment, machines: Machines
) -> None:
    async with running_together(temporal, security_plan("1.0.1"), machines) as run:
        await run.until_asked()
        described = [await run.handle.describe(), await run.stream("1.0.1").describe()]
        shown = [f"{each.id} {each.typed_search_attributes.search_attributes}" for each in described]
        assert not [text for text in shown if "1.0.1" in text or "GHSA" in text or "bugfix" in text]
        assert described[1].id == f"{run.plan.release.workflow_id}/1"


async def test_signed_early_all_is_signed_before_the_barrier_and_nothing_public(
    temporal: WorkflowEnvironment, machines: Machines
) -> None:
    plan = security_plan("1.0.1", "2.0.1", sign="early", embargoed=False)
    assert "transparency log" in plan.leaks
    async with running_together(temporal, plan, machines) as run:
        status = await run.until_asked()
        assert machines.counts["sign_files"] == machines.counts["stage"] == 2
        assert "promote" not in machines.counts
        assert status.leaks == plan.leaks
        assert run.plan.workflow_id("1.0.1") == "release/hello/1.0.1"
        # The one id is the mutex, and belongs to this test alone while it runs.
        assert (await run.sign_off()).accepted
        await done(run)
    assert (machines.counts["promote"], machines.counts["stage"]) == (2, 2)


async def test_the_barrier_waits_for_the_last_stream_and_for_the_embargo(
    temporal: WorkflowEnvironment, machines: Machines
) -> None:
    until = datetime.now(UTC) + LATER
    async with running_together(temporal, security_plan("1.0.1", "9.0.1", until=until), machines) as run:
        status = await run.until_stream("1.0.1", StreamState.READY)
        premature = SignOff(**about(status, "ada", gate=JOINT_GATE, attempt=1))
        answer = await run.say(premature)
        assert not answer.accepted
        assert "9.0.1 is preparing" in answer.message
        own = await run.stream("9.0.1").query(ReleaseWorkflow.status)
        sign_off = SignOff(
            release=own.release,
            gate="commit",
            attempt=1,
            run=own.run,
            subject=own.plan,
            by="ada",
            role="release-manager",
        )
        assert (await run.say_to("9.0.1", sign_off)).accepted
        assert (await run.sign_off()).accepted
        status = await run.status()
        assert status.phase is SecurityPhase.BARRIER
        # Until the barrier opens people can think better of it.
        assert (await run.say(Rejection(**about(status, "grace", gate=JOINT_GATE, attempt=1)))).accepted
        assert (await run.say(Withdrawal(**about(status, "grace", gate=JOINT_GATE, attempt=1)))).accepted
        assert not machines.counts["sign_files"]
        past = datetime.now(UTC) - timedelta(days=1)
        moved = await run.say(MoveDate(**about(status, "grace", until=past)))
        assert moved.accepted
        # The date is part of what people agree to.
        status = await run.until_asked(attempt=2)
        assert status.gate is not None
        assert status.gate.reset == ("ada",)
        assert not machines.counts["sign_files"]
        assert (await run.say(joint_sign_off(status, "ada"))).accepted
        await done(run)
        assert "moved the end of the embargo" in await run.said()


async def test_the_embargo_ends_by_itself(skipping: WorkflowEnvironment, machines: Machines) -> None:
    until = await skipping.get_current_time() + LATER
    async with running_together(skipping, security_plan("1.0.1", until=until), machines) as run:
        with skipping.auto_time_skipping_disabled():
            assert (await run.sign_off()).accepted
            assert (await run.status()).phase is SecurityPhase.BARRIER
            assert not machines.counts["sign_files"]
        await done(run)
        assert await skipping.get_current_time() >= until
    assert machines.counts["promote"] == 1


async def test_a_stream_that_changes_resets_the_joint_gate_alone(
    temporal: WorkflowEnvironment, machines: Machines
) -> None:
    plan = security_plan("1.0.1", "2.0.1", until=datetime.now(UTC) + LATER)
    async with running_together(temporal, plan, machines) as run:
        status = await run.until_asked()
        assert (await run.say(joint_sign_off(status, "ada"))).accepted
        own = await run.stream("2.0.1").query(ReleaseWorkflow.status)
        alone = Cancel(release=own.release, run=own.run, subject=own.subject, by="ada", role="release-manager")
        assert f"belongs to {status.release}" in (await run.say_to("2.0.1", alone)).message
        own_gates = (Gate(name="publish", before=GatePoint.PUBLISH, needs={"release-manager": 1}),)
        assert "has barrier None" in (await replanned(run, machines, "2.0.1", barrier=None, gates=own_gates)).message
        assert (await replanned(run, machines, "2.0.1")).accepted
        again = await run.until_asked(attempt=2)
        assert again.gate is not None
        assert again.gate.reset == ("ada",)
        assert again.subject != status.subject
        joint = await run.handle.query(SecurityReleaseWorkflow.joint)
        assert joint is not None
        assert [stream.commit[0] for stream in joint.streams] == ["1", "e"]
        stale = await run.say(joint_sign_off(status, "grace"))
        assert not stale.accepted
        # The other stream has done nothing a second time.
        assert [a.release.release.version for a in machines.arguments("build_step")].count("1.0.1") == 1
        assert (await run.say(Cancel(**about(again, "ada")))).accepted


async def test_who_breaks_is_taken_out_and_the_others_go_on(temporal: WorkflowEnvironment, machines: Machines) -> None:
    failing(machines, "build_step", "2.0.1")
    async with running_together(temporal, security_plan("1.0.1", "2.0.1"), machines) as run:
        status = await run.until_stuck("2.0.1")
        refused = await run.say(TakeOut(**about(status, "katherine", version="2.0.1", role="macos-expert")))
        assert not refused.accepted
        assert (await run.say(TakeOut(**about(status, "ada", version="2.0.1")))).accepted
        status = await run.until_asked()
        assert (await run.sign_off()).accepted
        final = await done(run)
        with pytest.raises(WorkflowFailureError):
            await run.stream("2.0.1").result()
    assert state_of(final, "2.0.1") is StreamState.TAKEN_OUT
    assert [a.release.release.version for a in machines.arguments("promote")] == ["1.0.1"]
    assert "2.0.1" in [a.release.release.version for a in machines.arguments("forget_source")]


async def test_what_cannot_sign_at_the_open_barrier_keeps_all_from_going_public(
    temporal: WorkflowEnvironment, machines: Machines
) -> None:
    failing(machines, "sign_files", "2.0.1")
    async with running_together(temporal, security_plan("1.0.1", "2.0.1"), machines) as run:
        assert (await run.sign_off()).accepted
        await run.until_stuck("2.0.1")
        status = await run.until_stream("1.0.1", StreamState.SIGNED)
        assert not machines.counts["promote"]
        # Bound to the others, it stays as it is.
        assert "about to go public with others" in (await replanned(run, machines, "1.0.1")).message
        assert (await run.say(TakeOut(**about(status, "ada", version="2.0.1")))).accepted
        status = await run.until_asked(attempt=2)
        assert not machines.counts["promote"]
        assert (await run.say(joint_sign_off(status, "grace"))).accepted
        await done(run)
    # Its signatures were still good.
    assert [a.release.release.version for a in machines.arguments("sign_files")].count("1.0.1") == 1
    assert machines.arguments("promote")[-1].gates[-1].attempt == 2


async def test_a_promotion_that_fails_after_others_are_public_is_driven_forward(
    temporal: WorkflowEnvironment, machines: Machines
) -> None:
    mend = failing(machines, "promote", "2.0.1")
    async with running_together(temporal, security_plan("1.0.1", "2.0.1"), machines) as run:
        assert (await run.sign_off()).accepted
        await run.until_stream("1.0.1", StreamState.PUBLIC, StreamState.RELEASED)
        status = await run.until_stuck("2.0.1")
        assert status.going_public
        public, stuck = (stream.report for stream in status.streams)
        assert public is not None
        assert stuck is not None
        assert public.targets[0].url == "https://example.org/downloads"
        assert stuck.targets[0].url is None
        assert "promote of 2.0.1 broke" in stuck.targets[0].detail
        for act in (Cancel(**about(status, "ada")), TakeOut(**about(status, "ada", version="2.0.1"))):
            assert not (await run.say(act)).accepted
        mend()
        assert await run.decide_to_retry("2.0.1") == (Choice.RETRY,)
        final = await done(run)
    assert {stream.state for stream in final.streams} == {StreamState.RELEASED}


async def test_a_stream_that_was_lost_after_others_are_public_is_started_again(
    temporal: WorkflowEnvironment, machines: Machines
) -> None:
    mend = failing(machines, "promote", "2.0.1")
    async with running_together(temporal, security_plan("1.0.1", "2.0.1"), machines) as run:
        assert (await run.sign_off()).accepted
        await run.until_stuck("2.0.1")
        await run.until_stream("1.0.1", StreamState.RELEASED)
        await run.stream("2.0.1").terminate("an accident")
        status = await run.until_stream("2.0.1", StreamState.LEFT)
        assert [waiting.what for waiting in status.waiting] == ["stream-2"]
        mend()
        assert (await run.say(StartAgain(**about(status, "ada", version="2.0.1")))).accepted
        # It comes out the same, and people have agreed to that.
        final = await done(run)
    assert {stream.state for stream in final.streams} == {StreamState.RELEASED}
    assert final.gate is not None
    assert final.gate.attempt == 1


async def test_a_security_release_that_is_cancelled_undoes_every_stream(
    temporal: WorkflowEnvironment, machines: Machines
) -> None:
    async with running_together(temporal, security_plan("1.0.1", "2.0.1"), machines) as run:
        status = await run.until_asked()
        assert (await run.say(Cancel(**about(status, "ada", reason="not yet")))).accepted
        with pytest.raises(WorkflowFailureError):
            await done(run)
    assert machines.counts["unstage"] == machines.counts["forget_source"] == 2
    assert not machines.counts["promote"]


async def test_another_worker_goes_on_and_a_terminated_parent_leaves_its_streams(
    temporal: WorkflowEnvironment, machines: Machines
) -> None:
    async with running_together(temporal, security_plan("1.0.1", "2.0.1"), machines) as run:
        await run.until_asked()
        await run.runner.shutdown()
        workflows = [ReleaseWorkflow, SecurityReleaseWorkflow]
        async with Worker(temporal.client, task_queue=run.plan.queue, workflows=workflows):
            await run.handle.terminate("an accident")
            described = await run.stream("1.0.1").describe()
            assert described.close_time is None
            # Started again under its id, it goes on with the streams that are there.
            handle = await temporal.client.start_workflow(
                SecurityReleaseWorkflow.run, run.plan, id=run.handle.id, task_queue=run.plan.queue
            )
            run.handle = temporal.client.get_workflow_handle_for(SecurityReleaseWorkflow.run, handle.id)
            assert (await run.sign_off()).accepted
            await done(run)
    assert machines.counts["build_step"] == 2
    assert machines.counts["promote"] == 2


async def test_signed_acts_alone_count_where_the_plan_says_so(
    temporal: WorkflowEnvironment, machines: Machines, people: People, tmp_path: Path
) -> None:
    machines.hear_for_real(tmp_path)
    plan = security_plan("1.0.1", unsigned_acts=False, roster=people.roster)
    async with running_together(temporal, plan, machines) as run:
        status = await run.until_asked()
        facts = {"at": datetime.now(UTC), "nonce": "1" * 32}
        act = joint_sign_off(status, "ada", **facts)
        assert not (await run.say(act)).accepted
        assert not (await run.say_json("sign_off", people.sign(act, "grace"))).accepted
        signed = act.model_copy(update={"nonce": "2" * 32})
        assert (await run.say_json("sign_off", people.sign(signed))).accepted
        await done(run)
        heard = await run.handle.query(SecurityReleaseWorkflow.acts)
    assert [one.accepted for one in heard] == [False, False, True]
    gate = machines.arguments("promote")[0].gates[-1]
    assert gate.given[0].proof is not None
    assert [argument.record.joint for argument in machines.arguments("write_evidence")] == [gate]
    assert machines.store is not None
    assert machines.store.read(gate.subject)
