"""How a step's files are made, from the table that says so: for real, or in a rehearsal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from baton.model.building import CommandBuilder, HandedInBuilder
from baton.model.outside import GitHubBuilder
from baton.model.outside_azure import AzureBuilder, EntraCredential
from baton.project.builder_tables import CommandBuilderTable, GitHubBuilderTable, HandedInBuilderTable
from baton.project.template import expand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baton.model.building import Builder, Command
    from baton.project.builder_tables import AzureBuilderTable, BuilderTable


@dataclass(frozen=True)
class Simulators:
    """The CI systems of a sandbox, on this machine.

    Attributes:
        github: the address of a simulated GitHub's API; None if there is none.
        azure: the address of a simulated organization of Azure DevOps; None if there is none.
    """

    github: str | None = None
    azure: str | None = None


def command(template: Sequence[str], version: str) -> Command:
    """A command for this version."""
    return tuple(expand(argument, version) for argument in template)


def builder(table: BuilderTable, version: str) -> Builder:
    """How the files of this version are made.

    What a CI system elsewhere is given stays a template: its key and commit are known only when a run is asked for.

    Raises:
        ValidationError: the table's keys don't fit each other.
    """
    match table:
        case CommandBuilderTable():
            return CommandBuilder(
                commands=tuple(command(template, version) for template in table.commands),
                environment={name: expand(value, version) for name, value in table.environment.items()},
                output=table.output,
            )
        case HandedInBuilderTable():
            return HandedInBuilder(instructions=expand(table.instructions, version))
        case GitHubBuilderTable():
            return GitHubBuilder.model_validate(_fields(table, version))
        case _:
            checksums = None if table.checksums is None else expand(table.checksums, version)
            return AzureBuilder.model_validate({**_fields(table, version), "checksums": checksums})


def rehearsed(table: BuilderTable, version: str, simulators: Simulators) -> Builder:
    """How a rehearsal makes the files: as the release does, but with nothing started at a CI system elsewhere.

    A simulator takes its place. Where there is none, people hand the files in: what a real run does beside making
    files, such as publishing them, is unknown here.
    """
    made = builder(table, version)
    match made:
        case GitHubBuilder() if simulators.github is not None:
            return made.model_copy(update={"api": simulators.github})
        case AzureBuilder() if simulators.azure is not None:
            return _at_home(made, simulators.azure)
        case GitHubBuilder():
            return _instead(f"the workflow {made.workflow} of {made.repository}")
        case AzureBuilder():
            return _instead(f"pipeline {made.pipeline} of {made.organization}/{made.project}")
        case _:
            return made


def _fields(table: GitHubBuilderTable | AzureBuilderTable, version: str) -> dict[str, Any]:
    artifacts = tuple(expand(artifact, version) for artifact in table.artifacts)
    return {**table.model_dump(), "artifacts": artifacts}


def _at_home(made: AzureBuilder, organization: str) -> AzureBuilder:
    site = urlsplit(organization)
    credential = made.credential
    if isinstance(credential, EntraCredential):
        credential = credential.model_copy(update={"authority": f"{site.scheme}://{site.netloc}"})
    return made.model_copy(update={"organization": organization, "credential": credential})


def _instead(run: str) -> HandedInBuilder:
    return HandedInBuilder(instructions=f"A rehearsal does not start {run}; any files of these names will do.")
