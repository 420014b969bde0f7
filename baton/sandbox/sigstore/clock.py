"""What time it is, for an instance; tests hand in a clock of their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the time now, with its time zone. Certificates, timestamps, log entries and sign-ins go by it. Tokens do not:
clients check those against the machine's clock."""


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)
