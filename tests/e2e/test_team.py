"""A release that nobody stays with: each person does a part at a machine of their own, with a key of their own."""

from __future__ import annotations

import asyncio
import io
import json
import secrets
import tarfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from baton.evidence.gather import PAGE
from baton.model.acts import Answer, Choice, Decision
from baton.model.roster import SigstoreIdentity
from baton.model.statement import statement_of
from baton.model.status import Phase, WaitKind
from baton.proof import seal
from tests.conftest import PATIENCE
from tests.e2e.conftest import start, tiny_plan
from tests.e2e.desks import Desk, gnupg_home, with_ssh_key
from tests.e2e.team import MARGARET, Team
from tests.e2e.test_deaths import mortal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from baton.model.status import ReleaseStatus
    from baton.sandbox.embedded import EmbeddedWorld

pytestmark = pytest.mark.e2e
JUDGING = ("prove_act-before", "prove_act-after")


@pytest.fixture(scope="module")
def team(small_world: EmbeddedWorld, folder: Path) -> Iterator[Team]:
    with gnupg_home() as gnupg:
        yield Team.make(small_world, folder, gnupg)


async def test_three_people_with_three_kinds_of_keys_make_a_release_and_nobody_stays(team: Team, folder: Path) -> None:
    tool = folder / "compiler"
    project = team.checked_out(tool)

    await asyncio.to_thread(team.ada, "start", "1.0", "-C", str(project), "--yes")
    await team.until_waiting("team/1.0", "commit")
    await asyncio.to_thread(team.grace, "sign-off", "team/1.0", "commit", "--yes")

    # The build fails. Margaret says what to do; whoever pastes it into the Web UI needs no key.
    await team.until_waiting("team/1.0", "text")
    tool.touch()
    said = await asyncio.to_thread(team.margaret, "decide", "team/1.0", "text", "retry", "--print")
    paste = ("--workflow-id", "release/team/1.0", "--input", said.strip(), "--name")
    await asyncio.to_thread(team.grace.temporal, "workflow", "signal", *paste, "decide")

    await team.until_waiting("team/1.0", "files")
    await asyncio.to_thread(team.margaret, "sign-off", "team/1.0", "files", "--yes")
    said = await asyncio.to_thread(team.ada, "sign-off", "team/1.0", "files", "--print")
    paste = ("--workflow-id", "release/team/1.0", "--input", said.strip(), "--name")
    answer = await asyncio.to_thread(team.grace.temporal, "workflow", "update", "execute", *paste, "sign_off")
    assert "gate files has 2 of 2 sign-offs" in answer

    ended = await team.until("team/1.0", lambda status: status.phase is Phase.RELEASED)
    assert (ended.heard, ended.refused, ended.unsigned_acts) == (4, 0, False)
    proven = {
        (heard.by, heard.kind): heard.proof.credential.split()[0]
        for heard in await team.heard("team/1.0")
        if heard.proof
    }
    assert proven == {
        ("grace", "sign-off"): "openpgp",
        ("margaret", "decide"): "Sigstore",
        ("margaret", "sign-off"): "Sigstore",
        ("ada", "sign-off"): "ssh",
    }


def in_hand(folder: Path, name: str, content: bytes) -> Path:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    return file


def archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        for name in names:
            packed.addfile(tarfile.TarInfo(name))
    return buffer.getvalue()


async def test_a_platform_without_a_machine_is_handed_in_by_whoever_has_its_role(team: Team, folder: Path) -> None:
    name = "tiny/2.0"
    home = folder / "katherine"
    keys = with_ssh_key(home)
    state = {"BATON_STATE": str(team.world.facts.state)}
    katherine = Desk(home, "katherine", **state)
    handed_in = {
        "name": "macos",
        "builder": {"kind": "handed-in", "instructions": "build and notarize it on a Mac"},
        "queue": "build",
        "files": ["tiny-macos.tar.gz"],
        "role": "macos-expert",
    }
    plan = tiny_plan(team.world.facts, team.project, "2.0", unsigned_acts=False)
    plan = plan.model_validate(
        {
            **plan.model_dump(by_alias=True),
            "steps": [*plan.model_dump(by_alias=True)["steps"], handed_in],
            "roster": {
                "people": [
                    {"id": "ada", "name": "Ada", "roles": ["release-manager"], "keys": [team.ssh_key.credential]},
                    {"id": "katherine", "name": "K.", "roles": ["macos-expert"], "keys": [keys.credential]},
                ]
            },
        }
    )
    release = await start(team.world, plan)
    status = await team.until_waiting(name, "macos")
    [waiting] = [waiting for waiting in status.waiting if waiting.what == "macos"]
    assert (waiting.kind, waiting.people) == (WaitKind.HAND_IN, ("katherine",))
    assert "build and notarize it on a Mac" in waiting.why

    good = in_hand(home / "made", "tiny-macos.tar.gz", archive("tiny"))
    wrong = in_hand(home / "made", "other.tar.gz", archive("tiny"))
    evil = in_hand(home / "evil", "tiny-macos.tar.gz", archive("../../etc/passwd"))
    said = await asyncio.to_thread(team.ada, "provide", name, "macos", str(good), "--yes", code=1)
    assert "takes macos-expert" in said
    answer = await release.execute_update("decide", _provided_by_ada(team, status), result_type=Answer)
    assert not answer.accepted
    assert "macos-expert" in answer.message
    said = await asyncio.to_thread(katherine, "provide", name, "macos", str(wrong), "--yes", code=1)
    assert "makes tiny-macos.tar.gz; handed in: other.tar.gz" in said
    # What is handed in is inspected like what is built.
    await asyncio.to_thread(katherine, "provide", name, "macos", str(evil), "--yes")
    await team.until(name, lambda status: any("passwd" in waiting.why for waiting in status.waiting))
    await asyncio.to_thread(katherine, "provide", name, "macos", str(good), "--yes")
    await team.until_waiting(name, "publish")
    await asyncio.to_thread(team.ada, "sign-off", name, "publish", "--yes")

    ended = await team.until(name, lambda status: status.phase is Phase.RELEASED)
    assert (team.world.facts.public_root / "public/tiny/2.0/tiny-macos.tar.gz").read_bytes() == good.read_bytes()
    evidence = team.evidence_of(ended)
    acts = [json.loads(content) for file, content in evidence.items() if file.startswith("acts/")]
    assert [(act["by"], act["accepted"]) for act in acts if act["about"] == "step macos"] == [
        ("ada", False),
        ("katherine", True),
        ("katherine", True),
    ]
    assert "katherine" in evidence[PAGE].decode()


