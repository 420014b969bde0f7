"""The page that the Web UI shows of a security release: every stream side by side, as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from baton.model.base import counted, short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.model.security import SecurityStatus, StreamStatus


def page(status: SecurityStatus) -> str:
    """The security release at a glance: what it waits for, its streams, and what is public where."""
    return "\n".join(_lines(status))


def _lines(status: SecurityStatus) -> Iterator[str]:
    yield f"# {status.title} security release: {status.phase}"
    if status.sandbox:
        yield from ("", "> **Sandbox rehearsal.** Signatures prove nothing, nothing leaves this machine.")
    if status.until is not None:
        yield from ("", f"Embargo until {status.until:%Y-%m-%d %H:%M %Z}.")
    if status.leaks:
        yield from ("", f"> {status.leaks}.")
    for waiting in status.waiting:
        yield from ("", f"**Waits for a {waiting.kind}**: {waiting.why}", "", f"`{waiting.command}`")
        if waiting.message:
            yield from ("", "```json", waiting.message, "```")
    if status.gate is not None:
        yield from ("", f"{status.gate}.")
    yield from ("", "| stream | state | commit | files | bytes | where |", "| --- | --- | --- | --- | --- | --- |")
    yield from map(_row, status.streams)
    for stream in status.streams:
        for hindrance in () if stream.report is None else stream.report.hindrances:
            yield from ("", f"**{stream.version} waits for a decision** about {hindrance.step}: {hindrance.why}")


def _row(stream: StreamStatus) -> str:
    report = stream.report
    shipped = None if report is None else report.shipped
    cells = (
        stream.version,
        f"{stream.state} {stream.detail}".strip(),
        "" if report is None else f"`{report.commit[:12]}`",
        "" if shipped is None else f"{counted(shipped.files, 'file')} `{short(shipped.manifest)}`",
        "" if shipped is None else f"{shipped.total_bytes:,}",
        "" if report is None else ", ".join(each.url or each.detail for each in report.targets),
    )
    return "| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |"
