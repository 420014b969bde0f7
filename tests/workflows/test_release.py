from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from baton.model.acts import Cancel, Choice, Decision, Rejection, SignOff, Withdrawal
from baton.model.status import Phase, ReleaseStatus, StepState
from tests.conftest import PATIENCE, REAL
from workflows.release import ReleaseWorkflow

if TYPE_CHECKING:
    from tests.workflows.conftest import Run

Release = Any


def sign_off(status: ReleaseStatus, by: str = "ada", **changes: Any) -> SignOff:
    (waiting,) = (waiting for waiting in status.waiting if waiting.kind == "sign-off")
    return SignOff.model_validate({**json.loads(waiting.message), "by": by, **changes})


def decision(status: ReleaseStatus, choice: Choice, by: str = "ada", **changes: Any) -> Decision:
    (waiting,) = (waiting for waiting in status.waiting if waiting.kind == "decision")
    return Decision.model_validate({**json.loads(waiting.message), "by": by, "choice": choice, **changes})


def cancel(status: ReleaseStatus, **changes: Any) -> Cancel:
    about = {"release": status.release, "run": status.run, "subject": status.subject}
    return Cancel.model_validate({**about, "by": "grace", "role": "release-manager", **changes})


async def finish(run: Run) -> ReleaseStatus:
    status = await run.until_waiting("publish")
    answer = await run.say(sign_off(status))
    assert answer.accepted, answer.message
    return await run.handle.result()


async def test_a_release_follows_the_runbook_and_waits_only_at_its_gate(release: Release) -> None:
    async with release() as run:
        status = await run.until_waiting("publish")
        assert status.phase is Phase.STAGE
        assert "promote" not in run.machines.counts
        ended = await finish(run)
        assert ended.phase is Phase.RELEASED
        assert {step.state for step in ended.steps} == {StepState.DONE}
        assert [published.url for published in ended.published] == ["https://example.org/downloads"]
        order = list(dict.fromkeys(name for name, _ in run.machines.asked if name != "tell"))
        assert order == [
            "keep_plan", "prepare_source", "build_step", "inspect_step", "describe_files", "make_manifest",
            "sign_files", "attest_files", "verify_signatures", "stage", "promote", "check_public", "push_tag",
            "attest_release", "write_evidence", "sign_evidence",
        ]  # fmt: skip


async def test_a_sign_off_by_signal_counts_and_a_malformed_one_is_in_the_log(release: Release) -> None:
    async with release() as run:
        status = await run.until_waiting("publish")
        await run.handle.signal("sign_off", {"gate": "publish", "by": "Not An Id"})
        await run.handle.signal("sign_off", sign_off(status, by="grace"))
        ended = await run.handle.result()
        assert ended.phase is Phase.RELEASED
        assert ended.gates[0].given[0].by == "grace"
        assert "a sign-off could not be read" in await run.said()


@pytest.mark.parametrize(
    ("by", "changes", "reason"),
    [
        ("mallory", {}, "mallory is not on the roster of this release; on it: ada, grace, katherine"),
        ("katherine", {}, "katherine does not hold the role release-manager; holds: macos-expert"),
        ("katherine", {"role": "macos-expert"}, "gate publish asks for no macos-expert; it asks for: release-manager"),
        ("ada", {"subject": "sha256:" + "0" * 64}, "look at what is there now"),
        ("ada", {"attempt": 2}, "the sign-off is for attempt 2 of gate publish; it is at attempt 1"),
        ("ada", {"run": "another"}, "the sign-off names run another; this is run"),
        ("ada", {"gate": "elsewhere"}, "there is no gate elsewhere; gates: publish"),
    ],
)
async def test_a_wrong_sign_off_is_refused_with_the_reason(
    release: Release, by: str, changes: dict[str, Any], reason: str
) -> None:
    async with release() as run:
        status = await run.until_waiting("publish")
        answer = await run.say(sign_off(status, by, **changes))
        assert not answer.accepted
        assert reason in answer.message
        assert reason in await run.said()
        assert (await run.status()).waiting
        await finish(run)


