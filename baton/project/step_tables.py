"""The tables of `release.toml` that say what is built, what is checked, and for which releases."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from baton.model.base import EnvName, Name
from baton.model.outside import Template
from baton.project.builder_tables import ArtifactName, AzureName, BuilderTable, InputName, Instructions
from baton.project.fields import CommandTemplate, Duration, FileTemplate, TextTemplate
from baton.project.selection import Occasion, SelectionTable


class VariantTable(SelectionTable):
    """What a step does otherwise in some releases. Of a table, the keys named here change; an array changes whole."""

    files: tuple[FileTemplate, ...] | None = Field(default=None, min_length=1, max_length=1000)
    """Exactly the files that the step makes then."""

    add_files: tuple[FileTemplate, ...] | None = Field(default=None, min_length=1, max_length=1000, alias="add-files")
    """Files that the step makes then beside the others."""

    commands: tuple[CommandTemplate, ...] | None = Field(default=None, min_length=1, max_length=50)
    """The builder's commands."""

    environment: dict[EnvName, TextTemplate] | None = Field(default=None, max_length=100)
    """Variables of the commands."""

    instructions: Instructions | None = None
    """What the person who hands the files in is to do."""

    inputs: dict[InputName, Template] | None = Field(default=None, max_length=25)
    """Inputs of the GitHub workflow."""

    parameters: dict[AzureName, Template] | None = Field(default=None, max_length=100)
    """Template parameters of the Azure pipeline."""

    variables: dict[AzureName, Template] | None = Field(default=None, max_length=100)
    """Variables of the Azure pipeline."""

    skip_stages: tuple[AzureName, ...] | None = Field(default=None, max_length=50, alias="skip-stages")
    """Stages of the Azure pipeline that do not run."""

    artifacts: tuple[ArtifactName, ...] | None = Field(default=None, min_length=1, max_length=100)
    """The artifacts of the run elsewhere that are taken in."""

    add_artifacts: tuple[ArtifactName, ...] | None = Field(
        default=None, min_length=1, max_length=100, alias="add-artifacts"
    )
    """Artifacts that are taken in beside the others."""

    @property
    def of_the_builder(self) -> dict[str, Any]:
        """What it says about the builder, by its own fields."""
        own = {*type(self).model_fields} - {*SelectionTable.model_fields, "files", "add_files"}
        return {name: value for name, value in self if name in own and value is not None}

    def over(self, builder: BuilderTable) -> BuilderTable:
        """The builder with what is said here in place of what it says; keys that it doesn't have change nothing."""
        changed = dict(builder)
        for name, value in self.of_the_builder.items():
            field = name.removeprefix("add_")
            if field not in changed:
                continue
            if field != name:
                changed[field] += value
            elif isinstance(value, dict):
                changed[field] = {**changed[field], **value}
            else:
                changed[field] = value
        return builder.model_copy(update=changed)

    def files_over(self, files: tuple[str, ...]) -> tuple[str, ...]:
        """What the step makes that makes these files otherwise."""
        return (*(self.files or files), *(self.add_files or ()))


class StepTable(SelectionTable):
    """One unit of building: how its files are made, on which machines, and which files must come out."""

    name: Name
    """The step's name in commands, the log and decisions."""

    queue: Name
    """The task queue of the machines that can do it; for a CI system elsewhere, of the worker that holds what proves
    to it who asks."""

    files: tuple[FileTemplate, ...] = Field(min_length=1, max_length=1000)
    """Exactly the files that the step makes."""

    builder: BuilderTable
    """How the files are made."""

    role: Name = "release-manager"
    """Who may decide about the step and hand its files in; release managers may always decide."""

    agrees_with: Name | None = Field(default=None, alias="agrees-with")
    """Another step whose files this one makes again, byte for byte. Its own are compared, not released."""

    skippable: bool = False
    """Whether a person may decide to release without it."""

    timeout: Duration = "1h"
    """How long one attempt may take."""

    wait_for_runner: Duration = Field(default="15m", alias="wait-for-runner")
    """How long a machine may take to pick it up before a person is asked."""

    variants: tuple[VariantTable, ...] = Field(default=(), max_length=100)
    """What it does otherwise in some releases; of several that are meant for one, the later ones win."""

    def on(self, occasion: Occasion) -> "StepTable":
        """The step as it is in such a release, whether or not it is meant for it."""
        step = self
        for variant in filter(occasion.is_meant, self.variants):
            changes = {"builder": variant.over(step.builder), "files": variant.files_over(step.files)}
            step = step.model_copy(update=changes)
        return step


def steps_on(occasion: Occasion, steps: Sequence[StepTable]) -> dict[int, StepTable]:
    """The steps that such a release has, as they are in it, by their positions."""
    return {index: step.on(occasion) for index, step in enumerate(steps) if occasion.is_meant(step)}


class CheckTable(SelectionTable):
    """One of the project's own checks, run in a checkout; the files lie in the folder that `$BATON_ARTIFACTS` names."""

    name: Name
    """The check's name in commands, the log and decisions."""

    queue: Name
    """The task queue of the machines that can do it."""

    commands: tuple[CommandTemplate, ...] = Field(min_length=1, max_length=50)
    """Run in order; each must exit with 0."""

    timeout: Duration = "30m"
    """How long one attempt may take."""

    wait_for_runner: Duration = Field(default="15m", alias="wait-for-runner")
    """How long a machine may take to pick it up before a person is asked."""
