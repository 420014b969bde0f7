"""Signing anew: in which order, where people agree, and what happens when something is not as it has to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import WorkflowFailureError

from baton.model import work
from baton.model.acts import Choice, Replan, SignOff
from baton.model.announcing import Event
from baton.model.status import Phase, WaitKind
from tests.workflows.conftest import SET
from tests.workflows.people import about_gate
from tests.workflows.record import ANEW
from tests.workflows.test_release import cancel, decision, finish, sign_off
from tests.workflows.test_signing_policies import BY_SIGSTORE, ELSEWHERE, SIGSTORE, hand_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.workflows.conftest import Machines
    from tests.workflows.people import People

    Release = Callable[..., Any]

EVIDENCE = {
    **ANEW,
    "resigning": {"evidence": "sha256:" + "e" * 64, "dated": "2026-11-23"},
    "gates": [{"name": "publish", "before": "publish", "needs": {"release-manager": 1}}],
}
"""Files that a release's evidence tells of."""


async def test_everything_is_compared_and_signed_before_people_agree_and_changed_afterwards(release: Release) -> None:
    async with release(**EVIDENCE) as run:
        status = await run.until_waiting("publish")
        assert [name for name, _ in run.machines.asked if name != "tell"] == [
            *("keep_plan", "take_stock", "sign_files", "verify_signatures")
        ]
        assert status.waiting[0].command == "baton sign-off resign/hello/1.0.0 publish"
        ended = await finish(run)
        assert ended.phase is Phase.RELEASED
        assert [name for name, _ in run.machines.asked if name != "tell"][4:] == [
            *("renew_signatures", "check_public", "write_evidence", "sign_evidence")
        ]
        [renew] = run.machines.arguments("renew_signatures")
        assert renew.stock.old.files == 1
        assert ended.published[0].checked == 4
        told = run.machines.arguments("tell")[-1]
        assert told.event is Event.RESIGNED
        assert "the same, byte for byte" in told.text
        assert "kept, with 2026-11-23 in their names" in told.text


async def test_a_list_is_agreed_to_before_it_is_signed(release: Release) -> None:
    async with release(**ANEW) as run:
        status = await run.until_waiting("files")
        assert (status.gates[0].subject == run.machines.arguments("take_stock") and status.manifest) or status.subject
        assert "sign_files" not in run.machines.counts
        answer = await run.say(sign_off(status, "katherine", role="release-manager"))
        assert not answer.accepted
        await run.say(sign_off(status, "ada"))
        await run.until_waiting("publish")
        assert run.machines.counts["sign_files"] == 1


async def test_where_what_is_public_differs_people_decide_and_nothing_is_signed(release: Release) -> None:
    async with release(**EVIDENCE) as run:
        run.machines.fail("take_stock", "hello.exe is another file")
        status = await run.until_waiting("stock-downloads")
        assert "hello.exe is another file" in status.waiting[0].why
        assert "sign_files" not in run.machines.counts
        await run.say(decision(status, Choice.RETRY))
        assert (await finish(run)).phase is Phase.RELEASED


async def test_it_is_ended_without_a_trace_until_signatures_change(release: Release) -> None:
    async with release(**EVIDENCE) as run:
        status = await run.until_waiting("publish")
        new = Replan(**cancel(status).model_dump(exclude={"reason"}), plan="sha256:" + "0" * 64)
        refused = await run.say(new)
        assert "signing anew keeps its plan" in refused.message
        assert (await run.say(cancel(status))).accepted
        with pytest.raises(WorkflowFailureError):
            await run.handle.result()
        assert "renew_signatures" not in run.machines.counts


async def test_it_can_not_be_ended_once_signatures_change(release: Release) -> None:
    async with release(**EVIDENCE) as run:
        run.machines.fail("renew_signatures", "somebody was here")
        status = await run.until_waiting("publish")
        await run.say(sign_off(status))
        status = await run.until_waiting("renew-downloads")
        [step] = [step for step in status.steps if step.name == "renew-downloads"]
        assert step.choices == (Choice.RETRY,)
        assert not (await run.say(cancel(status))).accepted
        await run.say(decision(status, Choice.RETRY))
        assert (await run.handle.result()).phase is Phase.RELEASED


async def test_people_sign_anew_when_they_come_and_are_told_how(
    signed_release: Release, people: People, machines: Machines
) -> None:
    async with signed_release(**EVIDENCE, signers=[BY_SIGSTORE]) as run:
        status = await run.until_waiting(SIGSTORE)
        (waiting,) = status.waiting
        assert (waiting.kind, waiting.people) == (WaitKind.SIGNATURES, ("ada", "katherine"))
        assert waiting.command == "baton sign resign/hello/1.0.0"
        refused = await hand_in(run, people, "grace")
        assert refused.message == f"{SIGSTORE} takes signatures from ada, katherine; grace is none of them"
        assert (await hand_in(run, people, "katherine", role="macos-expert")).accepted
        status = await run.until_waiting("publish")
        assert (await run.say_json("sign-off", people.sign(about_gate(SignOff, status, "ada")))).accepted
        assert (await run.handle.result()).phase is Phase.RELEASED
    (taken,), (renewed,) = machines.arguments("take_signatures"), machines.arguments("renew_signatures")
    assert taken.manifest.digest == status.subject
    assert renewed.signed == (work.Signed(signer=run.plan.signers[0], signatures=SET),)


async def test_a_workflow_elsewhere_signs_anew_and_its_run_ends_with_the_re_signing(
    release: Release, machines: Machines
) -> None:
    machines.hold("follow_signing")
    async with release(**EVIDENCE, signers=[ELSEWHERE]) as run:
        await run.until(lambda _: machines.counts["follow_signing"] == 1)
        assert (await run.say(cancel(await run.status()))).accepted
        await run.until(lambda status: status.phase is Phase.CANCELLED)
    assert machines.counts["cancel_signing"] == 1
    async with release(**EVIDENCE, signers=[ELSEWHERE]) as run:
        machines.holding["follow_signing"].set()
        assert (await finish(run)).phase is Phase.RELEASED
    assert machines.counts["collect_signing"] == 1
