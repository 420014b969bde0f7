"""What every builder does whose work runs in an outside CI system.

Starting a run, following it and taking in what it made are separate acts, each of which can be done again at any time:
between any two of them a worker may die. An adapter keeps nothing but what it can get again, and never sleeps: the
caller waits between two looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from baton.model.errors import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from baton.builders.port import Cancelled, Progress
    from baton.model.base import FileName
    from baton.model.outside import Collected, OutsideOrder, OutsideRun, RunReport
    from baton.model.plan import ArchiveLimits
    from baton.store import Store

SETTLE = 60
"""Seconds in which a run that was started shows in the outside system's lists.

Whoever calls :meth:`OutsideBuilder.dispatch` again must let this time pass first, whatever became of the try before. An
:class:`~baton.model.errors.Unavailable` whose ``after`` is respected does so, as does a time limit for the call of
twice this length, after which the call counts as lost.
"""


class Unusable(Refused):
    """A run can't give what was ordered, whatever is done with it; only another run can."""


@dataclass(frozen=True)
class Intake:
    """Where what a run made is taken in, and within which bounds.

    Attributes:
        store: where the files and the log are kept.
        scratch: a folder for downloads, with room for the largest artifact and what it unpacks to.
        limits: what an archive may hold.
        progress: told a line for people about once a second, and never rarer than every few seconds.
        cancelled: asked whether to stop.
    """

    store: Store
    scratch: Path
    limits: ArchiveLimits
    progress: Progress
    cancelled: Cancelled


class OutsideBuilder(Protocol):
    """Gets a step's artifacts made in an outside CI system.

    Every method raises:

    - ``Unavailable``: the system can't be reached, is busy, or limits the rate; its ``after`` says for how long.
    - ``Missing``: this worker has no credential for the system, or what was asked for is not there (any more).
    - ``Refused``: the system does not accept the credential or does not allow the act, or what it did is not what was
      ordered.
    - ``Failed``: the system answers what no retry can mend.
    - ``Invalid``: an answer, or what the plan says, has no form that is understood.

    No message holds a secret.
    """

    def dispatch(self, order: OutsideOrder) -> OutsideRun:
        """Start the run, or find the one that this order started already.

        At most one run is started for an order, if :data:`SETTLE` seconds pass between two tries. A call lasts less
        than twice that, or starts nothing.
        """

    def look(self, run: OutsideRun) -> RunReport:
        """Where the run is; for a waiting one, with the address where people approve.

        Raises:
            Unusable: the run builds another commit, or can't be told from others by its key.
        """

    def retry_failed(self, run: OutsideRun) -> OutsideRun:
        """Run again only what failed; gives the run with its next attempt. Doing it again starts no third attempt.

        Raises:
            Refused: nothing of it failed, or it can't be run again (any more).
        """

    def cancel(self, run: OutsideRun) -> None:
        """Stop the run; harmless if it has ended, or is being stopped."""

    def collect(self, run: OutsideRun, files: tuple[FileName, ...], intake: Intake) -> Collected:
        """Take in the files of a run that has ended, checked against what the system says of them, and its log.

        Doing it again takes the same in again.

        Args:
            run: the run.
            files: the names of the step's files: each must be there once, in any artifact that the plan names.
            intake: where to.

        Raises:
            FailedWithLog: the run failed; the message has the log's end.
            Failed: it was cancelled, or did not make all files.
            Missing: an artifact is gone, because the system keeps it no longer.
            Refused: what was built is another commit, or an archive is not safe to open.
            Conflict: a download came whole, but has another digest than the system says.
            Unavailable: the run has not ended, or a download broke off.
            Stopped: the caller wished it.
        """
