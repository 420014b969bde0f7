"""Commands that speak to a security release: agreeing for all streams at once, deciding who takes part and when."""

# ruff: noqa: PLC0415  # why: the package's docstring
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from baton.cli import arguments as a

if TYPE_CHECKING:
    from baton.cli.security_acts import Spoken


def sign_off(
    name: a.Security = None,
    *,
    person: a.Person = None,
    role: a.Role = None,
    reason: a.Reason = "",
    key: a.Key = None,
    unsigned: a.Unsigned = False,
    yes: a.Yes = False,
    signal: a.Signal = False,
    only_print: a.Print = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Agree to what every stream ships, with one signature.

    Shows stream by stream the version, commit, files with sizes, checks and what is different from the stream's last
    release; then asks for a word to be typed. Your sign-off counts for exactly that. It may come before the embargo is
    over: nothing becomes public before.

    Examples:
      baton security sign-off
      baton security sign-off cpython/3f2a --as ada --key ~/.ssh/id_ed25519
    """
    from baton.cli.place import find_place
    from baton.cli.security_agreement import speak_at_joint_gate
    from baton.cli.speech import Manner, Speaker
    from baton.model.acts import SignOff

    speak_at_joint_gate(
        SignOff,
        find_place(sandbox=sandbox, state=state),
        name,
        speaker=Speaker(person, role, reason, key, unsigned),
        manner=Manner(yes=yes, signal=signal, only_print=only_print, as_json=as_json),
    )


def reject(
    name: a.Security = None,
    *,
    person: a.Person = None,
    role: a.Role = None,
    reason: a.Reason = "",
    key: a.Key = None,
    unsigned: a.Unsigned = False,
    yes: a.Yes = False,
    signal: a.Signal = False,
    only_print: a.Print = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Object to what is about to ship: nothing becomes public until you withdraw.

    Examples:
      baton security reject --reason "the fix in 3.12 is not complete"
    """
    from baton.cli.place import find_place
    from baton.cli.security_agreement import speak_at_joint_gate
    from baton.cli.speech import Manner, Speaker
    from baton.model.acts import Rejection

    speak_at_joint_gate(
        Rejection,
        find_place(sandbox=sandbox, state=state),
        name,
        speaker=Speaker(person, role, reason, key, unsigned),
        manner=Manner(yes=yes, signal=signal, only_print=only_print, as_json=as_json),
    )


def withdraw(
    name: a.Security = None,
    *,
    person: a.Person = None,
    role: a.Role = None,
    reason: a.Reason = "",
    key: a.Key = None,
    unsigned: a.Unsigned = False,
    yes: a.Yes = False,
    signal: a.Signal = False,
    only_print: a.Print = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Take back your own sign-off or rejection, until the barrier has opened.

    Examples:
      baton security withdraw --reason "found the cause, it is not ours"
    """
    from baton.cli.place import find_place
    from baton.cli.security_agreement import speak_at_joint_gate
    from baton.cli.speech import Manner, Speaker
    from baton.model.acts import Withdrawal

    speak_at_joint_gate(
        Withdrawal,
        find_place(sandbox=sandbox, state=state),
        name,
        speaker=Speaker(person, role, reason, key, unsigned),
        manner=Manner(yes=yes, signal=signal, only_print=only_print, as_json=as_json),
    )


def take_out(
    version: a.StreamVersion,
    name: a.Security = None,
    *,
    person: a.Person = None,
    role: a.Role = None,
    reason: a.Reason = "",
    key: a.Key = None,
    unsigned: a.Unsigned = False,
    yes: a.Yes = False,
    signal: a.Signal = False,
    only_print: a.Print = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Take a stream out: its release ends and is undone, and the others go on without it.

    Its version can be released alone afterwards, with `baton start`. What people had agreed to is void.

    Examples:
      baton security take-out 3.12.9 --reason "its Windows build is broken, it follows tomorrow"
    """
    from baton.cli import security_acts

    spoken = _spoken(
        name, (person, role, reason, key, unsigned), (yes, signal, only_print, as_json), sandbox=sandbox, state=state
    )
    security_acts.take_out(spoken, version)


def start_again(
    version: a.StreamVersion,
    name: a.Security = None,
    *,
    person: a.Person = None,
    role: a.Role = None,
    reason: a.Reason = "",
    key: a.Key = None,
    unsigned: a.Unsigned = False,
    signal: a.Signal = False,
    only_print: a.Print = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Start a stream again whose release has ended too early.

    Examples:
      baton security start-again 3.12.9
    """
    from baton.cli import security_acts

    spoken = _spoken(
        name, (person, role, reason, key, unsigned), (True, signal, only_print, as_json), sandbox=sandbox, state=state
    )
    security_acts.start_again(spoken, version)


def move_date(
    until: Annotated[str, typer.Argument(metavar="TIME", help="Such as 2026-12-01T14:00Z; `none` for no date.")],
    name: a.Security = None,
    *,
    person: a.Person = None,
    role: a.Role = None,
    reason: a.Reason = "",
    key: a.Key = None,
    unsigned: a.Unsigned = False,
    yes: a.Yes = False,
    signal: a.Signal = False,
    only_print: a.Print = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Move the end of the embargo, until the barrier has opened. What people had agreed to is void.

    Examples:
      baton security move-date 2026-12-02T14:00Z --reason "a distributor needs a day"
    """
    from baton.cli import security_acts
    from baton.cli.security_planning import parse_time

    spoken = _spoken(
        name, (person, role, reason, key, unsigned), (yes, signal, only_print, as_json), sandbox=sandbox, state=state
    )
    security_acts.move_date(spoken, None if until == "none" else parse_time(until))


def claim(
    name: a.Security = None,
    *,
    person: a.Person = None,
    role: a.Role = None,
    reason: a.Reason = "",
    key: a.Key = None,
    unsigned: a.Unsigned = False,
    signal: a.Signal = False,
    only_print: a.Print = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Say that you are driving the security release: advice for the others, never a lock.

    Examples:
      baton security claim
    """
    from baton.cli import security_acts

    spoken = _spoken(
        name, (person, role, reason, key, unsigned), (True, signal, only_print, as_json), sandbox=sandbox, state=state
    )
    security_acts.claim(spoken)


def hand_off(
    to: Annotated[str, typer.Argument(metavar="PERSON", help="Who is to drive it, by their roster id.")],
    name: a.Security = None,
    *,
    person: a.Person = None,
    role: a.Role = None,
    reason: a.Reason = "",
    key: a.Key = None,
    unsigned: a.Unsigned = False,
    signal: a.Signal = False,
    only_print: a.Print = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Pass on a security release that you are driving.

    Examples:
      baton security hand-off grace --reason "off to bed"
    """
    from baton.cli import security_acts

    spoken = _spoken(
        name, (person, role, reason, key, unsigned), (True, signal, only_print, as_json), sandbox=sandbox, state=state
    )
    security_acts.hand_off(spoken, to)


def cancel(
    name: a.Security = None,
    *,
    person: a.Person = None,
    role: a.Role = None,
    reason: a.Reason = "",
    key: a.Key = None,
    unsigned: a.Unsigned = False,
    yes: a.Yes = False,
    signal: a.Signal = False,
    only_print: a.Print = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """End a security release before anything of it can be public; every stream undoes what it did.

    Examples:
      baton security cancel --reason "the fix is wrong"
    """
    from baton.cli import security_acts

    spoken = _spoken(
        name, (person, role, reason, key, unsigned), (yes, signal, only_print, as_json), sandbox=sandbox, state=state
    )
    security_acts.cancel(spoken)


def _spoken(
    name: str | None,
    speaker: tuple[str | None, str | None, str, str | None, bool],
    manner: tuple[bool, bool, bool, bool],
    *,
    sandbox: bool,
    state: Path | None,
) -> "Spoken":
    """Who speaks where, of the options that all of these commands have, in the order in which they list them."""
    from baton.cli.place import find_place
    from baton.cli.security_acts import Spoken
    from baton.cli.speech import Manner, Speaker

    return Spoken(find_place(sandbox=sandbox, state=state), name, Speaker(*speaker), Manner(*manner))


COMMANDS: dict[str, Callable[..., None]] = {
    "sign-off": sign_off,
    "reject": reject,
    "withdraw": withdraw,
    "take-out": take_out,
    "start-again": start_again,
    "move-date": move_date,
    "claim": claim,
    "hand-off": hand_off,
    "cancel": cancel,
}
"""By their names, in the order in which help lists them."""
