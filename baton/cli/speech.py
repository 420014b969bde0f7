"""Saying something to a release: by update, by signal, or as JSON for another tool to send."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from baton.cli.exits import ExitCode, WrongCall
from baton.cli.person import GitIdentity, find_person
from baton.cli.sealing import find_pen, seal_act, unsigned_notice
from baton.cli.session import with_releases
from baton.cli.terminal import confirm, notes, print_json
from baton.model.acts import Answer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from baton.cli.message import Message
    from baton.cli.place import Place
    from baton.cli.releases import Releases
    from baton.model.acts import Act
    from baton.model.plan import Plan
    from baton.model.roster import Person, Roster
    from baton.model.security import SecurityPlan
    from baton.model.version import ReleaseId, SecurityId
    from baton.signers.tokens import TokenSource

_LONGEST_REASON = 2000


@dataclass(frozen=True)
class Speaker:
    """Who speaks, as far as they said.

    Attributes:
        person: their roster id; None to find them by git's configuration.
        role: the role they act in; None to find the one that fits.
        reason: for the release's log.
        key: what names the key to sign with; None to take the first of theirs that is here.
        unsigned: nothing is to prove it.
        signed_in: a sign-in at Sigstore that they have made already, which proves it too if that is what does.
    """

    person: str | None
    role: str | None
    reason: str
    key: str | None = None
    unsigned: bool = False
    signed_in: TokenSource | None = None

    def __post_init__(self) -> None:
        """Require that the reason is one that an act can hold.

        Raises:
            WrongCall: it is too long.
        """
        if len(self.reason) > _LONGEST_REASON:
            raise WrongCall(f"the reason has {len(self.reason):,} letters; at most {_LONGEST_REASON:,} are taken")

    def on(self, roster: Roster) -> Person:
        """Who that is on a release's roster.

        Raises:
            Refused: nobody, or it can't be told.
        """
        return find_person(roster, self.person, GitIdentity.here())


@dataclass(frozen=True)
class Manner:
    """How a message goes.

    Attributes:
        yes: without asking first.
        signal: durably, without an answer.
        only_print: not at all: its JSON is printed.
        as_json: the answer is wanted as JSON.
    """

    yes: bool
    signal: bool
    only_print: bool
    as_json: bool


@dataclass(frozen=True)
class Question:
    """What a person sees before their act is signed.

    Attributes:
        page: what exactly they say.
        text: what is asked; empty for what needs no second thought.
        typed: a word to type out instead of a plain yes.
    """

    page: RenderableType
    text: str = ""
    typed: str | None = None


def speak(
    place: Place, plan: Plan | SecurityPlan, act: Act, question: Question, *, speaker: Speaker, manner: Manner
) -> None:
    """Show an act, ask, sign it, send it, and tell the caller what became of it.

    Args:
        place: where the release is.
        plan: what it follows.
        act: what to say, without its time; whoever says it is on the plan's roster.
        question: what is shown and asked first.
        speaker: who speaks, with what.
        manner: how.

    Raises:
        typer.Exit: the caller thought better of it, or the release did not accept it.
        BatonError: it could not be signed or sent, or no answer came.
    """
    person = speaker.on(plan.roster)
    pen = find_pen(place, plan, person, speaker)
    notes().print(question.page)
    if pen is None:
        notes().print(unsigned_notice(act.by))
    if question.text and not manner.only_print:
        confirm(question.text, yes=manner.yes, typed=question.typed)
    message = seal_act(act, pen)
    if manner.only_print:
        sys.stdout.write(json.dumps(message.content, separators=(",", ":"), ensure_ascii=False) + "\n")
        return
    answer = _send(place, plan.release, message, durably=manner.signal)
    if manner.as_json:
        envelope = message.digest if message.signed else None
        print_json("answer", {**answer.model_dump(mode="json"), "envelope": envelope})
    else:
        typer.echo(answer.message, err=not answer.accepted)
    if not answer.accepted:
        raise typer.Exit(ExitCode.FAILED)


def _send(place: Place, release: ReleaseId | SecurityId, message: Message, *, durably: bool) -> Answer:
    async def send(releases: Releases) -> Answer:
        handle = await releases.reach(release)
        if not durably:
            return await handle.say(message)
        await handle.leave(message)
        return Answer(accepted=True, message=f"left for {release}; once a worker is up, its log says what became of it")

    return with_releases(place, send)
