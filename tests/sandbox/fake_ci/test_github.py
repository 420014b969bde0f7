from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from openapi_spec_validator import validate
from starlette.responses import JSONResponse

from baton.git import git
from baton.sandbox.fake_ci.github import Access, Fault, GitHubConfig, Workflow, github_simulator
from baton.sandbox.fake_ci.runs import Recipe
from baton.sandbox.fake_ci.serving import served
from tests.builders.github_contract import DESCRIPTION, Contract
from tests.builders.github_world import TOKEN, World, github_world
from tests.conftest import PATIENCE, own_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

REPOSITORY = "/repos/example/hello"
RUNS = f"{REPOSITORY}/actions/runs"
DISPATCHES = f"{REPOSITORY}/actions/workflows/build.yml/dispatches"
ASK = {"ref": "main", "inputs": {"baton": "the-key", "mode": "good"}}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with github_world(tmp_path_factory.mktemp("github")) as world:
        yield world


def client(url: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {TOKEN}", "X-GitHub-Api-Version": "2026-03-10"}
    return httpx.Client(base_url=url, headers=headers)


def until(api: httpx.Client, run: int, wanted: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not wanted(body := api.get(f"{RUNS}/{run}").json()):
        assert time.monotonic() < deadline, body
        time.sleep(0.02)
    return body


@contextmanager
def killed_process(folder: Path) -> Iterator[str]:
    """The address of a simulator in a process of its own, which is killed in the end."""
    port = own_port()
    command = [sys.executable, "-m", "baton.sandbox.fake_ci.github", "config.json", "state", str(port)]
    with subprocess.Popen(command, cwd=folder, start_new_session=True) as process:
        try:
            deadline = time.monotonic() + PATIENCE
            url = f"http://127.0.0.1:{port}"
            while not _answers(url):
                assert time.monotonic() < deadline
                assert process.poll() is None
                time.sleep(0.05)
            yield url
        finally:
            process.kill()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == HTTPStatus.NOT_FOUND
    except httpx.TransportError:
        return False


def test_it_really_builds_the_commit_that_a_branch_is_on(world: World) -> None:
    with client(world.simulator.url) as api:
        started = api.post(DISPATCHES, json=ASK).json()
        run = until(api, started["workflow_run_id"], lambda body: body["status"] == "completed")
        assert (run["conclusion"], run["head_sha"]) == ("success", world.commit)
        (artifact,) = api.get(f"{RUNS}/{run['id']}/artifacts").json()["artifacts"]
        answer = api.get(f"{REPOSITORY}/actions/artifacts/{artifact['id']}/zip")
        assert answer.status_code == HTTPStatus.FOUND
        assert httpx.URL(answer.headers["location"]).port != httpx.URL(world.simulator.url).port
        assert len(httpx.get(answer.headers["location"]).content) == artifact["size_in_bytes"]


def test_lists_come_in_pages(world: World) -> None:
    with client(world.simulator.url) as api:
        world.goes_wrong(Fault.HELD, times=3)
        ids = [api.post(DISPATCHES, json=ASK).json()["workflow_run_id"] for _ in range(3)]
        listed, url = [], f"{REPOSITORY}/actions/workflows/build.yml/runs?per_page=2"
        while url:
            page = api.get(url)
            listed += [run["id"] for run in page.json()["workflow_runs"]]
            url = page.links.get("next", {}).get("url", "")
        assert set(ids) <= set(listed)
        assert len(listed) == len(set(listed)) == page.json()["total_count"]


def test_faults_are_asked_for_over_http(world: World) -> None:
    with client(world.simulator.url) as api:
        api.post("/_sandbox/faults", json={"fault": "HELD"}).raise_for_status()
        run = api.post(DISPATCHES, json=ASK).json()["workflow_run_id"]
        assert api.get(f"{RUNS}/{run}").json()["status"] == "queued"
        api.post(f"/_sandbox/actions/runs/{run}/release").raise_for_status()
        until(api, run, lambda body: body["conclusion"] == "success")


def test_a_stranger_is_refused(world: World) -> None:
    assert httpx.get(f"{world.simulator.url}{RUNS}/1").status_code == HTTPStatus.UNAUTHORIZED


def test_it_goes_on_where_an_earlier_process_was_killed(tmp_path: Path) -> None:
    origin, go = tmp_path / "origin", tmp_path / "go"
    origin.mkdir()
    (origin / "README").write_text("hello\n")
    who = {
        f"GIT_{role}_{what}": "ada@example.invalid" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    git("init", "--quiet", "--initial-branch=main", folder=origin)
    git("add", "--all", folder=origin)
    git("commit", "--quiet", "--message", "First", folder=origin, environment=who)
    script = f"import pathlib, time\nwhile not pathlib.Path({str(go)!r}).exists(): time.sleep(0.02)\n"
    config = GitHubConfig(
        workflow=Workflow(
            repository=origin,
            inputs=("baton", "mode"),
            recipe=Recipe(
                commands=(("python", "-c", script), ("mkdir", "dist"), ("cp", "README", "dist")),
                artifacts={"a": "dist"},
            ),
        ),
        access=Access(token=TOKEN),
    )
    (tmp_path / "config.json").write_text(config.model_dump_json())
    with killed_process(tmp_path) as url, client(url) as api:
        run = api.post(DISPATCHES, json=ASK).json()["workflow_run_id"]
        until(api, run, lambda body: body["status"] == "in_progress")
    go.touch()
    with github_simulator(config, tmp_path / "state") as simulator, client(simulator.url) as api:
        assert until(api, run, lambda body: body["status"] == "completed")["conclusion"] == "success"
        assert api.get(f"{RUNS}/{run}/artifacts").json()["total_count"] == 1


def test_what_is_not_as_the_description_has_it_is_noted() -> None:
    async def sloppy(scope: Scope, receive: Receive, send: Send) -> None:
        await JSONResponse({"total_count": "many", "jobs": []})(scope, receive, send)

    contract = Contract()
    with served(contract.around(sloppy)) as url:
        httpx.get(f"{url}{RUNS}/1/jobs")
        httpx.post(f"{url}{DISPATCHES}", json={"inputs": "none"})
        httpx.get(f"{url}{REPOSITORY}/actions/nothing")
    assert [line.partition(":")[0] for line in contract.broken] == [
        f"GET {RUNS}/1/jobs 200",
        f"POST {DISPATCHES} 200",
        f"GET {REPOSITORY}/actions/nothing 200",
    ]
    assert "'many' is not of type 'integer'" in contract.broken[0]


def test_the_description_is_valid_and_says_where_it_is_from() -> None:
    loaded = json.loads(DESCRIPTION.read_bytes())
    validate(loaded)
    assert "@octokit/openapi" in loaded["info"]["x-from"]
    assert "MIT" in json.dumps(loaded["info"]["license"])
