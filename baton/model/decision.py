"""Deciding about a step that could not finish."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from baton.model.base import Digest, Name, Text, Value


class Choice(StrEnum):
    """What can be done about a step that could not finish."""

    RETRY = "retry"
    SKIP = "skip"
    ABORT = "abort"
    PROVIDE = "provide"


class Decision(Value):
    """One person's decision about one attempt of one step.

    Attributes:
        run: the first execution run id of the release's workflow.
        attempt: the attempt that failed; a decision about an earlier one no longer counts.
        provided: with ``provide``, the digest of the artifact set in the store that takes the step's place.
    """

    step: Name
    attempt: Annotated[int, Field(ge=1, le=10_000)]
    run: Annotated[str, Field(max_length=100)]
    choice: Choice
    by: Name
    role: Name
    reason: Text = ""
    provided: Digest | None = None

    @model_validator(mode="after")
    def _provided_with_provide(self) -> Self:
        if (self.choice is Choice.PROVIDE) != (self.provided is not None):
            raise ValueError("`provided` names an artifact set with the choice `provide`, and only then")
        return self


class Cancel(Value):
    """A person's wish to end a release that is not public yet."""

    run: Annotated[str, Field(max_length=100)]
    by: Name
    role: Name
    reason: Text = ""
