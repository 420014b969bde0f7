"""A release on one page: what it waits for first, then where everything is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from baton.cli.layout import block, columns, count_of, files_table, indented, rehearsal_notice
from baton.cli.said_page import acts_table, gates_page
from baton.cli.terminal import plain
from baton.cli.units import age, size
from baton.model.acts import Choice
from baton.model.base import counted, short
from baton.model.status import Phase, StepState, WaitKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from baton.model.acts import Heard
    from baton.model.manifest import ManifestRef
    from baton.model.status import Published, ReleaseStatus, StepStatus, Waiting

_WANTED = {
    WaitKind.SIGN_OFF: "a sign-off",
    WaitKind.WITHDRAWAL: "the withdrawal of a rejection",
    WaitKind.DECISION: "a decision",
    WaitKind.HAND_IN: "files",
    WaitKind.SIGNATURES: "signatures",
}
_LATEST = 6
"""How many of the latest acts are shown; `baton log --acts` has all of them."""

_MARKS = {
    StepState.PENDING: ("·", "dim"),
    StepState.RUNNING: ("▶", "cyan"),
    StepState.NEEDS_DECISION: ("!", "bold yellow"),
    StepState.SKIPPED: ("-", "dim"),
    StepState.DONE: ("✓", "green"),
}


def status_page(
    status: ReleaseStatus,
    *,
    now: datetime,
    silent: Iterable[str] = (),
    acts: Sequence[Heard] = (),
    workflow_id: str | None = None,
    command: Callable[[str], str] = str,
) -> RenderableType:
    """Render a release's status.

    Args:
        status: as the release tells it.
        now: the time from which ages count.
        silent: facts about task queues that it needs and nobody polls.
        acts: what people said to it, in order.
        workflow_id: where it runs, if not under the id of a release that goes alone.
        command: adds to a command what makes it look at the same place.
    """
    parts: list[RenderableType] = list(rehearsal_notice(status))
    parts.append(_headline(status, workflow_id or status.release.workflow_id))
    parts.append(_phases(status.phase))
    parts.extend(block("", Text(f"! {fact}", "bold red")) for fact in silent)
    parts.extend(_waiting(waiting, status, now, command) for waiting in status.waiting)
    parts.append(block("Steps", _steps(status.steps)))
    if status.gates:
        parts.append(block("Gates", gates_page(status)))
    if acts:
        parts.append(block(_heard(status), acts_table(acts[-_LATEST:], name=short)))
    if status.manifest is not None:
        parts.append(block("Manifest", _manifest(status.manifest)))
    if status.published:
        parts.append(block("Public", _public(status.published)))
    if status.evidence is not None:
        parts.append(block("Evidence", Text(status.evidence)))
    return Group(*parts)


def _headline(status: ReleaseStatus, workflow_id: str) -> RenderableType:
    title = Text.assemble((str(status.release), "bold"), f"   {status.release_kind} release of stream {status.stream}")
    names = Text(f"{workflow_id}   run {status.run}   plan {short(status.plan)}", "dim")
    if status.driver is None and not status.waiting:
        return Group(title, names)
    return Group(title, names, Text(f"{status.driver or 'nobody'} drives it", "bold" if status.driver else "dim"))


def _heard(status: ReleaseStatus) -> str:
    refused = f", {status.refused} of them refused" if status.refused else ""
    return f"What people said last ({counted(status.heard, 'act')} in all{refused})"


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
    who = ", ".join(waiting.people) or "nobody on the roster"
    lines = Table.grid()
    lines.add_row(Text(plain(waiting.why)))
    if link := _link_of(waiting, status):
        lines.add_row(Text.assemble("See ", (link, f"link {link}")))
    give = "them" if waiting.kind in (WaitKind.HAND_IN, WaitKind.SIGNATURES) else "it"
    lines.add_row(Text.assemble(f"{waiting.asked} can give {give}: ", (who, "bold")))
    for text in commands_for(waiting, status):
        lines.add_row(Text.assemble("$ ", (command(text), "bold")))
    title = Text.assemble(
        (f"Waits for {_WANTED[waiting.kind]}: {waiting.what}", "bold yellow"),
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
    named = f"{status.release.typed} {step.name}"
    log = [] if step.log is None else [f"baton log {named}"]
    return log + [
        (waiting.command if step.signed_by else f"baton provide {named} FILE…")
        if choice is Choice.PROVIDE
        else f"baton decide {named} {choice}"
        for choice in step.choices
    ]


def _link_of(waiting: Waiting, status: ReleaseStatus) -> str:
    return next((step.link for step in status.steps if step.name == waiting.what), "")


def _steps(steps: Iterable[StepStatus]) -> Table:
    table = columns()
    for step in steps:
        mark, style = _MARKS[step.state]
        tried = f"attempt {step.attempt}" if step.attempt > 1 else ""
        # Why a step needs a decision stands above, with what can be done about it.
        detail = "" if step.state is StepState.NEEDS_DECISION else plain(step.detail)
        link = step.link if step.state is not StepState.NEEDS_DECISION else ""
        about = Text("\n").join([*([Text(detail)] if detail else []), *([Text(link, f"link {link}")] if link else [])])
        state = step.state.replace("-", " ")
        table.add_row(Text(mark, style), step.name, Text(state, style), tried, step.queue, about)
    return table


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
