"""Ending a release that is not public yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.cli.act_page import act_page
from baton.cli.names import parse_release
from baton.cli.person import RELEASE_MANAGER, fitting_roles
from baton.cli.speech import Question, speak
from baton.cli.standing import find_standing
from baton.model.acts import Cancel

if TYPE_CHECKING:
    from baton.cli.place import Place
    from baton.cli.speech import Manner, Speaker


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
    standing = find_standing(place, release, unanswered=manner.signal)
    person = speaker.on(standing.plan.roster)
    role = fitting_roles(person, (RELEASE_MANAGER,), speaker.role, what=f"ending {release}")[0]
    act = Cancel(
        release=release, run=standing.run, subject=standing.subject, by=person.id, role=role, reason=speaker.reason
    )
    question = Question(
        act_page(standing.plan, act), f"End {release} and undo what it did?", typed=standing.plan.version
    )
    speak(place, standing.plan, act, question, speaker=speaker, manner=manner)
