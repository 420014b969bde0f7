"""Commands about who drives a release."""

# ruff: noqa: PLC0415  # why: the package's docstring
from typing import Annotated

import typer

from baton.cli import arguments as a


def claim(
    release: a.Release,
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
    """Say that you are driving a release: advice for the others, never a lock.

    It shows in `baton list`, `baton status` and the Web UI. Who says it last drives; everyone may still act.

    Examples:
      baton claim hello/1.0.0
      baton claim hello/1.0.0 --reason "Ada is asleep"
    """
    from baton.cli.driving import claim_release
    from baton.cli.place import find_place
    from baton.cli.speech import Manner, Speaker

    claim_release(
        find_place(sandbox=sandbox, state=state),
        release,
        Speaker(person, role, reason, key, unsigned),
        Manner(yes=True, signal=signal, only_print=only_print, as_json=as_json),
    )


def hand_off(
    release: a.Release,
    to: Annotated[str, typer.Argument(metavar="PERSON", help="Who is to drive it, by their roster id.")],
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
    """Pass on a release that you are driving.

    Examples:
      baton hand-off hello/1.0.0 grace
      baton hand-off hello/1.0.0 grace --reason "off to bed, only windows is missing"
    """
    from baton.cli.driving import hand_off_release
    from baton.cli.place import find_place
    from baton.cli.speech import Manner, Speaker

    hand_off_release(
        find_place(sandbox=sandbox, state=state),
        release,
        to,
        Speaker(person, role, reason, key, unsigned),
        Manner(yes=True, signal=signal, only_print=only_print, as_json=as_json),
    )
