"""Checking, planning and starting: from a project's folder to a running release."""

from __future__ import annotations

import subprocess
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from baton.sandbox.world import World, write_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from temporalio.testing import WorkflowEnvironment

    from tests.cli.conftest import Team

RELEASE_TOML = """\
[project]
name = "{name}"
title = "Spam"
repository = "."
sandbox = {sandbox}
queue = "{name}"

[streams.1]
status = "bugfix"

[[roster]]
id = "ada"
name = "Ada"
roles = ["release-manager"]
keys = [{{ kind = "sigstore", identity = "ada@example.org", issuer = "https://issuer.example.org" }}]

[[roster]]
id = "grace"
name = "Grace"
roles = ["release-manager"]
keys = [{{ kind = "sigstore", identity = "grace@example.org", issuer = "https://issuer.example.org" }}]

[[steps]]
name = "source"
queue = "{name}-linux"
files = ["spam-{{version}}.tar.gz"]
builder = {{ kind = "command", commands = [["make", "dist"]] }}

[signing]
sigstore = "machine"
gpg = "none"

[signing.machine]
{machine}

[[gates]]
name = "commit"
before = "build"
needs = {{ release-manager = 1 }}

[[gates]]
name = "files"
before = "publish"
needs = {{ release-manager = 1 }}

[[targets]]
{target}
"""
REAL = {
    "sandbox": "false",
    "machine": 'identity = "https://git.example/spam/sign.yml@main"\nissuer = "https://issuer.example.org"',
    "target": 'kind = "directory"\nname = "site"\npath = "/srv/spam"\nurl = "https://spam.example/releases"',
}
REHEARSED = {"sandbox": "true", "machine": 'instance = "sandbox"', "target": 'kind = "sandbox"\nname = "site"'}


@dataclass
class Checkout:
    """A project in a git checkout with one commit."""

    folder: Path
    name: str
    commit: str

    @property
    def release(self) -> str:
        return f"{self.name}/1.0.0"


@pytest.fixture
async def make_checkout(tmp_path: Path, temporal: WorkflowEnvironment) -> AsyncIterator[Callable[..., Checkout]]:
    made: list[Checkout] = []

    def make(facts: dict[str, str]) -> Checkout:
        name = f"spam-{uuid.uuid4().hex[:8]}"
        folder = tmp_path / name
        folder.mkdir()
        (folder / "release.toml").write_text(RELEASE_TOML.format(name=name, **facts), encoding="utf-8")

        def git(*arguments: str) -> str:
            identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
            done = subprocess.run(
                ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
            )
            return done.stdout.strip()

        git("init", "--quiet", "--initial-branch=main")
        git("add", ".")
        git("commit", "--quiet", "--message", "Spam")
        git("tag", "good")
        made.append(Checkout(folder, name, git("rev-parse", "HEAD")))
        return made[-1]

    yield make
    async for execution in temporal.client.list_workflows('WorkflowType = "Release" AND ExecutionStatus = "Running"'):
        if any(execution.id == f"release/{checkout.release}" for checkout in made):
            await temporal.client.get_workflow_handle(execution.id).terminate()


@pytest.fixture
def world(tmp_path: Path, temporal: WorkflowEnvironment) -> World:
    """The facts of a local world whose Temporal is the tests' server."""
    key = tmp_path / "team.asc"
    key.write_text("-----BEGIN PGP PUBLIC KEY BLOCK-----\n", encoding="utf-8")
    world = World(
        state=tmp_path / "a world",
        temporal_address=temporal.client.service_client.config.target_host,
        ui_url="http://127.0.0.1:8233",
        namespace="default",
        store=tmp_path / "store",
        public_root=tmp_path / "public",
        public_url="http://127.0.0.1:8000",
        trust_config=tmp_path / "trust.json",
        identity="https://sandbox.example/machine",
        issuer="http://127.0.0.1:8100",
        gpg_fingerprint="A" * 40,
        gpg_public_key=key,
        hello_repository=tmp_path / "hello.git",
        hello_commit="c" * 40,
        pids={},
    )
    world.state.mkdir()
    write_world(world)
    return world


async def test_the_plan_that_is_shown_is_the_plan_that_is_started(
    team: Team, make_checkout: Callable[..., Checkout]
) -> None:
    checkout = make_checkout(REAL)
    asked = ("1.0.0", "-C", str(checkout.folder), "--as", "ada", "--commit", "good")

    planned = (await team.baton("plan", *asked, "--json")).json
    started = (await team.baton("start", *asked, "--yes", "--json")).json
    running = await team.client.get_workflow_handle(f"release/{checkout.release}").describe()

    assert planned["schema"] == "urn:baton:planned:v1"
    assert planned["plan"]["source"]["commit"] == checkout.commit
    assert started["schema"] == "urn:baton:started:v1"
    assert started["plan"] == planned["digest"]
    assert started["run"] == running.run_id
    assert started["ui_url"].endswith(f"/release%2F{checkout.name}%2F1.0.0")
    assert f"no worker is polling {checkout.name}-linux (none seen in the last 5 minutes)" in started["silent"]
    assert await running.static_summary() == f"{checkout.name} 1.0.0 (final), started by ada"
    details = await running.static_details()
    assert details is not None
    assert checkout.commit in details
    assert planned["digest"] in details


