"""Where a release stands, for somebody who is about to say something to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baton.cli.session import with_releases
from baton.model.errors import Unavailable

if TYPE_CHECKING:
    from baton.cli.place import Place
    from baton.cli.releases import Releases
    from baton.model.plan import Plan
    from baton.model.status import ReleaseStatus
    from baton.model.version import ReleaseId


@dataclass(frozen=True)
class Standing:
    """A release as it stands.

    Attributes:
        plan: what it follows.
        run: the first execution run id, which statements name.
        status: what it says of itself; None if no worker answered and that was allowed.
    """

    plan: Plan
    run: str
    status: ReleaseStatus | None

    @property
    def subject(self) -> str:
        """The digest that an act has to name.

        Without an answer nobody can say whether there is a manifest; then it is the plan's, and the log will tell.
        """
        return self.plan.digest if self.status is None else self.status.subject


def find_standing(place: Place, release: ReleaseId, *, unanswered: bool) -> Standing:
    """Ask Temporal and the release itself where it stands.

    Args:
        place: where it is.
        release: which.
        unanswered: whether its plan will do where no worker answers.

    Raises:
        BatonError: there is no such release, it is over, or it does not answer.
    """

    async def look(releases: Releases) -> Standing:
        handle = await releases.open(release)
        handle.require_under_way()
        plan = await handle.plan()
        try:
            return Standing(plan, handle.run, await handle.status())
        except Unavailable:
            if not unanswered:
                raise
            return Standing(plan, handle.run, None)

    return with_releases(place, look)
