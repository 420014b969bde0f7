"""A run of the simulator of GitHub Actions, as it is kept."""

from __future__ import annotations

from datetime import datetime

from baton.model.base import Commit, Value


class FakeArtifact(Value):
    """An artifact, whose content is a file of the run's folder."""

    id: int
    name: str
    file: str
    size: int
    digest: str


class FakeRun(Value):
    """A run; fields as in GitHub's answers.

    Attributes:
        ref: the branch or tag that it was dispatched on.
        commit: what it builds.
        held: whether it stays in the queue.
        approved: whether what it waits for was approved.
    """

    id: int
    ref: str
    head_sha: Commit
    commit: Commit
    inputs: dict[str, str]
    title: str
    status: str
    conclusion: str | None = None
    attempt: int = 1
    created: datetime
    held: bool = False
    approved: bool = False
    artifacts: tuple[FakeArtifact, ...] = ()

    @property
    def job(self) -> int:
        """The id of the job of the latest attempt."""
        return self.id * 100 + self.attempt
