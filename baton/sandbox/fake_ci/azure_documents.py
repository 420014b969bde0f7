"""The JSON documents of the simulator of Azure Pipelines, in the form of version 7.1 of the REST API."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from baton.sandbox.fake_ci.azure_run import FakeRun, StageRun

_APPROVER = "00000000-0000-4000-8000-000000000001"
_RUN_STATE = {"completed": "completed", "cancelling": "canceling"}


class Documents:
    """Makes documents whose links lead to one project.

    Attributes:
        project: the address of the project, without a slash at its end.
    """

    def __init__(self, project: str) -> None:
        self.project = project
        self.api = f"{project}/_apis"

    def web(self, run: FakeRun) -> str:
        """Where people see a run."""
        return f"{self.project}/_build/results?buildId={run.id}"

    def run(self, run: FakeRun) -> dict[str, Any]:
        """``Run``, of Pipelines."""
        url = f"{self.api}/pipelines/{run.pipeline.id}/runs/{run.id}"
        return _without_none(
            id=run.id,
            name=_number(run),
            state=_RUN_STATE.get(run.status, "inProgress"),
            result=run.result,
            createdDate=_time(run.queued),
            finishedDate=_time(run.finished),
            pipeline={
                "id": run.pipeline.id,
                "name": run.pipeline.name,
                "folder": "\\",
                "revision": 1,
                "url": f"{self.api}/pipelines/{run.pipeline.id}?revision=1",
            },
            templateParameters=dict(run.parameters),
            variables={name: {"value": value} for name, value in run.variables.items()},
            resources={
                "repositories": {
                    "self": {"refName": run.ref, "version": run.version, "repository": {"type": "azureReposGit"}}
                }
            },
            url=url,
            _links={"self": {"href": url}, "web": {"href": self.web(run)}},
        )

    def build(self, run: FakeRun) -> dict[str, Any]:
        """``Build``: the same run by the older API."""
        url = f"{self.api}/build/Builds/{run.id}"
        return _without_none(
            id=run.id,
            buildNumber=_number(run),
            status=run.status,
            result=run.result,
            queueTime=_time(run.queued),
            startTime=_time(run.started),
            finishTime=_time(run.finished),
            definition={"id": run.pipeline.id, "name": run.pipeline.name, "type": "build", "queueStatus": "enabled"},
            sourceBranch=run.ref,
            sourceVersion=run.version,
            templateParameters=dict(run.parameters),
            parameters=json.dumps(dict(run.variables)) if run.variables else None,
            tags=list(run.tags),
            reason="manual",
            priority="normal",
            url=url,
            uri=f"vstfs:///Build/Build/{run.id}",
            _links={"self": {"href": url}, "web": {"href": self.web(run)}},
        )

    def timeline(self, run: FakeRun) -> dict[str, Any] | None:
        """``Timeline``, or None if the run has not begun."""
        if run.started is None:
            return None
        records = [record for at, stage in enumerate(run.stages, 1) for record in self._records(run, at, stage)]
        return {
            "id": run.uuid("timeline"),
            "changeId": 1,
            "records": records,
            "url": f"{self.api}/build/builds/{run.id}/Timeline/{run.uuid('timeline')}",
        }

    def approval(self, run: FakeRun, stage: StageRun) -> dict[str, Any]:
        """``Approval``, with its steps."""
        number = approval_id(run, stage)
        people = [{"id": _APPROVER, "displayName": name, "uniqueName": name} for name in stage.stage.approvers]
        return {
            "id": number,
            "status": stage.approval,
            "createdOn": _time(run.queued),
            "lastModifiedOn": _time(run.queued),
            "executionOrder": "anyOrder",
            "minRequiredApprovers": 1,
            "instructions": stage.stage.instructions,
            "blockedApprovers": [],
            "steps": [
                {"assignedApprover": person, "status": stage.approval, "order": at, "history": []}
                for at, person in enumerate(people, 1)
            ],
            "_links": {"self": {"href": f"{self.api}/pipelines/approvals/{number}"}},
        }

    def _records(self, run: FakeRun, at: int, stage: StageRun) -> Iterator[dict[str, Any]]:
        name = stage.stage.name
        above = None
        for kind in ("Stage", "Phase", "Job", "Task"):
            yield self._record(run, at, stage, kind, above)
            above = kind
        if stage.approval:
            done = stage.approval != "pending"
            state = {"state": "completed" if done else "inProgress"}
            result = {"result": "succeeded" if stage.approval == "approved" else "failed"} if done else {}
            for kind, parent in (("Checkpoint", "Stage"), ("Checkpoint.Approval", "Checkpoint")):
                yield {
                    "id": run.uuid(name, stage.attempt, kind),
                    "parentId": run.uuid(name, stage.attempt, parent),
                    "type": kind,
                    "name": kind,
                    "identifier": f"{name}.{kind}",
                    "attempt": stage.attempt,
                    **state,
                    **result,
                }

    @staticmethod
    def _record(run: FakeRun, at: int, stage: StageRun, kind: str, above: str | None) -> dict[str, Any]:
        name = stage.stage.name
        identifier = {"Stage": name, "Phase": f"{name}.Job", "Job": f"{name}.Job.__default"}.get(kind, f"{name}.Task")
        record = _without_none(
            id=run.uuid(name, stage.attempt, kind),
            parentId=run.uuid(name, stage.attempt, above) if above else None,
            type=kind,
            name=name if kind == "Stage" else f"{name} {kind.lower()}",
            identifier=identifier,
            state=stage.state,
            result=stage.result,
            startTime=_time(stage.started),
            finishTime=_time(stage.finished),
            order=at,
            attempt=stage.attempt,
            errorCount=int(stage.result == "failed"),
            warningCount=0,
            previousAttempts=[
                {"attempt": number, "recordId": run.uuid(name, number, kind), "timelineId": run.uuid("timeline")}
                for number in range(1, stage.attempt)
            ],
        )
        if kind == "Task" and stage.log is not None:
            record["log"] = {"id": at, "type": "Container"}
        if kind == "Task" and stage.result == "failed":
            record["issues"] = [{"type": "error", "category": "General", "message": "A command exited with an error."}]
        return record


def approval_id(run: FakeRun, stage: StageRun) -> str:
    """An approval's id, which is that of its record in the timeline."""
    return run.uuid(stage.stage.name, stage.attempt, "Checkpoint.Approval")


