"""A security release on one page: what it waits for first, then its streams side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from baton.cli.layout import block, columns, count_of, indented, rehearsal_notice
from baton.cli.security_plan_page import header_table
from baton.cli.status_page import commands_for
from baton.cli.terminal import plain
from baton.cli.units import age, size
from baton.model.base import short
from baton.model.security import SecurityPhase, StreamState
from baton.model.status import StepState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from rich.console import RenderableType
    from rich.table import Table

    from baton.model.security import SecurityStatus, StreamStatus
    from baton.model.status import ReleaseStatus, Waiting

_STYLES = {
    StreamState.PREPARING: ("▶", "cyan"),
    StreamState.READY: ("✓", "green"),
    StreamState.SIGNED: ("✓", "green"),
    StreamState.PUBLISHING: ("▶", "bold cyan"),
    StreamState.PUBLIC: ("★", "bold green"),
    StreamState.RELEASED: ("★", "bold green"),
    StreamState.LEFT: ("!", "bold yellow"),
    StreamState.TAKEN_OUT: ("-", "dim"),
}
_ENDED = (StepState.DONE, StepState.SKIPPED)
_NOT_READY = (StreamState.PREPARING, StreamState.LEFT)


def security_status_page(
    status: SecurityStatus,
    releases: Mapping[str, ReleaseStatus],
    *,
    now: datetime,
    command: Callable[[str], str] = str,
) -> RenderableType:
    """Render a security release's status.

    Args:
        status: as it tells it.
        releases: what each stream's own release says, by its version, as far as they answered.
        now: the time from which ages count.
        command: adds to a command what makes it look at the same place.
    """
    parts: list[RenderableType] = list(rehearsal_notice(status))
    title = Text.assemble((f"{status.title}: security release for {status.advisory}", "bold"), f"   {status.phase}")
    names = Text(f"{status.release.workflow_id}   run {status.run}   plan {short(status.plan)}", "dim")
    parts += [title, names, Text(f"{status.driver or 'nobody'} drives it", "bold" if status.driver else "dim")]
    if status.leaks:
        parts.append(block("", Text(f"! {status.leaks}", "yellow")))
    here = f"baton security status {status.release.project}/{status.release.security}"
    # What leads here is told by the streams' own releases.
    for waiting in (each for each in status.waiting if each.command != here):
        parts.append(_waits(waiting, [waiting.command], now, command))
    for version, release in releases.items():
        for waiting in release.waiting:
            parts.append(_waits(waiting, commands_for(waiting, release), now, command, of=version))
    parts.append(block("Streams", _streams(status, releases)))
    parts.append(block("The barrier", _barrier(status, now)))
    if places := list(_places(status)):
        parts.append(block("Where", _rows(places)))
    return Group(*parts)


def _waits(
    waiting: Waiting, commands: list[str], now: datetime, command: Callable[[str], str], *, of: str = ""
) -> RenderableType:
    who = ", ".join(waiting.people) or "nobody on the roster"
    stream = f"{of}: " if of else ""
    title = Text.assemble(
        (f"{stream}waits for a {waiting.kind}: {waiting.what}", "bold yellow"), f"   since {age(now - waiting.since)}"
    )
    lines: list[RenderableType] = [Text(plain(waiting.why)), Text.assemble("From ", (who, "bold"))]
    lines += [Text.assemble("$ ", (command(text), "bold")) for text in commands]
    return Group(Text(""), title, indented(Group(*lines)))


def _streams(status: SecurityStatus, releases: Mapping[str, ReleaseStatus]) -> Table:
    table = header_table("", "Stream", "State", "Phase", "Steps", "Now", "Ships")
    for stream in status.streams:
        mark, style = _STYLES[stream.state]
        release = releases.get(stream.version)
        phase = release.phase if release is not None else (stream.report.phase if stream.report is not None else "")
        table.add_row(
            Text(mark, style),
            Text(stream.version, "bold"),
            Text(stream.state.replace("-", " "), style),
            phase,
            "" if release is None else _progress(release),
            Text(_now(stream, release)),
            _ships(stream),
        )
    return table


def _progress(release: ReleaseStatus) -> str:
    return f"{sum(step.state in _ENDED for step in release.steps)}/{len(release.steps)}"


def _now(stream: StreamStatus, release: ReleaseStatus | None) -> str:
    """What runs in a stream, or what stops it."""
    if stream.detail:
        return plain(stream.detail)
    if stream.report is not None and stream.report.hindrances:
        return f"needs a decision: {', '.join(hindrance.step for hindrance in stream.report.hindrances)}"
    running = [] if release is None else [step.name for step in release.steps if step.state is StepState.RUNNING]
    return ", ".join(running)


def _ships(stream: StreamStatus) -> str:
    shipped = None if stream.report is None else stream.report.shipped
    return "" if shipped is None else f"{count_of(shipped.files, 'file')}, {size(shipped.total_bytes)}"


def _barrier(status: SecurityStatus, now: datetime) -> Table:
    return _rows(list(_conditions(status, now)))


def _conditions(status: SecurityStatus, now: datetime) -> Iterator[tuple[str, str]]:
    if status.phase is SecurityPhase.CANCELLED:
        yield "it", "will not open: the security release was cancelled"
        return
    waits = [stream.version for stream in status.streams if stream.state in _NOT_READY]
    yield "streams", f"waiting for {', '.join(waits)}" if waits else "every one is ready"
    yield "gate", "asks once every stream is ready" if status.gate is None else f"{status.gate}"
    if status.until is None:
        yield "embargo", "no date: it ends as soon as people agree"
    else:
        left = f"in {age(status.until - now)}" if status.until > now else "over"
        yield "embargo", f"{left}: {status.until:%Y-%m-%d %H:%M %Z}"
    if status.going_public:
        yield "now", "it is open; what is public stays public, and the rest is finished"


def _places(status: SecurityStatus) -> Iterator[tuple[str, str]]:
    for stream in status.streams:
        for target in stream.report.targets if stream.report is not None else ():
            yield f"{stream.version} {target.target}", target.url or plain(target.detail)


def _rows(rows: list[tuple[str, str]]) -> Table:
    table = columns()
    for name, fact in rows:
        table.add_row(Text(name, "bold"), Text(fact, overflow="fold"))
    return table
