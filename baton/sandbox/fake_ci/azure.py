"""A simulator of Azure Pipelines that really builds: https://dev.azure.com as far as Baton, and people, need it.

For development only: whoever can reach its page may approve everything, and its results prove nothing.

``python -m baton.sandbox.fake_ci.azure CONFIG STATE PORT`` serves one until it is told to stop; CONFIG is a
:class:`~baton.sandbox.fake_ci.azure_pipeline.Project` in JSON. What goes wrong is asked for by
``POST /_sandbox/faults`` with ``{"fault": NAME, "times": NUMBER}``, where NAME is that of a member of
:class:`~baton.sandbox.fake_ci.azure_pipeline.Fault`; a run that is held in the queue goes on after
``POST /_sandbox/runs/ID/release``.
"""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from baton.sandbox.fake_ci.azure_api import Endpoints
from baton.sandbox.fake_ci.azure_documents import approval_id, packed_artifact
from baton.sandbox.fake_ci.azure_faults import Faults, sign_in
from baton.sandbox.fake_ci.azure_locations import resource_locations
from baton.sandbox.fake_ci.azure_page import run_page
from baton.sandbox.fake_ci.azure_pipeline import Fault, Project
from baton.sandbox.fake_ci.azure_runs import FakeRuns, Unfit
from baton.sandbox.fake_ci.serving import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.requests import Request
    from starlette.types import ASGIApp

    Answer = Callable[[Request, Any], Response]

_SEE_OTHER = 303


@dataclass(frozen=True)
class FakeAzure:
    """A simulator that runs.

    Attributes:
        url: the address of its organization, without a slash at its end.
        authority: where its application gets tokens.
        runs: everything that was queued.
        faults: what shall go wrong.
    """

    url: str
    authority: str
    runs: FakeRuns
    faults: Faults


@contextlib.contextmanager
def fake_azure(
    project: Project, folder: Path, *, port: int = 0, around: Callable[[ASGIApp], ASGIApp] = lambda app: app
) -> Iterator[FakeAzure]:
    """Simulate one project, in a thread of this process, for as long as the context lasts.

    Args:
        project: what it has.
        folder: where runs build and leave what they made; one that starts again on the same folder goes on with them.
        port: on 127.0.0.1; 0 takes a free one.
        around: wraps the application, for whoever wants to see what goes in and out.

    Raises:
        Unavailable: the port is taken.
    """
    runs, faults = FakeRuns(folder), Faults()
    with served(around(application(project, runs, faults)), port=port) as address:
        try:
            yield FakeAzure(f"{address}/{project.organization}", address, runs, faults)
        finally:
            runs.close()


def application(project: Project, runs: FakeRuns, faults: Faults) -> Starlette:
    """The ASGI application of a project."""
    site = _Site(project, runs, faults)
    endpoints = site.endpoints
    routes: list[tuple[str, str, Answer]] = [
        ("POST", "pipelines/{pipeline:int}/runs", endpoints.queue_run),
        ("GET", "pipelines/{pipeline:int}/runs", endpoints.list_runs),
        ("GET", "pipelines/{pipeline:int}/runs/{run:int}", endpoints.get_run),
        ("GET", "pipelines/{pipeline:int}/runs/{run:int}/artifacts", endpoints.get_artifact),
        ("GET", "pipelines/approvals", endpoints.get_approvals),
        ("PATCH", "pipelines/approvals", endpoints.update_approvals),
        ("GET", "build/builds", endpoints.list_builds),
        ("GET", "build/builds/{run:int}", endpoints.get_build),
        ("PATCH", "build/builds/{run:int}", endpoints.update_build),
        ("GET", "build/builds/{run:int}/timeline", endpoints.get_timeline),
        ("GET", "build/builds/{run:int}/timeline/{timeline}", endpoints.get_timeline),
        ("PATCH", "build/builds/{run:int}/stages/{stage}", endpoints.update_stage),
        ("GET", "build/builds/{run:int}/artifacts", endpoints.list_build_artifacts),
        ("GET", "build/builds/{run:int}/tags", endpoints.get_tags),
        ("POST", "build/builds/{run:int}/tags", endpoints.add_tags),
        ("PUT", "build/builds/{run:int}/tags/{tag}", endpoints.add_tags),
        ("GET", "build/builds/{run:int}/logs", endpoints.get_logs),
        ("GET", "build/builds/{run:int}/logs/{log:int}", endpoints.get_log),
        ("GET", "build/builds/{run:int}/leases", endpoints.get_leases),
        ("POST", "build/retention/leases", endpoints.add_leases),
    ]
    base = "/{organization}/{project}"
    return Starlette(
        routes=[
            Route("/_sandbox/faults", site.add_fault, methods=["POST"]),
            Route("/_sandbox/runs/{run:int}/release", site.release, methods=["POST"]),
            Route("/_signed/{run:int}/{name}", site.download),
            Route("/{organization}/_apis", site.locations, methods=["OPTIONS"]),
            Route("/{organization}/_apis/ResourceAreas", site.resource_areas),
            Route("/{tenant}/oauth2/v2.0/token", site.token, methods=["POST"]),
            Route(f"{base}/_build/results", site.page),
            Route(f"{base}/_build/approve", site.approve, methods=["POST"]),
            *(Route(f"{base}/_apis/{path}", site.api(answer), methods=[method]) for method, path, answer in routes),
        ],
        exception_handlers={HTTPException: _refuse, Unfit: _unfit},
    )


