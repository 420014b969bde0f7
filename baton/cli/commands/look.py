"""Commands that look: what waits, where a release is, who did what."""

# ruff: noqa: PLC0415  # why: the package's docstring
from typing import Annotated

import typer

from baton.cli import arguments as a
from baton.cli.exits import ExitCode


def list_releases(
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Every release that Temporal remembers, also those that are over.")
    ] = False,
    mine: Annotated[bool, typer.Option("--mine", help="Only what you can bring forward.")] = False,
    person: a.Person = None,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Show what waits for you, for your roles, and for others, and who drives it.

    Examples:
      baton list
      baton list --mine --as ada
      baton list --all --json
    """
    from baton.cli.overview import Choice, show_list
    from baton.cli.place import find_place

    choice = Choice(everything=everything, mine=mine)
    show_list(find_place(sandbox=sandbox, state=state), choice, person=person, as_json=as_json)


def status(
    release: a.Release,
    *,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Keep it up to date until the release is over.")] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with 3 if the release waits for a person, with 1 if cancelled.")
    ] = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Show where a release is, and what it waits for with the command to type.

    Examples:
      baton status hello/1.0.0
      baton status hello/1.0.0 --watch
      baton status hello/1.0.0 --json | jq .phase
    """
    from baton.cli.place import find_place
    from baton.cli.watching import show_status, watch_status

    if watch and as_json:
        raise typer.BadParameter("--watch shows a page; leave out --json, or call `status --json` again and again")
    place = find_place(sandbox=sandbox, state=state)
    worth = watch_status(place, release) if watch else show_status(place, release, as_json=as_json)
    raise typer.Exit(worth if exit_code else ExitCode.OK)


def log(
    release: a.Release,
    step: Annotated[
        str | None, typer.Argument(metavar="STEP", help="Print the log of this step's last attempt instead.")
    ] = None,
    *,
    acts: Annotated[
        bool, typer.Option("--acts", help="Everything that people said, accepted or refused, with what proves it.")
    ] = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Show who did what in a release, and when; what people said; or what a step's commands printed.

    A step's log comes from the artifact store, so BATON_STORE has to name the one that the workers use.

    Examples:
      baton log hello/1.0.0
      baton log hello/1.0.0 --acts
      baton log hello/1.0.0 windows
    """
    from baton.cli.journal import show_acts, show_journal, show_step_log
    from baton.cli.place import find_place

    if step is not None and (as_json or acts):
        raise typer.BadParameter(f"a step's log is text; leave out {'--json' if as_json else '--acts'}")
    place = find_place(sandbox=sandbox, state=state)
    if step is not None:
        show_step_log(place, release, step)
    elif acts:
        show_acts(place, release, as_json=as_json)
    else:
        show_journal(place, release, as_json=as_json)


def ui(
    release: Annotated[
        str | None, typer.Argument(metavar="RELEASE", help="PROJECT/VERSION; by default the list of all.")
    ] = None,
    *,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser too.")] = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Print the address of the Temporal Web UI, or of a release's page there.

    BATON_UI_URL names the UI of a Temporal whose address does not give it away.

    Examples:
      baton ui
      baton ui hello/1.0.0 --open
    """
    from baton.cli.addresses import show_address
    from baton.cli.place import find_place

    show_address(find_place(sandbox=sandbox, state=state), release, open_it=open_it, as_json=as_json)
