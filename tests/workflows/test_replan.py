"""A release that follows another plan: it begins again, and what people said before stays on the record."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

from baton.model.acts import Claim, Replan, SignOff
from baton.model.base import canonical_json, digest_of
from tests.workflows.people import about_gate, act
from workflows.release import ReleaseWorkflow

if TYPE_CHECKING:
    from baton.model.plan import Plan
    from baton.model.status import ReleaseStatus
    from tests.workflows.conftest import Run
    from tests.workflows.people import People

Release = Any
TWO = {"gates": [{"name": "publish", "before": "publish", "needs": {"release-manager": 2}, "starter_counts": False}]}


def another(plan: Plan, **changes: Any) -> Plan:
    """The plan of a release under way, with something else in it."""
    return type(plan).model_validate({**plan.model_dump(mode="json", by_alias=True), "title": "Hello again", **changes})


def keep(run: Run, plan: Plan) -> str:
    assert run.machines.store is not None
    return run.machines.store.put_bytes(canonical_json(plan))


async def replan(run: Run, people: People, plan: Plan, by: str = "grace") -> Any:
    wish = act(Replan, await run.status(), by, plan=plan.digest)
    return await run.say_json("replan", people.sign(wish))


async def until_following(run: Run, plan: Plan) -> ReleaseStatus:
    async with asyncio.timeout(20):
        while (await run.status()).plan != plan.digest:
            await asyncio.sleep(0.05)
    return await run.until_waiting("publish")


async def sign_off(run: Run, people: People, status: ReleaseStatus, by: str) -> Any:
    return await run.say_json("sign-off", people.sign(about_gate(SignOff, status, by)))


async def test_a_new_plan_begins_again_and_makes_void_what_people_said(signed_release: Release, people: People) -> None:
    async with signed_release(**TWO) as run:
        first = await run.until_waiting("publish")
        assert (await sign_off(run, people, first, "hedy")).accepted
        assert (await run.say_json("claim", people.sign(act(Claim, first, "hedy")))).accepted
        new = another(run.plan)
        keep(run, new)
        answer = await replan(run, people, new)
        assert answer.accepted, answer.message
        status = await until_following(run, new)
        (gate,) = status.gates
        assert (gate.attempt, gate.given, gate.reset) == (2, (), ("hedy",))
        assert "the sign-offs of hedy were for something else and are void" in await run.said()
        assert status.driver == "hedy"
        # Neither who started it nor who planned it anew counts, and what was signed before does not either.
        assert gate.excluded == ("ada", "grace")
        assert status.waiting[0].people == ("hedy",)
        assert "asks for somebody else's agreement" in (await sign_off(run, people, status, "grace")).message
        stale = await run.say_json("sign-off", people.sign(about_gate(SignOff, first, "hedy")))
        assert "is for attempt 1 of gate publish; it is at attempt 2" in stale.message
        assert run.machines.counts["unstage"] == run.machines.counts["forget_source"] == 1
        assert "promote" not in run.machines.counts
        await chain_is_whole(run)


async def chain_is_whole(run: Run) -> None:
    heard = await run.handle.query(ReleaseWorkflow.acts)
    assert [link.number for link in heard] == list(range(1, len(heard) + 1))
    assert heard[0].previous == run.plan.digest
    for before, link in itertools.pairwise(heard):
        assert link.previous == digest_of(canonical_json(before))
    assert {"sign-off", "claim", "replan"} <= {link.kind for link in heard}
