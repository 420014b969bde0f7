"""What people have said to a release, as it counts at its gates and as it was heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from baton.cli.layout import columns
from baton.cli.terminal import plain
from baton.cli.units import moment
from baton.model.base import short

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import RenderableType
    from rich.table import Table

    from baton.model.acts import Heard
    from baton.model.gate import GateResult, Given
    from baton.model.status import ReleaseStatus

_UNSIGNED = Text("UNSIGNED", "bold yellow")

_REFUSED = 3
"""How many of the latest refused acts are shown of a gate."""


def gates_page(status: ReleaseStatus) -> RenderableType:
    """Render a release's gates: what each asks about, and below it what people said of it."""
    parts: list[RenderableType] = []
    for gate in status.gates:
        required = sum(gate.needs.values())
        have = required - sum(gate.missing.values())
        about = "plan" if gate.subject == status.plan else "manifest"
        again = f", attempt {gate.attempt}" if gate.attempt > 1 else ""
        mark = ("✓", "green") if gate.passed_at is not None else ("▶", "bold yellow")
        parts.append(
            Text.assemble(
                mark, f"  {gate.gate}  {have} of {required}  ", (f"{about} {short(gate.subject)}{again}", "dim")
            )
        )
        parts.append(Padding(Group(*_said_of(gate)), (0, 0, 0, 5), expand=False))
    return Group(*parts)


def _said_of(gate: GateResult) -> Iterator[Text]:
    for given in gate.given:
        yield _given("", given)
    for given in gate.rejected:
        yield _given("REJECTED by ", given)
    for role, count in gate.missing.items():
        yield Text(f"missing: {count} {role}", "bold yellow")
    if gate.excluded and gate.passed_at is None:
        yield Text(f"does not count here: {', '.join(gate.excluded)}, who planned it", "dim")
    if gate.reset:
        yield Text(f"void: the earlier sign-offs of {', '.join(gate.reset)}, about something else", "yellow")
    for refusal in gate.refused[-_REFUSED:]:
        yield Text(f"refused: {refusal.kind} by {refusal.by}, {moment(refusal.at)}: {plain(refusal.why)}", "dim")


def _given(what: str, given: Given) -> Text:
    reason = f": {plain(given.reason)}" if given.reason else ""
    said = Text.assemble((what, "bold red"), (given.by, "bold"), f" as {given.role}, {moment(given.at)}{reason}")
    if given.proof is None:
        return said.append(", UNSIGNED", "bold yellow")
    return said.append(f"\n  {given.proof.credential}", "dim")


def acts_table(acts: Iterable[Heard], *, name: Callable[[str], str] = str) -> Table:
    """Render acts, each with what became of it, what proves it, and the digest of its envelope.

    Args:
        acts: in order.
        name: what a digest is shown as.
    """
    table = columns(right=(0,))
    for act in acts:
        mark = Text("✓", "green") if act.accepted else Text("✗", "bold red")
        lines = Text(overflow="fold").append(act.by, "bold").append(f" as {act.role}: {act.kind}, {act.about}")
        lines.append(f"\n{plain(act.message)}")
        lines.append("\n").append_text(_proof_of(act, name))
        table.add_row(f"{act.number}", Text(f"{act.at:%Y-%m-%d %H:%M:%SZ}", "dim"), mark, lines)
    return table


def _proof_of(act: Heard, name: Callable[[str], str]) -> Text:
    envelope = f"\nenvelope {name(act.envelope)}" if act.envelope else ""
    if act.proof is not None:
        return Text(f"{act.proof.credential}{envelope}", "dim")
    return Text.assemble(("not proven", "bold yellow"), (envelope, "dim")) if envelope else _UNSIGNED
