"""What workers put on record of how they made files, for the worker that signs a statement of it.

Who may write to Temporal can have a worker do what they like, and tell others that it was something else. So each
record says what the worker itself was given and did; :mod:`activities.origins` compares it with the plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from activities.records import Records
from baton.model.attesting import Making, Ordered, Prepared, Reworking
from baton.model.errors import Refused

if TYPE_CHECKING:
    from baton.model.base import Commit, Digest
    from baton.model.building import Step
    from baton.model.code_signing import PlatformStep
    from baton.model.plan import SourcePlan
    from baton.model.work import ReleaseRef
    from baton.store import Store

DESCRIBE = "describe"
"""The step that a manifest names for the documents that Baton makes."""


class MakingRecords:
    """What workers have put on record for one run of a release."""

    def __init__(self, store: Store, release: ReleaseRef) -> None:
        self._records = Records(store, release)

    def keep_ordered(self, ordered: Ordered) -> None:
        """Record that an outside run was started for a step."""
        self._records.keep(f"run/{ordered.step.name}/{ordered.run.id}", ordered)

    def find_ordered(self, step: Step, run: str) -> Ordered | None:
        """The outside run of that id that was started for a step, if one was."""
        ordered = self._records.find(f"run/{step.name}/{run}", Ordered)
        return ordered if ordered is not None and ordered.step == step else None

    def keep_making(self, making: Making) -> None:
        """Record that a step's builder made these files."""
        self._records.keep(_made(making.step, making.commit, making.artifacts), making)

    def find_making(self, step: Step, commit: Commit, artifacts: Digest) -> Making | None:
        """How a step's files were made of a commit, if a builder did."""
        return self._records.find(_made(step, commit, artifacts), Making)

    def keep_reworking(self, reworking: Reworking) -> None:
        """Record that files were made out of others."""
        self._records.keep(_reworked(reworking.step, reworking.artifacts), reworking)

    def find_reworking(self, step: PlatformStep | None, artifacts: Digest) -> Reworking | None:
        """What a set of files was made out of."""
        return self._records.find(_reworked(step, artifacts), Reworking)

    def keep_prepared(self, source: SourcePlan, commit: Commit) -> None:
        """Record what a commit was made out of."""
        self._records.keep(f"prepared-from/{commit}", Prepared(source=source, commit=commit))

    def require_prepared(self, planned: SourcePlan, commit: Commit) -> None:
        """Require that a commit is what a plan releases: the plan's own, or what preparing that gave.

        Raises:
            Refused: it is not.
        """
        if not planned.prepare:
            if commit != planned.commit:
                raise Refused(f"this is of commit {commit}; the plan releases {planned.commit}")
            return
        prepared = self._records.find(f"prepared-from/{commit}", Prepared)
        if prepared is None or prepared.source != planned:
            raise Refused(
                f"nothing on record says that commit {commit} is what preparing {planned.commit} gave: release again, "
                "with workers of this version"
            )


def _bare(digest: Digest) -> str:
    return digest.removeprefix("sha256:")


def _made(step: Step, commit: Commit, artifacts: Digest) -> str:
    return f"made/{step.name}/{commit}/{_bare(artifacts)}"


def _reworked(step: PlatformStep | None, artifacts: Digest) -> str:
    return f"reworked/{DESCRIBE if step is None else step.name}/{_bare(artifacts)}"
