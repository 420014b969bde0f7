"""Saying something to a release: by update, by signal, or as JSON for another tool to send."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from baton.cli.exits import ExitCode
from baton.cli.session import with_releases
from baton.cli.terminal import confirm, print_json
from baton.model.acts import Answer

if TYPE_CHECKING:
    from baton.cli.handle import Message
    from baton.cli.place import Place
    from baton.cli.releases import Releases
    from baton.model.version import ReleaseId


@dataclass(frozen=True)
class Speaker:
    """Who speaks, as far as they said.

    Attributes:
        person: their roster id; None to find them by git's configuration.
        role: the role they act in; None to find the one that fits.
        reason: for the release's log.
    """

    person: str | None
    role: str | None
    reason: str


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


def speak(
    place: Place, release: ReleaseId, message: Message, manner: Manner, *, question: str, typed: str | None = None
) -> None:
    """Ask, send a message, and tell the caller what became of it.

    Args:
        place: where the release is.
        release: which.
        message: what to say.
        manner: how.
        question: what is asked before it is sent; empty for what needs no second thought.
        typed: a word to type out instead of a plain yes.

    Raises:
        typer.Exit: the caller thought better of it, or the release did not accept it.
        BatonError: it could not be sent, or no answer came.
    """
    if manner.only_print:
        sys.stdout.write(message.model_dump_json(exclude_none=True) + "\n")
        return
    if question:
        confirm(question, yes=manner.yes, typed=typed)

    async def send(releases: Releases) -> Answer:
        handle = await releases.open(release)
        if not manner.signal:
            return await handle.say(message)
        await handle.leave(message)
        return Answer(accepted=True, message=f"left for {release}; once a worker is up, its log says what became of it")

    answer = with_releases(place, send)
    if manner.as_json:
        print_json("answer", answer)
    else:
        typer.echo(answer.message, err=not answer.accepted)
    if not answer.accepted:
        raise typer.Exit(ExitCode.FAILED)
