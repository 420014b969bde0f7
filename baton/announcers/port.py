"""What a channel by which people are told can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from baton.model.errors import Unavailable

if TYPE_CHECKING:
    from baton.announcers.message import Message


class Busy(Unavailable):
    """The channel asks to be left alone for a while.

    Attributes:
        seconds: how long, at most a minute.
    """

    def __init__(self, told: str, seconds: float) -> None:
        super().__init__(told)
        self.seconds = seconds


class AnnouncerAdapter(ABC):
    """One channel. A message may reach people twice, when it is not known whether the first attempt arrived."""

    @abstractmethod
    def tell(self, message: Message) -> None:
        """Tell people what happened.

        Args:
            message: what to tell.

        Raises:
            Missing: the worker lacks what the channel needs.
            Invalid: what the worker has for the channel is not usable.
            Unavailable: nobody answers now.
            Busy: nobody answers before some time has passed.
            Failed: the channel refuses the message, or has brought it to some of the people only.
        """
