"""The plan of a security release on one page: its streams side by side, in the order in which they go public."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from baton.cli.layout import block, columns, rehearsal_notice
from baton.cli.units import age
from baton.model.version import ReleaseKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from baton.cli.security_planning import Planned
    from baton.model.plan import Plan
    from baton.model.security import SecurityPlan


def security_plan_page(planned: Planned) -> RenderableType:
    """Render what a security release would do."""
    plan = planned.plan
    parts: list[RenderableType] = list(rehearsal_notice(plan))
    parts.append(Text.assemble((f"{plan.title}: security release for {plan.advisory}", "bold")))
    parts.append(Text(f"{plan.release.workflow_id}   plan {plan.digest}", "dim"))
    parts.append(block("Streams, in the order in which they go public", _streams(planned)))
    parts.append(block("The barrier opens when", _rows(_conditions(plan))))
    parts.append(block("How", _rows(_how(plan))))
    if plan.leaks:
        parts.append(block("", Text(f"! {plan.leaks}", "bold yellow")))
    return Group(*parts, Text(""))


def _streams(planned: Planned) -> Table:
    table = header_table("Version", "Commit", "Kind", "Builds", "Left out", "Own gates")
    for plan in planned.plan.plans:
        left_out = planned.left_out(plan)
        table.add_row(
            Text(plan.version, "bold"),
            plan.source.commit[:12],
            kind_of(plan, left_out),
            ", ".join(step.name for step in plan.steps),
            ", ".join(left_out) or "nothing",
            ", ".join(f"{gate.name} (before {gate.before})" for gate in plan.gates) or "none",
        )
    return table


def kind_of(plan: Plan, left_out: Iterable[str]) -> str:
    """What a stream ships, in a word: everything, or what one that only gets security fixes does."""
    if plan.release_kind is ReleaseKind.SECURITY:
        return "security only"
    return "full" if not list(left_out) else f"{plan.release_kind}, in part"


def _conditions(plan: SecurityPlan) -> Iterable[tuple[str, str]]:
    yield "streams", "every one is built, checked and staged, with nothing public"
    needs = " and ".join(f"{count} by {role}" for role, count in plan.gate.needs.items())
    but = "" if plan.gate.starter_counts else f"; {plan.started_by}, who starts it, does not count"
    yield f"gate {plan.gate.name}", f"one sign-off of all streams' files: {needs}{but}"
    yield "embargo", "as soon as people agree" if plan.until is None else f"it ends {plan.until:%Y-%m-%d %H:%M %Z}"


def _how(plan: SecurityPlan) -> Iterable[tuple[str, str]]:
    source = plan.plans[0].source.repository
    yield "build", f"from {source}, where the commits above have to be"
    sign = "every stream is signed and verified" if not plan.leaks else "files were signed as soon as they were made"
    yield "sign", sign
    pause = f"with {age(timedelta(seconds=plan.pause))} between two" if plan.pause else "all at once"
    yield "publish", f"{pause}, to {', '.join(dict.fromkeys(t.name for each in plan.plans for t in each.targets))}"
    yield "names", "tell no version before (embargo)" if plan.embargoed else "tell the versions: there is no embargo"
    if plan.announcers:
        yield "tell", ", ".join(announcer.name for announcer in plan.announcers) + ", once for all streams"


def _rows(rows: Iterable[tuple[str, str]]) -> Table:
    table = columns()
    for name, fact in rows:
        table.add_row(Text(name, "bold"), Text(fact, overflow="fold"))
    return table


def header_table(*titles: str) -> Table:
    """A table without lines whose columns have names."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for title in titles:
        table.add_column(title, overflow="fold")
    return table
