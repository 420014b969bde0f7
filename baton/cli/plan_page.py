"""A plan on one page: what a release will do, in the order in which it does it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from baton.cli.layout import block, columns, rehearsal_notice
from baton.cli.plan_steps import checks_part, platform_part, shown, steps_part
from baton.cli.units import age
from baton.model.announcing import EmailAnnouncer, WebhookAnnouncer
from baton.model.attesting import NO_ATTESTATIONS, PROVENANCE_SUFFIX, attester
from baton.model.plan import Audience, DirectoryTarget, GatePoint
from baton.model.signing import (
    DispatchedSigner,
    GpgSigner,
    HumanGpgSigner,
    HumanSigstoreSigner,
    SigstoreSigner,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import RenderableType
    from rich.table import Table

    from baton.model.announcing import Announcer
    from baton.model.plan import Plan, Target
    from baton.model.resigning import Resigning
    from baton.model.signing import Signer


def plan_page(plan: Plan) -> RenderableType:
    """Render a plan."""
    parts: list[RenderableType] = list(rehearsal_notice(plan))
    parts.append(
        Text.assemble(
            (f"{plan.title} {plan.version}", "bold"),
            f"   {'' if plan.resigning is None else 'new signatures for a '}{plan.release_kind} release of stream "
            f"{plan.stream.name} ({plan.stream.status})",
        )
    )
    parts.append(Text(f"{plan.release.workflow_id}   plan {plan.digest}", "dim"))
    parts.append(block("Source", _rows(_source(plan))))
    if plan.source.prepare:
        parts.append(block("Prepare", Group(*(Text(shown(command)) for command in plan.source.prepare))))
    parts += _gates(plan, GatePoint.BUILD)
    if plan.steps:
        parts.append(block("Build, every step at once", steps_part(plan)))
    if plan.resigning is not None:
        parts.append(block("Sign anew", _rows(_anew(plan.resigning))))
    if plan.platform:
        parts.append(block("Sign inside the files", platform_part(plan)))
    if plan.checks:
        parts.append(block("Check", checks_part(plan)))
    parts += _gates(plan, GatePoint.SIGN)
    parts.append(block("Sign each file", _rows(_signer(signer) for signer in plan.signers)))
    if plan.resigning is None:
        parts.append(block("State how each file was made", _rows([_attester(plan)])))
    parts += _gates(plan, GatePoint.PUBLISH)
    parts.append(block("Publish", _rows(_publishing(plan))))
    if plan.announcers:
        parts.append(block("Tell", _rows(_telling(plan))))
    parts.append(block("Who may act", _rows(_roles(plan))))
    return Group(*parts)


def _source(plan: Plan) -> Iterator[tuple[str, str]]:
    source = plan.source
    yield "commit", source.commit
    yield "of", source.repository
    yield "tag", source.tag + (", pushed once it is public" if source.push_tag else ", never pushed")
    if plan.branch is not None:
        yield "branch", f"{plan.branch}, pushed before it is built and removed with the tag there"
    yield "started by", plan.started_by


def _anew(resigning: Resigning) -> Iterator[tuple[str, str]]:
    if resigning.evidence is not None:
        yield "files", f"those of the release that left evidence {resigning.evidence}"
    yield from ((file.name, file.digest) for file in resigning.files)
    yield "old signatures", resigning.fate


def _gates(plan: Plan, point: GatePoint) -> list[RenderableType]:
    about = "the plan" if point is GatePoint.BUILD else "the manifest"
    found: list[RenderableType] = []
    for gate in plan.gates_before(point):
        needs = " and ".join(f"{count} by {role}" for role, count in gate.needs.items())
        but = "" if gate.starter_counts else "; that of whoever starts the release does not count"
        found.append(
            block("", Text.assemble((f"▶ gate {gate.name}: ", "bold yellow"), f"sign-offs of {about}: {needs}{but}"))
        )
    return found


def _attester(plan: Plan) -> tuple[str, ...]:
    signer = attester(plan.signers)
    if signer is None:
        return (NO_ATTESTATIONS,)
    return f"Sigstore ({signer.instance})", signer.identity.identity, PROVENANCE_SUFFIX


def _signer(signer: Signer) -> tuple[str, str, str]:
    match signer:
        case SigstoreSigner(identity=identity):
            who = f"{identity.identity}, vouched for by {identity.issuer}"
        case DispatchedSigner(identity=identity, run=run):
            who = f"{identity.identity}, vouched for by {identity.issuer}, in {run.workflow} of {run.repository}"
        case GpgSigner(key=key):
            who = key.fingerprint
        case HumanSigstoreSigner() | HumanGpgSigner():
            who = f"one of these people: {', '.join(map(str, signer.people))}"
    by = "OpenPGP" if isinstance(signer, GpgSigner | HumanGpgSigner) else f"Sigstore ({signer.instance})"
    return by, signer.suffix, who


def _publishing(plan: Plan) -> Iterator[tuple[str, str]]:
    for target in plan.targets:
        yield target.name, _place(target)
    beside = "beside the files" if plan.publish_evidence else "kept in the store, not published"
    yield "evidence", beside


def _place(target: Target) -> str:
    return target.url if isinstance(target, DirectoryTarget) else "the sandbox's own served folder"


def _telling(plan: Plan) -> Iterator[tuple[str, str, str]]:
    for announcer in plan.announcers:
        yield announcer.name, f"on {', '.join(announcer.on)}", _way(announcer)
    for reminder in plan.reminders:
        whom = "everyone on the roster" if reminder.to is Audience.EVERYONE else "those whose role can help"
        yield "reminder", f"after {age(timedelta(seconds=reminder.after))}", whom


def _way(announcer: Announcer) -> str:
    match announcer:
        case EmailAnnouncer():
            return f"mail to {', '.join(announcer.recipients)}, from {announcer.sender} by {announcer.host}"
        case WebhookAnnouncer():
            return f"webhook ({announcer.shape}), address in {announcer.url_from}"
    return "the worker's log"


def _roles(plan: Plan) -> Iterator[tuple[str, str]]:
    people = plan.roster.people
    for role in dict.fromkeys(role for person in people for role in person.roles):
        yield role, "\n".join(f"{person.name} ({person.id})" for person in people if role in person.roles)


def _rows(rows: Iterable[tuple[str, ...]]) -> Table:
    table = columns()
    for first, *rest in rows:
        table.add_row(Text(first, "bold"), *(Text(cell, overflow="fold") for cell in rest))
    return table
