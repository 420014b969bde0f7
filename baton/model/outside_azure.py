"""How a step is built by a pipeline of Azure DevOps."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from baton.model.base import EnvName, FileName, Value
from baton.model.outside import Template

_ADDRESS = r"^(https://[A-Za-z0-9.-]+|http://(127\.0\.0\.1|localhost))(:[0-9]{1,5})?(/[A-Za-z0-9._~%-]+)*$"

AzureAddress = Annotated[str, StringConstraints(pattern=_ADDRESS, max_length=300)]
"""``https://…`` without a slash at its end, or ``http://`` on this machine; secrets go there."""

Guid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
"""A name as Microsoft Entra gives it to tenants and applications."""

_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9 ._-]*$", max_length=200)]


class PatCredential(Value):
    """A personal access token with the scopes Build (read and execute).

    Attributes:
        token_from: the environment variable of the worker that holds it, or with ``_FILE`` appended, names its file.
    """

    kind: Literal["pat"] = "pat"
    token_from: EnvName


class EntraCredential(Value):
    """An application of Microsoft Entra ID that is a user of the organization.

    Attributes:
        tenant: the directory.
        client: the application.
        secret_from: the environment variable of the worker that holds the application's secret, or with ``_FILE``
            appended, names its file.
        authority: who gives the tokens.
    """

    kind: Literal["entra"] = "entra"
    tenant: Guid
    client: Guid
    secret_from: EnvName
    authority: AzureAddress = "https://login.microsoftonline.com"


AzureCredential = Annotated[PatCredential | EntraCredential, Field(discriminator="kind")]
"""What proves to Azure DevOps who asks; the secret itself is never part of a plan."""


class AzureBuilder(Value):
    """A run of one pipeline makes the step's files.

    A run gets a tag that says which order it is of. One whose answer was lost, before it had its tag, is found again by
    what it was asked for: with ``{key}`` in a parameter or variable nothing else can be mistaken for it; without, one
    that people start with the very same parameters in the same minutes can.

    Attributes:
        organization: the address of the organization or collection, such as ``https://dev.azure.com/Python``.
        project: the project's name or id.
        pipeline: the pipeline's number, ``definitionId`` in its address.
        ref: the branch or tag that the pipeline's own definition is taken from.
        commit_in: the template parameter that tells the pipeline which commit to build, for one that is defined in
            another repository than the released one. Azure then proves only what was asked for; that it was built is
            for the pipeline to check. None: the pipeline is defined in the released repository, and runs at the commit.
        parameters: the pipeline's template parameters.
        variables: variables that are set when the run is queued; the pipeline has to allow it.
        skip_stages: stages that do not run.
        artifacts: in which of the run's artifacts the step's files are, in whatever folders.
        checksums: a file in one of the artifacts with the SHA-256 of each of the step's files, as ``sha256sum`` prints
            it; Azure itself keeps no digests. None: there is none.
        accept_partial: whether a run that "partially succeeded" will do: a task failed that may.
        keep_days: for how many days the run is kept once its files are taken in; 0 leaves that to the project.
    """

    kind: Literal["azure-pipelines"] = "azure-pipelines"
    organization: AzureAddress
    project: _Name
    pipeline: Annotated[int, Field(ge=1)]
    credential: AzureCredential
    ref: Annotated[Template, StringConstraints(pattern=r"^refs/\S+$")] = "refs/heads/main"
    commit_in: _Name | None = None
    parameters: dict[_Name, Template] = Field(default_factory=dict, max_length=100)
    variables: dict[_Name, Template] = Field(default_factory=dict, max_length=100)
    skip_stages: tuple[_Name, ...] = Field(default=(), max_length=50)
    artifacts: tuple[_Name, ...] = Field(min_length=1, max_length=100)
    checksums: FileName | None = None
    accept_partial: bool = False
    keep_days: Annotated[int, Field(ge=0, le=36500)] = 365

    @property
    def told(self) -> tuple[str, ...]:
        """Everything that a run is told, as templates."""
        return self.ref, *self.parameters.values(), *self.variables.values()

    @model_validator(mode="after")
    def _the_pipeline_learns_the_commit(self) -> Self:
        if self.commit_in is not None and self.parameters.get(self.commit_in) != "{commit}":
            raise ValueError(f'the parameter {self.commit_in}, which `commit_in` names, has to be "{{commit}}"')
        return self

    @model_validator(mode="after")
    def _each_artifact_once(self) -> Self:
        if len(set(self.artifacts)) != len(self.artifacts):
            raise ValueError(f"an artifact is named twice in {', '.join(self.artifacts)}")
        return self
