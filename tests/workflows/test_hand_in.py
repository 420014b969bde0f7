"""A platform that no machine builds: a person with its role hands the files in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import WorkflowFailureError

from baton.model.acts import Choice, Decision, SignOff
from baton.model.status import Phase, ReleaseStatus, StepState, WaitKind
from tests.workflows.people import about_gate, act

if TYPE_CHECKING:
    from baton.model.acts import Answer
    from tests.workflows.conftest import Machines, Run
    from tests.workflows.people import People

Release = Any
MACOS = {
    "name": "macos",
    "builder": {"kind": "handed-in", "instructions": "Build it with build-installer.py, notarize and staple it."},
    "queue": "release",
    "files": ["hello.pkg"],
    "role": "macos-expert",
}
HANDED_IN = {"steps": [MACOS]}
FILES = "sha256:" + "5" * 64
OTHER_FILES = "sha256:" + "6" * 64


async def decide(run: Run, people: People, by: str, role: str, choice: Choice, **facts: Any) -> Answer:
    status = await run.status()
    provided = {"provided": FILES} if choice is Choice.PROVIDE else {}
    attempt = next(step.attempt for step in status.steps if step.name == "macos")
    said = act(
        Decision, status, by, role=role, step="macos", choice=choice, **{"attempt": attempt, **provided, **facts}
    )
    return await run.say_json("decide", people.sign(said))


async def finish(run: Run, people: People) -> ReleaseStatus:
    status = await run.until_waiting("publish")
    assert (await run.say_json("sign-off", people.sign(about_gate(SignOff, status, "ada")))).accepted
    return await run.handle.result()


async def test_a_handed_in_step_asks_its_role_and_takes_files_from_nobody_else(
    signed_release: Release, people: People, machines: Machines
) -> None:
    async with signed_release(**HANDED_IN) as run:
        status = await run.until_waiting("macos")
        (waiting,) = status.waiting
        assert (waiting.kind, waiting.roles, waiting.people) == (WaitKind.HAND_IN, ("macos-expert",), ("katherine",))
        assert (
            waiting.why == "files to be handed in: hello.pkg. Build it with build-installer.py, notarize and staple it."
        )
        assert waiting.command == "baton provide hello/1.0.0 macos FILE…"
        refused = await decide(run, people, "ada", "release-manager", Choice.PROVIDE)
        assert refused.message == "it takes the role macos-expert; ada acts as release-manager"
        for choice in (Choice.RETRY, Choice.SKIP):
            refused = await decide(run, people, "ada", "release-manager", choice)
            assert refused.message == f"{choice} is not possible for macos; possible: provide, abort"
        assert (await decide(run, people, "katherine", "macos-expert", Choice.PROVIDE)).accepted
        assert (await finish(run, people)).phase is Phase.RELEASED
        assert machines.arguments("take_provided")[0].provided == FILES
        assert "build_step" not in machines.counts
        (manifest,) = machines.arguments("make_manifest")
        assert [built.builder for built in manifest.built] == ["by hand"]


async def test_files_that_are_found_wrong_are_asked_for_again_as_another_attempt(
    signed_release: Release, people: People, machines: Machines
) -> None:
    machines.fail("inspect_step", "hello.pkg is missing")
    machines.fail("take_provided", "the store has nothing of that digest")
    async with signed_release(**HANDED_IN) as run:
        await run.until_waiting("macos")
        for attempt, fact in ((1, "Failed: the store has nothing"), (2, "Failed: hello.pkg is missing")):
            assert (await decide(run, people, "katherine", "macos-expert", Choice.PROVIDE)).accepted
            status = await run.until(
                lambda status: any(fact in waiting.why for waiting in status.waiting)  # noqa: B023  # asked at once
            )
            (waiting,) = status.waiting
            assert waiting.kind is WaitKind.HAND_IN
            assert "files to be handed in: hello.pkg. Build it with build-installer.py" in waiting.why
            assert next(step.attempt for step in status.steps if step.name == "macos") == attempt + 1
            late = await decide(run, people, "katherine", "macos-expert", Choice.PROVIDE, attempt=attempt)
            assert f"is about attempt {attempt} of macos; it is at attempt {attempt + 1}" in late.message
        assert (await decide(run, people, "katherine", "macos-expert", Choice.PROVIDE, provided=OTHER_FILES)).accepted
        ended = await finish(run, people)
        step = next(step for step in ended.steps if step.name == "macos")
        assert (step.state, step.attempt) == (StepState.DONE, 3)
        assert [argument.provided for argument in machines.arguments("take_provided")] == [FILES, FILES, OTHER_FILES]


async def test_a_handed_in_step_is_left_out_only_where_the_plan_allows_it(
    signed_release: Release, people: People, machines: Machines
) -> None:
    source = {"name": "source", "builder": {"kind": "command", "commands": [["make"]]}, "queue": "b", "files": ["f"]}
    async with signed_release(steps=[{**MACOS, "skippable": True}, source]) as run:
        await run.until_waiting("macos")
        nobody = await decide(run, people, "grace", "windows-expert", Choice.SKIP)
        assert nobody.message == "it takes the role macos-expert or release-manager; grace acts as windows-expert"
        assert (await decide(run, people, "ada", "release-manager", Choice.SKIP, reason="late")).accepted
        ended = await finish(run, people)
        step = next(step for step in ended.steps if step.name == "macos")
        assert (step.state, step.detail) == (StepState.SKIPPED, "ada: late")
        assert machines.counts["take_provided"] == 0


async def test_a_release_is_ended_instead_of_waiting_for_files(
    signed_release: Release, people: People, machines: Machines
) -> None:
    async with signed_release(**HANDED_IN) as run:
        await run.until_waiting("macos")
        assert (await decide(run, people, "katherine", "macos-expert", Choice.ABORT, reason="no machine")).accepted
        with pytest.raises(WorkflowFailureError) as failure:
            await run.handle.result()
        assert "katherine decided to abort at macos: no machine" in str(failure.value.cause)
        status = await run.status()
        assert (status.phase, status.waiting) == (Phase.CANCELLED, ())
        assert machines.counts["forget_source"] == 1
