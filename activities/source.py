"""The source: prepared before anything is built, its tag pushed after everything is public.

The worker may push to the repository. So it believes no workflow where that is, what is pushed there, and by which
commands it was prepared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import activity

from activities.makings import MakingRecords
from activities.mandate import Mandate
from activities.records import Records
from activities.work import does, progress
from baton import source
from baton.builders.workspace import Workspace
from baton.model import work

if TYPE_CHECKING:
    from baton.settings import WorkerSettings
    from baton.store import Store

PREPARED = "prepared"


class SourceActivities:
    """Cloning, preparing, tagging, pushing."""

    def __init__(self, store: Store, settings: WorkerSettings) -> None:
        self._store = store
        self._workspace = Workspace(settings.workspace, store)
        self._mandate = Mandate(store, settings)

    @does(work.PREPARE_SOURCE)
    def prepare_source(self, what: work.PrepareSource) -> work.Source:
        """Prepare the source once for each run of a release, by the commands of this worker's own rules."""
        self._mandate.to_prepare(what)
        records = Records(self._store, what.release)
        if (done := records.find(PREPARED, work.Source)) is not None:
            return done
        made = source.prepare(what.source, self._workspace, progress=progress(), cancelled=activity.is_cancelled)
        MakingRecords(self._store, what.release).keep_prepared(what.source, made.commit)
        return records.keep(PREPARED, made)

    @does(work.PUSH_TAG)
    def push_tag(self, what: work.PushTag) -> work.Pushed:
        """Push the tag, unless the repository has it already on this commit, if people agreed to what it was made."""
        self._mandate.to_push_tag(what)
        source.push_tag(what.source, self._workspace, progress=progress(), cancelled=activity.is_cancelled)
        return work.Pushed(commit=what.source.commit)

    @does(work.OFFER_SOURCE)
    def offer_source(self, what: work.OfferSource) -> work.Offered:
        """Put the prepared commit on the release's branch, unless it is there already, if people agreed to the plan."""
        self._mandate.to_offer(what)
        source.offer(what.source, what.branch, self._workspace, progress=progress(), cancelled=activity.is_cancelled)
        return work.Offered(branch=what.branch)

    @does(work.WITHDRAW_SOURCE)
    def withdraw_source(self, what: work.OfferSource) -> work.Undone:
        """Remove the release's branch, if it is as it was made."""
        self._mandate.to_withdraw(what)
        removed = source.withdraw(
            what.source, what.branch, self._workspace, progress=progress(), cancelled=activity.is_cancelled
        )
        done = "removed the branch {}" if removed else "left the branch {} alone: it is not on the release's commit"
        return work.Undone(detail=done.format(what.branch))

    @does(work.FORGET_SOURCE)
    def forget_source(self, what: work.ForgetSource) -> work.Undone:
        """Drop the prepared source; its tag was never pushed."""
        Records(self._store, what.release).drop(PREPARED)
        return work.Undone(detail="dropped the prepared source with its tag, which was never pushed")
