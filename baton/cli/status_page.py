"""A release on one page: what it waits for first, then where everything is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from baton.cli.layout import block, columns, count_of, files_table, indented, rehearsal_notice
from baton.cli.terminal import plain
from baton.cli.units import age, moment, size
from baton.model.acts import Choice
from baton.model.base import short
from baton.model.status import Phase, StepState, WaitKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from rich.console import RenderableType

    from baton.model.gate import GateResult
    from baton.model.manifest import ManifestRef
    from baton.model.status import Published, ReleaseStatus, StepStatus, Waiting

_MARKS = {
    StepState.PENDING: ("·", "dim"),
    StepState.RUNNING: ("▶", "cyan"),
    StepState.NEEDS_DECISION: ("!", "bold yellow"),
    StepState.SKIPPED: ("-", "dim"),
    StepState.DONE: ("✓", "green"),
}


def status_page(
    status: ReleaseStatus, *, now: datetime, silent: Iterable[str] = (), command: Callable[[str], str] = str
) -> RenderableType:
    """Render a release's status.

    Args:
        status: as the release tells it.
        now: the time from which ages count.
        silent: facts about task queues that it needs and nobody polls.
        command: adds to a command what makes it look at the same place.
    """
    parts: list[RenderableType] = list(rehearsal_notice(status))
    parts.append(_headline(status))
    parts.append(_phases(status.phase))
    parts.extend(block("", Text(f"! {fact}", "bold red")) for fact in silent)
    parts.extend(_waiting(waiting, status, now, command) for waiting in status.waiting)
    parts.append(block("Steps", _steps(status.steps)))
    if status.gates:
        parts.append(block("Gates", _gates(status)))
    if status.manifest is not None:
        parts.append(block("Manifest", _manifest(status.manifest)))
    if status.published:
        parts.append(block("Public", _public(status.published)))
    if status.evidence is not None:
        parts.append(block("Evidence", Text(status.evidence)))
    return Group(*parts)


def _headline(status: ReleaseStatus) -> RenderableType:
    title = Text.assemble((str(status.release), "bold"), f"   {status.release_kind} release of stream {status.stream}")
    names = Text(f"{status.release.workflow_id}   run {status.run}   plan {short(status.plan)}", "dim")
    return Group(title, names)


def _phases(phase: Phase) -> RenderableType:
    if phase is Phase.CANCELLED:
        return block("", Text("✗ cancelled", "bold red"))
    line = Text()
    road = [known for known in Phase if known is not Phase.CANCELLED]
    here = road.index(phase)
    for place, known in enumerate(road):
        if place:
            line.append("  ")
        if place < here or phase is Phase.RELEASED:
            line.append(f"✓ {known}", "green")
        elif place == here:
            line.append(f"▶ {known}", "bold cyan")
        else:
            line.append(f"· {known}", "dim")
    return block("", line)


def _waiting(waiting: Waiting, status: ReleaseStatus, now: datetime, command: Callable[[str], str]) -> RenderableType:
    kind = "a sign-off" if waiting.kind is WaitKind.SIGN_OFF else "a decision"
    who = ", ".join(waiting.people) or "nobody on the roster"
    lines = Table.grid()
    lines.add_row(Text(plain(waiting.why)))
    lines.add_row(Text.assemble(f"Any {' or '.join(waiting.roles)} can give it: ", (who, "bold")))
    for text in commands_for(waiting, status):
        lines.add_row(Text.assemble("$ ", (command(text), "bold")))
    title = Text.assemble(
        ("Waits for ", "bold yellow"),
        (f"{kind}: {waiting.what}", "bold yellow"),
        f"   since {age(now - waiting.since)}",
    )
    return Group(Text(""), title, indented(lines))


def commands_for(waiting: Waiting, status: ReleaseStatus) -> list[str]:
    """What to type to give what the release waits for; for a step its log first, then one command for each choice."""
    if waiting.kind is WaitKind.SIGN_OFF:
        return [waiting.command]
    step = next((step for step in status.steps if step.name == waiting.what), None)
    if step is None:
        return [waiting.command]
    named = f"{status.release.project}/{status.release.version} {step.name}"
    log = [] if step.log is None else [f"baton log {named}"]
    files = {Choice.PROVIDE: " FILE…"}
    return log + [f"baton decide {named} {choice}{files.get(choice, '')}" for choice in step.choices]


def _steps(steps: Iterable[StepStatus]) -> Table:
    table = columns()
    for step in steps:
        mark, style = _MARKS[step.state]
        tried = f"attempt {step.attempt}" if step.attempt > 1 else ""
        # Why a step needs a decision stands above, with what can be done about it.
        detail = "" if step.state is StepState.NEEDS_DECISION else plain(step.detail)
        state = step.state.replace("-", " ")
        table.add_row(Text(mark, style), step.name, Text(state, style), tried, step.queue, Text(detail))
    return table


def _gates(status: ReleaseStatus) -> Table:
    table = columns()
    for gate in status.gates:
        passed = gate.passed_at is not None
        required = sum(gate.needs.values())
        have = required - sum(gate.missing.values())
        about = "plan" if gate.subject == status.plan else "manifest"
        table.add_row(
            Text("✓", "green") if passed else Text("▶", "bold yellow"),
            gate.gate,
            f"{have} of {required}",
            Text(f"{about} {short(gate.subject)}", "dim"),
            Text("\n").join(_signed(gate)),
        )
    return table


def _signed(gate: GateResult) -> Iterator[Text]:
    for given in gate.given:
        reason = f": {plain(given.reason)}" if given.reason else ""
        yield Text.assemble((given.by, "bold"), f" as {given.role}, {moment(given.at)}{reason}")
    for role, count in gate.missing.items():
        yield Text(f"missing: {count} {role}", "bold yellow")


def _manifest(manifest: ManifestRef) -> RenderableType:
    facts = f"{count_of(manifest.files, 'file')}, {size(manifest.total_bytes)}"
    return Group(Text.assemble((manifest.digest, "bold"), f"   {facts}"), files_table(manifest.preview, manifest.files))


def _public(published: Iterable[Published]) -> Table:
    table = columns()
    for item in published:
        address = Text(item.url, f"link {item.url}", overflow="fold")
        table.add_row(
            Text("✓", "green"), item.target, address, f"{count_of(item.checked, 'file')} fetched back and verified"
        )
    return table
