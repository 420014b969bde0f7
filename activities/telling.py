"""Telling people."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.work import does
from baton.announcers import Busy, Message, open_announcer
from baton.model import work


class TellActivities:
    """What the release's own worker tells."""

    @does(work.TELL)
    def tell(self, what: work.Tell) -> work.Told:
        """Send one message by one announcer.

        Raises:
            ApplicationError: the channel asks to wait; the next try comes when it may.
        """
        message = Message(
            event=what.event,
            release=what.release.release,
            run=what.release.run,
            # The same for every try of this activity, and for no other of the run.
            occasion=activity.info().activity_id,
            text=what.text,
            link=what.link,
        )
        try:
            open_announcer(what.announcer).tell(message)
        except Busy as busy:
            pause = timedelta(seconds=busy.seconds)
            raise ApplicationError(str(busy), type="Unavailable", next_retry_delay=pause) from None
        return work.Told(sent=True)
