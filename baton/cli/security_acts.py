"""What people say to a security release beside agreeing: who drives it, which streams take part, when, and its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baton.cli.act_page import act_page
from baton.cli.person import RELEASE_MANAGER, fitting_roles
from baton.cli.session import with_releases
from baton.cli.speech import Question, speak
from baton.model.acts import Cancel, Claim, HandOff, MoveDate, StartAgain, TakeOut
from baton.model.base import counted
from baton.model.errors import Missing, Refused

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from baton.cli.place import Place
    from baton.cli.releases import Releases
    from baton.cli.speech import Manner, Speaker
    from baton.model.acts import Act
    from baton.model.roster import Person
    from baton.model.security import SecurityPlan, SecurityStatus, StreamStatus


@dataclass(frozen=True)
class Spoken:
    """Where somebody speaks, and how.

    Attributes:
        name: the security release's as it was typed; None for the only one under way.
    """

    place: Place
    name: str | None
    speaker: Speaker
    manner: Manner

    def look(self) -> Heeded:
        """The security release as it stands.

        Raises:
            BatonError: there is none, it is over, or it does not answer.
        """

        async def ask(releases: Releases) -> Heeded:
            handle = await releases.securities.find(self.name)
            handle.require_under_way()
            plan = await handle.plan()
            return Heeded(plan, await handle.status(), self.speaker.on(plan.roster))

        return with_releases(self.place, ask)

    def say(self, heeded: Heeded, act: Act, facts: list[tuple[str, str]], asks: str = "") -> None:
        """Show an act, ask, sign it and send it; raises like :func:`baton.cli.speech.speak`."""
        question = Question(act_page(heeded.plan, act, facts), asks)
        speak(self.place, heeded.plan, act, question, speaker=self.speaker, manner=self.manner)

    def facts(self, heeded: Heeded, roles: tuple[str, ...], what: str) -> dict[str, Any]:
        """What every act about a security release says."""
        person, status = heeded.person, heeded.status
        return {
            "release": status.release,
            "run": status.run,
            "subject": status.subject,
            "by": person.id,
            "role": fitting_roles(person, roles, self.speaker.role, what=what)[0],
            "reason": self.speaker.reason,
        }


@dataclass(frozen=True)
class Heeded:
    """A security release for somebody who is about to say something to it."""

    plan: SecurityPlan
    status: SecurityStatus
    person: Person

    @property
    def may_decide(self) -> tuple[str, ...]:
        """The roles that may decide about its streams, its date and its end."""
        return tuple(dict.fromkeys((RELEASE_MANAGER, *self.plan.gate.needs)))

    def stream(self, version: str) -> StreamStatus:
        """The stream that releases a version.

        Raises:
            Missing: none does.
        """
        for stream in self.status.streams:
            if stream.version == version:
                return stream
        known = ", ".join(stream.version for stream in self.status.streams)
        raise Missing(f"{self.status.release} has no stream that releases {version}; they release {known}")

    @property
    def void(self) -> list[tuple[str, str]]:
        """What becomes of what people agreed to, if it changes."""
        given = () if self.status.gate is None else self.status.gate.given
        who = ", ".join(one.by for one in given)
        return [("void", f"the sign-offs of {who}: the joint gate asks again")] if given else []


def take_out(spoken: Spoken, version: str) -> None:
    """Take a stream out; raises like :func:`baton.cli.speech.speak`, and Missing if there is none of that version."""
    heeded = spoken.look()
    stream = heeded.stream(version)
    act = TakeOut(version=version, **spoken.facts(heeded, heeded.may_decide, f"taking {version} out"))
    others = len(heeded.status.streams) - 1
    facts = [
        ("it is", f"{stream.state}{f': {stream.detail}' if stream.detail else ''}"),
        ("then", f"its release ends and is undone; {counted(others, 'stream')} beside it; it can be released alone"),
        *heeded.void,
    ]
    spoken.say(heeded, act, facts, f"Take {version} out of the security release as {act.by}, {act.role}?")


def start_again(spoken: Spoken, version: str) -> None:
    """Start a stream again that has left; raises like :func:`take_out`."""
    heeded = spoken.look()
    stream = heeded.stream(version)
    act = StartAgain(version=version, **spoken.facts(heeded, heeded.may_decide, f"starting {version} again"))
    spoken.say(heeded, act, [("it is", f"{stream.state}{f': {stream.detail}' if stream.detail else ''}")])


def move_date(spoken: Spoken, until: datetime | None) -> None:
    """Move the end of the embargo; None lets it end with the joint gate's agreement. Raises like speaking."""
    heeded = spoken.look()
    act = MoveDate(until=until, **spoken.facts(heeded, heeded.may_decide, "moving the date"))
    was = heeded.status.until
    facts = [("until now", "no date" if was is None else f"{was:%Y-%m-%d %H:%M %Z}"), *heeded.void]
    to = "as soon as people agree" if until is None else f"{until:%Y-%m-%d %H:%M %Z}"
    spoken.say(heeded, act, facts, f"Have the embargo end {to}, as {act.by}, {act.role}?")


def claim(spoken: Spoken) -> None:
    """Tell everyone that a person drives it from here on; raises like speaking."""
    heeded = spoken.look()
    act = Claim(**spoken.facts(heeded, heeded.person.roles, "driving it"))
    spoken.say(heeded, act, [("until now", f"{heeded.status.driver or 'nobody'} drives it")])


def hand_off(spoken: Spoken, to: str) -> None:
    """Pass it on to somebody who drives it from here on; raises like speaking, and Refused if that can't be."""
    heeded = spoken.look()
    roster, driver = heeded.plan.roster, heeded.status.driver
    if roster.find(to) is None:
        raise Refused(f"{to} is not on the roster; on it: {', '.join(person.id for person in roster.people)}")
    if driver != heeded.person.id:
        raise Refused(
            f"{heeded.person.id} can't pass it on: {driver or 'nobody'} is driving it. `baton security claim` takes "
            "it over"
        )
    spoken.say(heeded, HandOff(to=to, **spoken.facts(heeded, heeded.person.roles, "passing it on")), [])


def cancel(spoken: Spoken) -> None:
    """End it before anything can be public; raises like speaking."""
    heeded = spoken.look()
    act = Cancel(**spoken.facts(heeded, heeded.may_decide, "ending it"))
    facts = [("then", f"{counted(len(heeded.status.streams), 'stream')} end and undo what they did")]
    spoken.say(heeded, act, facts, f"End the security release {act.release} as {act.by}, {act.role}?")
