"""What a person sees before they speak at the joint gate: stream by stream, what is about to ship."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from baton.cli.last_release import difference
from baton.cli.layout import block, columns, count_of, files_table, indented, rehearsal_notice
from baton.cli.terminal import plain
from baton.cli.units import size
from baton.model.acts import Rejection, SignOff
from baton.model.manifest import PREVIEW_FILES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType
    from rich.table import Table

    from baton.cli.security_agreement import JointlyAsked, Shipped
    from baton.model.acts import AboutGate

_YOU = {"sign-off": "You agree to", "reject": "You object to", "withdraw": "You take back what you said about"}


def security_agreement_page(asked: JointlyAsked, act: AboutGate) -> RenderableType:
    """Render what every stream ships, and what it means to speak of it.

    Args:
        asked: the joint gate and what it is about.
        act: what would be signed and sent.
    """
    plan, joint = asked.plan, asked.joint
    parts: list[RenderableType] = list(rehearsal_notice(plan))
    title = Text.assemble((f"{plan.title}: security release for {joint.advisory}", "bold"))
    parts += [title, Text(f"gate {act.gate}, attempt {asked.result.attempt}", "dim")]
    for stream in asked.streams:
        parts += [Text(""), _headline(stream), indented(_stream(stream))]
    facts = columns()
    facts.add_row("the joint manifest", Text(act.subject, "bold"))
    facts.add_row("streams", str(len(asked.streams)))
    ends = "as soon as people agree" if joint.until is None else f"{joint.until:%Y-%m-%d %H:%M %Z}"
    facts.add_row("embargo ends", Text(ends, "bold"))
    facts.add_row("as", f"{act.by}, {act.role}")
    if act.reason:
        facts.add_row("because", Text(plain(act.reason)))
    parts += [block(_YOU[act.kind], facts), block("", Text(_meaning(asked, act))), Text("")]
    return Group(*parts)


def _headline(stream: Shipped) -> Text:
    return Text.assemble((stream.joint.version, "bold"), f"   from commit {stream.joint.commit}")


def _stream(stream: Shipped) -> RenderableType:
    files = stream.told.preview if stream.listed is None else stream.listed.files[:PREVIEW_FILES]
    source = "as its release tells" if stream.listed is None else "as the manifest in the store lists them"
    facts = columns()
    facts.add_row("manifest", stream.joint.manifest)
    facts.add_row("ships", f"{count_of(stream.told.files, 'file')}, {size(stream.told.total_bytes)}, {source}")
    for line in _checks(stream):
        facts.add_row("checked", Text(line))
    for line in _since(stream):
        facts.add_row("changed", Text(line))
    return Group(facts, _listed(stream, files_table(files, stream.told.files)))


def _listed(stream: Shipped, table: Table) -> RenderableType:
    return indented(table) if stream.told.files else Text("")


def _checks(stream: Shipped) -> Iterator[str]:
    for check in stream.checks:
        yield f"{check.name}: {check.state.replace('-', ' ')}{f', {plain(check.detail)}' if check.detail else ''}"


def _since(stream: Shipped) -> Iterator[str]:
    """What is different from the stream's release before, a line each."""
    before = stream.before
    if before is None:
        yield "no release of this stream before it is known here: nothing to compare with"
        return
    was = f"{before.version} had {count_of(before.told.files, 'file')}, {size(before.told.total_bytes)}"
    if stream.listed is None or before.listed is None:
        yield f"{was}; one of the manifests is not in the store here, so files can't be compared"
        return
    found = difference(stream.listed, before.listed)
    yield was
    if found.added:
        yield f"added: {', '.join(found.added)}"
    if found.removed:
        yield f"REMOVED: {', '.join(found.removed)}"
    for name, old, new in found.resized:
        yield f"{name}: {size(old)} before, {size(new)} now ({(new - old) / max(old, 1):+.0%})"
    if not (found.added or found.removed or found.resized):
        yield "the same files, none of a notably different size"


def _meaning(asked: JointlyAsked, act: AboutGate) -> str:
    result = asked.result
    if isinstance(act, Rejection):
        return f"{result}. While you object, nothing becomes public; `baton security withdraw` takes that back."
    if not isinstance(act, SignOff):
        return f"{result}, before you take yours back."
    last = sum(result.missing.values()) == 1 and not result.rejected
    when = "Yours is the last one; then" if last else "When it has them all,"
    ends = "" if asked.joint.until is None else " once the embargo is over"
    return f"{result}. {when} ALL of these become PUBLIC{ends}, which can't be taken back."
