"""Starting a release."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from baton.cli.addresses import ui_address
from baton.cli.embargo import require_encryption
from baton.cli.exits import AlreadyStarted, InSecurityRelease
from baton.cli.plan_page import plan_page
from baton.cli.planning import make_plan
from baton.cli.session import with_releases
from baton.cli.terminal import confirm, notes, print_json
from baton.model.errors import Missing
from baton.project.read import read_project

if TYPE_CHECKING:
    from pathlib import Path

    from baton.cli.place import Place
    from baton.cli.planning import Wish
    from baton.cli.releases import Releases
    from baton.model.plan import Plan
    from baton.model.version import ReleaseId


def start_release(
    wish: Wish, *, sandbox: bool, state: Path | None, yes: bool, as_json: bool, despite_embargo: bool = False
) -> None:
    """Show the plan, ask, and start the release.

    Args:
        wish: what to release.
        sandbox: whether to rehearse it in the local world.
        state: that world's folder.
        yes: don't ask.
        as_json: tell of the start as a document and not in words.
        despite_embargo: start it though it tells what other streams mend that are under embargo.

    Raises:
        typer.Exit: they thought better of it.
        AlreadyStarted: the release runs, or was finished before.
        BatonError: it can't be planned or started.
    """
    plan, place = make_plan(wish, sandbox=sandbox, state=state)
    require_encryption(read_project(wish.folder), place)
    if despite_embargo:
        typer.echo("! --despite-embargo: if others mend the same under embargo, this release tells what", err=True)
    start_plan(plan, place, yes=yes, as_json=as_json, despite_embargo=despite_embargo)


def start_plan(plan: Plan, place: Place, *, yes: bool, as_json: bool, despite_embargo: bool = False) -> None:
    """Show a plan, ask, and start what it says; arguments and errors as for :func:`start_release`."""
    if not yes:
        notes().print(plan_page(plan))
        notes().print()
    confirm(f"Start {plan.release}?", yes=yes)
    address = _address(place, plan.release)
    try:
        run, silent = with_releases(place, lambda releases: _start(releases, plan, despite_embargo=despite_embargo))
    except InSecurityRelease:
        raise
    except AlreadyStarted as error:
        raise AlreadyStarted(f"{error}. See {address or plan.release.workflow_id}") from error
    for fact in silent:
        typer.echo(f"! {fact}", err=True)
    if as_json:
        facts = {"workflow_id": plan.release.workflow_id, "run": run, "plan": plan.digest, "ui_url": address}
        print_json("started", {**facts, "silent": silent})
        return
    typer.echo(f"{plan.release} runs as {plan.release.workflow_id}{f': {address}' if address else ''}")
    typer.echo(place.command(f"baton status {plan.release.typed}") + " --watch")


async def _start(releases: Releases, plan: Plan, *, despite_embargo: bool) -> tuple[str, list[str]]:
    started = await releases.start(plan, despite_embargo=despite_embargo)
    found = await releases.workers(plan.queues, of_workflows=[plan.queue])
    now = datetime.now(UTC)
    return started.run, [workers.fact(now) for workers in found if workers.silent(now)]


def _address(place: Place, release: ReleaseId) -> str | None:
    try:
        return ui_address(place, release)
    except Missing:
        return None
