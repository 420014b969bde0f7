"""Azure's own client drives the simulator, as scripts of Azure's users do."""

from __future__ import annotations

import importlib
import io
import time
import zipfile
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from msrest.authentication import BasicAuthentication

from tests.builders.azure_world import APPROVED, BUILD, ENDLESS, FAIL_ONCE, GOOD, TOKEN, World, azure_world, stage
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PROJECT = "our project"


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    with azure_world(tmp_path, getattr(request, "param", GOOD)) as world:
        yield world


class Client:
    """The official client's two halves: ``build`` and ``pipelines``."""

    def __init__(self, url: str) -> None:
        connection = importlib.import_module("azure.devops.connection")
        factory = connection.Connection(base_url=url, creds=BasicAuthentication("", TOKEN)).clients_v7_1
        self.build = factory.get_build_client()
        self.pipelines = factory.get_pipelines_client()

    def run(self, **asked: Any) -> Any:
        models = importlib.import_module("azure.devops.v7_1.pipelines.models")
        return self.pipelines.run_pipeline(models.RunPipelineParameters(**asked), PROJECT, 21)

    def ended(self, run: int) -> Any:
        return until(lambda: self.build.get_build(PROJECT, run), lambda build: build.status == "completed")


@pytest.fixture
def client(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    # It keeps what it learns of a server in the user's home, also from one test to the next.
    monkeypatch.setenv("AZURE_DEVOPS_CACHE_DIR", str(tmp_path))
    caches = importlib.import_module("azure.devops._file_cache")
    for cache in (caches.OPTIONS_CACHE, caches.RESOURCE_CACHE):
        monkeypatch.setattr(cache, "file_name", str(tmp_path / f"{id(cache)}.json"))
        monkeypatch.setattr(cache, "data", {})
    return Client(world.azure.url)


def until(look: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not wanted(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def stage_of(client: Client, run: int, name: str) -> Any:
    records = client.build.get_build_timeline(PROJECT, run).records
    return next(record for record in records if record.type == "Stage" and record.name == name)


def test_a_run_can_be_queued_followed_tagged_kept_and_taken_in(world: World, client: Client) -> None:
    build_models = importlib.import_module("azure.devops.v7_1.build.models")

    run = client.run(template_parameters={"SourceTag": "v1.0.0"}, variables={"Channel": {"value": "stable"}})
    build = client.ended(run.id)

    assert (build.result, build.definition.id, build.template_parameters["SourceTag"]) == ("succeeded", 21, "v1.0.0")
    assert client.pipelines.get_run(PROJECT, 21, run.id).state == "completed"
    assert [one.id for one in client.pipelines.list_runs(PROJECT, 21)] == [run.id]
    assert [
        one.id for one in client.build.get_builds(PROJECT, definitions=[21], query_order="queueTimeDescending")
    ] == [run.id]
    assert client.build.add_build_tag(PROJECT, run.id, "one") == ["one"]
    assert client.build.add_build_tags(["two"], PROJECT, run.id) == ["one", "two"]
    assert client.build.get_build_tags(PROJECT, run.id) == ["one", "two"]
    lease = build_models.NewRetentionLease(
        days_valid=3, definition_id=21, owner_id="me", protect_pipeline=False, run_id=run.id
    )
    assert [one.owner_id for one in client.build.add_retention_leases([lease], PROJECT)] == ["me"]
    assert [one.run_id for one in client.build.get_retention_leases_for_build(PROJECT, run.id)] == [run.id]
    assert [one.name for one in client.build.get_artifacts(PROJECT, run.id)] == ["windows"]
    artifact = client.pipelines.get_artifact(PROJECT, 21, run.id, "windows", expand="signedContent")
    content = zipfile.ZipFile(io.BytesIO(httpx.get(artifact.signed_content.url).content))
    assert content.read("windows/x64/hello.exe") == b"built of second\nfor v1.0.0, stable"
    log = b"".join(client.build.get_build_log(PROJECT, run.id, 1))
    assert b"compiled hello.exe" in log
    assert [one.line_count for one in client.build.get_build_logs(PROJECT, run.id)] == [log.count(b"\n")]
    logs = zipfile.ZipFile(io.BytesIO(b"".join(client.build.get_build_logs_zip(PROJECT, run.id))))
    assert logs.namelist() == ["Build/1_Build task.txt"]
    assert len(world.checked.seen) > 15


@pytest.mark.parametrize("world", [(stage("Check", FAIL_ONCE), stage("Build", BUILD))], indirect=True)
def test_a_stage_can_be_run_again(world: World, client: Client) -> None:
    run = client.run(template_parameters={"Flag": str(world.scratch / "flag")})
    assert client.ended(run.id).result == "failed"
    assert (stage_of(client, run.id, "Check").result, stage_of(client, run.id, "Build").result) == ("failed", "skipped")

    client.build.update_stage({"state": "retry", "forceRetryAllJobs": False}, run.id, "Check", project=PROJECT)

    assert client.ended(run.id).result == "succeeded"
    assert (stage_of(client, run.id, "Check").attempt, stage_of(client, run.id, "Build").attempt) == (2, 1)


@pytest.mark.parametrize("world", [ENDLESS], indirect=True)
def test_a_run_can_be_cancelled(client: Client) -> None:
    build_models = importlib.import_module("azure.devops.v7_1.build.models")
    run = client.run()
    until(lambda: stage_of(client, run.id, "Build"), lambda one: one.state == "inProgress")

    client.build.update_build(build_models.Build(status="cancelling"), PROJECT, run.id)

    assert client.ended(run.id).result == "canceled"


@pytest.mark.parametrize(("status", "result"), [("approved", "succeeded"), ("rejected", "failed")])
@pytest.mark.parametrize("world", [APPROVED], indirect=True)
def test_a_stage_waits_until_someone_approves_or_rejects(
    world: World, client: Client, status: str, result: str
) -> None:
    run = client.run()
    approvals = f"{world.azure.url}/our%20project/_apis/pipelines/approvals?api-version=7.1"
    people = httpx.Client(auth=("", TOKEN))
    found = until(lambda: people.get(approvals).json()["value"], bool)
    assert [step["assignedApprover"]["displayName"] for step in found[0]["steps"]] == ["Steve", "Grace"]

    people.patch(approvals, json=[{"approvalId": found[0]["id"], "status": status, "comment": "seen"}])

    assert client.ended(run.id).result == result


def test_who_is_not_known_gets_the_page_for_signing_in(world: World) -> None:
    answer = httpx.get(f"{world.azure.url}/our%20project/_apis/build/builds?api-version=7.1", auth=("", "other"))
    assert (answer.status_code, answer.headers["content-type"]) == (203, "text/html; charset=utf-8")


def test_a_signed_address_wants_no_credential(world: World, client: Client) -> None:
    run = client.run()
    client.ended(run.id)
    url = client.pipelines.get_artifact(PROJECT, 21, run.id, "windows", expand="signedContent").signed_content.url

    assert httpx.URL(url).host != httpx.URL(world.azure.url).host
    assert httpx.get(url).status_code == 200
    assert httpx.get(url, auth=("", TOKEN)).status_code == 400