async def test_a_gate_with_its_quorum_waits_for_who_objects(release: Release) -> None:
    async with release() as run:
        status = await run.until_waiting("publish")
        about = json.loads(status.waiting[0].message)
        rejection = Rejection.model_validate({**about, "by": "grace"})
        assert (await run.say(rejection)).accepted
        answer = await run.say(sign_off(await run.status(), by="ada"))
        assert answer.message == "gate publish has 1 of 1 sign-offs; rejected by grace"

        (waiting,) = (await run.status()).waiting
        assert (waiting.kind, waiting.people, waiting.roles) == ("withdrawal", ("grace",), ("release-manager",))
        assert waiting.command == "baton withdraw hello/1.0.0 publish"
        assert (await run.say(Withdrawal.model_validate_json(waiting.message))).accepted
        assert (await run.handle.result()).phase is Phase.RELEASED


async def test_an_unreadable_update_is_rejected_with_what_was_expected(release: Release) -> None:
    async with release() as run:
        await run.until_waiting("publish")
        with pytest.raises(WorkflowUpdateFailedError):
            await run.handle.execute_update("sign_off", {"gate": 7})
        await finish(run)


async def test_a_sign_off_before_the_gate_is_open_is_refused_loudly(release: Release) -> None:
    async with release() as run:
        go_on = run.machines.hold("build_step")
        status = await run.until(lambda status: status.phase is Phase.BUILD)
        early = SignOff(
            release=run.plan.release,
            gate="publish",
            attempt=1,
            run=status.run,
            subject="sha256:" + "0" * 64,
            by="ada",
            role="release-manager",
        )
        answer = await run.say(early)
        assert answer.message == "gate publish is not open yet: the release is in phase build; sign off when it asks"
        go_on.set()
        await finish(run)


async def test_two_people_are_needed_where_the_plan_says_two_and_nobody_counts_twice(release: Release) -> None:
    gates = [{"name": "publish", "before": "publish", "needs": {"release-manager": 2}}]
    async with release(gates=gates) as run:
        status = await run.until_waiting("publish")
        for _ in range(2):
            answer = await run.say(sign_off(status, "ada"))
            assert "gate publish has 1 of 2 sign-offs; missing: 1 release-manager" in answer.message
        status = await run.status()
        assert status.waiting[0].people == ("grace",)
        await run.say(sign_off(status, "grace"))
        assert (await run.handle.result()).phase is Phase.RELEASED


async def test_two_sign_offs_that_race_pass_the_gate_once(release: Release) -> None:
    async with release() as run:
        status = await run.until_waiting("publish")
        await asyncio.gather(*(run.say(sign_off(status, by)) for by in ("ada", "grace")))
        ended = await run.handle.result()
        assert len(ended.gates[0].given) == 1
        assert run.machines.counts["promote"] == 1


async def test_the_starter_does_not_count_where_the_plan_says_so(release: Release) -> None:
    gates = [{"name": "publish", "before": "publish", "needs": {"release-manager": 1}, "starter_counts": False}]
    async with release(gates=gates) as run:
        status = await run.until_waiting("publish")
        assert status.waiting[0].people == ("grace",)
        answer = await run.say(sign_off(status, "ada"))
        assert (
            answer.message == "ada started or planned this release, and gate publish asks for somebody else's agreement"
        )
        await run.say(sign_off(status, "grace"))
        await run.handle.result()


async def test_a_real_plan_accepts_no_act_without_proof(release: Release) -> None:
    async with release(**REAL) as run:
        status = await run.until_waiting("publish")
        answer = await run.say(sign_off(status))
        assert not answer.accepted
        assert "accepts only acts that are proven by a signature" in answer.message
        await run.handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await run.handle.result()


async def test_a_build_that_fails_waits_and_a_retry_finishes_the_release(release: Release, machines: Any) -> None:
    machines.fail("build_step", "exit code 2: no compiler")
    async with release(
        steps=[
            {
                "name": "only",
                "builder": {"kind": "command", "commands": [["make"]]},
                "queue": "b",
                "role": "windows-expert",
                "files": ["f"],
            }
        ]
    ) as run:
        status = await run.until_waiting("only")
        (waiting,) = status.waiting
        assert json.loads(waiting.message).items() >= {"by": "ada", "role": "release-manager"}.items()
        step = next(step for step in status.steps if step.name == "only")
        assert (step.state, step.detail) == (StepState.NEEDS_DECISION, "Failed: exit code 2: no compiler")
        answer = await run.say(decision(status, Choice.RETRY))
        assert answer.accepted, answer.message
        await finish(run)
        assert [argument.attempt for argument in machines.arguments("build_step")] == [1, 2]
        late = await run.handle.query(ReleaseWorkflow.status)
        assert next(step for step in late.steps if step.name == "only").attempt == 2


