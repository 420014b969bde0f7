"""Saying who drives a release: advice for the others, never a lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.cli.act_page import act_page
from baton.cli.names import parse_release
from baton.cli.person import fitting_roles
from baton.cli.speech import Question, speak
from baton.cli.standing import find_standing
from baton.model.acts import Claim, HandOff
from baton.model.errors import Refused

if TYPE_CHECKING:
    from baton.cli.place import Place
    from baton.cli.speech import Manner, Speaker
    from baton.model.status import ReleaseStatus


def claim_release(place: Place, text: str, speaker: Speaker, manner: Manner) -> None:
    """Tell everyone that a person drives a release from here on.

    Args:
        place: where the release is.
        text: the release as it was typed.
        speaker: who drives it.
        manner: how.

    Raises:
        typer.Exit: the release did not accept it.
        BatonError: there is no such release, it can't be said, or no answer came.
    """
    release = parse_release(text)
    standing = find_standing(place, release, unanswered=manner.signal)
    person = speaker.on(standing.plan.roster)
    role = fitting_roles(person, person.roles, speaker.role, what=f"driving {release}")[0]
    act = Claim(
        release=release, run=standing.run, subject=standing.subject, by=person.id, role=role, reason=speaker.reason
    )
    page = act_page(standing.plan, act, _driven(standing.status))
    speak(place, standing.plan, act, Question(page), speaker=speaker, manner=manner)


def hand_off_release(place: Place, text: str, to: str, speaker: Speaker, manner: Manner) -> None:
    """Pass a release on to somebody who drives it from here on.

    Args:
        place: where the release is.
        text: the release as it was typed.
        to: the roster id of who is to drive it.
        speaker: who drives it now.
        manner: how.

    Raises:
        typer.Exit: the release did not accept it.
        BatonError: there is no such release, somebody else drives it, or no answer came.
    """
    release = parse_release(text)
    standing = find_standing(place, release, unanswered=manner.signal)
    plan, status = standing.plan, standing.status
    person = speaker.on(plan.roster)
    if plan.roster.find(to) is None:
        raise Refused(f"{to} is not on the roster; on it: {', '.join(person.id for person in plan.roster.people)}")
    if status is not None and status.driver != person.id:
        driver = "nobody is" if status.driver is None else f"{status.driver} is"
        raise Refused(f"{person.id} can't pass {release} on: {driver} driving it. `baton claim` takes it over")
    role = fitting_roles(person, person.roles, speaker.role, what=f"passing on {release}")[0]
    act = HandOff(
        release=release,
        run=standing.run,
        subject=standing.subject,
        by=person.id,
        role=role,
        reason=speaker.reason,
        to=to,
    )
    speak(place, plan, act, Question(act_page(plan, act)), speaker=speaker, manner=manner)


def _driven(status: ReleaseStatus | None) -> list[tuple[str, str]]:
    return [] if status is None else [("until now", f"{status.driver or 'nobody'} drives it")]
