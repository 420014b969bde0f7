"""Telling people."""

from __future__ import annotations

from activities.work import does
from baton.announcers import open_announcer
from baton.model import work


class TellActivities:
    """What the release's own worker tells."""

    @does(work.TELL)
    def tell(self, what: work.Tell) -> work.Told:
        """Send one message by one announcer."""
        open_announcer(what.announcer).tell(what.event, what.release.release, what.text, what.link)
        return work.Told(sent=True)
