"""What every builder does for its callers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from baton.model.errors import Failed, Unavailable

if TYPE_CHECKING:
    from baton.model.base import Digest
    from baton.model.work import BuildStep, Built

Progress = Callable[[str], None]
"""Told the last lines of the log, about once a second while work is under way, whether there are new ones or not."""

Cancelled = Callable[[], bool]
"""Asked several times a second whether to stop."""


class Builder(Protocol):
    """Gets a step's artifacts made from the prepared source."""

    def build(self, work: BuildStep, *, progress: Progress, cancelled: Cancelled) -> Built:
        """Make the artifacts and put them into the store. Doing it again makes them again, from nothing.

        Raises:
            FailedWithLog: the build failed; a person has to look at the log.
            Refused: the source is not the commit that it says, or an artifact is not a plain file of the output.
            Stopped: the caller wished it.
            Unavailable: something could not be reached.
        """


class FailedWithLog(Failed):
    """Commands did their work and failed; what they said is kept.

    Attributes:
        log: digest of the whole log in the store.
    """

    def __init__(self, message: str, *, log: Digest) -> None:
        """Keep the message for people and the log's digest."""
        super().__init__(message)
        self.log = log


class Stopped(Unavailable):
    """The work was stopped half-way because its caller wished it; nothing of it is left running."""
