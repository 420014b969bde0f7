"""A line in the worker's log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from baton.announcers.port import AnnouncerAdapter

if TYPE_CHECKING:
    from baton.announcers.message import Message

_log = logging.getLogger(__name__)


class LogAdapter(AnnouncerAdapter):
    """Writes to the logger ``baton.announcers.log`` at level INFO; never fails."""

    def tell(self, message: Message) -> None:
        """See :meth:`AnnouncerAdapter.tell`. Line breaks become spaces, so that no message can pose as two."""
        _log.info("%s: %s", message.release, " ".join(f"[{message.event}] {message.whole}".split()))
