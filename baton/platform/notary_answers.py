"""What Apple's notary service answers, as far as it is read (https://developer.apple.com/documentation/notaryapi)."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr


class Status(StrEnum):
    """What the service says of a submission."""

    IN_PROGRESS = "In Progress"
    ACCEPTED = "Accepted"
    INVALID = "Invalid"
    REJECTED = "Rejected"


class Answer(BaseModel):
    """What every answer is: more may be in it than is read."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Grant(Answer):
    """Where a new submission's file goes, and the credentials for it, which last twelve hours."""

    aws_access_key_id: str = Field(alias="awsAccessKeyId")
    aws_secret_access_key: SecretStr = Field(alias="awsSecretAccessKey")
    aws_session_token: SecretStr = Field(alias="awsSessionToken")
    bucket: str
    object: str


class Opened(Answer):
    """A new submission: nothing of the file is there yet."""

    id: UUID
    attributes: Grant


class _Attributes(Answer):
    name: str
    status: Status
    created_date: AwareDatetime = Field(alias="createdDate")


class Seen(Answer):
    """A submission as the service tells of it."""

    id: UUID
    attributes: _Attributes


class _LogAddress(Answer):
    developer_log_url: SecretStr = Field(alias="developerLogUrl")


class _Log(Answer):
    attributes: _LogAddress


class OpenedAnswer(Answer):
    """``NewSubmissionResponse``."""

    data: Opened


class SeenAnswer(Answer):
    """``SubmissionResponse``."""

    data: Seen


class ListAnswer(Answer):
    """``SubmissionListResponse``."""

    data: list[Seen]


class LogAnswer(Answer):
    """``SubmissionLogURLResponse``."""

    data: _Log


class _Error(Answer):
    code: str = ""
    title: str = ""
    detail: str = ""


class Errors(Answer):
    """``ErrorResponse``."""

    errors: list[_Error]