async def test_a_passing_fault_is_tried_again_without_asking_anyone(release: Release, machines: Any) -> None:
    machines.fail("promote", "connection reset", retryable=True)
    async with release() as run:
        ended = await finish(run)
        assert machines.counts["promote"] == 2
        assert ended.phase is Phase.RELEASED


async def test_a_step_that_the_plan_lets_go_can_be_skipped_and_the_others_go_on(
    release: Release, machines: Any
) -> None:
    machines.fail("build_step", "no compiler", "no compiler")
    async with release() as run:
        await run.until_waiting("source")
        status = await run.until_waiting("windows")
        for step, choice in (("windows", Choice.SKIP), ("source", Choice.RETRY)):
            message = Decision(
                release=run.plan.release,
                subject=run.plan.digest,
                step=step,
                attempt=1,
                run=status.run,
                choice=choice,
                by="grace",
                role="release-manager",
                reason="late",
            )
            assert (await run.say(message)).accepted
        ended = await finish(run)
        skipped = next(step for step in ended.steps if step.name == "windows")
        assert (skipped.state, skipped.detail) == (StepState.SKIPPED, "grace: late")
        (manifest,) = machines.arguments("make_manifest")
        assert [built.step for built in manifest.built] == ["source"]


@pytest.mark.parametrize(
    ("choice", "changes", "reason"),
    [
        (Choice.SKIP, {}, "skip is not possible for only; possible: retry, provide, abort"),
        (Choice.RETRY, {"by": "katherine", "role": "macos-expert"}, "it takes the role release-manager"),
        (Choice.RETRY, {"attempt": 7}, "the decision is about attempt 7 of only; it is at attempt 1"),
        (Choice.RETRY, {"step": "manifest"}, "step manifest waits for no decision: it is pending"),
        (Choice.RETRY, {"step": "nothing"}, "there is no step nothing"),
        (Choice.RETRY, {"run": "another"}, "the decision names run another"),
    ],
)
async def test_a_wrong_decision_is_refused_with_the_reason(
    release: Release, machines: Any, choice: Choice, changes: dict[str, Any], reason: str
) -> None:
    machines.fail("build_step", "broken")
    async with release(
        steps=[{"name": "only", "builder": {"kind": "command", "commands": [["make"]]}, "queue": "b", "files": ["f"]}]
    ) as run:
        status = await run.until_waiting("only")
        answer = await run.say(decision(status, choice, **changes))
        assert not answer.accepted
        assert reason in answer.message
        await run.say(decision(status, Choice.RETRY))
        await finish(run)


async def test_a_runner_that_never_comes_is_put_before_a_person(release: Release, machines: Any) -> None:
    step = {
        "name": "only",
        "builder": {"kind": "command", "commands": [["make"]]},
        "queue": "b",
        "files": ["f"],
        "wait_for_runner": 1,
    }
    async with release(steps=[step], without="b") as run:
        status = await run.until_waiting("only")
        assert "no worker took build_step in time: is one polling its queue?" in status.waiting[0].why
        provided = decision(status, Choice.PROVIDE, provided="sha256:" + "5" * 64)
        assert (await run.say(provided)).accepted
        assert (await finish(run)).phase is Phase.RELEASED
        assert "build_step" not in machines.counts


async def test_what_a_person_hands_in_takes_the_place_of_a_build(release: Release, machines: Any) -> None:
    machines.fail("build_step", "no runner")
    async with release(
        steps=[{"name": "only", "builder": {"kind": "command", "commands": [["make"]]}, "queue": "b", "files": ["f"]}]
    ) as run:
        status = await run.until_waiting("only")
        provided = decision(status, Choice.PROVIDE, provided="sha256:" + "5" * 64)
        assert (await run.say(provided)).accepted
        await finish(run)
        assert machines.arguments("take_provided")[0].provided == "sha256:" + "5" * 64
        assert machines.counts["inspect_step"] == 1


