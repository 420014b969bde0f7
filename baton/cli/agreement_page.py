"""What a person sees before they speak at a gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from baton.cli.layout import block, columns, count_of, files_table, rehearsal_notice
from baton.cli.terminal import plain
from baton.cli.units import size
from baton.model.acts import Rejection, SignOff
from baton.model.plan import GatePoint

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from baton.cli.agreement import Asked
    from baton.model.acts import AboutGate
    from baton.model.manifest import ManifestRef
    from baton.model.status import StepStatus

_NEXT = {
    GatePoint.BUILD: "it is built",
    GatePoint.SIGN: "it is signed",
    GatePoint.PUBLISH: "it becomes PUBLIC, which can't be taken back",
}
_NEXT_ANEW = {
    GatePoint.SIGN: "these files are signed anew",
    GatePoint.PUBLISH: "their new signatures become PUBLIC, which can't be taken back",
}
_YOU = {"sign-off": "You agree to", "reject": "You object to", "withdraw": "You take back what you said about"}


def agreement_page(asked: Asked, act: AboutGate, *, listed: bool = False) -> RenderableType:
    """Render what a gate asks about, and what it means to speak there.

    Args:
        asked: the gate and what it is about.
        act: what would be signed and sent.
        listed: whether the files are those that the manifest in the store lists, and not only what the release tells.
    """
    plan, before = asked.plan, asked.gate.before
    parts: list[RenderableType] = list(rehearsal_notice(plan))
    parts.append(
        Text.assemble(
            (str(plan.release), "bold"), f"   gate {asked.gate.name}, before {before}, attempt {asked.result.attempt}"
        )
    )
    parts.append(block(_YOU[act.kind], _facts(asked, act)))
    if asked.manifest is not None:
        parts.append(_files(asked.manifest, listed=listed))
    if asked.checks:
        parts.append(block("Checked", _checks(asked.checks)))
    parts.append(block("", Text(_meaning(asked, act))))
    parts.append(Text(""))
    return Group(*parts)


def _facts(asked: Asked, act: AboutGate) -> Table:
    plan = asked.plan
    facts = columns()
    facts.add_row("the plan" if asked.gate.before is GatePoint.BUILD else "the manifest", Text(act.subject, "bold"))
    facts.add_row("from commit", plan.source.commit)
    facts.add_row("of", plan.source.repository)
    if plan.resigning is not None:
        facts.add_row("old signatures", plan.resigning.fate)
    facts.add_row("as", f"{act.by}, {act.role}")
    if act.reason:
        facts.add_row("because", Text(plain(act.reason)))
    return facts


def _files(manifest: ManifestRef, *, listed: bool) -> RenderableType:
    source = "as the manifest in the store lists them" if listed else "as the release tells"
    heading = f"{count_of(manifest.files, 'file')}, {size(manifest.total_bytes)}, {source}"
    return block(heading, files_table(manifest.preview, manifest.files))


def _checks(checks: tuple[StepStatus, ...]) -> Table:
    table = columns()
    for check in checks:
        table.add_row(check.name, check.state.replace("-", " "), Text(plain(check.detail)))
    return table


def _meaning(asked: Asked, act: AboutGate) -> str:
    result = asked.result
    if isinstance(act, Rejection):
        return f"{result}. While you object, it can't pass; `baton withdraw` takes that back."
    if not isinstance(act, SignOff):
        return f"{result}, before you take yours back."
    last = sum(result.missing.values()) == 1 and not result.rejected
    when = "Yours is the last one; then" if last else "When it has them all,"
    return f"{result}. {when} {(_NEXT if asked.plan.resigning is None else _NEXT_ANEW)[asked.gate.before]}."
