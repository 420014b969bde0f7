"""A plan on one page: what a release will do, in the order in which it does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from baton.cli.layout import block, columns, rehearsal_notice
from baton.model.code_signing import AppleCodeSigning, Authenticode, Notarization
from baton.model.plan import DirectoryTarget, GatePoint, SigstoreSigner

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType
    from rich.table import Table

    from baton.model.code_signing import PlatformSigning
    from baton.model.plan import Plan, Signer, Target


def plan_page(plan: Plan) -> RenderableType:
    """Render a plan."""
    parts: list[RenderableType] = list(rehearsal_notice(plan))
    parts.append(
        Text.assemble(
            (f"{plan.title} {plan.version}", "bold"),
            f"   {plan.release_kind} release of stream {plan.stream.name} ({plan.stream.status})",
        )
    )
    parts.append(Text(f"{plan.release.workflow_id}   plan {plan.digest}", "dim"))
    parts.append(block("Source", _source(plan)))
    parts += _gates(plan, GatePoint.BUILD)
    parts.append(block("Build", _steps(plan)))
    if plan.platform:
        parts.append(block("Sign inside the files", _platform(plan)))
    if plan.checks:
        checks = columns()
        for check in plan.checks:
            checks.add_row(check.name, Text(check.queue, "dim"))
        parts.append(block("Check", checks))
    parts += _gates(plan, GatePoint.SIGN)
    parts.append(block("Sign each file", _rows(_signer(signer) for signer in plan.signers)))
    parts += _gates(plan, GatePoint.PUBLISH)
    parts.append(block("Publish", _rows(_target(target) for target in plan.targets)))
    people = columns()
    for person in plan.roster.people:
        people.add_row(Text(person.id, "bold"), person.name, ", ".join(person.roles))
    parts.append(block("Who may act", people))
    return Group(*parts)


def _source(plan: Plan) -> Table:
    source = plan.source
    table = columns()
    table.add_row("commit", Text(source.commit, "bold"))
    table.add_row("of", source.repository)
    table.add_row("tag", source.tag + (", pushed once it is public" if source.push_tag else ", never pushed"))
    for command in source.prepare:
        table.add_row("run", " ".join(command))
    table.add_row("started by", plan.started_by)
    return table


def _steps(plan: Plan) -> Table:
    table = columns()
    for step in plan.steps:
        facts = [f"must equal {step.agrees_with}"] if step.agrees_with else []
        facts += ["may be skipped"] if step.skippable else []
        name = Text.assemble((step.name, "bold"), f"\n{', '.join(facts)}" if facts else "")
        table.add_row(name, Text(f"{step.queue}\n{step.role}", "dim"), "\n".join(step.files))
    return table


def _platform(plan: Plan) -> Table:
    table = columns()
    for step in plan.platform:
        name = Text.assemble((step.name, "bold"), f"\n{step.signing.kind}, {_whose(step.signing)}")
        table.add_row(name, Text(f"{step.queue}\n{step.role}", "dim"), "\n".join((f"of {step.of}:", *step.files)))
    return table


def _whose(signing: PlatformSigning) -> str:
    match signing:
        case Authenticode():
            return f"{signing.signer.subject}, by {signing.tool.kind}"
        case AppleCodeSigning():
            return signing.identity
        case Notarization():
            return f"key {signing.key_id} on {signing.queue}"


def _gates(plan: Plan, point: GatePoint) -> list[RenderableType]:
    about = "the plan" if point is GatePoint.BUILD else "the manifest"
    found: list[RenderableType] = []
    for gate in plan.gates_before(point):
        needs = " and ".join(f"{count} {role}" for role, count in gate.needs.items())
        but = "" if gate.starter_counts else f", not {plan.started_by}"
        found.append(
            block("", Text.assemble((f"▶ gate {gate.name}: ", "bold yellow"), f"{needs} agree to {about}{but}"))
        )
    return found


def _signer(signer: Signer) -> tuple[str, str, str]:
    if isinstance(signer, SigstoreSigner):
        who = f"{signer.identity.identity}, vouched for by {signer.identity.issuer}"
        return f"Sigstore ({signer.instance})", who, signer.suffix
    return "OpenPGP", signer.key.fingerprint, signer.suffix


def _target(target: Target) -> tuple[str, str]:
    return target.name, target.url if isinstance(target, DirectoryTarget) else "the sandbox's own served folder"


def _rows(rows: Iterable[tuple[str, ...]]) -> Table:
    table = columns()
    for first, *rest in rows:
        table.add_row(Text(first, "bold"), *(Text(cell, overflow="fold") for cell in rest))
    return table
