"""The part of a plan that says what is built, by whom, and what is checked before anyone is asked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from baton.model.base import EnvName, FileName, Name, Text, Value
from baton.model.outside import GitHubBuilder
from baton.model.outside_azure import AzureBuilder, EntraCredential

Command = Annotated[tuple[Annotated[str, StringConstraints(max_length=4000)], ...], Field(min_length=1, max_length=100)]
"""A program and its arguments; no shell reads it."""

Seconds = Annotated[int, Field(gt=0, le=14 * 24 * 3600)]
"""A span of time in whole seconds, at most two weeks."""


class CommandBuilder(Value):
    """Commands that a worker on the step's queue runs in a fresh checkout.

    Attributes:
        commands: run in order; each must exit with 0.
        environment: added to a small fixed environment; values are public.
        output: the folder, relative to the checkout, whose files are the step's artifacts.
    """

    kind: Literal["command"] = "command"
    commands: tuple[Command, ...] = Field(min_length=1)
    environment: dict[EnvName, Annotated[str, StringConstraints(max_length=1000)]] = Field(default_factory=dict)
    output: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._/-]*$")] = "dist"


class HandedInBuilder(Value):
    """Nobody's machine builds it for Baton: a person with the step's role makes the files and hands them in.

    Attributes:
        instructions: what that person is to do, for the page and the message that ask for the files.
    """

    kind: Literal["handed-in"] = "handed-in"
    instructions: Text = ""


Builder = Annotated[CommandBuilder | HandedInBuilder | GitHubBuilder | AzureBuilder, Field(discriminator="kind")]
"""How a step gets its artifacts made."""


class Step(Value):
    """One unit of building: a builder, the queue of the machines that can do it, and the files that must come out.

    Attributes:
        queue: polled by the machines that run the commands, or by the worker that holds the outside CI's credential.
        files: exactly the files that the step makes.
        role: who may decide about it and hand its files in; release managers always may decide.
        agrees_with: another step whose files this one must make again, byte for byte; then its own files are compared
            and not released.
        skippable: whether a person may decide to release without it.
        timeout: seconds that one attempt may take.
        wait_for_runner: seconds until a missing runner is put before a person.
    """

    name: Name
    builder: Builder
    queue: Name
    files: tuple[FileName, ...] = Field(min_length=1, max_length=1000)
    role: Name = "release-manager"
    agrees_with: Name | None = None
    skippable: bool = False
    timeout: Seconds = 3600
    wait_for_runner: Seconds = 900

    def is_told(self, text: str, version: str) -> bool:
        """Whether an outside run of the step is told this text, once its templates have the version in them."""
        told = self.builder.told if isinstance(self.builder, GitHubBuilder | AzureBuilder) else ()
        return any(text in template.replace("{version}", version) for template in told)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where a worker speaks with the outside CI system, and with whoever gives it tokens for that."""
        match self.builder:
            case GitHubBuilder(api=api):
                return (api,)
            case AzureBuilder(organization=organization, credential=EntraCredential(authority=authority)):
                return organization, authority
            case AzureBuilder(organization=organization):
                return (organization,)
            case _:
                return ()


class Check(Value):
    """One of the project's own checks, run in a checkout; the released files lie in the folder ``$BATON_ARTIFACTS``."""

    name: Name
    commands: tuple[Command, ...] = Field(min_length=1)
    queue: Name
    timeout: Seconds = 1800
    wait_for_runner: Seconds = 900
