"""Acts that people sign with their own keys, from the command line to a real release and back."""

from __future__ import annotations

import asyncio
import subprocess
from typing import TYPE_CHECKING

from baton.model.envelope import read_envelope
from baton.model.statement import act_of
from baton.model.status import Phase
from baton.store import open_store
from tests.cli.conftest import make_ssh_key
from tests.conftest import PATIENCE, executable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from tests.cli.conftest import Team

MANIFEST = "sha256:" + "a" * 64
TWO = [{"name": "publish", "before": "publish", "needs": {"release-manager": 2}}]
HAND_IN = {
    "name": "macos",
    "builder": {"kind": "handed-in", "instructions": "build it with Xcode"},
    "queue": "release",
    "files": ["hello.pkg"],
    "role": "macos-expert",
}


async def test_two_people_release_with_their_own_ssh_keys(real_team: Callable[..., Team], home: Path) -> None:
    team = real_team(gates=TWO)
    async with team.working():
        await team.start()
        await team.until_waiting("publish")
        command = ("sign-off", team.name, "publish", "--yes", "--json")

        first = await team.baton(*command, "--as", "ada", "--reason", "installed it")
        again = await team.baton(*command, "--as", "ada")
        page = await team.baton("status", team.name)
        second = await team.baton(*command, "--as", "grace", "--key", str(home / ".ssh" / "grace"))

        released = await team.until(lambda status: status.phase is Phase.RELEASED)
        assert first.json["message"] == "gate publish has 1 of 2 sign-offs; missing: 1 release-manager"
        assert again.json["message"].startswith("ada had already signed off;")
        assert (again.code, second.code) == (0, 0)
        assert MANIFEST in first.err
        assert "Signing with the ssh key SHA256:" in first.err
        assert "UNSIGNED" not in first.err + page.out
        by_ada, by_grace = released.gates[0].given
        assert by_ada.proof is not None
        assert by_ada.proof.envelope == first.json["envelope"]
        assert by_ada.proof.credential in page.out
        assert by_grace.proof is not None
        assert by_grace.proof.credential != by_ada.proof.credential
        said = act_of(read_envelope(open_store(str(home / "store")).read(first.json["envelope"])).payload)
        assert (said.by, said.subject, said.run, said.reason) == ("ada", MANIFEST, released.run, "installed it")


async def test_an_objection_holds_the_gate_until_it_is_withdrawn(real_team: Callable[..., Team]) -> None:
    team = real_team()
    async with team.working():
        await team.start()
        await team.until_waiting("publish")

        nothing = await team.baton("withdraw", team.name, "publish", "--as", "grace", "--yes")
        wrong = await team.baton("reject", team.name, "publish", "--as", "katherine", "--yes")
        unasked = await team.baton("reject", team.name, "publish", "--as", "grace")
        reason = ("--reason", "does not start")
        rejected = await team.baton("reject", team.name, "publish", "--as", "grace", "--yes", *reason)
        held = await team.baton("sign-off", team.name, "publish", "--as", "ada", "--yes")
        page = await team.baton("status", team.name)
        mine = await team.baton("list", "--as", "grace")
        withdrawn = await team.baton("withdraw", team.name, "publish", "--as", "grace", "--yes")
        log = (await team.baton("log", team.name, "--acts", "--json")).json

        assert (nothing.code, wrong.code, unasked.code) == (1, 1, 2)
        assert "there is nothing to withdraw" in nothing.err
        assert "gate publish takes release-manager now; katherine holds: macos-expert" in wrong.err
        assert rejected.out.endswith("rejected by grace\n")
        assert held.out == "gate publish has 1 of 1 sign-offs; rejected by grace\n"
        assert "REJECTED by grace as release-manager" in page.out
        assert team.name.replace("/", " ") in mine.out
        assert withdrawn.out == "gate publish has 1 of 1 sign-offs\n"
        assert [(act["kind"], act["by"], act["accepted"]) for act in log["acts"]] == [
            ("reject", "grace", True),
            ("sign-off", "ada", True),
            ("withdraw", "grace", True),
        ]
        assert all(act["proof"]["credential"].startswith("ssh key SHA256:") for act in log["acts"])
        await team.until(lambda status: status.phase is Phase.RELEASED)


