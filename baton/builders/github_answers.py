"""What Baton reads of GitHub's answers (https://docs.github.com/rest/actions); the rest of them is passed over."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from baton.model.base import Digest
from baton.model.outside import Link


class Answer(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Dispatched(Answer):
    """What a dispatch answers where the API version has it so."""

    workflow_run_id: int
    html_url: Link


class WorkflowRun(Answer):
    """A run of a workflow.

    Attributes:
        status: ``queued``, ``requested``, ``pending``, ``waiting``, ``in_progress`` or ``completed``.
        conclusion: set once it is completed: ``success``, ``failure``, ``cancelled``, ``timed_out``, …
        display_title: what the workflow's ``run-name`` says.
        run_attempt: 1, and one more each time that it is run again.
    """

    id: int
    status: str | None
    conclusion: str | None
    head_sha: str
    display_title: str
    html_url: Link
    run_attempt: Annotated[int, Field(ge=1)] = 1
    created_at: AwareDatetime


class WorkflowRuns(Answer):
    """One page of runs."""

    total_count: int
    workflow_runs: tuple[WorkflowRun, ...]


class JobStep(Answer):
    """A step of a job."""

    name: str
    status: str
    conclusion: str | None


class Job(Answer):
    """A job of a run."""

    id: int
    name: str
    status: str
    conclusion: str | None
    steps: tuple[JobStep, ...] = ()


class Jobs(Answer):
    """One page of jobs."""

    total_count: int
    jobs: tuple[Job, ...]


class StoredArtifact(Answer):
    """An artifact as GitHub stores it.

    Attributes:
        digest: of what a download gives: the zip file, as a rule.
        size_in_bytes: of the same.
    """

    id: int
    name: str
    size_in_bytes: Annotated[int, Field(ge=0)]
    expired: bool
    digest: Digest | None = None
    expires_at: AwareDatetime | None = None


class StoredArtifacts(Answer):
    """One page of artifacts."""

    total_count: int
    artifacts: tuple[StoredArtifact, ...]


class Environment(Answer):
    """What a deployment goes to, which may be protected."""

    name: str = "?"


class Reviewer(Answer):
    """A person or team who may approve."""

    login: str | None = None
    slug: str | None = None


class ReviewerEntry(Answer):
    """A reviewer and what kind of one."""

    reviewer: Reviewer | None = None


class PendingDeployment(Answer):
    """What a waiting run waits for.

    Attributes:
        wait_timer: minutes that the environment makes every run wait.
    """

    environment: Environment
    wait_timer: int
    reviewers: tuple[ReviewerEntry, ...] = ()


class Installation(Answer):
    """A GitHub App on a repository."""

    id: int


class InstallationToken(Answer):
    """A token that a GitHub App acts with for an hour."""

    token: Annotated[str, Field(repr=False)]
    expires_at: AwareDatetime
