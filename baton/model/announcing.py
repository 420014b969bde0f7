"""Who is told about a release, of what, and by which channel."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from baton.model.base import EnvName, Name, Value


class Event(StrEnum):
    """What people are told about."""

    WAITING = "waiting"
    RELEASED = "released"
    CANCELLED = "cancelled"


class LogAnnouncer(Value):
    """A line in the worker's log."""

    kind: Literal["log"] = "log"
    name: Name
    on: tuple[Event, ...] = tuple(Event)


class WebhookAnnouncer(Value):
    """A JSON message posted to an address that the worker's environment holds.

    Attributes:
        url_from: the environment variable with the address; webhook addresses are secrets.
    """

    kind: Literal["webhook"] = "webhook"
    name: Name
    url_from: EnvName
    on: tuple[Event, ...] = tuple(Event)


Announcer = Annotated[LogAnnouncer | WebhookAnnouncer, Field(discriminator="kind")]
"""Who is told, and how."""
