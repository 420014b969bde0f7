"""Commands about security releases: several streams behind one barrier, with one sign-off for all of them."""

# ruff: noqa: PLC0415  # why: the package's docstring
import inspect
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from baton.cli import arguments as a
from baton.cli.commands import security_acts, security_after
from baton.cli.exits import ExitCode
from baton.cli.group import examples, help_text

security = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Ship a fix in several streams at once: each built and staged, one sign-off for all, public together.\n\n"
    "A stream's own gates and steps are dealt with as those of any release: `baton decide PROJECT/VERSION …`.",
    epilog="\b\nExamples:\n"
    "  baton security start --advisory GHSA-2026-1 --stream 3.13.9=v3.13-fix --stream 3.14.1=v3.14-fix\n"
    "  baton security status --watch\n  baton security sign-off",
)


class _Sign(StrEnum):
    """The model's own words, without the model: it is slow to import, and help and completion need only these."""

    EARLY = "early"
    AT_BARRIER = "at-barrier"


def start(
    *,
    advisory: Annotated[
        str,
        typer.Option(metavar="ID", help="What is mended, by a reference that says nothing by itself: GHSA-…, CVE-…."),
    ],
    stream: Annotated[
        list[str],
        typer.Option(
            metavar="VERSION=COMMIT",
            help="A version and the commit, branch or tag that has the fix; one for each stream, in the order in which "
            "they go public.",
        ),
    ],
    embargo_until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When the embargo ends, such as 2026-12-01T14:00Z.", show_default="none"),
    ] = None,
    sign: Annotated[
        _Sign | None,
        typer.Option(help="When files are signed, in a rehearsal.", show_default="as [security] in release.toml says"),
    ] = None,
    project: a.Project = Path(),
    person: a.Person = None,
    yes: a.Yes = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Start a security release: shows the plan of every stream, asks, and starts all of them.

    Nothing becomes public before every stream is ready, the embargo is over and people have signed off all of it. A
    version that runs or was released, alone or in another security release, is refused with exit code 4.

    Examples:
      baton security start --advisory GHSA-2026-1 --stream 3.13.9=v3.13-fix --stream 3.14.1=v3.14-fix
      baton security start --advisory CVE-2026-1 --stream 1.0.1=fix --embargo-until 2026-12-01T14:00Z -C ../hello --yes
    """
    from baton.cli.security_planning import Ordered, parse_stream, parse_time
    from baton.cli.security_starting import start_security
    from baton.model.plan import SignWhen

    ordered = Ordered(
        folder=project,
        advisory=advisory,
        streams=tuple(map(parse_stream, stream)),
        until=None if embargo_until is None else parse_time(embargo_until),
        sign=None if sign is None else SignWhen(sign.value),
        person=person,
    )
    start_security(ordered, sandbox=sandbox, state=state, yes=yes, as_json=as_json)


def status(
    name: a.Security = None,
    *,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Keep it up to date until it is over.")] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with 3 if it waits for a person, with 1 if cancelled.")
    ] = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Show all streams side by side: where each is, what stops it with the command that decides, and the barrier.

    Examples:
      baton security status
      baton security status --watch
      baton security status --json | jq '.streams[] | {version, state}'
    """
    from baton.cli.place import find_place
    from baton.cli.security_sight import show_security, watch_security

    if watch and as_json:
        raise typer.BadParameter("--watch shows a page; leave out --json, or call `status --json` again and again")
    place = find_place(sandbox=sandbox, state=state)
    worth = watch_security(place, name) if watch else show_security(place, name, as_json=as_json)
    raise typer.Exit(worth if exit_code else ExitCode.OK)


def list_(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    mine: Annotated[bool, typer.Option("--mine", help="Only what you can bring forward.")] = False,
    person: a.Person = None,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Show what security releases wait for, and their streams under an embargo; `baton list` shows them as well.

    Examples:
      baton security list
      baton security list --all --json
    """
    from baton.cli.overview import Choice, show_list
    from baton.cli.place import find_place

    choice = Choice(everything=everything, mine=mine, security=True)
    show_list(find_place(sandbox=sandbox, state=state), choice, person=person, as_json=as_json)


def demo(
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Sign off without asking.")] = False,
    as_json: a.Json = False,
    state: a.State = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the world running in the background, to look around.")
    ] = False,
) -> None:
    """Ship a fix in six streams of an example at once, in a local world of its own, with nothing set up.

    Three streams get everything, three the source and the documentation alone. Starts all of them, waits until they
    are ready, shows what each is about to ship, asks for the one sign-off, and has them go public together.

    Examples:
      baton security demo
      baton security demo --yes --json --state ./world | jq .seconds
    """
    from baton.cli.security_demo import run_security_demo

    run_security_demo(state, yes=yes, keep=keep, as_json=as_json)


_COMMANDS: dict[str, Callable[..., None]] = {
    "start": start,
    "status": status,
    "list": list_,
    **security_acts.COMMANDS,
    **security_after.COMMANDS,
    "demo": demo,
}

for _name, _command in _COMMANDS.items():
    _told = inspect.getdoc(_command) or ""
    security.command(_name, help=help_text(_told), epilog=examples(_told))(_command)
