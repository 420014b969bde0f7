"""The part of GitHub's REST API that building needs, as a web application."""

from __future__ import annotations

import json
import re
from datetime import datetime
from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from baton.sandbox.fake_ci.github_workflow import Fault

if TYPE_CHECKING:
    from starlette.requests import Request

    from baton.sandbox.fake_ci.github_access import Guard
    from baton.sandbox.fake_ci.github_bodies import Bodies, Json
    from baton.sandbox.fake_ci.github_downloads import Downloads
    from baton.sandbox.fake_ci.github_run import FakeRun
    from baton.sandbox.fake_ci.github_runs import FakeRuns
    from baton.sandbox.fake_ci.github_workflow import Workflow

_PER_PAGE = 30
_LARGEST_PAGE = 100
_SINCE = re.compile(r">=(\S+)")
_ISSUED_IDS = "2026-03-10"
_UNICORN = "<!DOCTYPE html><title>Unicorn!</title><p>This page is taking too long to load.</p>"


class GitHubApi:
    """Answers as GitHub does; what goes wrong is what the runs' faults say."""

    def __init__(self, runs: FakeRuns, bodies: Bodies, downloads: Downloads, guard: Guard) -> None:
        self._runs = runs
        self._bodies = bodies
        self._downloads = downloads
        self._guard = guard

    @property
    def workflow(self) -> Workflow:
        """The one workflow."""
        return self._runs.workflow

    def app(self) -> Starlette:
        """The application."""
        repository, run = f"/repos/{self.workflow.full_name}", "/actions/runs/{run:int}"
        workflow = f"{repository}/actions/workflows/{{workflow}}"
        kept = self._guard.for_token
        return Starlette(
            routes=[
                Route(f"{workflow}/dispatches", kept(self._dispatch), methods=["POST"]),
                Route(f"{workflow}/runs", kept(self._list)),
                Route(f"{repository}/commits/{{ref:path}}", kept(self._commit)),
                Route(f"{repository}{run}", kept(self._run)),
                Route(f"{repository}{run}/jobs", kept(self._jobs)),
                Route(f"{repository}{run}/artifacts", kept(self._artifacts)),
                Route(f"{repository}{run}/cancel", kept(self._cancel), methods=["POST"]),
                Route(f"{repository}{run}/force-cancel", kept(self._force_cancel), methods=["POST"]),
                Route(f"{repository}{run}/rerun-failed-jobs", kept(self._rerun), methods=["POST"]),
                Route(f"{repository}{run}/pending_deployments", kept(self._pending)),
                Route(f"{repository}{run}/pending_deployments", kept(self._review), methods=["POST"]),
                Route(f"{repository}/actions/artifacts/{{artifact:int}}/zip", kept(self._artifact)),
                Route(f"{repository}/actions/jobs/{{job:int}}/logs", kept(self._log)),
                Route(f"{repository}/installation", self._installation),
                Route("/app/installations/1/access_tokens", self._token, methods=["POST"]),
                Route(f"/{self.workflow.full_name}{run}", self._page),
                Route("/_sandbox/faults", self._fault, methods=["POST"]),
                Route(f"/_sandbox{run}/release", self._release, methods=["POST"]),
            ],
            exception_handlers={HTTPException: _problem},
        )

    async def _dispatch(self, request: Request) -> Response:
        self._require_workflow(request)
        asked: Json = await request.json()
        given: dict[str, str] = {name: str(value) for name, value in asked.get("inputs", {}).items()}
        if unknown := sorted(set(given) - set(self.workflow.inputs)):
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"Unexpected inputs provided: {unknown}")
        head = self._runs.head(asked["ref"])
        if head is None:
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"No ref found for: {asked['ref']}")
        run = self._runs.start(asked["ref"], head, given)
        if self._runs.happens(Fault.ANSWER_LOST):
            raise HTTPException(HTTPStatus.INTERNAL_SERVER_ERROR, "Server Error")
        if self._runs.happens(Fault.GARBLED):
            return HTMLResponse(_UNICORN)
        if request.headers.get("x-github-api-version") == _ISSUED_IDS or asked.get("return_run_details"):
            return JSONResponse(self._bodies.dispatched(run))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def _list(self, request: Request) -> Response:
        self._require_workflow(request)
        runs = [] if self._runs.happens(Fault.LAG) else self._runs.all()
        if since := _SINCE.fullmatch(request.query_params.get("created", "")):
            earliest = datetime.fromisoformat(since[1])
            runs = [run for run in runs if run.created >= earliest]
        return _page(request, "workflow_runs", [self._bodies.run(run) for run in runs])

    async def _commit(self, request: Request) -> Response:
        ref = request.path_params["ref"]
        commit = self._runs.head(re.sub("^(heads|tags)/", "", ref))
        if commit is None:
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"No commit found for SHA: {ref}")
        return Response(commit, media_type="application/vnd.github.sha")

    async def _run(self, request: Request) -> Response:
        if self._runs.happens(Fault.LAG):
            raise HTTPException(HTTPStatus.NOT_FOUND, "Not Found")
        return JSONResponse(self._bodies.run(self._find(request)))

    async def _jobs(self, request: Request) -> Response:
        return _page(request, "jobs", [self._bodies.job(self._find(request))])

    async def _artifacts(self, request: Request) -> Response:
        run, happens = self._find(request), self._runs.happens
        listed = []
        for artifact in run.artifacts:
            digest = None if happens(Fault.NO_DIGEST) else artifact.digest
            digest = "sha256:" + "0" * 64 if happens(Fault.WRONG_DIGEST) else digest
            listed.append(self._bodies.artifact(artifact, run, expired=happens(Fault.EXPIRED), digest=digest))
        return _page(request, "artifacts", listed)

    async def _artifact(self, request: Request) -> Response:
        wanted = request.path_params["artifact"]
        if self._runs.happens(Fault.GONE):
            raise HTTPException(HTTPStatus.GONE, "Artifact has expired")
        found = [artifact for run in self._runs.all() for artifact in run.artifacts if artifact.id == wanted]
        if not found:
            raise HTTPException(HTTPStatus.NOT_FOUND, "Not Found")
        return RedirectResponse(self._downloads.offer(self._runs.content(found[0])), HTTPStatus.FOUND)

    async def _log(self, request: Request) -> Response:
        job = request.path_params["job"]
        found = [run for run in self._runs.all() if run.job == job]
        if not found:
            raise HTTPException(HTTPStatus.NOT_FOUND, "Not Found")
        return RedirectResponse(self._downloads.offer(self._runs.log(found[0]), log=True), HTTPStatus.FOUND)

    async def _cancel(self, request: Request) -> Response:
        run = self._find(request)
        if self._runs.happens(Fault.STUCK) or not self._runs.cancel(run):
            raise HTTPException(HTTPStatus.CONFLICT, "Cannot cancel a workflow run that is completed.")
        return JSONResponse({}, HTTPStatus.ACCEPTED)

    async def _force_cancel(self, request: Request) -> Response:
        if not self._runs.cancel(self._find(request)):
            raise HTTPException(HTTPStatus.CONFLICT, "Cannot cancel a workflow run that is completed.")
        return JSONResponse({}, HTTPStatus.ACCEPTED)

    async def _rerun(self, request: Request) -> Response:
        if not self._runs.rerun(self._find(request)):
            raise HTTPException(HTTPStatus.FORBIDDEN, "This workflow run cannot be retried")
        if self._runs.happens(Fault.ANSWER_LOST):
            raise HTTPException(HTTPStatus.INTERNAL_SERVER_ERROR, "Server Error")
        return JSONResponse({}, HTTPStatus.CREATED)

    async def _pending(self, request: Request) -> Response:
        return JSONResponse(self._bodies.pending(self._find(request)))

    async def _review(self, request: Request) -> Response:
        said: Json = await request.json()
        self._runs.review(self._find(request), approved=said["state"] == "approved")
        return JSONResponse([])

    async def _installation(self, request: Request) -> Response:
        return JSONResponse(self._bodies.installation(self._guard.app(request)))

    async def _token(self, request: Request) -> Response:
        self._guard.app(request)
        token, ends = self._guard.new_token()
        body = {"token": token, "expires_at": f"{ends:%Y-%m-%dT%H:%M:%SZ}"}
        return JSONResponse(body, HTTPStatus.CREATED)

    async def _page(self, request: Request) -> Response:
        run = self._find(request)
        said = f"{run.title}: {run.status} {run.conclusion or ''}"
        log = escape(self._runs.log(run).decode())
        return HTMLResponse(f"<!DOCTYPE html><title>{escape(said)}</title><h1>{escape(said)}</h1><pre>{log}</pre>")

    async def _fault(self, request: Request) -> Response:
        said: Json = await request.json()
        self._runs.faults[Fault[said["fault"]]] += int(said.get("times", 1))
        return PlainTextResponse("so be it\n")

    async def _release(self, request: Request) -> Response:
        self._runs.release(self._find(request))
        return PlainTextResponse("it goes on\n")

    def _find(self, request: Request) -> FakeRun:
        run = self._runs.get(request.path_params["run"])
        if run is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "Not Found")
        return run

    def _require_workflow(self, request: Request) -> None:
        if request.path_params["workflow"] != self.workflow.file:
            raise HTTPException(HTTPStatus.NOT_FOUND, "Not Found")


async def _problem(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    body = {
        "message": error.detail,
        "documentation_url": "https://docs.github.com/rest",
        "status": f"{error.status_code}",
    }
    return JSONResponse(body, error.status_code, headers=error.headers)


def _page(request: Request, name: str, entries: list[Json]) -> Response:
    """One page of a list, with the link to the next one (RFC 8288)."""
    size = min(int(request.query_params.get("per_page", _PER_PAGE)), _LARGEST_PAGE)
    number = int(request.query_params.get("page", 1))
    shown = entries[(number - 1) * size : number * size]
    more = request.url.include_query_params(page=number + 1)
    headers = {"Link": f'<{more}>; rel="next"'} if len(entries) > number * size else {}
    return Response(
        json.dumps({"total_count": len(entries), name: shown}), media_type="application/json", headers=headers
    )
