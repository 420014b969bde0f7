"""Who is told: one port, one file for each channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.announcers.email import EmailAdapter
from baton.announcers.log import LogAdapter
from baton.announcers.message import Message
from baton.announcers.port import AnnouncerAdapter, Busy
from baton.announcers.webhook import WebhookAdapter
from baton.model.announcing import EmailAnnouncer, LogAnnouncer, WebhookAnnouncer

if TYPE_CHECKING:
    from baton.model.announcing import Announcer

__all__ = ["AnnouncerAdapter", "Busy", "Message", "open_announcer"]


def open_announcer(announcer: Announcer) -> AnnouncerAdapter:
    """The adapter for an announcer of the plan."""
    match announcer:
        case LogAnnouncer():
            return LogAdapter()
        case WebhookAnnouncer():
            return WebhookAdapter(announcer)
        case EmailAnnouncer():
            return EmailAdapter(announcer)
