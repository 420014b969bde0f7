"""What people sign: it counts for exactly what it names, once, and whatever does not count says why."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.worker import Worker

from baton.model.acts import Choice, Claim, Decision, HandOff, SignOff, Withdrawal
from baton.model.status import Phase
from tests.conftest import PATIENCE
from tests.workflows.people import about_gate, act
from workflows.release import ReleaseWorkflow

if TYPE_CHECKING:
    from temporalio.testing import WorkflowEnvironment

    from baton.model.status import ReleaseStatus
    from tests.workflows.conftest import Machines
    from tests.workflows.people import People

Release = Any
TWO = {"gates": [{"name": "publish", "before": "publish", "needs": {"release-manager": 2}}]}
OTHER = "sha256:" + "0" * 64


async def test_statements_of_people_with_keys_carry_a_release_to_the_end(
    signed_release: Release, people: People
) -> None:
    async with signed_release(**TWO) as run:
        status = await run.until_waiting("publish")
        first = about_gate(SignOff, status, "ada", reason="I looked at the files")
        answer = await run.say_json("sign-off", people.sign(first))
        assert answer.message == "gate publish has 1 of 2 sign-offs; missing: 1 release-manager"
        await run.handle.signal("sign_off", people.sign(about_gate(SignOff, status, "grace")))
        ended = await run.handle.result()
        assert [given.by for given in ended.gates[0].given] == ["ada", "grace"]
        heard = await run.handle.query(ReleaseWorkflow.acts)
        for link in heard:
            assert link.proof is not None
            assert link.proof.credential.startswith("ssh key SHA256:")
            assert run.machines.store.read(link.envelope)
        assert "ada: signed off gate publish as release-manager. I looked at the files" in await run.said()


def refusals(people: People, status: ReleaseStatus) -> dict[str, tuple[dict[str, Any], str]]:
    """Everything about a sign-off that can be wrong, with what is to be said of it."""

    def said(by: str = "grace", key: str = "", **facts: Any) -> dict[str, Any]:
        return people.sign(about_gate(SignOff, status, by, **facts), key)

    altered = said()
    statement = json.loads(base64.b64decode(altered["payload"]))
    statement["predicate"]["reason"] = "what she never said"
    altered["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    return {
        "another release": (said(release={"project": "hello", "version": "2.0.0"}), "is for hello 2.0.0; this is"),
        "another run": (said(run="another"), "names run another; this is run"),
        "another gate": (said(gate="elsewhere"), "there is no gate elsewhere; gates: publish"),
        "another attempt": (said(attempt=2), "is for attempt 2 of gate publish; it is at attempt 1"),
        "another digest": (said(subject=OTHER), "names 000000000000; gate publish asks about aaaaaaaaaaaa"),
        "a stranger": (said("joan", "stranger"), "joan is not on the roster; on it: ada, grace, hedy, katherine"),
        "a stranger's key": (said("grace", "stranger"), "which the roster lists for nobody"),
        "someone else's key": (said("grace", "ada"), "which the roster lists for ada"),
        "a revoked key": (said("ada", "stolen"), "was revoked on 2026-01-01: nothing that it signed counts"),
        "a key of long ago": (said("ada", "old"), "until 2020-01-01"),
        "a role that they lack": (said("katherine"), "does not hold the role release-manager; holds: macos-expert"),
        "a role that the gate does not ask": (said(role="windows-expert"), "gate publish asks for no windows-expert"),
        "tomorrow": (said(at="2999-01-01T00:00:00Z"), "which is yet to come: set the clock"),
        "altered": (altered, "does not fit the statement"),
    }


async def test_every_kind_of_wrong_statement_is_refused_at_once_and_in_the_log(
    signed_release: Release, people: People
) -> None:
    async with signed_release() as run:
        status = await run.until_waiting("publish")
        wrong = refusals(people, status)
        for what, (envelope, why) in wrong.items():
            answer = await run.say_json("sign-off", envelope)
            assert not answer.accepted, what
            assert why in answer.message, what
        # The signal's answer is the log; the statements are new ones, since a proven one is heard once.
        for envelope, _ in refusals(people, status).values():
            await run.handle.signal("sign_off", envelope)
        status = await run.until(lambda status: status.heard == 2 * len(wrong))
        said = (await run.said()).splitlines()
        for what, (_, why) in wrong.items():
            assert sum(why in line and "refused" in line for line in said) >= 2, what
        assert (status.refused, status.gates[0].given) == (status.heard, ())
        answer = await run.say_json("sign-off", people.sign(about_gate(SignOff, status, "grace")))
        assert answer.accepted, answer.message
        await run.handle.result()


async def test_a_statement_counts_once_however_it_is_sent_again(signed_release: Release, people: People) -> None:
    async with signed_release(**TWO) as run:
        status = await run.until_waiting("publish")
        said = people.sign(about_gate(SignOff, status, "ada"))
        taken_back = people.sign(about_gate(Withdrawal, status, "ada"))
        assert (await run.say_json("sign-off", said)).accepted
        assert (await run.say_json("withdraw", taken_back)).accepted
        again = await run.say_json("sign-off", said)
        assert again.message == "this very statement was heard before; to say it again, sign a new one"
        await run.handle.signal("sign_off", said)
        # The same statement, signed anew, is the same statement.
        await run.handle.signal("sign_off", people.sign(about_gate(SignOff, status, "ada", nonce=nonce_of(said))))
        status = await run.until(lambda status: status.heard == 5)
        assert (status.refused, status.gates[0].given) == (3, ())
        await run.handle.terminate()


def nonce_of(envelope: dict[str, Any]) -> str:
    nonce: str = json.loads(base64.b64decode(envelope["payload"]))["predicate"]["nonce"]
    return nonce


async def test_nobody_uses_up_a_statement_that_is_not_theirs(signed_release: Release, people: People) -> None:
    async with signed_release() as run:
        status = await run.until_waiting("publish")
        mine = about_gate(SignOff, status, "ada")
        forged = people.sign(mine, "stranger")
        assert not (await run.say_json("sign-off", forged)).accepted
        theirs = people.sign(about_gate(SignOff, status, "katherine", nonce=mine.nonce))
        assert not (await run.say_json("sign-off", theirs)).accepted
        answer = await run.say_json("sign-off", people.sign(mine))
        assert answer.accepted, answer.message
        await run.handle.result()


async def test_what_is_unsigned_or_sent_through_the_wrong_door_does_not_count(
    signed_release: Release, people: People
) -> None:
    async with signed_release() as run:
        status = await run.until_waiting("publish")
        plain = about_gate(SignOff, status, "ada")
        assert "nothing proves that ada said this" in (await run.say(plain)).message
        with pytest.raises(WorkflowUpdateFailedError) as failure:
            await run.say_json("reject", people.sign(plain))
        assert "this is a sign-off, sent as a rejection" in str(failure.value.cause)
        await run.handle.signal("reject", people.sign(plain))
        assert (await run.status()).gates[0].given == ()
        assert "a rejection could not be read: this is a sign-off" in await run.said()
        await run.handle.terminate()


async def test_rubbish_is_turned_away_and_costs_no_more_than_its_signal(release: Release) -> None:
    rubbish: tuple[object, ...] = (
        None,
        7,
        "text",
        [],
        {"mediaType": "x"},
        {"payloadType": [0] * 500_000},
        {"gate": "publish", "more": 1},
    )
    async with release() as run:
        status = await run.until_waiting("publish")
        for message in rubbish:
            with pytest.raises(WorkflowUpdateFailedError):
                await run.say_json("sign-off", message)
            await run.handle.signal("sign_off", message)
        await run.say(about_gate(SignOff, status, "ada"))
        assert (await run.handle.result()).phase is Phase.RELEASED
        assert (await run.said()).count("unknown: a sign-off could not be read") == len(rubbish)


async def test_a_refusal_that_lists_a_hundred_steps_is_cut_to_what_an_answer_holds(release: Release) -> None:
    steps = [
        {
            "name": f"a-platform-with-a-long-name-{number:03}",
            "builder": {"kind": "command", "commands": [["make"]]},
            "queue": "b",
            "files": [f"f{number}"],
        }
        for number in range(90)
    ]
    async with release(steps=steps) as run:
        status = await run.until_waiting("publish")
        lost = act(Decision, status, "ada", step="nothing", attempt=1, choice=Choice.RETRY)
        answer = await run.say(lost)
        assert answer.message.startswith("there is no step nothing; steps: plan, prepare, a-platform")
        await run.say(about_gate(SignOff, status, "ada"))
        await run.handle.result()


async def test_a_claim_is_advice_and_only_who_drives_hands_off(signed_release: Release, people: People) -> None:
    async with signed_release() as run:
        status = await run.until_waiting("publish")

        async def say(kind: type[Any], by: str, **facts: Any) -> Any:
            said = act(kind, status, by, **facts)
            return await run.say_json(said.kind, people.sign(said))

        early = await say(HandOff, "ada", to="grace")
        assert early.message == "ada does not drive this release, so can't pass it on: nobody is driving it"
        assert (await say(Claim, "ada")).message == "ada is driving hello 1.0.0"
        assert (await say(HandOff, "ada", to="joan")).message == "joan is not on the roster of this release"
        assert (await say(HandOff, "ada", to="grace")).accepted
        assert (await run.status()).driver == "grace"
        assert "grace is driving it" in (await say(HandOff, "ada", to="hedy")).message
        claimed = await say(Claim, "katherine", role="macos-expert")
        assert claimed.message == "katherine is driving hello 1.0.0, took over from grace"
        assert "katherine: is driving the release as macos-expert" in await run.said()
        # Who drives it has no say in who else acts.
        assert (await run.say_json("sign-off", people.sign(about_gate(SignOff, status, "hedy")))).accepted
        assert (await run.handle.result()).driver == "katherine"


async def test_a_worker_that_dies_between_proof_and_judgement_loses_nothing_and_counts_nothing_twice(
    temporal: WorkflowEnvironment, signed_release: Release, people: People, machines: Machines
) -> None:
    async with signed_release(**TWO) as run:
        status = await run.until_waiting("publish")
        go_on = machines.hold("prove_act")
        said = people.sign(about_gate(SignOff, status, "ada"))
        await run.handle.signal("sign_off", said)
        await run.handle.signal("sign_off", said)
        await until_asked(machines, "prove_act", 2)
        await run.stop_worker()
        go_on.set()
        await run.until_done("prove_act", 2)
        async with Worker(temporal.client, task_queue=run.plan.queue, workflows=[ReleaseWorkflow]):
            status = await run.until(lambda status: status.heard == 2)
            assert [given.by for given in status.gates[0].given] == ["ada"]
            assert status.refused == 1
            await run.handle.signal("sign_off", people.sign(about_gate(SignOff, status, "grace")))
            assert (await run.handle.result()).phase is Phase.RELEASED


async def until_asked(machines: Machines, name: str, times: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while machines.counts[name] < times:
            await asyncio.sleep(0.02)
