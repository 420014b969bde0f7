"""Telling people.

The worker holds addresses and passwords. So it believes no workflow whom it may tell, and by which server.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.rules import announcers_of
from activities.work import does
from baton.announcers import Busy, Message, open_announcer
from baton.model import work
from baton.model.announcing import LogAnnouncer
from baton.model.errors import Refused

if TYPE_CHECKING:
    from baton.settings import WorkerSettings


class TellActivities:
    """What the release's own worker tells."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings

    @does(work.TELL)
    def tell(self, what: work.Tell) -> work.Told:
        """Send one message by one announcer.

        Raises:
            Refused: the announcer is none of this worker's own rules, or a rehearsal's that is more than a log.
            Missing: this worker has no such rules.
            ApplicationError: the channel asks to wait; the next try comes when it may.
        """
        self._require_known(what)
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

    def _require_known(self, what: work.Tell) -> None:
        if isinstance(what.announcer, LogAnnouncer):
            return
        if self._settings.sandbox is not None:
            raise Refused(f"a rehearsal is told to the log alone, and {what.announcer.name} goes elsewhere")
        if what.announcer not in announcers_of(what.release.release.project, self._settings):
            raise Refused(
                f"the announcer {what.announcer.name} as it is asked for is none of this worker's own release.toml"
            )
