"""What a channel by which people are told can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from baton.model.announcing import Event
    from baton.model.version import ReleaseId


class AnnouncerAdapter(ABC):
    """One channel. A message may reach people twice, when it is not known whether the first attempt arrived."""

    @abstractmethod
    def tell(self, event: Event, release: ReleaseId, text: str, link: str) -> None:
        """Tell people what happened.

        Args:
            event: what kind of thing.
            release: in which release.
            text: the message, fit to show to people.
            link: where they find more; may be empty.

        Raises:
            Missing: the worker lacks what the channel needs.
            Invalid: what the worker has for the channel is not usable.
            Unavailable: nobody answers now.
            Failed: the channel refuses the message.
        """
