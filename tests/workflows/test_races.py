"""People who act at the same moment: one outcome, the same for all, and never one that nobody agreed to."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import WorkflowFailureError

from baton.model.acts import Act, Answer, Cancel, Choice, Decision, Rejection, Replan, SignOff, Withdrawal
from baton.model.base import canonical_json
from baton.model.status import Phase, ReleaseStatus
from tests.conftest import PATIENCE
from tests.workflows.people import about_gate, act
from workflows.release import ReleaseWorkflow

if TYPE_CHECKING:
    from tests.workflows.conftest import Machines, Run
    from tests.workflows.people import People

Release = Any
TWO = {"gates": [{"name": "publish", "before": "publish", "needs": {"release-manager": 2}}]}


async def at_once(run: Run, people: People, *acts: Act) -> list[Answer]:
    """Several signed acts whose proofs come back in the same moment: all wait for the worker that runs the release."""
    run.machines.holding.pop("prove_act", None)
    before = run.machines.counts["prove_act"]
    go_on = run.machines.hold("prove_act")
    sent = [asyncio.create_task(run.say_json(one.kind, people.sign(one))) for one in acts]
    async with asyncio.timeout(PATIENCE):
        while run.machines.counts["prove_act"] < before + len(acts):
            await asyncio.sleep(0.02)
    go_on.set()
    return await asyncio.gather(*sent)


async def ended(run: Run) -> ReleaseStatus:
    with suppress(WorkflowFailureError):
        await run.handle.result()
    return await run.status()


def consistent(run: Run, status: ReleaseStatus, answers: list[Answer], *, cancelled: bool) -> None:
    """The release is public and complete, or nothing of it ever was; as people were told."""
    (gate,) = status.gates
    assert status.phase is (Phase.CANCELLED if cancelled else Phase.RELEASED)
    assert run.machines.counts["promote"] == (0 if cancelled else 1)
    assert run.machines.counts["unstage"] == (1 if cancelled else 0)
    assert status.refused == sum(not answer.accepted for answer in answers)
    if not cancelled:
        assert gate.passed_at is not None
        assert len({given.by for given in gate.given}) == 2
        assert gate.rejected == ()


@pytest.mark.parametrize("other", [Withdrawal, Rejection, Cancel])
async def test_the_last_sign_off_and_what_contradicts_it_have_one_outcome(
    signed_release: Release, people: People, other: type[Any]
) -> None:
    async with signed_release(**TWO) as run:
        status = await run.until_waiting("publish")
        assert (await at_once(run, people, about_gate(SignOff, status, "ada")))[0].accepted
        against = act(Cancel, status, "hedy") if other is Cancel else about_gate(other, status, "ada")
        answers = await at_once(run, people, about_gate(SignOff, status, "grace"), against)
        last, contradiction = answers
        if other is not Cancel and contradiction.accepted:
            # The gate has not passed: what was said stands, and another word brings it on.
            assert "missing: " in contradiction.message
            assert "promote" not in run.machines.counts
            if other is Rejection:
                answers += await at_once(run, people, about_gate(Withdrawal, status, "ada"))
            if (await run.status()).waiting:
                answers += await at_once(run, people, about_gate(SignOff, status, "ada"))
        if other is Cancel:
            assert contradiction.accepted or "the release is going public" in contradiction.message
        else:
            assert last.accepted
        consistent(run, await ended(run), answers, cancelled=other is Cancel and contradiction.accepted)


async def test_a_crowd_that_signs_off_at_once_passes_the_gate_once_with_two_of_them(
    signed_release: Release, people: People
) -> None:
    async with signed_release(**TWO) as run:
        status = await run.until_waiting("publish")
        crowd = [about_gate(SignOff, status, who) for who in ("ada", "grace", "hedy") for _ in range(3)]
        answers = await at_once(run, people, *crowd)
        assert {"ada", "grace", "hedy"} > {given.by for given in (await run.status()).gates[0].given}
        consistent(run, await ended(run), answers, cancelled=False)


async def test_of_two_new_plans_a_cancellation_and_an_abort_at_once_exactly_one_counts(
    signed_release: Release, people: People, machines: Machines
) -> None:
    machines.fail("stage", "disk full")
    async with signed_release() as run:
        status = await run.until_waiting("stage-downloads")
        assert machines.store is not None
        plans = [run.plan.model_copy(update={"title": title}) for title in ("one", "other")]
        stays = [machines.store.put_bytes(canonical_json(plan)) for plan in plans]
        abort = act(Decision, status, "hedy", step="stage-downloads", attempt=1, choice=Choice.ABORT)
        answers = await at_once(
            run,
            people,
            act(Replan, status, "ada", plan=stays[0]),
            act(Replan, status, "grace", plan=stays[1]),
            act(Cancel, status, "ada"),
            abort,
        )
        assert sum(answer.accepted for answer in answers) == 1
        assert all(answer.accepted or "too late: " in answer.message for answer in answers)
        if answers[0].accepted or answers[1].accepted:
            again = await run.until_waiting("publish")
            assert again.plan == stays[0 if answers[0].accepted else 1]
            await run.handle.terminate()
        else:
            assert (await ended(run)).phase is Phase.CANCELLED
        assert machines.counts["unstage"] == 1


async def test_whoever_asks_temporal_to_cancel_while_it_is_undone_does_not_leave_it_half_undone(
    release: Release, machines: Machines
) -> None:
    go_on = machines.hold("unstage")
    async with release() as run:
        status = await run.until_waiting("publish")
        assert (await run.say(act(Cancel, status, "ada"))).accepted
        status = await run.until(lambda _: machines.counts["unstage"] == 1)
        assert status.waiting == ()
        late = await run.say(about_gate(SignOff, status, "grace"))
        assert late.message == "too late: ada cancelled the release: no reason given"
        await run.handle.cancel()
        await run.status()
        go_on.set()
        assert (await ended(run)).phase is Phase.CANCELLED
        assert machines.counts["forget_source"] == 1
        heard = await run.handle.query(ReleaseWorkflow.acts)
        assert [link.accepted for link in heard] == [True, False]
