"""One run of the simulator of Azure Pipelines, and its stages, as they are kept."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel, Field

from baton.sandbox.fake_ci.azure_pipeline import Pipeline, Stage


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


class StageRun(BaseModel):
    """One stage of one run.

    Attributes:
        state, result: as in a timeline record.
        approval: the status of its approval, or nothing if it needs none.
        log: what its task said.
    """

    stage: Stage
    state: str = "pending"
    result: str | None = None
    approval: str = ""
    attempt: int = 1
    started: datetime | None = None
    finished: datetime | None = None
    log: Path | None = None

    def finish(self, result: str) -> None:
        """End it."""
        self.state, self.result, self.finished = "completed", result, now()


class FakeRun(BaseModel):
    """One run of a pipeline.

    Attributes:
        version: the commit of the repository that the pipeline is defined in.
        commit: what is built.
        parameters, variables: what it was queued with, the former with the defaults.
        skip: the stages that do not run.
        held: whether it stays in the queue.
    """

    id: int
    pipeline: Pipeline
    ref: str
    version: str
    commit: str
    parameters: dict[str, str]
    variables: dict[str, str]
    folder: Path
    stages: list[StageRun]
    skip: tuple[str, ...] = ()
    held: bool = False
    status: str = "notStarted"
    result: str | None = None
    queued: datetime = Field(default_factory=now)
    started: datetime | None = None
    finished: datetime | None = None
    tags: list[str] = Field(default_factory=list)
    leases: list[dict[str, Any]] = Field(default_factory=list)

    def uuid(self, *parts: object) -> str:
        """The id of a part of the run, the same every time it is asked for."""
        return str(uuid5(NAMESPACE_URL, "/".join(map(str, (self.folder, self.id, *parts)))))

    @property
    def artifacts(self) -> dict[str, Path]:
        """The folders of the artifacts that it left."""
        return {
            path.name: path
            for stage in self.stages
            if stage.log is not None
            for path in sorted((stage.log.parent / "artifacts").glob("*"))
        }

    def inputs(self) -> dict[str, str]:
        """Variables as commands see them: upper case, with ``_`` for ``.``; parameters as ``PARAMETER_NAME``."""
        variables = {
            "Build.BuildId": str(self.id),
            "Build.SourceVersion": self.version,
            **{f"Parameter.{name}": value for name, value in self.parameters.items()},
            **self.variables,
        }
        return {name.upper().replace(".", "_"): value for name, value in variables.items()}
