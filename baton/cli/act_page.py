"""What a person sees before they say something that is not about a gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from baton.cli.layout import block, columns, rehearsal_notice
from baton.cli.terminal import plain
from baton.model.version import SecurityId

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from baton.model.acts import Act
    from baton.model.plan import Plan
    from baton.model.security import SecurityPlan


def act_page(
    plan: Plan | SecurityPlan, act: Act, facts: Iterable[tuple[str, str]] = (), *, more: Iterable[RenderableType] = ()
) -> RenderableType:
    """Render what an act says.

    Args:
        plan: which the release follows.
        act: what would be signed and sent.
        facts: what else there is to know, a line each.
        more: parts of the page that follow.
    """
    rows = columns()
    rows.add_row("you say", Text(f"{act.by} {act.said}", "bold"))
    for name, fact in facts:
        rows.add_row(name, Text(plain(fact)))
    listed = "the joint manifest" if isinstance(act.release, SecurityId) else "the manifest"
    rows.add_row("the plan" if act.subject == plan.digest else listed, act.subject)
    rows.add_row("as", f"{act.by}, {act.role}")
    if act.reason:
        rows.add_row("because", Text(plain(act.reason)))
    return Group(*rehearsal_notice(plan), block(str(act.release), rows), *more, Text(""))
