"""What the simulator of GitHub Actions is told to have: a repository with a workflow, and what goes wrong."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field

from baton.model.base import Value
from baton.sandbox.fake_ci.runs import Recipe

_INPUT = re.compile(r"\$\{\{\s*inputs\.([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}")


class Workflow(Value):
    """A workflow with one job, and the repository that it is in.

    Attributes:
        repository: the local git repository that stands for the one on GitHub; branches and tags are its own.
        full_name: what it is called on GitHub, as ``owner/name``.
        file: the workflow's file.
        run_name: how its runs are called; ``${{ inputs.NAME }}`` stands for an input.
        inputs: what it declares; a dispatch with others is refused. Commands find them as ``INPUT_NAME``.
        recipe: what its job does.
        job: what the job is called.
        source: the local git repository that is built, if it is another one; then:
        commit_in: the input that says which commit of it.
        reviewers: the logins of those who have to approve before the job begins; one of them is enough.
        environment: what they approve a deployment to.
    """

    repository: Path
    full_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+/[A-Za-z0-9._-]+$")] = "example/hello"
    file: str = "build.yml"
    run_name: str = "Build for ${{ inputs.baton }}"
    inputs: tuple[str, ...] = ("baton",)
    recipe: Recipe
    job: str = "build"
    source: Path | None = None
    commit_in: str | None = None
    reviewers: tuple[str, ...] = ()
    environment: str = "release"

    def title(self, inputs: dict[str, str]) -> str:
        """What a run with these inputs is called."""
        return _INPUT.sub(lambda found: inputs.get(found[1], ""), self.run_name)


class Access(Value):
    """Whose requests are answered.

    Attributes:
        token: accepted as it is.
        app: the id of a GitHub App that is installed on the repository.
        app_key: its public key in PEM form.
        token_seconds: how long its installation's tokens are good for.
    """

    token: str
    app: str = ""
    app_key: str = ""
    token_seconds: int = 3600


class GitHubConfig(Value):
    """All that a simulator is told."""

    workflow: Workflow
    access: Access


class Fault(StrEnum):
    """What can go wrong; each as often as it is asked for."""

    ANSWER_LOST = "a run is started, or run again, and the answer is 500"
    NOT_SENT = "500, and nothing is done"
    GARBLED = "a run is started, and the answer is a page for people"
    LAG = "a run that is there is neither found nor listed"
    UNAUTHORIZED = "401"
    FORBIDDEN = "403, for lack of a permission"
    SECONDARY_LIMIT = "403 of the secondary rate limit, without saying for how long"
    RETRY_AFTER = "429 with Retry-After: 17"
    PRIMARY_LIMIT = "403 with no requests remaining, for 90 seconds"
    HELD = "a run stays in the queue until it is let go"
    STUCK = "a run does not respond to being cancelled"
    EXPIRED = "an artifact has expired"
    GONE = "410 for an artifact that was there just now"
    NO_DIGEST = "an artifact has no digest"
    WRONG_DIGEST = "an artifact has the digest of something else"
    TRUNCATED = "a download breaks off"
    CUT_SHORT = "a download ends in the middle, as if it was whole"
    LINK_EXPIRED = "403 for an address that was given just now"
    PLAIN_FILE = "an artifact is a file itself, as with `archive: false`"
