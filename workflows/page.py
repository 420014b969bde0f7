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

    from baton.model.gate import GateResult, Given
    from baton.model.plan import Plan
    from baton.model.status import ReleaseStatus, Waiting

_MARK = {
    StepState.PENDING: "·",
    StepState.RUNNING: "▶",
    StepState.NEEDS_DECISION: "⚠",
    StepState.SKIPPED: "-",
    StepState.DONE: "✓",
}

_SANDBOX = "> **Sandbox rehearsal.** Signatures prove nothing, nothing leaves this machine."
_UNSIGNED = (
    "> **Sandbox rehearsal.** Signatures prove nothing, sign-offs count **unsigned**, nothing leaves this machine."
)

_WANTED = {
    WaitKind.SIGN_OFF: "a sign-off",
    WaitKind.WITHDRAWAL: "the withdrawal of a rejection",
    WaitKind.DECISION: "a decision",
    WaitKind.HAND_IN: "files",
    WaitKind.SIGNATURES: "signatures",
}
_HANDLERS = {WaitKind.SIGN_OFF: "sign_off", WaitKind.WITHDRAWAL: "withdraw"}
"""By which update or signal it is given; decisions and files go by ``decide``."""
_REFUSED = 3
"""How many of the latest refused acts are shown of a gate."""


def page(plan: Plan, status: ReleaseStatus) -> str:
    """The release at a glance: phase, what it waits for and how to unblock it, steps, gates, files."""
    return "\n".join(_lines(plan, status))


def _lines(plan: Plan, status: ReleaseStatus) -> Iterator[str]:
    anew = "" if plan.resigning is None else ", signed anew"
    yield f"# {plan.title} {plan.version}{anew}: {status.phase}"
    if status.sandbox:
        yield from ("", _UNSIGNED if status.unsigned_acts else _SANDBOX)
    if status.driver is not None:
        yield from ("", f"**{status.driver}** drives it.")
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
        detail = "<br>".join(part for part in (_cell(step.detail), step.link) if part)
        yield f"| {_MARK[step.state]} | {step.name} | {step.state} | {step.attempt} | {step.queue} | {detail} |"
    for gate in status.gates:
        yield from _gate(gate)
    if status.manifest is not None:
        manifest = status.manifest
        size = f"{manifest.total_bytes:,} bytes"
        yield from ("", f"Manifest `{manifest.digest}`: {counted(manifest.files, 'file')}, {size}", "")
        yield from ("| file | bytes | sha256 |", "|-|-|-|")
        yield from (f"| {file.name} | {file.size:,} | `{file.sha256}` |" for file in manifest.preview)
        if manifest.files > len(manifest.preview):
            yield f"| … and {manifest.files - len(manifest.preview)} more | | |"
    said = f"; {counted(status.heard, 'act')} heard, {status.refused} refused" if status.heard else ""
    yield from ("", f"Plan `{short(status.plan)}`, commit `{plan.source.commit}`, run `{status.run}`{said}")


def _waiting(waiting: Waiting, status: ReleaseStatus) -> Iterator[str]:
    who = ", ".join(waiting.people) or "nobody on the roster"
    give = "them" if waiting.kind in (WaitKind.HAND_IN, WaitKind.SIGNATURES) else "it"
    yield from ("", f"## Waits for {_WANTED[waiting.kind]}: {waiting.what}", "", _cell(waiting.why), "")
    step = next((step for step in status.steps if step.name == waiting.what), None)
    if step is not None and step.link:
        yield from (f"See {step.link}", "")
    yield f"Since {waiting.since:%Y-%m-%d %H:%M} UTC. {waiting.asked} can give {give}: **{who}**."
    choices = () if step is None else step.choices
    instead = f", or {', '.join(choices[1:])} instead of {choices[0]}" if choices[1:] else ""
    yield from ("", f"In a terminal: `{waiting.command}`{instead}", "")
    yield from _by_hand(waiting, status)


def _by_hand(waiting: Waiting, status: ReleaseStatus) -> Iterator[str]:
    """How to say it from the Web UI: the plain message counts in rehearsals alone, what is signed always does."""
    handler = _HANDLERS.get(waiting.kind, "decide")
    where = f"**Send a Signal** or **Send an Update**, name `{handler}`"
    if not status.unsigned_acts:
        yield f"Here: {where}, with what this prints, which is signed: `{waiting.command} --print`"
        return
    yield f"Here, **unsigned**, since this rehearsal takes people at their word: {where}, with your own id in `by`:"
    yield from ("", "```json", json.dumps(json.loads(waiting.message), indent=2), "```")


def _gate(gate: GateResult) -> Iterator[str]:
    again = f", attempt {gate.attempt}" if gate.attempt > 1 else ""
    yield from ("", f"**{gate}**{again}")
    facts = [
        *(_given("signed off by", given) for given in gate.given),
        *(_given("**rejected** by", given) for given in gate.rejected),
        *(
            f"refused: {refusal.kind} by {_cell(refusal.by)}, {refusal.at:%Y-%m-%d %H:%M} UTC: {_cell(refusal.why)}"
            for refusal in gate.refused[-_REFUSED:]
        ),
    ]
    if gate.reset:
        facts.append(f"void: the earlier sign-offs of {', '.join(gate.reset)}, about something else")
    if facts:
        yield ""
        yield from (f"- {fact}" for fact in facts)


def _given(what: str, given: Given) -> str:
    reason = f": {_cell(given.reason)}" if given.reason else ""
    proof = "**unsigned**" if given.proof is None else _cell(given.proof.credential)
    return f"{what} {given.by} as {given.role} at {given.at:%Y-%m-%d %H:%M} UTC, {proof}{reason}"


def _cell(text: str) -> str:
    """Words from elsewhere in one line, without what a page or a terminal would take for more than words."""
    shown = "".join(
        letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
    return shown.replace("|", "\\|").replace("\n", "<br>")
