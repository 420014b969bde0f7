from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from baton.cli.connect import connect
from baton.model.errors import Failed, Invalid, Missing, Refused
from baton.sandbox.embedded import EmbeddedWorld
from baton.sandbox.processes import ProcessList
from baton.sandbox.sigstore import is_sandbox_trust_root
from baton.sandbox.state import State
from baton.sandbox.world import World, read_world
from baton.targets import sandbox_folder
from tests.conftest import PATIENCE, own_ports
from workflows.visibility import SEARCH_ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUN = """
import pathlib, signal, sys
from baton.sandbox.embedded import EmbeddedWorld
with EmbeddedWorld.start(pathlib.Path(sys.argv[1]), queues=()):
    print("up", flush=True)
    signal.pause()
"""


@contextmanager
def world_in_a_process(state: Path) -> Iterator[subprocess.Popen[str]]:
    """A world without workers that another process brought up."""
    with subprocess.Popen([sys.executable, "-c", RUN, state], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        try:
            yield process
        finally:
            process.kill()


def ended(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def until_ended(pids: list[int]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not all(ended(pid) for pid in pids):
        assert time.monotonic() < deadline, f"still running: {[pid for pid in pids if not ended(pid)]}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedWorld]:
    with EmbeddedWorld.start(own_ports(tmp_path_factory.mktemp("world") / "state"), queues=()) as world:
        yield world


async def test_temporal_takes_releases_with_every_search_attribute(world: EmbeddedWorld) -> None:
    client = await connect(address=world.facts.temporal_address)
    assert client.namespace == world.facts.namespace
    for attribute in SEARCH_ATTRIBUTES:
        await client.count_workflows(f"{attribute.name} IS NULL")


async def test_people_can_open_the_web_ui_and_the_published_files(world: EmbeddedWorld) -> None:
    sandbox_folder(world.facts.public_root).joinpath("hello.txt").write_text("hello")
    async with httpx.AsyncClient() as http:
        page = await http.get(world.facts.ui_url, follow_redirects=True)
        assert (page.status_code, page.headers["content-type"].split(";")[0]) == (200, "text/html")
        assert (await http.get(f"{world.facts.public_url}/hello.txt")).text == "hello"


def test_the_facts_name_a_development_sigstore_a_team_key_and_the_example(world: EmbeddedWorld) -> None:
    facts = world.facts
    assert is_sandbox_trust_root(facts.trust_config.read_bytes())
    shown = subprocess.run(
        ["gpg", "--show-keys", "--with-colons", facts.gpg_public_key], capture_output=True, text=True, check=True
    ).stdout
    assert facts.gpg_fingerprint in shown
    subprocess.run(["git", "-C", facts.hello_repository, "cat-file", "-e", facts.hello_commit], check=True)


def test_anyone_with_the_folder_can_read_the_facts_but_only_its_owner_has_it(world: EmbeddedWorld) -> None:
    assert read_world(world.state.folder) == world.facts
    assert stat.S_IMODE(world.state.facts.stat().st_mode) == 0o600
    assert set(world.facts.pids) == {"world", "temporal", "sigstore", "files"}


def test_a_second_world_on_the_same_state_is_refused_and_harms_nothing(world: EmbeddedWorld) -> None:
    before = world.facts
    with pytest.raises(Refused, match=f"process {os.getpid()}:"):
        EmbeddedWorld.start(world.state.folder, queues=())
    assert world.facts == before
    assert httpx.get(world.facts.public_url).is_success


async def test_a_killed_temporal_has_forgotten_nothing_when_it_is_restarted(world: EmbeddedWorld) -> None:
    client = await connect(address=world.facts.temporal_address)
    handle = await client.start_workflow("Anything", id="kept", task_queue="nobody")
    await asyncio.to_thread(world.kill, "temporal")
    assert "temporal" not in world.facts.pids
    await asyncio.to_thread(world.restart, "temporal")
    client = await connect(address=world.facts.temporal_address)
    assert (await client.get_workflow_handle("kept").describe()).run_id == handle.first_execution_run_id


def test_what_crashes_comes_back_and_the_facts_follow(world: EmbeddedWorld) -> None:
    before = world.facts.pids["files"]
    os.kill(before, signal.SIGKILL)
    until_ended([before])
    deadline = time.monotonic() + PATIENCE
    while read_world(world.state.folder).pids.get("files") in (before, None):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    world.wait_ready("files")
    assert httpx.get(world.facts.public_url).is_success


def test_no_world_ever_came_up_here(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="baton dev"):
        read_world(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_facts_of_another_release_of_baton_are_refused(tmp_path: Path) -> None:
    State.at(tmp_path).facts.write_text('{"temporal": "elsewhere"}')
    with pytest.raises(Invalid, match="start it again"):
        read_world(tmp_path)


def test_a_server_that_does_not_come_up_is_reported_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "temporal"
    broken.write_text("#!/bin/sh\necho this database is broken\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("BATON_TEMPORAL_PROGRAM", str(broken))
    state = own_ports(tmp_path / "state")
    with pytest.raises(Failed, match="this database is broken"):
        EmbeddedWorld.start(state, queues=())
    assert ProcessList(State.at(state).processes).read() == {}
    assert State.at(state).owner() is None


def test_two_worlds_that_want_the_same_ports_at_the_same_time_both_come_up(tmp_path: Path) -> None:
    one, other = own_ports(tmp_path / "one"), own_ports(tmp_path / "other")
    State.at(other).ports.write_bytes(State.at(one).ports.read_bytes())
    with ThreadPoolExecutor() as pool, ExitStack() as stack:
        starting = [pool.submit(EmbeddedWorld.start, state, queues=()) for state in (one, other)]
        first, second = (stack.enter_context(world.result()).facts for world in starting)
        assert {first.temporal_address, first.ui_url}.isdisjoint({second.temporal_address, second.ui_url})


@pytest.mark.parametrize("keeper_too", [False, True], ids=["with its keeper alive", "with its keeper killed too"])
def test_a_killed_world_comes_up_again_with_everything_it_knew(tmp_path: Path, *, keeper_too: bool) -> None:
    state = own_ports(tmp_path / "state")
    with world_in_a_process(state) as process:
        before = read_world(state)
        asyncio.run(_start(before))
        if keeper_too:
            listed = ProcessList(State.at(state).processes).read()
            os.kill(listed["keeper"].pid, signal.SIGKILL)
        process.kill()
    if not keeper_too:
        until_ended(list(before.pids.values()))
    with EmbeddedWorld.start(state, queues=()) as again:
        until_ended(list(before.pids.values()))
        left = [event.what for event in again.events() if "left running" in event.what]
        assert left == (["ended what a killed world had left running: files, sigstore, temporal"] if keeper_too else [])
        assert again.facts.model_copy(update={"pids": before.pids}) == before
        assert asyncio.run(_find(again.facts)) == 1


async def _start(world: World) -> None:
    client = await connect(address=world.temporal_address)
    await client.start_workflow(
        "Release", id="release/hello/1.0.0", task_queue="nobody", memo={"made": "before the kill"}
    )


async def _find(world: World) -> int:
    client = await connect(address=world.temporal_address)
    return (await client.count_workflows("ExecutionStatus = 'Running'")).count


def test_a_world_that_is_told_to_stop_leaves_nothing_running(tmp_path: Path) -> None:
    state = own_ports(tmp_path / "state")
    with EmbeddedWorld.start(state, queues=()) as world:
        pids = list(world.facts.pids.values())
    assert all(ended(pid) for pid in pids if pid != os.getpid())
    assert read_world(state).pids == {}
    world.stop()
