"""The demonstration at a gate and at a failure, with the real workflow and server; only the work is stood in for."""

from __future__ import annotations

import asyncio
import io
import os
from typing import TYPE_CHECKING

import pytest
import typer
from rich.console import Console
from temporalio.exceptions import ApplicationError

from baton.cli.demo_follow import Followed
from baton.cli.demo_gate import first_sign_off, pass_gate
from baton.cli.demo_page import dev_command
from baton.cli.demo_view import DemoView
from baton.cli.exits import ExitCode
from baton.cli.place import Place
from baton.cli.releases import Releases
from baton.model.errors import Failed
from baton.model.status import Phase
from baton.sandbox.borrowed import BorrowedWorld
from baton.sandbox.state import State
from baton.sandbox.world import FakeCi, World
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.conftest import Team


class Terminal:
    """What a person reads and types."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shown = io.StringIO()
        self.console = Console(file=self.shown, width=200)
        reading, self._writing = os.pipe()
        self._keyboard = os.fdopen(reading)
        monkeypatch.setattr("sys.stdin", self._keyboard)

    def type(self, line: str) -> None:
        os.write(self._writing, f"{line}\n".encode())

    def close(self) -> None:
        os.close(self._writing)
        self._keyboard.close()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    terminal = Terminal(monkeypatch)
    yield terminal
    terminal.close()


@pytest.fixture
def follow(tmp_path: Path, terminal: Terminal) -> Callable[[Team], Followed]:
    state = State.at(tmp_path / "world")
    state.prepare()

    def make(team: Team) -> Followed:
        facts = World(
            state=state.folder,
            temporal_address="127.0.0.1:7233",
            ui_url="http://127.0.0.1:8233",
            namespace="default",
            store=state.store,
            public_root=state.target,
            public_url="http://127.0.0.1:8235",
            trust_config=state.sigstore / "trust_config.json",
            identity="https://example.org/machine",
            issuer="https://example.org",
            gpg_fingerprint="A" * 40,
            gpg_public_key=state.folder / "team_key.asc",
            hello_repository=state.hello,
            hello_commit="c" * 40,
            pids={},
        )
        place = Place()
        return Followed(
            BorrowedWorld(facts), place, Releases(team.client), team.plan.release, DemoView(terminal.console, place)
        )

    return make


@pytest.mark.parametrize("simulators", [None, FakeCi(github="http://127.0.0.1:1", azure="http://127.0.0.1:2")])
def test_the_same_world_is_brought_up_again(
    team: Team, follow: Callable[[Team], Followed], simulators: FakeCi | None
) -> None:
    world = follow(team).world.facts.model_copy(update={"fake_ci": simulators})

    assert dev_command(world, Place()).endswith(" --fake-ci") is (simulators is not None)


async def look_until_it_fails(followed: Followed) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            await followed.look()


async def test_a_release_is_followed_to_its_gate_and_to_its_end(
    team: Team, follow: Callable[[Team], Followed], terminal: Terminal
) -> None:
    followed = follow(team)
    async with team.working():
        await team.start()
        waits = await followed.until_it_matters()
        assert [waiting.what for waiting in waits.waiting] == ["publish"]
        terminal.type("")
        await pass_gate(followed, team.plan, waits, terminal.console, yes=False)
        released = await followed.until_it_matters()
    assert (released.phase, released.waiting) == (Phase.RELEASED, ())
    assert [given.by for given in released.gates[0].given] == ["ada"]
    lines = terminal.shown.getvalue().splitlines()
    assert lines.count("  source done: 1 file, 5 bytes") == 1
    assert "Any release-manager can give it: ada, grace." in terminal.shown.getvalue()
    assert "UNSIGNED: nothing proves that ada says this" in terminal.shown.getvalue()
    assert "ada signed off as release-manager, UNSIGNED: " in terminal.shown.getvalue()
    assert f"--workflow-id={team.plan.release.workflow_id} --name=sign_off" in terminal.shown.getvalue()


async def test_the_release_waits_for_others_when_the_person_does_not_agree(
    team: Team, follow: Callable[[Team], Followed], terminal: Terminal
) -> None:
    followed = follow(team)
    async with team.working():
        await team.start()
        waits = await followed.until_it_matters()
        terminal.type("n")
        with pytest.raises(typer.Exit) as declined:
            await pass_gate(followed, team.plan, waits, terminal.console, yes=False)
        assert declined.value.exit_code == ExitCode.WAITING
        assert (await team.status()).waiting


async def test_nobody_has_to_answer_when_somebody_else_signs_off(
    team: Team, follow: Callable[[Team], Followed], terminal: Terminal
) -> None:
    followed = follow(team)
    async with team.working():
        await team.start()
        waits = await followed.until_it_matters()
        asking = asyncio.create_task(pass_gate(followed, team.plan, waits, terminal.console, yes=False))
        assert (await team.baton("sign-off", team.name, "publish", "--as", "grace", "--yes")).code == 0
        await asyncio.wait_for(asking, timeout=PATIENCE)
        released = await followed.until_it_matters()
    assert [given.by for given in released.gates[0].given] == ["grace"]


async def test_a_step_that_can_not_finish_is_told_with_what_can_be_done(
    team: Team, follow: Callable[[Team], Followed]
) -> None:
    followed = follow(team)
    team.broken["source"] = [ApplicationError("cc exited with 1", type="Failed", non_retryable=True)]
    async with team.working():
        await team.start()
        with pytest.raises(Failed, match=r"source of .* could not finish: .*cc exited with 1") as failure:
            await followed.until_it_matters()
    assert f"decide {team.name} source" in str(failure.value)
    assert f"all logs: {State.at(followed.world.facts.state).logs}" in str(failure.value)


async def test_a_release_that_was_ended_is_not_waited_for(team: Team, follow: Callable[[Team], Followed]) -> None:
    followed = follow(team)
    async with team.working():
        await team.start()
        await team.until_waiting("publish")
        assert (await team.baton("cancel", team.name, "--as", "ada", "--yes")).code == 0
        with pytest.raises(Failed, match="ended without being finished"):
            await look_until_it_fails(followed)


async def test_the_first_who_may_signs_off_in_a_role_that_is_asked_for(
    make_team: Callable[..., Team], follow: Callable[[Team], Followed]
) -> None:
    team = make_team(
        started_by="ada",
        gates=[{"name": "publish", "before": "publish", "needs": {"windows-expert": 1}}],
    )
    async with team.working():
        await team.start()
        waits = await follow(team).until_it_matters()
        signed = first_sign_off(team.plan, waits.waiting[0])
    assert (signed.by, signed.role, signed.subject) == ("grace", "windows-expert", waits.gates[0].subject)