def _provided_by_ada(team: Team, status: ReleaseStatus) -> Any:
    """A decision that the command line does not even send."""
    act = Decision(
        release=status.release,
        run=status.run,
        subject=status.subject,
        by="ada",
        role="release-manager",
        at=datetime.now(UTC),
        nonce=secrets.token_hex(16),
        step="macos",
        attempt=1,
        choice=Choice.PROVIDE,
        provided="sha256:" + "0" * 64,
    )
    return json.loads(seal(statement_of(act), team.ssh_key))


async def test_a_worker_killed_while_it_judges_an_act_neither_loses_nor_doubles_it(team: Team, folder: Path) -> None:
    name = "tiny/3.0"
    identity = SigstoreIdentity(identity=MARGARET, issuer=team.world.facts.issuer)
    person = {"id": "ada", "name": "Ada", "roles": ["release-manager"], "keys": [team.ssh_key.credential]}
    other = {"id": "margaret", "name": "M.", "roles": ["release-manager"], "keys": [identity]}
    plan = tiny_plan(
        team.world.facts,
        team.project,
        "3.0",
        unsigned_acts=False,
        gates=[{"name": "publish", "before": "publish", "needs": {"release-manager": 2}}],
        roster={"people": [person, other]},
    )
    await start(team.world, plan, task_timeout=timedelta(seconds=5))
    await team.until_waiting(name, "publish")
    ada_says, margaret_says = [
        json.loads(await asyncio.to_thread(desk, "sign-off", name, "publish", "--print"))
        for desk in (team.ada, team.margaret)
    ]
    release = await team.release(name)
    await asyncio.to_thread(team.world.kill, "release")
    # Each of these arrives while nobody is there to judge it, and one of them twice.
    for _ in range(2):
        await release.signal("sign_off", ada_says)
    answer = asyncio.create_task(release.execute_update("sign_off", margaret_says, result_type=Answer))
    try:
        async with mortal(folder / "mortal", JUDGING, ["release"], environment_of(team, "release")) as due:
            assert (await asyncio.wait_for(answer, PATIENCE)).accepted
            ended = await team.until(name, lambda status: status.phase is Phase.RELEASED)
    finally:
        await asyncio.to_thread(team.world.restart, "release")
    assert list(due.iterdir()) == []
    assert sorted(given.by for given in ended.gates[0].given) == ["ada", "margaret"]
    heard = await team.heard(name)
    assert sorted((act.by, act.accepted) for act in heard) == [("ada", False), ("ada", True), ("margaret", True)]
    [refused] = [act for act in heard if not act.accepted]
    assert "this very statement was heard before" in refused.message


def environment_of(team: Team, worker: str) -> Mapping[str, str]:
    [child] = [status.child for status in team.world.statuses() if status.child.name == worker]
    return child.environment


async def test_a_paused_build_stops_and_is_made_anew_when_it_goes_on(team: Team, folder: Path) -> None:
    name, go, running = "tiny/4.0", folder / "go", folder / "running"
    waiting = f"""
import os, pathlib, time
pathlib.Path({str(running)!r}).write_text(str(os.getpid()))
while not pathlib.Path({str(go)!r}).exists():
    time.sleep(0.05)
pathlib.Path("dist").mkdir()
pathlib.Path("dist/tiny.txt").write_text("tiny")
"""
    step = {
        "name": "text",
        "builder": {"kind": "command", "commands": [["python3", "-c", waiting]]},
        "queue": "build",
        "files": ["tiny.txt"],
    }
    await start(team.world, tiny_plan(team.world.facts, team.project, "4.0", steps=[step]))
    async with asyncio.timeout(PATIENCE):
        while not (running.exists() and running.read_text()):
            await asyncio.sleep(0.05)
    process = int(running.read_text())
    described = await (await team.release(name)).describe()
    [pending] = described.raw_description.pending_activities
    of = ("--workflow-id", f"release/{name}", "--activity-id", pending.activity_id)
    await asyncio.to_thread(team.ada.temporal, "activity", "pause", *of)
    async with asyncio.timeout(PATIENCE):
        while psutil.pid_exists(process):
            await asyncio.sleep(0.05)
    go.touch()
    await asyncio.to_thread(team.ada.temporal, "activity", "unpause", *of)
    status = await team.until_waiting(name, "publish")
    assert [step.attempt for step in status.steps if step.name == "text"] == [1]
    assert int(running.read_text()) != process
