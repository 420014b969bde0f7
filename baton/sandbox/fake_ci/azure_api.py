"""The simulator of Azure Pipelines: what it answers to each request of the REST API."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, PlainTextResponse, Response

from baton.sandbox.fake_ci.azure_documents import Documents, approval_id, log_of, packed_logs
from baton.sandbox.fake_ci.azure_faults import not_found
from baton.sandbox.fake_ci.azure_pipeline import Fault
from baton.sandbox.fake_ci.azure_run import now
from baton.sandbox.fake_ci.azure_runs import Unfit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from starlette.requests import Request

    from baton.sandbox.fake_ci.azure_faults import Faults
    from baton.sandbox.fake_ci.azure_pipeline import Pipeline, Project
    from baton.sandbox.fake_ci.azure_run import FakeRun
    from baton.sandbox.fake_ci.azure_runs import FakeRuns

_PAGE = 1000
_NO_CONTENT = 204


class Endpoints:
    """Answers requests that are let in; each method takes the request and its body, parsed.

    Attributes:
        signed: for the secret of each signed address the artifact and the folder that it leads to.
    """

    def __init__(self, project: Project, runs: FakeRuns, faults: Faults) -> None:
        self._pipelines = {pipeline.id: pipeline for pipeline in project.pipelines}
        self._runs = runs
        self._faults = faults
        self.signed: dict[str, tuple[str, Path]] = {}

    def queue_run(self, request: Request, body: dict[str, Any]) -> Response:
        """Runs - Run Pipeline."""
        pipeline = self._pipeline(request)
        source = body.get("resources", {}).get("repositories", {}).get("self", {})
        run = self._runs.queue(
            pipeline,
            ref=source.get("refName", "refs/heads/main"),
            version=source.get("version", ""),
            parameters=body.get("templateParameters", {}),
            variables={name: one.get("value", "") for name, one in body.get("variables", {}).items()},
            skip=tuple(body.get("stagesToSkip", ())),
            held=self._faults.strikes(Fault.HELD),
        )
        if self._faults.strikes(Fault.ANSWER_LOST):
            return JSONResponse({"message": "An unexpected error occurred."}, status_code=500)
        return JSONResponse(_documents(request).run(run))

    def list_runs(self, request: Request, _body: Any) -> Response:
        """Runs - List."""
        documents = _documents(request)
        return _collection(documents.run(run) for run in self._runs.all(self._pipeline(request).id))

    def get_run(self, request: Request, _body: Any) -> Response:
        """Runs - Get."""
        return JSONResponse(_documents(request).run(self._run(request)))

    def get_artifact(self, request: Request, _body: Any) -> Response:
        """Artifacts - Get, of Pipelines; with ``$expand=signedContent`` an address on another host is part of it."""
        run, name = self._run(request), request.query_params["artifactName"]
        folder = run.artifacts.get(name)
        if folder is None or self._faults.strikes(Fault.ARTIFACT_GONE):
            raise not_found(f"Artifact {name} was not found for build {run.id}.", "ArtifactNotFoundException")
        document: dict[str, Any] = {"name": name, "url": str(request.url)}
        if request.query_params.get("$expand") == "signedContent":
            secret = secrets.token_urlsafe()
            self.signed[secret] = (name, folder)
            document["signedContent"] = {
                "url": f"http://localhost:{request.url.port}/_signed/{run.id}/{name}.zip?sig={secret}",
                "signatureExpires": (now() + timedelta(hours=1)).isoformat().replace("+00:00", "Z"),
            }
        return JSONResponse(document)

    def list_builds(self, request: Request, _body: Any) -> Response:
        """Builds - List; of its filters those that Baton uses."""
        query = request.query_params
        runs = [run for number in query.get("definitions", "").split(",") for run in self._runs.all(int(number or 0))]
        if since := query.get("minTime"):
            runs = [run for run in runs if run.queued >= datetime.fromisoformat(since)]
        if self._faults.strikes(Fault.UNLISTED):
            runs = runs[1:]
        begin, size = int(query.get("continuationToken", "0")), int(query.get("$top", _PAGE))
        documents = _documents(request)
        response = _collection(documents.build(run) for run in runs[begin : begin + size])
        if len(runs) > begin + size:
            response.headers["x-ms-continuationtoken"] = str(begin + size)
        return response

    def get_build(self, request: Request, _body: Any) -> Response:
        """Builds - Get."""
        return JSONResponse(_documents(request).build(self._run(request)))

    def update_build(self, request: Request, body: dict[str, Any]) -> Response:
        """Builds - Update Build; what can be updated is that it is cancelled."""
        run = self._run(request)
        if str(body.get("status", "")).lower() != "cancelling":
            raise Unfit("Only the status Cancelling can be set")
        self._runs.cancel(run)
        return JSONResponse(_documents(request).build(run))

    def get_timeline(self, request: Request, _body: Any) -> Response:
        """Timeline - Get; a build that has not begun has none."""
        timeline = _documents(request).timeline(self._run(request))
        return Response(status_code=_NO_CONTENT) if timeline is None else JSONResponse(timeline)

    def update_stage(self, request: Request, body: dict[str, Any]) -> Response:
        """Stages - Update."""
        if body.get("state") != "retry":
            raise Unfit("Only the state retry can be set")
        self._runs.retry(self._run(request), request.path_params["stage"])
        return Response()

    def list_build_artifacts(self, request: Request, _body: Any) -> Response:
        """Artifacts - List, of Build."""
        run = self._run(request)
        return _collection(
            {"id": at, "name": name, "source": run.uuid("job"), "resource": {"type": "PipelineArtifact"}}
            for at, name in enumerate(run.artifacts, 1)
        )

    def get_tags(self, request: Request, _body: Any) -> Response:
        """Tags - Get Build Tags."""
        return _collection(self._run(request).tags)

    def add_tags(self, request: Request, body: list[str] | None) -> Response:
        """Tags - Add Build Tag, and Add Build Tags."""
        run = self._run(request)
        named = request.path_params.get("tag")
        new = [tag for tag in ([named] if named else body or []) if tag not in run.tags]
        self._runs.change(run, tags=[*run.tags, *new])
        return _collection(run.tags)

    def get_logs(self, request: Request, _body: Any) -> Response:
        """Builds - Get Build Logs: a list, or all of them in a zip file if that is asked for."""
        run = self._run(request)
        if request.headers.get("accept", "").startswith("application/zip"):
            return Response(packed_logs(run), media_type="application/zip")
        logs = [(at, log_of(one)) for at, one in enumerate(run.stages, 1) if one.log]
        return _collection({"id": at, "type": "Container", "lineCount": log.count(b"\n")} for at, log in logs)

    def get_log(self, request: Request, _body: Any) -> Response:
        """Builds - Get Build Log."""
        run, at = self._run(request), int(request.path_params["log"])
        if not 0 < at <= len(run.stages) or run.stages[at - 1].log is None:
            raise not_found(f"Log {at} of build {run.id} was not found.", "BuildLogNotFoundException")
        return PlainTextResponse(log_of(run.stages[at - 1]))

    def get_leases(self, request: Request, _body: Any) -> Response:
        """Builds - Get Retention Leases For Build."""
        return _collection(self._run(request).leases)

    def add_leases(self, _request: Request, body: list[dict[str, Any]]) -> Response:
        """Leases - Add."""
        made = []
        for wish in body:
            run = self._runs.find(wish["runId"])
            if run is None or run.pipeline.id != wish["definitionId"]:
                raise _no_build(wish["runId"])
            until = now() + timedelta(days=wish["daysValid"])
            lease = {
                "leaseId": len(run.leases) + 1,
                "definitionId": run.pipeline.id,
                "runId": run.id,
                "ownerId": wish["ownerId"],
                "protectPipeline": wish["protectPipeline"],
                "createdOn": now().isoformat().replace("+00:00", "Z"),
                "validUntil": until.isoformat().replace("+00:00", "Z"),
            }
            self._runs.change(run, leases=[*run.leases, lease])
            made.append(lease)
        return _collection(made)

    def get_approvals(self, request: Request, _body: Any) -> Response:
        """Approvals - Query."""
        wanted = [number for number in request.query_params.get("approvalIds", "").split(",") if number]
        documents = _documents(request)
        found = [documents.approval(run, stage) for run, stage in self._runs.approvals()]
        return _collection(one for one in found if not wanted or one["id"] in wanted)

    def update_approvals(self, request: Request, body: list[dict[str, Any]]) -> Response:
        """Approvals - Update."""
        documents, known = _documents(request), {approval_id(*pair): pair for pair in self._runs.approvals()}
        answers = []
        for wish in body:
            if wish["approvalId"] not in known:
                raise not_found(f"Approval {wish['approvalId']} was not found.", "ApprovalNotFoundException")
            run, stage = known[wish["approvalId"]]
            self._runs.approve(run, stage, wish["status"])
            answers.append(documents.approval(run, stage))
        return _collection(answers)

    def _pipeline(self, request: Request) -> Pipeline:
        number = int(request.path_params["pipeline"])
        if number not in self._pipelines:
            raise not_found(f"Pipeline {number} was not found.", "PipelineDoesNotExistException")
        return self._pipelines[number]

    def _run(self, request: Request) -> FakeRun:
        number = int(request.path_params["run"])
        run = self._runs.find(number)
        if run is None or self._faults.strikes(Fault.LAG):
            raise _no_build(number)
        return run


def _no_build(number: int) -> Exception:
    return not_found(f"The requested build {number} could not be found.", "BuildNotFoundException")


def _documents(request: Request) -> Documents:
    parts = request.path_params
    return Documents(f"{str(request.base_url).rstrip('/')}/{parts['organization']}/{parts['project']}")


def _collection(entries: Iterable[Any]) -> JSONResponse:
    value = list(entries)
    return JSONResponse({"count": len(value), "value": value})
