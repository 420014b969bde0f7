"""How simulators of outside CI systems build the example: what they are told, and what a plan says of them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baton.model.outside import GitHubBuilder
from baton.model.outside_azure import AzureBuilder, PatCredential
from baton.sandbox.fake_ci.azure_pipeline import Pipeline, Project, Stage
from baton.sandbox.fake_ci.github_workflow import Access, GitHubConfig, Workflow
from baton.sandbox.fake_ci.runs import Recipe
from baton.sandbox.state import write_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic import BaseModel

    from baton.model.building import Builder
    from baton.model.plan import Plan
    from baton.sandbox.world import FakeCi

GITHUB, AZURE = "github", "azure"
"""What the simulators are called."""

QUEUE = "ci"
"""The task queue whose worker speaks with them."""

_REPOSITORY = "example/hello"
_ORGANIZATION, _PROJECT, _PIPELINE = "example", "hello", 1
_TOKENS = {GITHUB: "FAKE_GITHUB_TOKEN", AZURE: "FAKE_AZURE_TOKEN"}
"""The variables in which the worker finds its tokens."""

_CHECKSUMS = "SHA256SUMS"
_SUM_UP = f"""
import hashlib, pathlib
files = sorted(pathlib.Path("dist").iterdir())
sums = [f"{{hashlib.sha256(file.read_bytes()).hexdigest()}}  {{file.name}}\\n" for file in files]
pathlib.Path("dist/{_CHECKSUMS}").write_text("".join(sums))
"""


@dataclass(frozen=True)
class Simulators:
    """What the simulators of a world are told.

    Attributes:
        folder: where that, and their runs, are kept.
        repository: the example's git repository.
        tokens: the throw-away token that each accepts.
    """

    folder: Path
    repository: Path
    tokens: Mapping[str, str]

    @classmethod
    def at(cls, folder: Path, repository: Path) -> Simulators:
        """Those of a folder, with the same tokens each time."""
        return cls(folder, repository, {name: _token(folder / f"{name}-token") for name in _TOKENS})

    @property
    def credentials(self) -> Mapping[str, str]:
        """The environment variables by which a worker speaks with them."""
        return {variable: self.tokens[name] for name, variable in _TOKENS.items()}

    def tell_github(self) -> Path:
        """Write down what the simulator of GitHub has; gives the file."""
        recipe = Recipe(commands=(("python", "tools/build_macos.py"),), artifacts={"macos": "dist"})
        workflow = Workflow(repository=self.repository, full_name=_REPOSITORY, recipe=recipe)
        return self._tell(GITHUB, GitHubConfig(workflow=workflow, access=Access(token=self.tokens[GITHUB])))

    def tell_azure(self) -> Path:
        """Write down what the simulator of Azure has; gives the file."""
        recipe = Recipe(
            commands=(("python", "tools/build_windows.py"), ("python", "-c", _SUM_UP)), artifacts={"windows": "dist"}
        )
        pipeline = Pipeline(
            id=_PIPELINE,
            name="Windows",
            repository=self.repository,
            stages=(Stage(name="Build", recipe=recipe), Stage(name="Finish")),
            parameters={"Baton": ""},
        )
        project = Project(organization=_ORGANIZATION, name=_PROJECT, token=self.tokens[AZURE], pipelines=(pipeline,))
        return self._tell(AZURE, project)

    def _tell(self, name: str, config: BaseModel) -> Path:
        file = self.folder / f"{name}.json"
        write_private(file, config.model_dump_json(indent=2).encode())
        return file


def built_in_fake_ci(plan: Plan, fake_ci: FakeCi) -> Plan:
    """The example's plan, with its programs for Windows built by one simulator and those for macOS by the other."""
    builders: Mapping[str, Builder] = {
        "windows": AzureBuilder(
            organization=f"{fake_ci.azure}/{_ORGANIZATION}",
            project=_PROJECT,
            pipeline=_PIPELINE,
            credential=PatCredential(token_from=_TOKENS[AZURE]),
            parameters={"Baton": "{key}"},
            artifacts=("windows",),
            checksums=_CHECKSUMS,
        ),
        "macos": GitHubBuilder(
            repository=_REPOSITORY,
            workflow="build.yml",
            ref="main",
            inputs={"baton": "{key}"},
            artifacts=("macos",),
            api=fake_ci.github,
            token_from=_TOKENS[GITHUB],
        ),
    }
    steps = tuple(
        step.model_copy(update={"builder": builders[step.name], "queue": QUEUE}) if step.name in builders else step
        for step in plan.steps
    )
    return plan.model_copy(update={"steps": steps})


def _token(file: Path) -> str:
    if not file.is_file():
        write_private(file, secrets.token_urlsafe(24).encode())
    return file.read_text("ascii")
