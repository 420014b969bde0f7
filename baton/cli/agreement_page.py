"""What a person sees before they sign off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from baton.cli.layout import block, columns, count_of, files_table, sandbox_notice
from baton.cli.units import size
from baton.model.plan import GatePoint

if TYPE_CHECKING:
    from rich.console import RenderableType

    from baton.cli.agreement import Asked
    from baton.model.acts import SignOff

_NEXT = {
    GatePoint.BUILD: "it is built",
    GatePoint.SIGN: "it is signed",
    GatePoint.PUBLISH: "it becomes PUBLIC, which can't be taken back",
}


def agreement_page(asked: Asked, sign_off: SignOff) -> RenderableType:
    """Render what a gate asks about, and what agreeing to it means.

    Args:
        asked: the gate and what it is about.
        sign_off: the agreement that would be sent.
    """
    plan, before = asked.plan, asked.gate.before
    parts: list[RenderableType] = [sandbox_notice()] if plan.sandbox else []
    parts.append(Text.assemble((str(plan.release), "bold"), f"   gate {asked.gate.name}, before {before}"))
    facts = columns()
    facts.add_row("the plan" if before is GatePoint.BUILD else "the manifest", Text(sign_off.subject, "bold"))
    facts.add_row("from commit", plan.source.commit)
    facts.add_row("of", plan.source.repository)
    facts.add_row("as", f"{sign_off.by}, {sign_off.role}")
    parts.append(block("You agree to", facts))
    if asked.manifest is not None:
        manifest = asked.manifest
        heading = f"{count_of(manifest.files, 'file')}, {size(manifest.total_bytes)}"
        parts.append(block(heading, files_table(manifest.preview, manifest.files)))
    last = sum(asked.result.missing.values()) == 1
    when = "Yours is the last one; then" if last else "When it has them all,"
    parts.append(block("", Text(f"{asked.result}. {when} {_NEXT[before]}.")))
    parts.append(Text(""))
    return Group(*parts)
