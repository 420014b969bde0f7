"""A release as one line of a list: what it waits for, and who can give it."""

from __future__ import annotations

from datetime import datetime  # pydantic reads it at run time

from baton.model.base import Value
from baton.model.status import Waiting  # pydantic reads it at run time
from baton.model.version import ReleaseId  # pydantic reads it at run time


class Item(Value):
    """One release in the list, as Temporal's visibility has it.

    Attributes:
        waiting_on: the roles that can bring it forward.
        waiting_for: ``sign-off:GATE`` and ``decision:STEP``.
        waiting: what it says itself of these; None when it was not asked, or no worker could answer.
    """

    workflow_id: str
    release: ReleaseId
    kind: str | None
    phase: str | None
    running: bool
    started: datetime
    closed: datetime | None
    waiting_on: tuple[str, ...] = ()
    waiting_for: tuple[str, ...] = ()
    waiting: tuple[Waiting, ...] | None = None


def waits_for(item: Item, person: str) -> Item | None:
    """A release with only what this person can give; None if that is nothing.

    A release that could not be asked is kept: better one too many than one that nobody sees.
    """
    if item.waiting is None:
        return item if item.waiting_for else None
    theirs = tuple(waiting for waiting in item.waiting if person in waiting.people)
    return item.model_copy(update={"waiting": theirs}) if theirs else None