class _Site:
    """Who is let in, and what is not part of the project's API."""

    def __init__(self, project: Project, runs: FakeRuns, faults: Faults) -> None:
        self._project = project
        self._runs = runs
        self._faults = faults
        self._bearer = secrets.token_urlsafe()
        self.endpoints = Endpoints(project, runs, faults)

    def api(self, answer: Answer) -> Callable[[Request], Any]:
        """An endpoint of the project's API, for those who are let in."""

        async def respond(request: Request) -> Response:
            if not self._knows(request):
                return sign_in()
            if broken := self._faults.instead():
                return broken
            parts = request.path_params
            if (parts["organization"], parts["project"]) != (self._project.organization, self._project.name):
                raise HTTPException(404, "ProjectDoesNotExistWithNameException: the project does not exist")
            if "api-version" not in request.query_params and "api-version" not in request.headers.get("accept", ""):
                raise Unfit("No api-version was supplied for the request.")
            content = await request.body()
            body = json.loads(content) if content else None
            return self._faults.afterwards(await run_in_threadpool(answer, request, body))

        return respond

    def locations(self, _request: Request) -> Response:
        """Which resources there are; open to everyone, as Azure's."""
        locations = resource_locations()
        return JSONResponse({"count": len(locations), "value": locations})

    def resource_areas(self, _request: Request) -> Response:
        """No areas: everything is at the same address, as with Azure DevOps Server."""
        return JSONResponse({"count": 0, "value": []})

    async def token(self, request: Request) -> Response:
        """The token endpoint of Microsoft Entra ID."""
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        if (form.get("client_id"), form.get("client_secret")) != self._project.client:
            return JSONResponse({"error": "invalid_client", "error_description": "AADSTS7000215"}, status_code=401)
        return JSONResponse({"token_type": "Bearer", "expires_in": 3599, "access_token": self._bearer})

    def download(self, request: Request) -> Response:
        """What a signed address leads to; whoever shows a credential there gives it away, and gets nothing."""
        found = self.endpoints.signed.get(request.query_params.get("sig", ""))
        if "authorization" in request.headers or found is None:
            return Response("a signed address, and nothing else, is what counts here", status_code=400)
        return self._faults.download(packed_artifact(*found))

    def page(self, request: Request) -> Response:
        """Where people see a run and approve its stages."""
        run = self._runs.find(int(request.query_params.get("buildId", "0")))
        return HTMLResponse("no such run", status_code=404) if run is None else HTMLResponse(run_page(run))

    async def approve(self, request: Request) -> Response:
        """A person's click."""
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        for run, stage in self._runs.approvals():
            if approval_id(run, stage) == form.get("approval"):
                self._runs.approve(run, stage, form.get("status", ""))
                return RedirectResponse(f"results?buildId={run.id}", status_code=_SEE_OTHER)
        return HTMLResponse("no such approval", status_code=404)

    async def add_fault(self, request: Request) -> Response:
        """Let something go wrong."""
        wish = await request.json()
        self._faults.add(Fault[wish["fault"]], wish.get("times", 1))
        return Response(status_code=204)

    def release(self, request: Request) -> Response:
        """Let a run begin that is held in the queue."""
        run = self._runs.find(int(request.path_params["run"]))
        if run is None:
            return Response(status_code=404)
        self._runs.release(run)
        return Response(status_code=204)

    def _knows(self, request: Request) -> bool:
        basic = base64.b64encode(f":{self._project.token}".encode()).decode()
        return request.headers.get("authorization") in (f"Basic {basic}", f"Bearer {self._bearer}")


async def _refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - the only one that it is registered for
    kind, _, message = error.detail.partition(": ")
    return JSONResponse({"$id": "1", "message": message or kind, "typeKey": kind}, status_code=error.status_code)


async def _unfit(_request: Request, error: Exception) -> Response:
    return JSONResponse({"$id": "1", "message": str(error), "typeKey": "PipelineValidationException"}, status_code=400)


def main(config: Path, state: Path, port: int) -> None:
    """Serve in the foreground; ends on SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with fake_azure(Project.model_validate_json(config.read_bytes()), state, port=port):
        stop.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
