"""A release as one line of a list: what it waits for, whose turn it is, and who drives it."""

from __future__ import annotations

from datetime import datetime  # pydantic reads it at run time
from enum import StrEnum
from typing import TYPE_CHECKING

from baton.cli.names import StreamId  # pydantic reads it at run time
from baton.model.base import Value
from baton.model.status import Waiting  # pydantic reads it at run time
from baton.model.version import ReleaseId, SecurityId  # pydantic reads it at run time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from baton.model.roster import Person


class Item(Value):
    """One release in the list, as Temporal's visibility has it.

    Attributes:
        release: which; of a stream under an embargo that was not asked, only of which security release it is.
        waiting_on: the roles that can bring it forward.
        waiting_for: ``sign-off:GATE``, ``decision:STEP`` and ``hand-in:STEP``.
        waiting: what it says itself of these; None when it was not asked, or did not answer.
        driver: who says that they are driving it, as far as it answered.
        silence: why it did not answer, in words; empty if it did, or no worker is up.
    """

    workflow_id: str
    release: ReleaseId | SecurityId | StreamId
    kind: str | None
    phase: str | None
    running: bool
    started: datetime
    closed: datetime | None
    waiting_on: tuple[str, ...] = ()
    waiting_for: tuple[str, ...] = ()
    waiting: tuple[Waiting, ...] | None = None
    driver: str | None = None
    silence: str = ""

    @property
    def to_give(self) -> tuple[Waiting, ...]:
        """What it says that it waits for, but for what is in the list by itself: its streams' own steps."""
        return tuple(waiting for waiting in self.waiting or () if waiting.command != self.command)

    @property
    def of_security(self) -> bool:
        """Whether it is a security release, or a stream of one under an embargo."""
        return not isinstance(self.release, ReleaseId)

    @property
    def command(self) -> str:
        """What to type to see it."""
        match self.release:
            case ReleaseId():
                return f"baton status {self.release.typed}"
            case (
                SecurityId(project=project, security=security)
                | StreamId(security=SecurityId(project=project, security=security))
            ):
                return f"baton security status {project}/{security}"


class Turn(StrEnum):
    """For whom something waits, as one person sees it.

    ``me``: they can act on it now. ``my-roles``: a role of theirs is asked, but somebody else has to act, since they
    have acted already or do not count here. ``others``: all else.
    """

    ME = "me"
    MY_ROLES = "my-roles"
    OTHERS = "others"


def turn_of(waiting: Waiting, person: Person | None) -> Turn:
    """For whom this waits, as somebody sees it who may be on the release's roster."""
    if person is None:
        return Turn.OTHERS
    if person.id in waiting.people:
        return Turn.ME
    return _by_roles(waiting.roles, person)


def in_turn(item: Item, person: Person | None, turn: Turn) -> Item | None:
    """A release with only what waits for those; None if that is nothing.

    Of one that did not answer nobody knows whom it waits for; the roles that visibility has decide.
    """
    if item.waiting is None:
        theirs = Turn.OTHERS if person is None else _by_roles(item.waiting_on, person)
        return item if item.waiting_for and theirs is turn else None
    waits = tuple(waiting for waiting in item.to_give if turn_of(waiting, person) is turn)
    return item.model_copy(update={"waiting": waits}) if waits else None


def for_me(item: Item, person: Person | None) -> Item | None:
    """A release with only what one person can give; None if that is nothing.

    A release that did not answer is kept: better one too many than one that nobody sees.
    """
    if item.waiting is None and item.waiting_for:
        return item
    return in_turn(item, person, Turn.ME)


def _by_roles(roles: Iterable[str], person: Person) -> Turn:
    return Turn.MY_ROLES if any(role in person.roles for role in roles) else Turn.OTHERS
