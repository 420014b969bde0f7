"""What Azure DevOps answers, as far as Baton reads it.

The fields are those of the official description of the REST API, version 7.1; others are not looked at. A value that
is not among those that the description has for it is refused.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel


class Answer(BaseModel):
    """Something that Azure says."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class Run(Answer):
    """``Run`` of Pipelines: what queueing gives."""

    id: int


class Build(Answer):
    """``Build``: the same run, as the older API has it, which knows more.

    Attributes:
        parameters: the variables that were set when it was queued, a JSON object in a string.
    """

    id: int
    status: Literal["none", "inProgress", "completed", "cancelling", "postponed", "notStarted", "all"]
    result: Literal["none", "succeeded", "partiallySucceeded", "failed", "canceled"] | None = None
    build_number: str = ""
    source_version: str | None = None
    template_parameters: dict[str, Any] | None = None
    parameters: str | None = None
    tags: tuple[str, ...] = ()
    queue_time: AwareDatetime | None = None
    deleted: bool = False


class LogReference(Answer):
    """``BuildLogReference``: where the log of a record is."""

    id: int


class Issue(Answer):
    """``Issue``: an error or warning that a record reported."""

    type: Literal["error", "warning"]
    message: str = ""


class Task(Answer):
    """``TaskReference``: which task a record ran."""

    name: str = ""


class Record(Answer):
    """``TimelineRecord``: a stage, phase, job, task or checkpoint of a run.

    Attributes:
        identifier: the same in every attempt; of a stage, the name that the pipeline's definition has for it.
        attempt: from 1; grows when the stage is run again.
    """

    id: str
    parent_id: str | None = None
    type: str = ""
    name: str = ""
    identifier: str | None = None
    state: Literal["pending", "inProgress", "completed"] | None = None
    result: Literal["succeeded", "succeededWithIssues", "failed", "canceled", "skipped", "abandoned"] | None = None
    attempt: int = 1
    order: int | None = None
    issues: tuple[Issue, ...] | None = None
    log: LogReference | None = None
    task: Task | None = None

    @property
    def failed(self) -> bool:
        """Whether it ended otherwise than well."""
        return self.result in ("failed", "canceled", "abandoned")


class Timeline(Answer):
    """``Timeline``: all records of a run, each in its latest attempt. A run that has not begun may have none."""

    records: tuple[Record, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _nothing_yet(cls, said: object) -> object:
        return {} if said is None else said

    def of(self, *types: str) -> list[Record]:
        """The records of these types, in the order in which people see them."""
        found = [record for record in self.records if record.type in types]
        return sorted(found, key=lambda record: (record.order is None, record.order or 0))

    @property
    def attempt(self) -> int:
        """1, and one more for each time that a stage was run again."""
        return 1 + sum(max(record.attempt - 1, 0) for record in self.of("Stage"))

    def above(self, record: Record, kind: str) -> Record | None:
        """The record of this type that another one is part of."""
        by_id = {one.id: one for one in self.records}
        for _ in self.records:
            parent = by_id.get(record.parent_id or "")
            if parent is None or parent.type == kind:
                return parent
            record = parent
        return None


class Identity(Answer):
    """``IdentityRef``: a person or group."""

    display_name: str = "someone"


class ApprovalStep(Answer):
    """``ApprovalStep``: what one person or group has said."""

    status: str = ""
    assigned_approver: Identity | None = None


class Approval(Answer):
    """``Approval``: what people have to agree to before a stage begins."""

    id: str
    status: str = ""
    instructions: str | None = None
    steps: tuple[ApprovalStep, ...] | None = None


class SignedUrl(Answer):
    """``SignedUrl``: an address that lets everyone who has it in, for a while; a secret."""

    url: str = Field(repr=False)


class Artifact(Answer):
    """``Artifact``: with the address to download it from."""

    name: str
    signed_content: SignedUrl | None = None


class Lease(Answer):
    """``RetentionLease``: why a run is kept."""

    owner_id: str = ""
    valid_until: AwareDatetime | None = None


class Builds(Answer):
    """A part of a list of builds."""

    value: tuple[Build, ...]


class Leases(Answer):
    """All leases of a build."""

    value: tuple[Lease, ...]


class Approvals(Answer):
    """The approvals that were asked for."""

    value: tuple[Approval, ...]
