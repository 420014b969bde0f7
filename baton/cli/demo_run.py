"""The demonstration: the example released in a local world, from its start to a stranger's verification."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import typer

from baton.cli.connect import connect
from baton.cli.demo_follow import Followed
from baton.cli.demo_gate import pass_gate
from baton.cli.demo_page import summary
from baton.cli.demo_view import DemoView
from baton.cli.exits import AlreadyStarted, ExitCode
from baton.cli.place import find_place
from baton.cli.planning import Wish, make_plan
from baton.cli.releases import Releases
from baton.cli.terminal import notes, page, print_json
from baton.git import git
from baton.project.read import FILE_NAME
from baton.sandbox.borrowed import borrowed_world
from baton.sandbox.outcome import outcome_of
from baton.sandbox.ports import HOST
from baton.sandbox.state import State, default_state

if TYPE_CHECKING:
    from rich.console import Console

    from baton.cli.place import Place
    from baton.model.plan import Plan
    from baton.sandbox.borrowed import BorrowedWorld
    from baton.sandbox.outcome import Outcome
    from baton.sandbox.world import World

VERSION = "1.0.0"
"""The version of the example that is released."""

STARTER = "ada"
"""Who starts the release: a release manager on the example's roster."""


def run_demo(folder: Path | None, *, yes: bool, keep: bool, fake_ci: bool, as_json: bool) -> None:
    """Release the example in a local world, and tell what came of it.

    Args:
        folder: the world's; None for the usual one.
        yes: sign off without asking.
        keep: leave the world running.
        fake_ci: have simulators of outside CI systems build part of it.
        as_json: tell it as a document and nothing else on standard output.

    Raises:
        typer.Exit: there is nobody to ask, or they did not want to sign off.
        BatonError: something could not be done; nothing is left running.
    """
    if not (yes or (sys.stdin.isatty() and sys.stderr.isatty())):
        typer.echo("baton: the demonstration asks for a sign-off, and there is no terminal: pass --yes.", err=True)
        raise typer.Exit(ExitCode.USAGE)
    # What ends on Ctrl-C in order ends so on SIGTERM, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # The world is on loopback, where no proxy leads.
    os.environ["no_proxy"] = ",".join(filter(None, (HOST, os.environ.get("no_proxy") or os.environ.get("NO_PROXY"))))
    state = None if folder is None else State.at(folder).folder
    console = notes()
    console.print(f"Bringing up a local world in {state or default_state()} …", soft_wrap=True)
    with borrowed_world(state or default_state(), keep=keep, fake_ci=fake_ci) as world:
        place = find_place(sandbox=True, state=state)
        outcome = asyncio.run(_released(world, place, console, yes=yes))
        if as_json:
            print_json("demo", outcome)
            return
        console = page()
        for line in summary(outcome, world.facts, place, kept=world.stays):
            console.print(line, soft_wrap=True, style=None if line.startswith(" ") else "bold")


async def _released(world: BorrowedWorld, place: Place, console: Console, *, yes: bool) -> Outcome:
    """Start the release, or take up the one that is there, and see it through."""
    facts = world.facts
    client = await connect(address=facts.temporal_address, namespace=facts.namespace, codec_keys=facts.codec_keys)
    releases = Releases(client)
    wanted = _plan(facts)
    try:
        handle = await releases.start(wanted)
        console.print(f"Releasing {wanted.release} …")
    except AlreadyStarted as error:
        console.print(f"{error}. It is taken up where it is.", soft_wrap=True)
        handle = await releases.open(wanted.release)
    plan = await handle.plan()
    followed = Followed(world, place, releases, plan.release, DemoView(console, place))
    while (status := await followed.until_it_matters()).waiting:
        await pass_gate(followed, plan, status, console, yes=yes)
    console.print("Fetching back what was published, and verifying it …")
    return await asyncio.to_thread(outcome_of, facts, plan, status)


def _plan(world: World) -> Plan:
    """What the release will do, by the release.toml of the commit that is released."""
    described = git("show", f"{world.hello_commit}:{FILE_NAME}", folder=world.hello_repository)
    with TemporaryDirectory(prefix="baton-hello-") as folder:
        (Path(folder) / FILE_NAME).write_text(described, encoding="utf-8")
        wish = Wish(folder=Path(folder), version=VERSION, commit=world.hello_commit, person=STARTER)
        plan, _ = make_plan(wish, sandbox=True, state=world.state)
    return plan