async def test_nothing_is_sent_without_a_key_that_counts(
    real_team: Callable[..., Team], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = real_team()
    make_ssh_key(home / "stranger")
    async with team.working():
        await team.start()
        await team.until_waiting("publish")
        command = ("sign-off", team.name, "publish", "--yes", "--as")

        keyless = await team.baton(*command, "eve")
        unsigned = await team.baton(*command, "ada", "--unsigned")
        strange = await team.baton(*command, "ada", "--key", str(home / "stranger"))
        monkeypatch.setenv("BATON_KEY", str(home / ".ssh" / "grace"))
        anothers = await team.baton(*command, "ada")
        monkeypatch.delenv("BATON_KEY")
        (home / ".ssh" / "ada").rename(home / "elsewhere")
        absent = await team.baton(*command, "ada")
        wordy = await team.baton(*command, "grace", "--reason", "x" * 2001)

        refused = (keyless, unsigned, strange, anothers, absent)
        assert [ran.code for ran in refused] == [1] * len(refused)
        assert "the roster lists no key for eve" in keyless.err
        assert "counts after `baton replan`" in keyless.err
        assert "takes signed acts only: leave --unsigned out" in unsigned.err
        assert "the roster does not list the ssh key SHA256:" in strange.err
        assert "the roster does not list the ssh key SHA256:" in anothers.err
        assert "neither in the SSH agent nor in" in absent.err
        assert "Name one with --key or BATON_KEY" in absent.err
        assert (wordy.code, "the reason has 2,001 letters" in wordy.err) == (2, True)
        assert (await team.status()).heard == 0
        (home / "elsewhere").rename(home / ".ssh" / "ada")


async def test_what_is_printed_the_temporal_cli_sends_and_it_counts_once(
    real_team: Callable[..., Team], home: Path
) -> None:
    team = real_team(gates=TWO)
    address = team.client.service_client.config.target_host
    async with team.working():
        await team.start()
        await team.until_waiting("publish")

        printed = await team.baton("sign-off", team.name, "publish", "--as", "ada", "--print")
        (home / "message.json").write_text(printed.out, encoding="utf-8")
        send = [
            *(executable("temporal"), "workflow", "signal", "--workflow-id", team.plan.release.workflow_id),
            *("--name", "sign_off", "--input-file", str(home / "message.json"), "--address", address),
        ]
        for _ in range(2):
            await asyncio.to_thread(subprocess.run, send, check=True, capture_output=True, timeout=PATIENCE)
        heard = await team.until(lambda status: status.heard == 2)
        page = await team.baton("log", team.name, "--acts")

        assert printed.json["payloadType"] == "application/vnd.in-toto+json"
        assert [given.by for given in heard.gates[0].given] == ["ada"]
        assert heard.refused == 1
        assert "this very statement was heard before" in page.out
        assert read_envelope(printed.out).digest in "".join(page.out.split())


async def test_files_made_by_hand_are_handed_in_by_whoever_has_the_platforms_role(
    real_team: Callable[..., Team], home: Path
) -> None:
    team = real_team()
    (source, _) = team.plan.steps
    by_hand = type(source).model_validate({**HAND_IN, "queue": team.plan.queue})
    team.plan = team.plan.model_copy(update={"steps": (source, by_hand)})
    made, other = home / "hello.pkg", home / "other.pkg"
    made.write_bytes(b"made by hand")
    other.write_bytes(b"something else")
    async with team.working():
        await team.start()
        await team.until_waiting("macos")

        page = await team.baton("status", team.name)
        mine = await team.baton("list", "--as", "katherine")
        manager = await team.baton("provide", team.name, "macos", str(made), "--as", "ada", "--yes")
        wrong = await team.baton("provide", team.name, "macos", str(other), "--as", "katherine", "--yes")
        unasked = await team.baton("provide", team.name, "macos", str(made), "--as", "katherine")
        given = await team.baton("provide", team.name, "macos", str(made), "--as", "katherine", "--yes")
        await team.until_waiting("publish")
        late = await team.baton("provide", team.name, "macos", str(made), "--as", "katherine", "--yes")

        assert "Waits for files: macos" in page.out
        assert f"$ baton provide {team.name} macos FILE…" in page.out
        assert f"$ baton provide {team.name} macos FILE…" in mine.out.partition("Waits for others")[0]
        assert "step macos takes macos-expert now; ada holds: release-manager" in manager.err
        assert "step macos makes hello.pkg; handed in: other.pkg" in wrong.err
        assert (manager.code, wrong.code, unasked.code, given.code, late.code) == (1, 1, 2, 0, 1)
        assert given.out == "provide of macos, attempt 1\n"
        assert "hello.pkg  12 bytes" in given.err
        assert "waits for no decision: it is done" in late.err
        (asked,) = team.arguments("take_provided")
        assert asked.provided in given.err


async def test_a_release_is_driven_by_who_says_so_and_passed_on_by_them_alone(real_team: Callable[..., Team]) -> None:
    team = real_team()
    async with team.working():
        await team.start()
        await team.until_waiting("publish")

        early = await team.baton("hand-off", team.name, "ada", "--as", "grace")
        claimed = await team.baton("claim", team.name, "--as", "grace")
        page = await team.baton("status", team.name)
        nobody = await team.baton("hand-off", team.name, "adam", "--as", "grace")
        passed = await team.baton("hand-off", team.name, "katherine", "--as", "grace", "--json")
        wrong = await team.baton("claim", team.name, "--as", "ada", "--role", "macos-expert")
        listed = await team.baton("list", "--all", "--json")

        assert "grace can't pass" in early.err
        assert "nobody is driving it. `baton claim` takes it over" in early.err
        assert claimed.out == f"grace is driving {team.plan.release}\n"
        assert "grace drives it" in page.out
        assert "ada holds: release-manager, not macos-expert" in wrong.err
        assert "adam is not on the roster; on it: ada, grace, katherine, eve" in nobody.err
        assert passed.json["message"] == f"katherine is driving {team.plan.release}, took over from grace"
        assert (early.code, nobody.code, wrong.code) == (1, 1, 1)
        (item,) = [one for one in listed.json["releases"] if one["workflow_id"] == team.plan.release.workflow_id]
        assert item["driver"] == "katherine"


async def test_a_real_release_is_cancelled_by_a_signature_alone(real_team: Callable[..., Team]) -> None:
    team = real_team()
    async with team.working():
        await team.start()
        await team.until_waiting("publish")

        wrong = await team.baton("cancel", team.name, "--as", "katherine", "--yes")
        ended = await team.baton("cancel", team.name, "--as", "grace", "--yes", "--signal", "--reason", "wrong commit")
        await team.until(lambda status: status.phase is Phase.CANCELLED)
        (act,) = (await team.baton("log", team.name, "--acts", "--json")).json["acts"]

        assert "takes release-manager now; katherine holds" in wrong.err
        assert f"left for {team.plan.release}" in ended.out
        assert (act["kind"], act["accepted"], act["proof"] is not None) == ("cancel", True, True)


async def test_a_rehearsal_takes_people_at_their_word_and_says_so_everywhere(
    make_team: Callable[..., Team], home: Path
) -> None:
    keyed = {"id": "ada", "name": "Ada", "roles": ["release-manager"], "keys": [make_ssh_key(home / ".ssh" / "ada")]}
    people = [keyed, {"id": "grace", "name": "Grace", "roles": ["release-manager"]}]
    team = make_team(roster={"people": people}, gates=[{**TWO[0], "needs": {"release-manager": 3}}])
    async with team.working():
        await team.start()
        await team.until_waiting("publish")
        command = ("sign-off", team.name, "publish", "--yes", "--as")

        by_grace = await team.baton(*command, "grace")
        by_ada = await team.baton(*command, "ada", "--unsigned")
        taken_back = await team.baton("withdraw", team.name, "publish", "--yes", "--as", "ada")
        again = await team.baton(*command, "ada", "--unsigned")
        counted = [given.by for given in (await team.status()).gates[0].given]
        page = await team.baton("status", team.name)
        log = await team.baton("log", team.name)

        assert "UNSIGNED: nothing proves that grace says this, and only a rehearsal takes it." in by_grace.err
        assert "UNSIGNED: nothing proves that ada says this" in by_ada.err
        assert (by_grace.code, by_ada.code, taken_back.code, again.code) == (0, 0, 0, 0)
        assert "UNSIGNED: nothing" not in taken_back.err
        # The same words once more are another act, which no earlier answer stands for.
        assert (again.out.startswith("gate publish has 2 of 3 sign-offs"), counted) == (True, ["grace", "ada"])
        said = " ".join(page.out.split())
        assert "sign-offs count UNSIGNED" in said
        assert "UTC, UNSIGNED" in said
        assert "ssh key SHA256:" in said
        assert "signed off gate publish as release-manager (unsigned)" in " ".join(log.out.split())
