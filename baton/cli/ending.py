"""Ending a release that is not public yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.cli.names import parse_release
from baton.cli.person import GitIdentity, find_person, fitting_roles
from baton.cli.session import with_releases
from baton.cli.speech import speak
from baton.model.acts import Cancel
from baton.model.errors import Unavailable

if TYPE_CHECKING:
    from baton.cli.place import Place
    from baton.cli.releases import Releases
    from baton.cli.speech import Manner, Speaker
    from baton.model.plan import Plan

ENDS = ("release-manager",)
"""The roles that may end a release."""


def end_release(place: Place, text: str, speaker: Speaker, manner: Manner) -> None:
    """Ask, and tell a release to end and to undo what it did.

    Args:
        place: where the release is.
        text: the release as it was typed.
        speaker: who ends it.
        manner: how.

    Raises:
        typer.Exit: they thought better of it, or the release did not accept it.
        BatonError: there is no such release, it is going public, or no answer came.
    """
    release = parse_release(text)

    async def look(releases: Releases) -> tuple[Plan, str, str]:
        handle = await releases.open(release)
        plan = await handle.plan()
        try:
            return plan, handle.run, (await handle.status()).subject
        except Unavailable:
            if not manner.signal:
                raise
            # Nobody can say whether there is a manifest yet; the log will tell if there was.
            return plan, handle.run, plan.digest

    plan, run, subject = with_releases(place, look)
    person = find_person(plan.roster, speaker.person, GitIdentity.here())
    role = fitting_roles(person, ENDS, speaker.role, what=f"ending {release}")[0]
    message = Cancel(release=release, run=run, subject=subject, by=person.id, role=role, reason=speaker.reason)
    speak(place, release, message, manner, question=f"End {release} and undo what it did?", typed=release.version)