def packed_artifact(name: str, folder: Path) -> bytes:
    """An artifact as Azure packs it: a zip file with one folder of the artifact's name."""
    files = {f"{name}/{path.relative_to(folder).as_posix()}": path for path in sorted(folder.rglob("*"))}
    return _packed({member: path.read_bytes() for member, path in files.items() if path.is_file()})


def packed_logs(run: FakeRun) -> bytes:
    """The logs of all tasks in one zip file."""
    stages = [stage for stage in run.stages if stage.log is not None]
    return _packed({f"{stage.stage.name}/1_{stage.stage.name} task.txt": log_of(stage) for stage in stages})


def log_of(stage: StageRun) -> bytes:
    """What the task of a stage said, with times and marks as Azure has them."""
    lines = stage.log.read_text(encoding="utf-8", errors="replace").splitlines() if stage.log else []
    error = ["##[error]A command exited with an error."] if stage.result == "failed" else []
    lines = [f"##[section]Starting: {stage.stage.name} task", *lines, *error, "##[section]Finishing"]
    return "".join(f"{stage.started:%Y-%m-%dT%H:%M:%S.%f}0Z {line}\n" for line in lines).encode()


def _packed(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def _number(run: FakeRun) -> str:
    return f"{run.queued:%Y%m%d}.{run.id}"


def _time(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z" if moment else None


def _without_none(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
