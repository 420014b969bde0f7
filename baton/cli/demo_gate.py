"""The demonstration at a gate: who may sign off and how, and the sign-off itself."""

from __future__ import annotations

import asyncio
import select
import sys
from typing import TYPE_CHECKING

import typer

from baton.cli.agreement import Asked
from baton.cli.agreement_page import agreement_page
from baton.cli.demo_page import dev_command, ways_to_sign_off
from baton.cli.exits import ExitCode
from baton.cli.sealing import seal_act, unsigned_notice
from baton.model.acts import SignOff
from baton.model.errors import Failed

if TYPE_CHECKING:
    from rich.console import Console

    from baton.cli.demo_follow import Followed
    from baton.model.plan import Plan
    from baton.model.status import ReleaseStatus, Waiting

_REASON = "the demonstration"
_EVERY = 0.5
"""Seconds between two looks whether somebody else has signed off meanwhile."""


async def pass_gate(followed: Followed, plan: Plan, status: ReleaseStatus, console: Console, *, yes: bool) -> None:
    """Say who can sign off what the release waits for, and give one sign-off; or see that somebody else has given it.

    Args:
        followed: the release.
        plan: what it does.
        status: in which it waits for a sign-off.
        console: where the person is told.
        yes: sign off without asking.

    Raises:
        typer.Exit: the person does not want to; the release goes on waiting.
        Failed: the release did not accept the sign-off.
    """
    waiting = status.waiting[0]
    sign_off = first_sign_off(plan, waiting)
    console.print(agreement_page(Asked.of(plan, status, waiting.what), sign_off))
    console.print(unsigned_notice(sign_off.by))
    for line in ways_to_sign_off(waiting, plan.release, followed.world.facts, followed.place):
        console.print(line, soft_wrap=True)
    console.print()
    if yes or await _agreed(followed, sign_off, console):
        answer = await (await followed.releases.open(plan.release)).say(seal_act(sign_off, None))
        if not answer.accepted:
            raise Failed(f"the sign-off was not accepted: {answer.message}")
        console.print(f"{sign_off.by} signed off as {sign_off.role}, UNSIGNED: {answer.message}", soft_wrap=True)


def first_sign_off(plan: Plan, waiting: Waiting) -> SignOff:
    """The sign-off of the first person who can give it, in a role that is asked for.

    Raises:
        Failed: nobody on the roster can.
    """
    message = SignOff.model_validate_json(waiting.message)
    for person in plan.roster.people:
        for role in person.roles:
            if person.id in waiting.people and role in waiting.roles:
                return message.model_copy(update={"by": person.id, "role": role, "reason": _REASON})
    raise Failed(f"nobody on the roster can give the sign-off that gate {waiting.what} waits for: {waiting.why}")


async def _agreed(followed: Followed, sign_off: SignOff, console: Console) -> bool:
    """Whether the person at the terminal agrees; False when the gate has passed without them.

    Raises:
        typer.Exit: they don't.
    """
    console.print(f"Sign off as {sign_off.by}, {sign_off.role}, unsigned? [Y/n] ", end="")
    while not await asyncio.to_thread(_typed):
        status, _ = await followed.look()
        if status is not None and not _still_asks(status, sign_off):
            console.print("\nSomebody else has signed off meanwhile.")
            return False
    if sys.stdin.readline().strip().lower() in ("", "y", "yes"):
        return True
    command = dev_command(followed.world.facts, followed.place)
    console.print(f"The release waits. It goes on when `{command}` runs and somebody signs off.", soft_wrap=True)
    raise typer.Exit(ExitCode.WAITING)


def _typed() -> bool:
    """Whether a line was typed, or none can be any more, within a moment."""
    ready, _, _ = select.select([sys.stdin], [], [], _EVERY)
    return bool(ready)


def _still_asks(status: ReleaseStatus, sign_off: SignOff) -> bool:
    return any(
        gate.gate == sign_off.gate
        and gate.attempt == sign_off.attempt
        and gate.passed_at is None
        and sign_off.role in gate.missing
        for gate in status.gates
    )
