"""What can go wrong, as facts: each message says what was expected, what came, and what to do.

An error is *permanent* when trying the same thing again can't help, so that a retry policy can tell a person
at once instead of repeating it.
"""

from __future__ import annotations

from typing import ClassVar


class BatonError(Exception):
    """The base of every error that Baton raises on purpose; its text is fit to show to a person."""

    permanent: ClassVar[bool] = True


class Invalid(BatonError):
    """Something handed in is not what it has to be: a setting, a message, a file, an answer."""


class Conflict(BatonError):
    """The effect is there already, but with other content; both digests are in the message."""


class Refused(BatonError):
    """The rules do not allow this: the wrong person, role, identity, state, or kind of plan."""


class Missing(BatonError):
    """Something that has to be there is not: a file, a key, a credential, a tool."""


class Failed(BatonError):
    """A command or an outside system did its work and reported failure; a person has to look."""


class Unavailable(BatonError):
    """Something could not be reached or was busy; trying again may help.

    Attributes:
        after: seconds until which trying again is of no use or does harm, or None if nothing is known of that.
    """

    permanent: ClassVar[bool] = False

    def __init__(self, message: str, *, after: float | None = None) -> None:
        """Keep the message for people and how long to wait."""
        super().__init__(message)
        self.after = after
