"""Publishing: staged where nobody sees it, made public at one moment, fetched back as a user would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activities.mandate import Mandate
from activities.released import public_files
from activities.work import does, progress
from baton.model import work
from baton.targets import open_target

if TYPE_CHECKING:
    from collections.abc import Callable

    from baton.model.manifest import Artifact
    from baton.settings import WorkerSettings
    from baton.store import Store


class PublishActivities:
    """What a publishing worker does."""

    def __init__(self, store: Store, settings: WorkerSettings) -> None:
        self._store = store
        self._settings = settings
        self._mandate = Mandate(store, settings)

    @does(work.STAGE)
    def stage(self, what: work.Publish) -> work.Staged:
        """Bring every file to the target's staging, once this worker has proven that people agreed to what precedes."""
        self._mandate.to_stage(what)
        files = public_files(self._store, what.manifest, what.signed, what.attested)
        target = open_target(what.target, self._settings)
        target.stage(what.release.release, files, self._store, progress=_bytes_of(files, "staged"))
        return work.Staged(files=len(files), total_bytes=sum(file.size for file in files))

    @does(work.PROMOTE)
    def promote(self, what: work.Publish) -> work.Promoted:
        """Make what is staged public, once this worker has proven for itself that people agreed."""
        self._mandate.to_promote(what)
        files = public_files(self._store, what.manifest, what.signed, what.attested)
        target = open_target(what.target, self._settings)
        url = target.promote(what.release.release, files, progress=_bytes_of(files, "compared"))
        return work.Promoted(target=what.target.name, url=url)

    @does(work.CHECK_PUBLIC)
    def check_public(self, what: work.Publish) -> work.Seen:
        """Fetch every file as the public would, and compare it."""
        self._mandate.to_touch(what.release, what.target)
        files = public_files(self._store, what.manifest, what.signed, what.attested)
        target = open_target(what.target, self._settings)
        checked = target.check_public(what.release.release, files, progress=_bytes_of(files, "fetched back"))
        return work.Seen(files=checked)

    @does(work.UNSTAGE)
    def unstage(self, what: work.WithdrawStaging) -> work.Undone:
        """Remove what is staged, never what is public."""
        self._mandate.to_touch(what.release, what.target)
        removed = open_target(what.target, self._settings).unstage(what.release.release)
        found = "removed what was staged" if removed else "nothing was staged"
        return work.Undone(detail=f"{found} on {what.target.name}")


def _bytes_of(files: list[Artifact], verb: str) -> Callable[[int], None]:
    say, total = progress(), sum(file.size for file in files)
    return lambda done: say(f"{verb} {done:,} of {total:,} bytes")