async def test_a_second_start_is_refused_with_the_first_ones_address(
    team: Team, make_checkout: Callable[..., Checkout]
) -> None:
    checkout = make_checkout(REAL)
    start = ("start", "1.0.0", "-C", str(checkout.folder), "--as", "ada", "--yes")
    first = await team.baton(*start)

    second = await team.baton(*start)

    assert first.code == 0
    assert f"baton status {checkout.release}" in first.out
    assert (second.code, second.out) == (4, "")
    assert f"{checkout.name} 1.0.0 runs already, in phase prepare" in second.err
    assert f"http://ui.example.org/namespaces/default/workflows/release%2F{checkout.name}%2F1.0.0" in second.err


async def test_starting_shows_the_plan_and_asks(team: Team, make_checkout: Callable[..., Checkout]) -> None:
    checkout = make_checkout(REAL)

    unasked = await team.baton("start", "1.0.0", "-C", str(checkout.folder), "--as", "ada")
    missing = await team.baton("status", checkout.release)

    assert (unasked.code, unasked.out) == (2, "")
    assert "gate files: sign-offs of the manifest: 1 by release-manager" in unasked.err
    assert "pass --yes" in unasked.err
    assert f"there is no release {checkout.name} 1.0.0" in missing.err


async def test_a_project_that_is_only_rehearsed_goes_to_the_local_world(
    team: Team, make_checkout: Callable[..., Checkout], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEMPORAL_ADDRESS")
    monkeypatch.delenv("BATON_UI_URL")
    checkout = make_checkout(REHEARSED)
    where = ("--state", str(world.state))
    asked = ("1.0.0", "-C", str(checkout.folder), "--as", "ada", *where)

    plan = (await team.baton("plan", *asked, "--json")).json["plan"]
    started = await team.baton("start", *asked, "--yes")
    address = await team.baton("ui", checkout.release, *where)

    assert plan["sandbox"] is True
    assert plan["signers"][0]["identity"]["identity"] == world.identity
    assert started.code == 0
    assert f"baton status {checkout.release} --state '{world.state}' --watch" in started.out
    assert address.out.startswith("http://127.0.0.1:8233/namespaces/default/workflows/release")
    assert address.out.strip() in started.out


async def test_a_version_that_can_not_be_released_is_refused_with_every_reason(
    team: Team, make_checkout: Callable[..., Checkout]
) -> None:
    checkout = make_checkout(REAL)

    refused = await team.baton("plan", "2.0.0", "-C", str(checkout.folder), "--as", "ada")
    nobody = await team.baton("plan", "1.0.0", "-C", str(checkout.folder), "--as", "adam")
    nothing = await team.baton("plan", "1.0.0", "-C", str(checkout.folder), "--as", "ada", "--commit", "nothing")

    assert (refused.code, nobody.code, nothing.code) == (1, 1, 1)
    assert "2.0.0 belongs to no stream of the project" in refused.err
    assert "adam is not on the roster; on it: ada, grace" in nobody.err
    assert "has no commit nothing" in nothing.err


async def test_check_says_what_stands_in_the_way_and_what_to_do(
    team: Team, make_checkout: Callable[..., Checkout]
) -> None:
    checkout = make_checkout(REAL)

    page = await team.baton("check", "-C", str(checkout.folder))
    document = (await team.baton("check", "-C", str(checkout.folder), "--json")).json
    (checkout.folder / "release.toml").write_text("[projekt]\n", encoding="utf-8")
    broken = await team.baton("check", "-C", str(checkout.folder), "--json")

    assert page.code == 0
    assert f"python worker.py --queue {checkout.name}-linux" in page.out
    assert (document["schema"], document["ok"]) == ("urn:baton:check:v1", True)
    silent = [finding for finding in document["findings"] if finding["subject"] == f"queue {checkout.name}-linux"]
    assert [finding["severity"] for finding in silent] == ["warning"]
    assert (broken.code, broken.json["ok"]) == (1, False)
    assert any("projekt" in finding["message"] for finding in broken.json["findings"])


async def test_check_without_a_server_still_says_everything_else(
    team: Team, make_checkout: Callable[..., Checkout], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    checkout = make_checkout(REAL)

    checked = await team.baton("check", "-C", str(checkout.folder), "--json")

    assert checked.code == 1
    found = {finding["subject"]: finding["message"] for finding in checked.json["findings"]}
    assert "no Temporal server answers at 127.0.0.1:1" in found["Temporal"]
    assert "roster ada" in found


async def test_the_schema_is_the_published_one(team: Team) -> None:
    schema = (await team.baton("schema")).json

    assert schema["title"] == "release.toml"
    assert "project" in schema["properties"]
