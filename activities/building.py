"""Building, and the project's own checks: a project's commands on a machine that holds no credentials."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from temporalio import activity

from activities.makings import MakingRecords
from activities.records import Records
from activities.work import does, progress
from baton.builders.check import run_check
from baton.builders.command import LocalBuilder
from baton.builders.workspace import Workspace
from baton.model import work
from baton.model.attesting import Making

if TYPE_CHECKING:
    from baton.settings import WorkerSettings
    from baton.store import Store


class BuildActivities:
    """What a build worker does."""

    def __init__(self, store: Store, settings: WorkerSettings) -> None:
        self._store = store
        self._workspace = Workspace(settings.workspace, store, cache=settings.build_cache)

    @does(work.BUILD_STEP)
    def build_step(self, what: work.BuildStep) -> work.Built:
        """Build a step once for each attempt that the release counts; a try that was killed starts from nothing."""
        records, name = Records(self._store, what.release), f"build/{what.step.name}/{what.attempt}"
        if (done := records.find(name, work.Built)) is not None:
            return done
        started = datetime.now(UTC)
        built = LocalBuilder(self._workspace).build(what, progress=progress(), cancelled=activity.is_cancelled)
        making = Making(
            step=what.step,
            repository=what.source.repository,
            commit=built.commit,
            artifacts=built.artifacts.digest,
            by=built.builder,
            log=built.log,
            attempt=what.attempt,
            started=started,
            finished=datetime.now(UTC),
        )
        # First, so that whoever finds it built finds how as well.
        MakingRecords(self._store, what.release).keep_making(making)
        return records.keep(name, built)

    @does(work.RUN_CHECK)
    def run_check(self, what: work.RunCheck) -> work.Checked:
        """Run one of the project's own checks; it looks and changes nothing, so it may run again."""
        return run_check(what, self._workspace, progress=progress(), cancelled=activity.is_cancelled)
