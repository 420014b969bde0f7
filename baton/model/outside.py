"""Work that an outside CI system does for a release: what is ordered there, and what it says of it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, model_validator

from baton.model.base import Commit, Digest, EnvName, Text, Value
from baton.model.errors import Invalid
from baton.model.manifest import SetRef

_PLACEHOLDER = re.compile(r"\{([a-z_]*)\}")
_PLACEHOLDERS = ("version", "tag", "commit", "key")


def _known(template: str) -> str:
    for name in _PLACEHOLDER.findall(template):
        if name not in _PLACEHOLDERS:
            accepted = ", ".join(f"{{{name}}}" for name in _PLACEHOLDERS)
            raise ValueError(f"unknown placeholder {{{name}}}; accepted: {accepted}")
    return template


Template = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_known)]
"""A text in which ``{version}``, ``{tag}``, ``{commit}`` and ``{key}`` stand for those of the order."""

Link = Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=1000)]
"""An address that a person can open in a browser."""

OrderKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", min_length=8, max_length=150)]
"""What an order is found again by: never the same for two orders, so it names release run, step and attempt."""


class OutsideOrder(Value):
    """One run that is wanted of an outside CI system.

    Attributes:
        key: by which the run is found again when the answer to its dispatch was lost.
        version: the version that is released.
        tag: the release's tag, which is not public yet.
        commit: what has to be built.
        asked: when the order was first given; a run that is older is none of its.
    """

    key: OrderKey
    version: str
    tag: str
    commit: Commit
    asked: AwareDatetime

    def fill(self, template: str) -> str:
        """The template with the order's values in place of its placeholders.

        Raises:
            Invalid: a placeholder is none.
        """
        try:
            _known(template)
        except ValueError as error:
            raise Invalid(f"{template!r}: {error}") from None
        return _PLACEHOLDER.sub(lambda found: str(getattr(self, found[1])), template)


class OutsideRun(Value):
    """A run that an order started. It is all that has to be kept of it.

    Attributes:
        key: the order's.
        commit: the order's.
        id: the outside system's name for the run.
        url: where people see it.
        attempt: which attempt of the run is followed, from 1; it grows when what failed is run again.
        dispatched: when the run was started or found.
    """

    key: OrderKey
    commit: Commit
    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
    url: Link
    attempt: Annotated[int, Field(ge=1)] = 1
    dispatched: AwareDatetime


class RunState(StrEnum):
    """Where an outside run is.

    ``WAITING`` is for a person who has to approve something in the outside system.
    """

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether it stays like this unless someone runs it again."""
        return self in (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED)


class RunReport(Value):
    """What an outside system says of a run.

    Attributes:
        stage: the part of the run that is under way, waits or failed; may be empty.
        line: one line for people, which needs no other field but ``url`` beside it.
        url: where people see it, or where they approve if it waits for that.
        attempt: which attempt of the run this is about.
        look_again: suggested seconds until the next look.
    """

    state: RunState
    stage: Annotated[str, StringConstraints(max_length=200)] = ""
    line: Text
    url: Link
    attempt: Annotated[int, Field(ge=1)] = 1
    look_again: Annotated[int, Field(ge=1, le=3600)] = 30


class Collected(Value):
    """What a run made, taken into the store.

    Attributes:
        artifacts: exactly the step's files.
        commit: the commit that the outside system proves was built; it is the order's.
        log: digest of the run's log in the store, if the system still has one.
        builder: who built it, for provenance: the system, the workflow and the run.
    """

    artifacts: SetRef
    commit: Commit
    log: Digest | None = None
    builder: Text


class GitHubApp(Value):
    """A GitHub App as which a worker acts; it has to be installed on the repository.

    It needs the repository permissions Actions (write) and, if runs are proven by their head, Contents (read).

    Attributes:
        id: its client id or its number.
        private_key_from: the environment variable with its private key in PEM form, or with ``_FILE`` appended, with
            the path of the key's file.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$", max_length=100)]
    private_key_from: EnvName


class GitHubBuilder(Value):
    """A GitHub Actions workflow that is started by ``workflow_dispatch``.

    The workflow's ``run-name`` has to show the input that holds ``{key}``: it is the only part of a dispatch that
    GitHub gives back, so it is what a run is found again by.

    Attributes:
        repository: where the workflow is, as ``owner/name``.
        workflow: its file in ``.github/workflows``.
        ref: the branch or tag that it runs on.
        inputs: what it is given; one holds ``{key}``.
        artifacts: the artifacts of the run that are taken in. Of their files those that the step names are kept,
            whatever folder they are in. One uploaded with ``archive: false`` is a file itself, but for zip files.
        proof: what proves the commit that was built: ``head-sha``, that the run's head is the commit; or ``run-name``,
            that the workflow, which lies in another repository, shows the input with ``{commit}`` in its ``run-name``.
            The latter proves what the workflow was asked to build: whether it does is for the workflow to ensure.
        api: the API's address; for GitHub Enterprise Server ``https://HOST/api/v3``.
        api_version: GitHub Enterprise Server 3.20 and older know only ``2022-11-28``.
        token_from: the environment variable with a token, or with ``_FILE`` appended, with the path of a token's file,
            which is read each time; or else:
        app: the GitHub App to act as.
        accept_without_digest: whether artifacts are taken in of which the API names no digest, as that of GitHub
            Enterprise Server does; then nothing but the connection vouches for them.
    """

    kind: Literal["github-actions"] = "github-actions"
    repository: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+/[A-Za-z0-9._-]*[A-Za-z0-9_-]$", max_length=140)
    ]
    workflow: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*\.ya?ml$", max_length=200)]
    ref: Template
    inputs: dict[Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$", max_length=100)], Template] = (
        Field(min_length=1, max_length=25)
    )
    artifacts: tuple[Annotated[str, StringConstraints(min_length=1, max_length=260)], ...] = Field(
        min_length=1, max_length=100
    )
    proof: Literal["head-sha", "run-name"] = "head-sha"
    api: Annotated[
        str,
        StringConstraints(
            pattern=r"^(https://[A-Za-z0-9.-]+|http://(127\.0\.0\.1|localhost))(:[0-9]{1,5})?(/[A-Za-z0-9._-]+)*$",
            max_length=300,
        ),
    ] = "https://api.github.com"
    api_version: Literal["2026-03-10", "2022-11-28"] = "2026-03-10"
    token_from: EnvName | None = None
    app: GitHubApp | None = None
    accept_without_digest: bool = False

    @property
    def told(self) -> tuple[str, ...]:
        """Everything that a run is told, as templates."""
        return self.ref, *self.inputs.values()

    @model_validator(mode="after")
    def _can_be_found_and_proven(self) -> Self:
        given = "".join(self.inputs.values())
        if "{key}" not in given:
            raise ValueError("no input holds {key}, by which a run is found again: add one, and show it in `run-name`")
        if self.proof == "run-name" and "{commit}" not in given:
            raise ValueError("no input holds {commit}, which `run-name` has to show as the proof of what was built")
        if (self.token_from is None) is (self.app is None):
            raise ValueError("a worker needs either token_from or app to act on GitHub")
        return self
