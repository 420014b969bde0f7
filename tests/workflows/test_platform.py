from __future__ import annotations

from typing import TYPE_CHECKING, Any

from baton.model.acts import Choice
from baton.model.status import Phase, ReleaseStatus, StepState
from tests.conftest import AUTHENTICODE, NOTARIZE
from tests.workflows.conftest import DIGEST, SIGNED, STAPLED
from tests.workflows.test_release import decision, finish

if TYPE_CHECKING:
    from tests.workflows.conftest import Machines, Run

Release = Any

SIGNING = {
    "name": "windows-signed",
    "of": "windows",
    "files": ["hello.exe"],
    "queue": "sign-windows",
    "role": "windows-expert",
    "signing": AUTHENTICODE,
}
NOTARIZING = {
    "name": "notarized",
    "of": "windows-signed",
    "files": ["hello.exe"],
    "queue": "sign-macos",
    "signing": NOTARIZE,
}
FILES = {"source": "hello.tar.gz", "windows": "hello.exe"}
PLATFORM = {"sign_platform", "verify_authenticode", "submit_notarization", "await_notarization", "staple"}


def done_inside(machines: Machines) -> list[str]:
    return [name for name, _ in machines.asked if name in PLATFORM]


def released(machines: Machines) -> dict[str, str]:
    """The digest of what goes into the manifest, by the step that made it."""
    (made,) = machines.arguments("make_manifest")
    return {built.step: built.artifacts.digest for built in made.built}


def step(status: ReleaseStatus, name: str) -> Any:
    return next(step for step in status.steps if step.name == name)


async def decide(run: Run, choice: Choice) -> None:
    status = await run.until(lambda status: any(waiting.kind == "decision" for waiting in status.waiting))
    answer = await run.say(decision(status, choice, by="grace"))
    assert answer.accepted, answer.message


async def test_signed_files_are_verified_and_released_in_the_place_of_what_was_built(release: Release) -> None:
    async with release(platform=[SIGNING]) as run:
        ended = await finish(run)
        assert ended.phase is Phase.RELEASED
        assert done_inside(run.machines) == ["sign_platform", "verify_authenticode"]
        (signed,) = run.machines.arguments("sign_platform")
        (verified,) = run.machines.arguments("verify_authenticode")
        assert (signed.built.step, signed.built.artifacts.digest) == ("windows", DIGEST)
        assert verified.unsigned == signed.built
        assert verified.signed.artifacts == SIGNED
        assert released(run.machines) == {"source": DIGEST, "windows-signed": SIGNED.digest}
        assert step(ended, "windows-signed").detail == "1 file signed, authenticode"


async def test_what_is_signed_carries_the_gates_that_passed_before_it(release: Release) -> None:
    gates = [{"name": "publish", "before": "build", "needs": {"release-manager": 1}}]
    async with release(platform=[SIGNING], gates=gates) as run:
        await finish(run)
        (signed,) = run.machines.arguments("sign_platform")
        assert [(gate.gate, gate.given[0].by) for gate in signed.gates] == [("publish", "ada")]


async def test_signing_begins_while_other_builds_are_under_way(release: Release, machines: Machines) -> None:
    machines.fail("build_step", "no compiler", "no compiler")
    signing = [{**SIGNING, "of": name, "name": f"{name}-signed", "files": [file]} for name, file in FILES.items()]
    async with release(platform=signing) as run:
        status = await run.until(lambda status: {waiting.what for waiting in status.waiting} == set(FILES))
        (source,) = (waiting for waiting in status.waiting if waiting.what == "source")
        await run.say(decision(status.model_copy(update={"waiting": (source,)}), Choice.RETRY, by="grace"))
        status = await run.until(lambda status: step(status, "source-signed").state is StepState.DONE)
        assert step(status, "windows-signed").state is StepState.PENDING
        await decide(run, Choice.RETRY)
        await finish(run)


async def test_notarization_submits_what_was_signed_waits_and_staples(release: Release) -> None:
    async with release(platform=[SIGNING, NOTARIZING]) as run:
        await finish(run)
        assert done_inside(run.machines) == [
            "sign_platform", "verify_authenticode", "submit_notarization", "await_notarization", "staple",
        ]  # fmt: skip
        (submitted,) = run.machines.arguments("submit_notarization")
        (stapled,) = run.machines.arguments("staple")
        assert submitted.built.artifacts == stapled.built.artifacts == SIGNED
        assert stapled.notarized.submissions[0].name == "hello.exe"
        assert released(run.machines) == {"source": DIGEST, "notarized": STAPLED.digest}


async def test_what_is_not_to_be_stapled_is_released_as_it_was_submitted(release: Release) -> None:
    signing = {**NOTARIZE, "staple": False}
    async with release(platform=[SIGNING, {**NOTARIZING, "signing": signing}]) as run:
        await finish(run)
        assert "staple" not in run.machines.counts
        assert released(run.machines) == {"source": DIGEST, "notarized": SIGNED.digest}


async def test_a_file_that_the_notary_refuses_needs_a_decision_and_is_submitted_anew(
    release: Release, machines: Machines
) -> None:
    machines.fail("await_notarization", "hello.exe is invalid")
    async with release(platform=[SIGNING, NOTARIZING]) as run:
        await decide(run, Choice.RETRY)
        await finish(run)
        assert [asked.attempt for asked in run.machines.arguments("submit_notarization")] == [1, 2]
        assert run.machines.counts["sign_platform"] == 1


async def test_a_signature_that_is_wrong_needs_a_decision_and_never_reaches_the_manifest(
    release: Release, machines: Machines
) -> None:
    machines.fail("verify_authenticode", "hello.exe is signed by somebody else")
    async with release(platform=[SIGNING]) as run:
        status = await run.until_waiting("windows-signed")
        assert "hello.exe is signed by somebody else" in step(status, "windows-signed").detail
        assert "make_manifest" not in run.machines.counts
        await decide(run, Choice.RETRY)
        await finish(run)
        assert run.machines.counts["sign_platform"] == 2


async def test_what_was_not_built_is_not_signed(release: Release, machines: Machines) -> None:
    machines.fail("build_step", "no compiler", "no compiler")
    async with release(platform=[SIGNING, NOTARIZING]) as run:
        status = await run.until(lambda status: {waiting.what for waiting in status.waiting} == {"source", "windows"})
        for waiting in status.waiting:
            choice = Choice.SKIP if waiting.what == "windows" else Choice.RETRY
            about = status.model_copy(update={"waiting": (waiting,)})
            assert (await run.say(decision(about, choice, by="grace"))).accepted
        ended = await finish(run)
        assert {step(ended, name).state for name in ("windows", "windows-signed", "notarized")} == {StepState.SKIPPED}
        assert step(ended, "notarized").detail == "windows-signed was skipped: there is nothing to sign"
        assert done_inside(machines) == []
        assert released(machines) == {"source": DIGEST}
