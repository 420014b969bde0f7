"""The tables of `release.toml` that say how a step's files are made."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from baton.model.base import EnvName, Text
from baton.model.outside import Template
from baton.model.outside_azure import AzureAddress, Guid
from baton.project.fields import CommandTemplate, FileTemplate, Table, TextTemplate
from baton.project.template import known

DEFAULT_KIND: Final = "command"
"""How files are made where a builder doesn't say its kind."""

Instructions = Annotated[Text, AfterValidator(known)]
ArtifactName = Annotated[TextTemplate, StringConstraints(min_length=1, max_length=200)]
InputName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$", max_length=100)]
AzureName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9 ._-]*$", max_length=200)]
GitHubAddress = Annotated[
    str,
    StringConstraints(
        pattern=r"^(https://[A-Za-z0-9.-]+|http://(127\.0\.0\.1|localhost))(:[0-9]{1,5})?(/[A-Za-z0-9._-]+)*$",
        max_length=300,
    ),
]


class CommandBuilderTable(Table):
    """Commands that a worker runs in a fresh checkout on the step's queue."""

    kind: Literal["command"] = DEFAULT_KIND
    """How the files are made."""

    commands: tuple[CommandTemplate, ...] = Field(min_length=1, max_length=50)
    """Run in order; each must exit with 0."""

    environment: dict[EnvName, TextTemplate] = Field(default_factory=dict, max_length=100)
    """Variables added to a small fixed environment; their values are public."""

    output: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._/-]*$", max_length=500)] = "dist"
    """The folder of the checkout that holds the step's files in the end."""


class HandedInBuilderTable(Table):
    """A person with the step's role makes the files and hands them in."""

    kind: Literal["handed-in"]
    """How the files are made."""

    instructions: Instructions = ""
    """What that person is to do; shown wherever the files are asked for."""


class GitHubAppTable(Table):
    """A GitHub App that is installed on the repository, with the permission to read and write Actions."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$", max_length=100)]
    """Its client id or its number."""

    private_key_from: EnvName = Field(alias="private-key-from")
    """The environment variable of the worker that holds its private key in PEM form; or, with `_FILE` appended to the
    variable's name, the path of the key's file."""


class GitHubBuilderTable(Table):
    """A GitHub Actions workflow that is started by `workflow_dispatch`, and whose artifacts are taken in."""

    kind: Literal["github-actions"]
    """How the files are made."""

    repository: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+/[A-Za-z0-9._-]*[A-Za-z0-9_-]$", max_length=140)
    ]
    """Where the workflow is, as `owner/name`."""

    workflow: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*\.ya?ml$", max_length=200)]
    """Its file in `.github/workflows`."""

    ref: Template
    """The branch or tag that the workflow runs on."""

    inputs: dict[InputName, Template] = Field(min_length=1, max_length=25)
    """What the workflow is given. One input holds `{key}`, and the workflow's `run-name` shows it: a run whose start
    was not answered is found again by that."""

    artifacts: tuple[ArtifactName, ...] = Field(min_length=1, max_length=100)
    """The artifacts of the run in which the step's files are, in whatever folders."""

    proof: Literal["head-sha", "run-name"] = "head-sha"
    """What proves which commit was built: that the run's head is the commit; or, for a workflow in another repository,
    that its `run-name` shows the input that holds `{commit}`."""

    api: GitHubAddress = "https://api.github.com"
    """The API's address; for GitHub Enterprise Server `https://HOST/api/v3`."""

    api_version: Literal["2026-03-10", "2022-11-28"] = Field(default="2026-03-10", alias="api-version")
    """GitHub Enterprise Server 3.20 and older know only `2022-11-28`."""

    token_from: EnvName | None = Field(default=None, alias="token-from")
    """The environment variable of the worker that holds a token; or, with `_FILE` appended to the variable's name, the
    path of a token's file. Either this or `app` is needed."""

    app: GitHubAppTable | None = None
    """The GitHub App to act as, in place of a token."""

    accept_without_digest: bool = Field(default=False, alias="accept-without-digest")
    """Whether artifacts are taken in of which the API names no digest, as that of GitHub Enterprise Server does."""


class PatCredentialTable(Table):
    """A personal access token with the scope Build (read and execute)."""

    kind: Literal["pat"]
    """What the proof is."""

    token_from: EnvName = Field(alias="token-from")
    """The environment variable of the worker that holds the token; or, with `_FILE` appended to the variable's name,
    the path of the token's file."""


class EntraCredentialTable(Table):
    """An application of Microsoft Entra ID that is a user of the organization."""

    kind: Literal["entra"]
    """What the proof is."""

    tenant: Guid
    """The directory's id."""

    client: Guid
    """The application's id."""

    secret_from: EnvName = Field(alias="secret-from")
    """The environment variable of the worker that holds the application's secret; or, with `_FILE` appended to the
    variable's name, the path of its file."""

    authority: AzureAddress = "https://login.microsoftonline.com"
    """Who gives the tokens."""


class AzureBuilderTable(Table):
    """A run of one pipeline of Azure DevOps, whose artifacts are taken in."""

    kind: Literal["azure-pipelines"]
    """How the files are made."""

    organization: AzureAddress
    """The address of the organization or collection: `https://dev.azure.com/NAME`."""

    project: AzureName
    """The project's name or id there."""

    pipeline: Annotated[int, Field(ge=1)]
    """The pipeline's number, `definitionId` in its address."""

    credential: Annotated[PatCredentialTable | EntraCredentialTable, Field(discriminator="kind")]
    """What proves to Azure DevOps who asks."""

    ref: Annotated[Template, StringConstraints(pattern=r"^refs/\S+$")] = "refs/heads/main"
    """The branch or tag from which the pipeline's own definition is taken."""

    commit_in: AzureName | None = Field(default=None, alias="commit-in")
    """The template parameter that says which commit to build, for a pipeline that is defined in another repository than
    the released one; its value must be `{commit}`. Without it, the pipeline runs at the commit itself."""

    parameters: dict[AzureName, Template] = Field(default_factory=dict, max_length=100)
    """The pipeline's template parameters."""

    variables: dict[AzureName, Template] = Field(default_factory=dict, max_length=100)
    """Variables that are set when the run is queued. With `{key}` in one, or in a parameter, a run whose start was not
    answered is found again for certain."""

    skip_stages: tuple[AzureName, ...] = Field(default=(), max_length=50, alias="skip-stages")
    """Stages that do not run."""

    artifacts: tuple[ArtifactName, ...] = Field(min_length=1, max_length=100)
    """The artifacts of the run in which the step's files are, in whatever folders."""

    checksums: FileTemplate | None = None
    """A file in one of the artifacts with the SHA-256 of each of the step's files, as `sha256sum` prints it."""

    accept_partial: bool = Field(default=False, alias="accept-partial")
    """Whether a run that "partially succeeded" will do: something failed in it that may."""

    keep_days: Annotated[int, Field(ge=0, le=36500)] = Field(default=365, alias="keep-days")
    """For how many days Azure keeps the run once its files are taken in; 0 leaves that to the project there."""


def _with_kind(builder: Any) -> Any:
    return {"kind": DEFAULT_KIND, **builder} if isinstance(builder, dict) else builder


BuilderTable = Annotated[
    Annotated[
        CommandBuilderTable | HandedInBuilderTable | GitHubBuilderTable | AzureBuilderTable,
        Field(discriminator="kind"),
    ],
    BeforeValidator(_with_kind),
]
"""How a step's files are made; one that doesn't say its kind runs commands."""
