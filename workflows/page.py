"""The page that the Web UI shows of a release: its current details, as Markdown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from baton.model.base import counted, short
    from baton.model.status import StepState, WaitKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.model.plan import Plan
    from baton.model.status import ReleaseStatus, Waiting

_MARK = {
    StepState.PENDING: "·",
    StepState.RUNNING: "▶",
    StepState.NEEDS_DECISION: "⚠",
    StepState.SKIPPED: "-",
    StepState.DONE: "✓",
}

SANDBOX_NOTICE = (
    "> **Sandbox rehearsal.** Signatures prove nothing, sign-offs are accepted unsigned, nothing leaves this machine."
)


def page(plan: Plan, status: ReleaseStatus) -> str:
    """The release at a glance: phase, what it waits for and how to unblock it, steps, gates, files."""
    return "\n".join(_lines(plan, status))


def _lines(plan: Plan, status: ReleaseStatus) -> Iterator[str]:
    yield f"# {plan.title} {plan.version}: {status.phase}"
    if status.sandbox:
        yield from ("", SANDBOX_NOTICE)
    for waiting in status.waiting:
        yield from _waiting(waiting, status)
    if status.published:
        yield ""
        yield from (
            f"**Public** at [{item.url}]({item.url}); {counted(item.checked, 'file')} fetched back and verified."
            for item in status.published
        )
    yield from ("", "| | step | state | attempt | queue | |", "|-|-|-|-|-|-|")
    for step in status.steps:
        detail = _cell(step.detail)
        yield f"| {_MARK[step.state]} | {step.name} | {step.state} | {step.attempt} | {step.queue} | {detail} |"
    for gate in status.gates:
        who = ", ".join(f"{given.by} as {given.role} at {given.at:%Y-%m-%d %H:%M} UTC" for given in gate.given)
        yield from ("", f"**{gate}**" + (f" ({who})" if who else ""))
    if status.manifest is not None:
        manifest = status.manifest
        size = f"{manifest.total_bytes:,} bytes"
        yield from ("", f"Manifest `{manifest.digest}`: {counted(manifest.files, 'file')}, {size}", "")
        yield from ("| file | bytes | sha256 |", "|-|-|-|")
        yield from (f"| {file.name} | {file.size:,} | `{file.sha256}` |" for file in manifest.preview)
        if manifest.files > len(manifest.preview):
            yield f"| … and {manifest.files - len(manifest.preview)} more | | |"
    yield from ("", f"Plan `{short(status.plan)}`, commit `{plan.source.commit}`, run `{status.run}`")


def _waiting(waiting: Waiting, status: ReleaseStatus) -> Iterator[str]:
    who = ", ".join(waiting.people) or "nobody on the roster"
    kind, handler = ("sign-off", "sign_off") if waiting.kind is WaitKind.SIGN_OFF else ("decision", "decide")
    yield from ("", f"## Waits for a {kind}: {waiting.what}", "", _cell(waiting.why), "")
    yield f"Since {waiting.since:%Y-%m-%d %H:%M} UTC. Any {' or '.join(waiting.roles)} can give it: **{who}**."
    choices = next((step.choices for step in status.steps if step.name == waiting.what), ())
    instead = f", or {', '.join(choices[1:])} instead of {choices[0]}" if choices[1:] else ""
    yield from ("", f"In a terminal: `{waiting.command}`{instead}", "")
    yield f"Here: **Send a Signal** or **Send an Update**, name `{handler}`, with your own id in `by`:"
    yield from ("", "```json", json.dumps(json.loads(waiting.message), indent=2), "```")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")
