"""What the simulator of Azure Pipelines is told to have: pipelines with stages, and what goes wrong."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field

from baton.model.base import Value
from baton.sandbox.fake_ci.runs import Recipe


class Stage(Value):
    """One stage; they run one after the other, in one job with one task each.

    Attributes:
        recipe: what it does; None does nothing.
        approvers: the names of those who have to approve before it begins; one of them is enough.
        instructions: what they are told.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    recipe: Recipe | None = None
    approvers: tuple[str, ...] = ()
    instructions: str = ""


class Pipeline(Value):
    """One pipeline.

    Attributes:
        id: its number.
        repository: the local git repository that it builds.
        stages: in order.
        parameters: the template parameters that it declares, with their defaults; others are refused.
        commit_in: the template parameter that says what is built; the pipeline is then defined in another repository.
    """

    id: int
    name: str
    repository: Path
    stages: tuple[Stage, ...] = Field(min_length=1)
    parameters: dict[str, str] = Field(default_factory=dict)
    commit_in: str | None = None


class Project(Value):
    """What the simulator serves.

    Attributes:
        organization: the first part of each address.
        token: the personal access token that it accepts.
        client: the application that gets tokens at its own token endpoint, with its secret; None: there is none.
    """

    organization: str = "example"
    name: str = "project"
    token: str
    client: tuple[str, str] | None = None
    pipelines: tuple[Pipeline, ...] = Field(min_length=1)


class Fault(StrEnum):
    """What can go wrong; each as often as it is asked for."""

    ANSWER_LOST = "a run is queued, and the answer is 500"
    UNLISTED = "a list leaves out the youngest run"
    LAG = "a build is not found yet"
    UNAUTHORIZED = "401"
    FORBIDDEN = "403, for lack of a permission"
    SIGN_IN = "203 with the page for signing in"
    REDIRECT = "302 to the page for signing in"
    THROTTLED = "429 with Retry-After"
    DELAYED = "200 with Retry-After"
    BROKEN = "503"
    CUT_OFF = "a document that ends in the middle, as if it was whole"
    GARBLED = "a document of another form"
    HELD = "a run stays in the queue until it is let go"
    ARTIFACT_GONE = "an artifact is not kept any more"
    DOWNLOAD_GONE = "there is nothing behind a signed address"
    DOWNLOAD_REFUSED = "a signed address has run out"
    DOWNLOAD_CUT_OFF = "a download breaks off"
    DOWNLOAD_SHORT = "a download ends in the middle, as if it was whole"
    DOWNLOAD_LINK = "a download is an archive in which each file is a link"
    DOWNLOAD_OTHER = "a download is something else"