async def test_what_is_handed_in_and_found_wrong_can_be_handed_in_again(release: Release, machines: Any) -> None:
    machines.fail("build_step", "no runner")
    machines.fail("inspect_step", "the wrong files")
    async with release(
        steps=[{"name": "only", "builder": {"kind": "command", "commands": [["make"]]}, "queue": "b", "files": ["f"]}]
    ) as run:
        provided = decision(await run.until_waiting("only"), Choice.PROVIDE, provided="sha256:" + "5" * 64)
        assert (await run.say(provided)).accepted
        status = await run.until(lambda status: any(step.attempt == 2 and step.choices for step in status.steps))
        again = decision(status, Choice.PROVIDE, provided="sha256:" + "5" * 64)
        assert (await run.say(again)).accepted
        assert (await finish(run)).phase is Phase.RELEASED


@pytest.mark.parametrize("how", ["abort", "message", "temporal"])
async def test_ending_a_release_undoes_what_is_not_public(release: Release, machines: Any, how: str) -> None:
    if how == "abort":
        machines.fail("stage", "disk full")
    async with release() as run:
        status = await run.until_waiting("stage-downloads" if how == "abort" else "publish")
        if how == "abort":
            await run.say(decision(status, Choice.ABORT, reason="wrong tag"))
        elif how == "message":
            assert (await run.say(cancel(status, reason="wrong tag"))).accepted
        else:
            await run.handle.cancel()
        with pytest.raises(WorkflowFailureError) as failure:
            await run.handle.result()
        if how != "temporal":
            assert isinstance(failure.value.cause, ApplicationError)
            assert "wrong tag" in failure.value.cause.message
        status = await run.status()
        assert status.phase is Phase.CANCELLED
        assert machines.counts["unstage"] == 1
        assert machines.counts["forget_source"] == 1
        assert "promote" not in machines.counts
        assert "unstaged downloads" in await run.said()


@pytest.mark.parametrize("how", ["message", "temporal"])
async def test_a_release_that_goes_public_can_no_longer_be_cancelled(release: Release, machines: Any, how: str) -> None:
    go_on = machines.hold("promote")
    async with release() as run:
        status = await run.until_waiting("publish")
        await run.say(sign_off(status))
        await run.until(lambda status: status.phase is Phase.PUBLISH)
        if how == "message":
            answer = await run.say(cancel(status))
            assert answer.message == "the release is going public: it is finished, not undone"
        else:
            await run.handle.cancel()
        go_on.set()
        assert (await run.handle.result()).phase is Phase.RELEASED
        assert "unstage" not in machines.counts


async def test_a_failing_announcer_never_holds_a_release(release: Release, machines: Any) -> None:
    machines.fail("tell", "no route", "no route")
    async with release() as run:
        ended = await finish(run)
        assert ended.phase is Phase.RELEASED
        assert "could not tell log (waiting): Failed: no route" in await run.said()


async def test_a_rebuild_that_differs_waits_for_a_decision(release: Release, machines: Any) -> None:
    steps = [
        {"name": "source", "builder": {"kind": "command", "commands": [["make"]]}, "queue": "a", "files": ["f"]},
        {
            "name": "again",
            "builder": {"kind": "command", "commands": [["make"]]},
            "queue": "b",
            "files": ["f"],
            "agrees_with": "source",
        },
    ]
    machines.fail("compare_steps", "f differs")
    async with release(steps=steps) as run:
        status = await run.until_waiting("again")
        await run.say(decision(status, Choice.RETRY))
        await finish(run)
        assert machines.counts["compare_steps"] == 2
        (manifest,) = machines.arguments("make_manifest")
        assert [built.step for built in manifest.built] == ["source"]


async def test_people_find_what_waits_for_them_by_search_attributes(release: Release, temporal: Any) -> None:
    async with release() as run:
        await run.until_waiting("publish")
        query = f'BatonWaitingOn = "release-manager" AND WorkflowId = "{run.handle.id}"'
        async with asyncio.timeout(PATIENCE):
            while not [found async for found in temporal.client.list_workflows(query)]:
                await asyncio.sleep(0.1)
        await finish(run)


async def test_the_page_in_the_web_ui_says_how_to_unblock_the_release(release: Release) -> None:
    async with release() as run:
        await run.until_waiting("publish")
        metadata = await run.handle.query("__temporal_workflow_metadata")
        details = str(metadata)
        assert "baton sign-off hello/1.0.0 publish" in details
        assert "Sandbox rehearsal" in details
        await finish(run)
