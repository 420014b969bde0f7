"""What a plan's page says of each step: who builds it, what that builder is told, and what has to come out."""

from __future__ import annotations

import shlex
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from baton.cli.layout import columns, indented
from baton.cli.units import age
from baton.model.building import CommandBuilder, HandedInBuilder
from baton.model.code_signing import AppleCodeSigning, Authenticode, Notarization
from baton.model.outside import GitHubBuilder
from baton.model.outside_azure import EntraCredential, PatCredential

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import RenderableType

    from baton.model.building import Builder, Check, Command, Step
    from baton.model.code_signing import PlatformSigning, PlatformStep
    from baton.model.outside_azure import AzureBuilder, AzureCredential
    from baton.model.plan import Plan

Row = tuple[str, str]
"""What a line is about, and what it says."""

_LATER = {
    "{commit}": "the prepared commit",
    "{key}": "what a run of this order is found again by",
}
"""What stands in templates until a run is ordered, and what it will be."""


def steps_part(plan: Plan) -> RenderableType:
    """Every step, and at the end what the placeholders stand for that only an order fills."""
    blocks = [_block(step.name, _step_facts(step), _step_rows(step, plan)) for step in plan.steps]
    told = [text for step in plan.steps for _, text in _step_rows(step, plan)]
    later = [f"{word} is {what}" for word, what in _LATER.items() if any(word in text for text in told)]
    legend = [Text(f"{'; '.join(later)}.", "dim")] if later else []
    return Group(*blocks, *legend)


def platform_part(plan: Plan) -> RenderableType:
    """Every step that signs inside files."""
    return Group(*(_block(step.name, _platform_facts(step), _platform_rows(step)) for step in plan.platform))


def checks_part(plan: Plan) -> RenderableType:
    """Every check."""
    return Group(*(_block(check.name, f"command, queue {check.queue}", _check_rows(check)) for check in plan.checks))


def shown(command: Command) -> str:
    """A command as a shell would take it."""
    return f"$ {' '.join(map(_quoted, command))}"


def _quoted(argument: str) -> str:
    """An argument with quotes where it needs some: double ones if that spares escapes, which nobody can read."""
    plain = "'" in argument and not any(special in argument for special in '"$`\\!')
    return f'"{argument}"' if plain else shlex.quote(argument)


def _block(name: str, facts: str, rows: Iterator[Row]) -> RenderableType:
    table = columns()
    for about, text in rows:
        table.add_row(Text(about, "dim"), Text(text, overflow="fold"))
    return Group(Text.assemble((name, "bold"), f"  {facts}"), indented(table))


def _step_facts(step: Step) -> str:
    facts = [f"{step.builder.kind}, queue {step.queue}"]
    if isinstance(step.builder, HandedInBuilder):
        facts = [f"handed in by any {step.role}"]
    facts += [f"must equal {step.agrees_with}"] if step.agrees_with else []
    facts += ["may be skipped"] if step.skippable else []
    return ", ".join(facts)


def _step_rows(step: Step, plan: Plan) -> Iterator[Row]:
    yield from _builder_rows(step.builder, plan)
    if not isinstance(step.builder, HandedInBuilder):
        yield from _patience(step)
        yield "decided by", _deciders(step.role)
    yield "files", "\n".join(step.files)


def _builder_rows(builder: Builder, plan: Plan) -> Iterator[Row]:
    match builder:
        case CommandBuilder():
            yield "runs", "\n".join(map(shown, builder.commands))
            yield from _assigned("environment", builder.environment, plan)
            yield "output", builder.output
        case HandedInBuilder(instructions=instructions):
            if instructions:
                yield "how", instructions.strip()
        case GitHubBuilder():
            yield from _github_rows(builder, plan)
        case _:
            yield from _azure_rows(builder, plan)


def _github_rows(builder: GitHubBuilder, plan: Plan) -> Iterator[Row]:
    on = "" if builder.api == GitHubBuilder.model_fields["api"].default else f", {builder.api}"
    yield "runs", f"{builder.workflow} of {builder.repository} at {_filled(builder.ref, plan)}{on}"
    yield from _assigned("inputs", builder.inputs, plan)
    yield "artifacts", ", ".join(builder.artifacts)
    if builder.accept_without_digest:
        yield "", "taken in even without a digest"
    named = builder.proof == "run-name"
    yield "proof", "the commit in the run's name" if named else "the run's head commit"
    yield "acts by", f"app {builder.app.id}" if builder.app else f"token in {builder.token_from}"


def _azure_rows(builder: AzureBuilder, plan: Plan) -> Iterator[Row]:
    yield "runs", f"pipeline {builder.pipeline} of {builder.organization}/{builder.project} at {builder.ref}"
    yield from _assigned("parameters", builder.parameters, plan)
    yield from _assigned("variables", builder.variables, plan)
    if builder.skip_stages:
        yield "without", f"stages {', '.join(builder.skip_stages)}"
    yield "artifacts", ", ".join(builder.artifacts) + (f"; digests in {builder.checksums}" if builder.checksums else "")
    yield "proof", f"the commit in {builder.commit_in}" if builder.commit_in else "the commit that the run is of"
    if builder.accept_partial:
        yield "", "a partial success will do"
    yield "acts by", _acting(builder.credential)
    if builder.keep_days:
        yield "kept", f"for {builder.keep_days} days"


def _acting(credential: AzureCredential) -> str:
    match credential:
        case PatCredential(token_from=token):
            return f"token in {token}"
        case EntraCredential(client=client):
            return f"Entra application {client}"


def _assigned(about: str, values: Mapping[str, str], plan: Plan) -> Iterator[Row]:
    if values:
        yield about, "\n".join(f"{name} = {_filled(value, plan)}" for name, value in values.items())


def _filled(template: str, plan: Plan) -> str:
    """The template with what is known before a run is ordered."""
    return template.replace("{version}", plan.version).replace("{tag}", plan.source.tag)


def _patience(step: Step | PlatformStep | Check) -> Iterator[Row]:
    timeout, wait = age(timedelta(seconds=step.timeout)), age(timedelta(seconds=step.wait_for_runner))
    yield "within", f"{timeout}; asks people if no worker takes it for {wait}"


def _deciders(role: str) -> str:
    return " or ".join(dict.fromkeys(("any release-manager", f"any {role}")))


def _platform_facts(step: PlatformStep) -> str:
    return f"{step.signing.kind} of what {step.of} made, queue {step.queue}"


def _platform_rows(step: PlatformStep) -> Iterator[Row]:
    yield "signed by", _whose(step.signing)
    yield from _patience(step)
    yield "decided by", _deciders(step.role)
    yield "files", "\n".join(step.files)


def _whose(signing: PlatformSigning) -> str:
    match signing:
        case Authenticode():
            return f"{signing.signer.subject}, by {signing.tool.kind}"
        case AppleCodeSigning():
            return signing.identity
        case Notarization():
            return f"Apple's notary service, asked with key {signing.key_id} by queue {signing.queue}"


def _check_rows(check: Check) -> Iterator[Row]:
    yield "runs", "\n".join(map(shown, check.commands))
    yield from _patience(check)
