"""Starting a security release."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from baton.cli.security_plan_page import security_plan_page
from baton.cli.security_planning import plan_security
from baton.cli.session import with_releases
from baton.cli.terminal import confirm, notes, print_json

if TYPE_CHECKING:
    from pathlib import Path

    from baton.cli.releases import Releases
    from baton.cli.security_planning import Ordered
    from baton.model.security import SecurityPlan


def start_security(ordered: Ordered, *, sandbox: bool, state: Path | None, yes: bool, as_json: bool) -> None:
    """Show the plan, ask, and start the security release.

    Args:
        ordered: what to ship.
        sandbox: whether to rehearse it in the local world.
        state: that world's folder.
        yes: don't ask.
        as_json: tell of the start as a document and not in words.

    Raises:
        typer.Exit: they thought better of it.
        AlreadyStarted: one of its versions runs, or was released before.
        BatonError: it can't be planned or started.
    """
    planned = plan_security(ordered, sandbox=sandbox, state=state)
    plan, place = planned.plan, planned.place
    if not yes:
        notes().print(security_plan_page(planned))
    versions = ", ".join(each.version for each in plan.plans)
    confirm(f"Start the security release of {plan.release.project} {versions}?", yes=yes)
    run, silent = with_releases(place, lambda releases: _start(releases, plan))
    for fact in silent:
        typer.echo(f"! {fact}", err=True)
    name = f"{plan.release.project}/{plan.release.security}"
    if as_json:
        streams = {each.version: plan.workflow_id(each.version) for each in plan.plans}
        facts = {"security": name, "workflow_id": plan.release.workflow_id, "run": run, "plan": plan.digest}
        print_json("security-started", {**facts, "streams": streams, "silent": silent})
        return
    typer.echo(f"The security release runs as {plan.release.workflow_id}")
    typer.echo(place.command(f"baton security status {name}") + " --watch")


async def _start(releases: Releases, plan: SecurityPlan) -> tuple[str, list[str]]:
    started = await releases.start_security(plan)
    queues = dict.fromkeys(queue for each in plan.plans for queue in each.queues)
    found = await releases.workers(queues, of_workflows=[plan.queue])
    now = datetime.now(UTC)
    return started.run, [workers.fact(now) for workers in found if workers.silent(now)]
