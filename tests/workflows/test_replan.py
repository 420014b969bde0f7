"""A release that follows another plan: it begins again, and what people said before stays on the record."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

from baton.model.acts import Claim, Replan, SignOff
from baton.model.base import canonical_json, digest_of
from baton.model.status import Phase
from tests.conftest import PATIENCE, REAL
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
    async with asyncio.timeout(PATIENCE):
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


async def test_a_plan_that_makes_it_another_release_is_refused(signed_release: Release, people: People) -> None:
    changes: dict[str, dict[str, Any]] = {
        "the new plan has release hello 2.0.0": {"release": {"project": "hello", "version": "2.0.0"}},
        "the new plan has unsigned_acts True; a release under way keeps False": {"unsigned_acts": True},
        "the new plan has started_by hedy": {"started_by": "hedy"},
        "the new plan has queue elsewhere": {"queue": "elsewhere"},
        "the new plan has sandbox False; a release under way keeps True": REAL,
        "the release follows plan": {"title": "Hello"},
    }
    async with signed_release() as run:
        await run.until_waiting("publish")
        for why, changed in changes.items():
            new = another(run.plan, **changed)
            keep(run, new)
            answer = await replan(run, people, new)
            assert not answer.accepted
            assert why in answer.message
        assert (await run.status()).plan == run.plan.digest
        await run.handle.terminate()


async def test_a_plan_that_is_not_there_or_is_none_is_refused_and_so_is_who_may_not_plan(
    signed_release: Release, people: People
) -> None:
    async with signed_release() as run:
        status = await run.until_waiting("publish")
        new = another(run.plan)
        missing = await replan(run, people, new)
        assert "the new plan could not be read: Missing: " in missing.message
        assert run.machines.counts["take_plan"] == 1
        keep(run, new)
        no_plan = act(Replan, status, "grace", plan=run.machines.store.put_bytes(b"{}"))
        answer = await run.say_json("replan", people.sign(no_plan))
        assert "is no plan: release: Field required" in answer.message
        other_role = act(Replan, status, "katherine", role="macos-expert", plan=new.digest)
        answer = await run.say_json("replan", people.sign(other_role))
        assert answer.message == "it takes the role release-manager; katherine acts as macos-expert"
        stale = act(Replan, status, "grace", subject=run.plan.digest, plan=new.digest)
        assert "look at what is there now" in (await run.say_json("replan", people.sign(stale))).message
        await run.handle.terminate()


async def test_a_release_that_goes_public_can_not_be_planned_anew(signed_release: Release, people: People) -> None:
    async with signed_release() as run:
        status = await run.until_waiting("publish")
        go_on = run.machines.hold("promote")
        assert (await sign_off(run, people, status, "ada")).accepted
        await run.until(lambda status: status.phase is Phase.PUBLISH)
        new = another(run.plan)
        keep(run, new)
        answer = await replan(run, people, new)
        assert answer.message == "the release is going public: it is finished, not undone"
        go_on.set()
        assert (await run.handle.result()).phase is Phase.RELEASED


async def test_a_release_planned_anew_twice_names_the_sign_offs_of_the_plan_before_and_ends_well(
    signed_release: Release, people: People
) -> None:
    async with signed_release() as run:
        await run.until_waiting("publish")
        plans = [another(run.plan, title=title, **TWO) for title in ("second", "third")]
        for plan in plans:
            keep(run, plan)
        assert (await replan(run, people, plans[0], by="ada")).accepted
        second = await until_following(run, plans[0])
        assert (await sign_off(run, people, second, "grace")).accepted
        assert (await replan(run, people, plans[1], by="hedy")).accepted
        third = await until_following(run, plans[1])
        (gate,) = third.gates
        assert (gate.attempt, gate.reset, gate.excluded) == (3, ("grace",), ("ada", "hedy"))
        # The first re-planner is no longer the last: but who started the release never counts.
        assert third.waiting[0].people == ("grace",)
        assert third.run == second.run
        await run.handle.terminate()
