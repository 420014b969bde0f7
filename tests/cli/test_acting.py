"""Signing off, deciding and cancelling, from the command line to the workflow and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from temporalio.exceptions import ApplicationError

from baton.model.status import Phase
from baton.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Team

MANIFEST = "sha256:" + "a" * 64

REFUSED_SIGN_OFFS = (
    (["publish"], 1, "say who you are with --as PERSON or BATON_PERSON"),
    (["publish", "--as", "adam"], 1, "adam is not on the roster; on it: ada, grace, katherine"),
    (["publish", "--as", "katherine"], 1, "gate publish takes release-manager now; katherine holds: macos-expert"),
    (["publish", "--as", "grace", "--role", "windows-expert"], 1, "takes release-manager now, not windows-expert"),
    (["publish", "--as", "ada", "--subject", "sha256:" + "b" * 64], 1, f"asks about {MANIFEST}, not about"),
    (["publish", "--as", "ada"], 2, "no terminal to answer on: pass --yes"),
    (["publsh", "--as", "ada"], 1, "has no gate publsh; gates: publish"),
)
REFUSED_DECISIONS = (
    (["source", "skip", "--as", "ada", "--yes"], 1, "skip is not possible for source; possible: retry, provide"),
    (["sauce", "retry", "--as", "ada"], 1, "has no step sauce; steps: plan, prepare, source"),
    (["prepare", "retry", "--as", "ada"], 1, "waits for no decision: it is done"),
    (["source", "retry", "--as", "katherine"], 1, "step source takes release-manager now; katherine holds"),
    (["source", "retry", "x.tar.gz", "--as", "ada"], 1, "files are handed in with the choice provide"),
    (["source", "provide", "x.tar.gz", "--as", "ada"], 1, "step source makes hello.tar.gz; handed in: x.tar.gz"),
    (["source", "abort", "--as", "ada"], 2, "no terminal to answer on: pass --yes"),
    (["source", "redo", "--as", "ada"], 2, "redo"),
)


def breaks() -> list[ApplicationError]:
    return [ApplicationError("cc exited with 1", type="Failed", non_retryable=True)]


async def test_a_sign_off_shows_what_it_agrees_to_and_finishes_the_release(team: Team) -> None:
    async with team.working():
        await team.start()
        await team.until_waiting("publish")

        signed = await team.baton("sign-off", team.name, "publish", "--as", "ada", "--yes", "--reason", "looks right")

        assert (signed.code, signed.out) == (0, "gate publish has 1 of 1 sign-offs\n")
        assert MANIFEST in signed.err
        assert "hello.exe" in signed.err
        released = await team.until(lambda status: status.phase is Phase.RELEASED)
        assert [(given.by, given.reason) for given in released.gates[0].given] == [("ada", "looks right")]


async def test_signing_off_twice_counts_once_and_says_so(make_team: Callable[..., Team]) -> None:
    team = make_team(gates=[{"name": "publish", "before": "publish", "needs": {"release-manager": 2}}])
    async with team.working():
        await team.start()
        await team.until_waiting("publish")
        command = ("sign-off", team.name, "publish", "--as", "ada", "--yes", "--json")

        first = await team.baton(*command)
        second = await team.baton(*command)

        standing = "gate publish has 1 of 2 sign-offs; missing: 1 release-manager"
        answer = {"schema": "urn:baton:answer:v1", "accepted": True, "envelope": None}
        assert first.json == {**answer, "message": standing}
        assert second.json == {**answer, "message": f"ada had already signed off; {standing}"}
        assert len((await team.status()).gates[0].given) == 1


async def test_git_says_who_signs_off_when_nobody_else_does(
    team: Team, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "git").write_text("[user]\n\tname = Grace\n", encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "git"))
    async with team.working():
        await team.start()
        await team.until_waiting("publish")

        printed = await team.baton("sign-off", team.name, "publish", "--print")

        assert printed.json["by"] == "grace"


async def test_a_sign_off_that_can_not_count_is_refused_with_the_reason(team: Team) -> None:
    async with team.working():
        await team.start()
        await team.until_waiting("publish")

        for arguments, code, fact in REFUSED_SIGN_OFFS:
            refused = await team.baton("sign-off", team.name, *arguments)

            assert (refused.code, refused.out) == (code, ""), arguments
            assert fact in refused.err
        assert (await team.status()).gates[0].given == ()


async def test_a_gate_that_is_not_open_yet_is_not_signed_off(make_team: Callable[..., Team]) -> None:
    team = make_team(
        gates=[
            {"name": "start", "before": "build", "needs": {"release-manager": 1}},
            {"name": "publish", "before": "publish", "needs": {"release-manager": 1}},
        ]
    )
    async with team.working():
        await team.start()
        await team.until_waiting("start")

        early = await team.baton("sign-off", team.name, "publish", "--as", "ada", "--yes")
        agreed = await team.baton("sign-off", team.name, "start", "--as", "ada", "--yes")
        await team.until_waiting("publish")
        late = await team.baton("sign-off", team.name, "start", "--as", "ada", "--yes")

        assert early.code == 1
        assert "gate publish of" in early.err
        assert "is not open yet: the release is in phase prepare" in early.err
        assert agreed.code == 0
        assert team.plan.digest in agreed.err
        assert late.code == 1
        assert "passed at" in late.err


async def test_the_printed_message_is_what_the_temporal_cli_sends(team: Team) -> None:
    async with team.working():
        await team.start()
        await team.until_waiting("publish")

        printed = await team.baton("sign-off", team.name, "publish", "--as", "ada", "--print")
        await team.client.get_workflow_handle(team.plan.release.workflow_id).signal("sign_off", json.loads(printed.out))

        assert printed.code == 0
        await team.until(lambda status: status.phase is Phase.RELEASED)


@pytest.mark.usefixtures("impatient")
async def test_with_no_worker_people_are_told_and_can_leave_a_sign_off_for_later(
    make_team: Callable[..., Team],
) -> None:
    team = make_team(gates=[{"name": "start", "before": "build", "needs": {"release-manager": 1}}])
    await team.start()

    unheard = await team.baton("sign-off", team.name, "start", "--as", "ada", "--yes")
    cancelled = await team.baton("cancel", team.name, "--as", "katherine", "--yes", "--signal")
    blind = ("sign-off", team.name, "start", "--as", "ada", "--yes", "--signal", "--subject")
    misspelt = await team.baton(*blind, "sha256:abc")
    left = await team.baton(*blind, team.plan.digest)

    assert unheard.code == 1
    assert f"no worker is polling {team.plan.queue} (none seen in the last 5 minutes)" in unheard.err
    assert f"python worker.py --queue {team.plan.queue}" in unheard.err
    assert "Last known: phase prepare" in unheard.err
    assert "takes release-manager now; katherine holds: macos-expert" in cancelled.err
    assert "'sha256:abc' is no digest" in misspelt.err
    assert left.code == 0
    assert "left for" in left.out


async def test_a_step_is_decided_by_the_commands_that_status_shows(team: Team) -> None:
    team.broken.update(source=breaks(), windows=breaks())
    async with team.working():
        await team.start()
        await team.until_waiting("source")
        await team.until_waiting("windows")

        shown = await team.baton("status", team.name)
        retried = await team.baton("decide", team.name, "source", "retry", "--as", "ada")
        skipped = await team.baton(
            "decide", team.name, "windows", "skip", "--as", "grace", "--yes", "--reason", "later"
        )

        assert f"$ baton decide {team.name} source retry" in shown.out
        assert f"$ baton decide {team.name} windows skip" in shown.out
        assert (retried.code, retried.out) == (0, "retry of source, attempt 1\n")
        assert skipped.code == 0
        status = await team.until_waiting("publish")
        states = {step.name: (step.state, step.attempt, step.detail) for step in status.steps}
        assert states["source"][:2] == ("done", 2)
        assert states["windows"] == ("skipped", 1, "grace: later")


async def test_a_decision_that_makes_no_sense_is_refused_before_it_is_sent(team: Team) -> None:
    team.broken.update(source=breaks())
    async with team.working():
        await team.start()
        await team.until_waiting("source")

        for arguments, code, fact in REFUSED_DECISIONS:
            refused = await team.baton("decide", team.name, *arguments)

            assert (refused.code, refused.out) == (code, ""), arguments
            assert fact in refused.err


async def test_what_a_person_made_by_hand_takes_a_steps_place(team: Team, tmp_path: Path) -> None:
    team.broken.update(source=breaks())
    made = tmp_path / "hello.tar.gz"
    made.write_bytes(b"made by hand")
    async with team.working():
        await team.start()
        await team.until_waiting("source")

        provided = await team.baton("decide", team.name, "source", "provide", str(made), "--as", "ada", "--yes")

        assert provided.code == 0
        assert "hello.tar.gz  12 bytes" in provided.err
        await team.until_waiting("publish")
        (asked,) = team.arguments("take_provided")
        (artifact,) = open_store(str(tmp_path / "store")).read_set(asked.provided).artifacts
        assert (artifact.name, artifact.size) == ("hello.tar.gz", 12)


async def test_cancelling_ends_the_release_and_says_so(team: Team) -> None:
    async with team.working():
        await team.start()
        await team.until_waiting("publish")

        unasked = await team.baton("cancel", team.name, "--as", "ada")
        ended = await team.baton("cancel", team.name, "--as", "ada", "--yes", "--reason", "wrong commit")
        await team.until(lambda status: status.phase is Phase.CANCELLED)
        again = await team.baton("cancel", team.name, "--as", "ada", "--yes", "--reason", "really")

        assert unasked.code == 2
        assert (ended.code, ended.out) == (0, "the release ends; what is not public is undone\n")
        assert again.code == 1
        assert "already" in again.err
