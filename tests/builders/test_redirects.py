"""A credential goes to the system that it is for, and along with no redirect to anywhere else."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import httpx
import pytest

from baton.builders.azure_answers import Artifact
from baton.builders.azure_api import conversation
from baton.builders.azure_pipelines import AzurePipelines
from baton.builders.github_actions import GitHubActions
from baton.builders.github_api import GitHubApi
from baton.model.errors import Failed, Refused
from baton.model.outside import GitHubBuilder, OutsideRun
from baton.model.outside_azure import AzureBuilder, PatCredential
from tests.builders import azure_world, github_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUN = OutsideRun(
    key="hello-run-1", commit="c" * 40, id="1", url="https://ci.example.org/1", dispatched=datetime.now(UTC)
)


@contextmanager
def answering(location: str = "") -> Iterator[tuple[str, list[str]]]:
    """A server that redirects everything, or knows nothing; gives its address, and the requests that it was sent."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302 if location else 404)
            self.send_header("Location", location + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.fixture(autouse=True)
def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN_FOR_TEST", github_world.TOKEN)
    monkeypatch.setenv("AZURE_TOKEN", azure_world.TOKEN)


def test_githubs_api_is_followed_nowhere() -> None:
    with answering() as (elsewhere, received), answering(elsewhere) as (api, asked):
        builder = GitHubBuilder(
            repository="example/hello",
            workflow="build.yml",
            ref="main",
            inputs={"baton": "{key}"},
            artifacts=("packages",),
            api=api,
            token_from="GITHUB_TOKEN_FOR_TEST",  # noqa: S106  # a name
        )
        with pytest.raises(Failed, match="a redirect; was the repository renamed"):
            GitHubActions(builder).look(RUN)
        assert asked
        assert received == []


def test_azures_api_is_followed_nowhere() -> None:
    with answering() as (elsewhere, received), answering(elsewhere) as (api, asked):
        builder = AzureBuilder(
            organization=f"{api}/example",
            project="hello",
            pipeline=1,
            credential=PatCredential(token_from="AZURE_TOKEN"),  # noqa: S106  # a name
            artifacts=("windows",),
        )
        with pytest.raises(Refused, match="does not accept the credential"):
            AzurePipelines(builder).look(RUN)
        assert asked
        assert received == []


def test_githubs_downloads_get_no_credential(tmp_path: Path) -> None:
    with github_world.github_world(tmp_path) as world:
        adapter = world.adapter()
        run = adapter.dispatch(world.order())
        github_world.until(adapter, run)
        api = GitHubApi(world.builder())
        address = api.download_address(api.artifacts(run.id)[0].id)
        assert httpx.URL(address).netloc != httpx.URL(world.simulator.url).netloc
        # Where it would show, had a credential come along.
        assert httpx.get(address, headers={"Authorization": f"Bearer {github_world.TOKEN}"}).is_client_error
        assert adapter.collect(run, github_world.FILES, world.intake()).commit == world.commit


def test_azures_downloads_get_no_credential(tmp_path: Path) -> None:
    with azure_world.azure_world(tmp_path) as world:
        pipelines = world.pipelines()
        run = pipelines.dispatch(world.order())
        azure_world.ended(lambda: pipelines.look(run))
        with conversation(world.builder()) as api:
            path = f"pipelines/{world.builder().pipeline}/runs/{run.id}/artifacts"
            found = api.get(path, Artifact, artifactName="windows", expand="signedContent").signed_content
        assert found is not None
        assert httpx.get(found.url, headers={"Authorization": f"Basic {azure_world.TOKEN}"}).is_client_error
        assert pipelines.collect(run, ("hello.exe",), world.intake).commit == run.commit
