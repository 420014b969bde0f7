"""Work that an outside CI system does for a release: what is ordered there, and what it says of it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from baton.model.base import Commit, Digest, Text, Value
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
        line: one line for people, complete without the other fields.
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
