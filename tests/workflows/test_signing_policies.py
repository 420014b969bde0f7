"""Who signs a release: machines at once, people when they come, a workflow elsewhere without being started twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from temporalio.exceptions import ApplicationError

from baton.model import work
from baton.model.acts import Choice, Decision
from baton.model.outside import RunReport, RunState
from baton.model.status import Phase, ReleaseStatus, StepState, WaitKind
from tests.conftest import PLAN
from tests.workflows.people import act
from tests.workflows.test_release import cancel, finish

if TYPE_CHECKING:
    from baton.model import dispatching
    from baton.model.acts import Answer
    from tests.workflows.conftest import Machines, Run
    from tests.workflows.people import People

Release = Any
ISSUER = "https://issuer.example.org"
SIGSTORE, GPG, DISPATCHED = "sign-sigstore-human", "sign-gpg-human", "sign-sigstore-dispatched"
MACHINE: dict[str, Any] = PLAN["signers"][0]  # type: ignore[index]  # a list of tables
TEAM = {"kind": "gpg", "key": {"fingerprint": "A" * 40, "public_key": "a block"}}


def identity(name: str) -> dict[str, str]:
    return {"identity": f"{name}@example.org", "issuer": ISSUER}


BY_SIGSTORE = {
    "kind": "sigstore-human",
    "instance": "sandbox",
    "people": [{"person": name, "identities": [identity(name)]} for name in ("ada", "katherine")],
}
BY_GPG = {"kind": "gpg-human", "people": [{"person": "grace", "keys": [{"fingerprint": "B" * 40}]}]}
ELSEWHERE = {
    "kind": "sigstore-dispatched",
    "instance": "sandbox",
    "identity": {
        "identity": "https://github.com/spam/tools/.github/workflows/sign.yml@refs/heads/main",
        "issuer": ISSUER,
    },
    "run": {
        "repository": "spam/tools",
        "workflow": "sign.yml",
        "ref": "main",
        "inputs": {"baton": "{key}", "commit": "{commit}"},
        "artifacts": ["bundles"],
        "proof": "run-name",
        "token_from": "SPAM_TOKEN",
    },
    "digests_in": "digests",
}
SIGNATURES, OTHERS = "sha256:" + "5" * 64, "sha256:" + "6" * 64


async def hand_in(
    run: Run, people: People, by: str, unit: str = SIGSTORE, role: str = "release-manager", **facts: Any
) -> Answer:
    status = await run.status()
    attempt = next(step.attempt for step in status.steps if step.name == unit)
    said = {"choice": Choice.PROVIDE, "provided": SIGNATURES, "attempt": attempt, **facts}
    return await run.say_json("decide", people.sign(act(Decision, status, by, role=role, step=unit, **said)))


async def released(run: Run, people: People) -> ReleaseStatus:
    from tests.workflows.test_hand_in import finish as finish_signed  # noqa: PLC0415  # a module of the same words

    return await finish_signed(run, people)


def orders_of(machines: Machines) -> list[str]:
    """What was done about signatures, in order."""
    about = {"sign_files", "take_signatures", "collect_signing", "verify_signatures", "stage"}
    return [name for name, _ in machines.asked if name in about]


async def test_people_are_asked_by_name_and_whoever_may_sign_does(
    signed_release: Release, people: People, machines: Machines
) -> None:
    async with signed_release(signers=[BY_SIGSTORE]) as run:
        status = await run.until_waiting(SIGSTORE)
        (waiting,) = status.waiting
        assert (waiting.kind, waiting.people) == (WaitKind.SIGNATURES, ("ada", "katherine"))
        assert waiting.command == "baton sign hello/1.0.0"
        assert waiting.why == (
            f"2 files of manifest {status.subject} to be signed. Who may sign, all files at once: "
            "ada as ada@example.org, or katherine as katherine@example.org"
        )
        # Grace decides about much, but nothing that she signs counts here.
        refused = await hand_in(run, people, "grace")
        assert refused.message == f"{SIGSTORE} takes signatures from ada, katherine; grace is none of them"
        refused = await hand_in(run, people, "ada", subject=OTHERS)
        assert refused.message.startswith("the decision names 666666666666; the release is at")
        # Katherine is no release manager, and may sign all the same.
        assert (await hand_in(run, people, "katherine", role="macos-expert")).accepted
        assert (await released(run, people)).phase is Phase.RELEASED
    (taken,) = machines.arguments("take_signatures")
    assert (taken.provided, taken.manifest.digest) == (SIGNATURES, status.subject)
    assert orders_of(machines) == ["take_signatures", "verify_signatures", "stage"]
    # No worker signs, and so nobody is asked for signatures a second time.
    assert "sign_evidence" not in machines.counts


async def test_signatures_that_do_not_count_are_refused_at_once_and_asked_for_again(
    signed_release: Release, people: People, machines: Machines
) -> None:
    machines.fail("take_signatures", "tiny.txt.sigstore.json: it is by mallory. Who may sign: ada")
    async with signed_release(signers=[BY_SIGSTORE]) as run:
        await run.until_waiting(SIGSTORE)
        assert (await hand_in(run, people, "ada")).accepted
        status = await run.until(lambda status: any("by mallory" in waiting.why for waiting in status.waiting))
        (waiting,) = status.waiting
        assert waiting.kind is WaitKind.SIGNATURES
        late = await hand_in(run, people, "ada", attempt=1)
        assert late.message == f"the decision is about attempt 1 of {SIGSTORE}; it is at attempt 2"
        assert (await hand_in(run, people, "ada", provided=OTHERS)).accepted
        assert (await released(run, people)).phase is Phase.RELEASED
    assert [taken.provided for taken in machines.arguments("take_signatures")] == [SIGNATURES, OTHERS]


async def test_the_same_signatures_count_once_and_a_killed_worker_loses_none(
    signed_release: Release, people: People, machines: Machines
) -> None:
    # The first try of taking them in dies, and another worker does it.
    machines.failures["take_signatures"].append(ApplicationError("the worker died", type="Unavailable"))
    held = machines.hold("verify_signatures")
    async with signed_release(signers=[BY_SIGSTORE]) as run:
        status = await run.until_waiting(SIGSTORE)
        said = {"step": SIGSTORE, "attempt": 1, "choice": Choice.PROVIDE, "provided": SIGNATURES}
        envelope = people.sign(act(Decision, status, "ada", **said))
        assert (await run.say_json("decide", envelope)).accepted
        await run.until(lambda status: _state(status, SIGSTORE) is StepState.DONE)
        again = await run.say_json("decide", envelope)
        assert again.message == "this very statement was heard before; to say it again, sign a new one"
        another = await hand_in(run, people, "katherine", role="macos-expert", attempt=1)
        assert another.message == f"step {SIGSTORE} waits for no decision: it is done"
        held.set()
        await released(run, people)
    assert machines.counts["take_signatures"] == 2
    assert {taken.provided for taken in machines.arguments("take_signatures")} == {SIGNATURES}


async def test_machines_people_and_the_team_sign_at_once_and_all_is_verified_together(
    signed_release: Release, people: People, machines: Machines
) -> None:
    async with signed_release(signers=[MACHINE, BY_GPG]) as run:
        await run.until_waiting(GPG)
        assert (await hand_in(run, people, "grace", GPG)).accepted
        await released(run, people)
    assert orders_of(machines) == ["sign_files", "take_signatures", "verify_signatures", "stage"]
    (verified,) = machines.arguments("verify_signatures")
    assert [signed.signer.kind for signed in verified.signed] == ["sigstore", "gpg-human"]
    assert [signer.kind for signer in verified.signers] == ["sigstore", "gpg-human"]
    assert machines.counts["sign_evidence"] == 1


@pytest.mark.parametrize(
    ("signers", "made"),
    [
        ([MACHINE, TEAM], ["sign_files", "sign_files"]),
        ([ELSEWHERE, TEAM], ["collect_signing", "sign_files"]),
    ],
    ids=["machine and team", "dispatched and team"],
)
async def test_what_needs_nobody_waits_for_nobody(
    release: Release, machines: Machines, signers: list[Any], made: list[str]
) -> None:
    async with release(signers=signers) as run:
        assert (await finish(run)).phase is Phase.RELEASED
    done = orders_of(machines)
    assert sorted(done[: len(made)]) == made
    assert done[len(made) :] == ["verify_signatures", "stage"]


async def test_a_workflow_elsewhere_is_started_once_and_a_retry_goes_on_with_its_run(
    release: Release, machines: Machines
) -> None:
    states = [RunState.QUEUED, RunState.RUNNING, RunState.SUCCEEDED]

    def follow(what: dispatching.FollowSigning) -> RunReport:
        state = states.pop(0) if states else RunState.SUCCEEDED
        return RunReport(state=state, line=f"run {what.run.id} is {state}", url=what.run.url)

    machines.real["follow_signing"] = follow
    machines.fail("collect_signing", "the download broke off")
    async with release(signers=[ELSEWHERE]) as run:
        status = await run.until_waiting(DISPATCHED)
        assert next(step.link for step in status.steps if step.name == DISPATCHED) == "https://ci.example.org/sign/1"
        await _decide(run, status, Choice.RETRY)
        await finish(run)
        assert f"{DISPATCHED} is signed by run 1: https://ci.example.org/sign/1" in await run.said()
    assert machines.counts["order_signing"] == 1
    assert machines.counts["retry_signing"] == 0
    assert [what.seen for what in machines.arguments("follow_signing")] == [
        None,
        RunState.QUEUED,
        RunState.RUNNING,
        None,
    ]
    (ordered,) = machines.arguments("order_signing")
    assert ordered.tag == "v1.0.0"
    assert ordered.signing == work.SignFiles(
        release=ordered.release, signer=ordered.signer, manifest=ordered.manifest, gates=ordered.gates
    )


async def test_a_run_whose_bundles_do_not_count_is_replaced(release: Release, machines: Machines) -> None:
    bad = ApplicationError("run 1: the signatures do not count", type="Unusable", non_retryable=True)
    machines.failures["collect_signing"].append(bad)
    async with release(signers=[ELSEWHERE]) as run:
        await _decide(run, await run.until_waiting(DISPATCHED), Choice.RETRY)
        await finish(run)
    first, second = machines.arguments("order_signing")
    assert (first.number, second.number) == (1, 2)
    assert first.order("c" * 40).key != second.order("c" * 40).key
    assert machines.counts["cancel_signing"] == 1


async def test_a_release_that_is_ended_stops_the_run_that_signs(release: Release, machines: Machines) -> None:
    machines.hold("follow_signing")
    async with release(signers=[ELSEWHERE]) as run:
        await run.until(lambda status: _state(status, DISPATCHED) is StepState.RUNNING)
        await run.until(lambda _: machines.counts["follow_signing"] == 1)
        assert (await run.say(cancel(await run.status()))).accepted
        await run.until(lambda status: status.phase is Phase.CANCELLED)
    assert machines.counts["cancel_signing"] == 1


def _state(status: ReleaseStatus, unit: str) -> StepState:
    return next(step.state for step in status.steps if step.name == unit)


async def _decide(run: Run, status: ReleaseStatus, choice: Choice) -> None:
    attempt = next(step.attempt for step in status.steps if step.name == DISPATCHED)
    answer = await run.say(act(Decision, status, "ada", step=DISPATCHED, attempt=attempt, choice=choice))
    assert answer.accepted, answer.message
