"""How much people can say to one release: each act takes a bounded part of Temporal's limits, and they never end it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError

from baton.model.acts import Answer, Cancel, Rejection, SignOff
from baton.model.base import canonical_json
from baton.model.status import Phase
from benchmarks.gate import EVENTS, HISTORY, MESSAGE, fill
from tests.conftest import PATIENCE
from tests.workflows.people import about_gate, act
from workflows import floor, room
from workflows.release import ReleaseWorkflow

if TYPE_CHECKING:
    from temporalio.testing import WorkflowEnvironment

    from tests.workflows.people import People

Release = Any


async def test_a_refused_statement_takes_a_bounded_part_of_the_history(temporal: WorkflowEnvironment) -> None:
    few, more = [await fill(temporal, people=3, refused=refused) for refused in (4, 44)]
    assert few.phase == more.phase == Phase.RELEASED
    assert (more.events - few.events) / 40 < 12
    assert (more.history - few.history) / 40 < 32_000
    assert (more.record - few.record) / 40 < 900
    # So a thousand of them fit, with what else a release needs.
    assert 1_000 * 12 < room.HISTORY_EVENTS < EVENTS
    assert HISTORY > 1_000 * 32_000
    assert room.RECORD_BYTES + floor.LOG_BYTES < 0.7 * MESSAGE


async def test_a_release_that_has_heard_too_much_says_so_and_can_still_be_ended(release: Release) -> None:
    async with release() as run:
        status = await run.until_waiting("publish")
        wrong = about_gate(SignOff, status, "ada", run="another", reason="x" * 2000)
        for _ in range(room.RECORD_BYTES // 2_500):
            await run.handle.signal("sign_off", wrong)
        async with asyncio.timeout(PATIENCE):
            while "has no room for more" not in await run.said():
                await asyncio.sleep(0.1)
        with pytest.raises(WorkflowUpdateFailedError) as failure:
            await run.say(about_gate(SignOff, status, "ada"))
        assert "acts and has no room for more: cancel it, and start it again" in str(failure.value.cause)
        heard = await run.handle.query(ReleaseWorkflow.acts)
        assert sum(len(canonical_json(link)) for link in heard) < room.RECORD_BYTES + 4_000
        assert (await run.say(act(Cancel, status, "ada"))).accepted
        with pytest.raises(WorkflowFailureError):
            await run.handle.result()
        assert (await run.status()).phase is Phase.CANCELLED


async def test_more_people_at_once_than_temporal_takes_updates_are_all_heard(
    signed_release: Release, people: People
) -> None:
    async with signed_release() as run:
        status = await run.until_waiting("publish")
        go_on = run.machines.hold("prove_act")
        crowd = [about_gate(Rejection, status, "ada") for _ in range(14)]
        said = [asyncio.create_task(run.say_json("reject", people.sign(one))) for one in crowd]
        async with asyncio.timeout(PATIENCE):
            while run.machines.counts["prove_act"] < 10:
                await asyncio.sleep(0.02)
        go_on.set()
        answers = await asyncio.gather(*said, return_exceptions=True)
        assert all(isinstance(answer, Answer) and answer.accepted for answer in answers)
        await run.handle.terminate()
