"""A project in the Azure simulator, a builder that uses it, and an order for it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from baton.builders.azure_pipelines import AzurePipelines
from baton.builders.outside import Intake
from baton.git import git
from baton.model.outside import OutsideOrder
from baton.model.outside_azure import AzureBuilder
from baton.model.plan import ArchiveLimits
from baton.sandbox.fake_ci.azure import fake_azure
from baton.sandbox.fake_ci.azure_pipeline import Fault, Pipeline, Project, Stage
from baton.sandbox.fake_ci.runs import Recipe
from baton.store import open_store
from tests.builders.azure_contract import Checked
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.types import ASGIApp

    from baton.model.outside import OutsideRun, RunReport
    from baton.sandbox.fake_ci.azure import FakeAzure
    from baton.sandbox.fake_ci.azure_run import FakeRun
    from baton.store import Store

TOKEN = "pat-of-the-release-team"  # noqa: S105 - the simulator's
CLIENT = ("0123abcd-0000-4000-8000-000000000001", "secret-of-the-application")
TENANT = "0123abcd-0000-4000-8000-000000000002"

BUILD = """
import hashlib, os, pathlib
dist = pathlib.Path("dist/x64")
dist.mkdir(parents=True)
said = os.environ
content = f"built of {open('README').read()}for {said.get('PARAMETER_SOURCETAG')}, {said.get('CHANNEL')}".encode()
(dist / "hello.exe").write_bytes(content)
(dist / "hello.txt").write_bytes(b"not wanted")
pathlib.Path("dist/SHA256SUMS").write_text(f"{hashlib.sha256(content).hexdigest()}  x64/hello.exe\\n")
print("compiled hello.exe")
"""
FAIL_ONCE = """
import os, pathlib, sys
print("looking for the compiler")
flag = pathlib.Path(os.environ["PARAMETER_FLAG"])
if not flag.exists():
    flag.touch()
    sys.exit("no compiler found")
"""
WAIT = "import time; print('under way', flush=True); time.sleep(600)"


def stage(name: str, script: str, **settings: Any) -> Stage:
    artifacts = {"windows": "dist"} if script.startswith(BUILD) else {}
    return Stage(name=name, recipe=Recipe(commands=(("python", "-c", script),), artifacts=artifacts), **settings)


GOOD = (stage("Build", BUILD), Stage(name="Publish"))
ENDLESS = (stage("Build", WAIT),)
APPROVED = (
    stage("Build", BUILD),
    Stage(name="Sign", approvers=("Steve", "Grace"), instructions="Look at the tag first"),
)


@dataclass
class World:
    """The simulator, and what a worker has."""

    azure: FakeAzure
    checked: Checked
    commit: str
    store: Store
    scratch: Path

    def builder(self, **changes: Any) -> AzureBuilder:
        settings: dict[str, Any] = {
            "organization": self.azure.url,
            "project": "our project",
            "pipeline": 21,
            "credential": {"kind": "pat", "token_from": "AZURE_TOKEN"},
            "parameters": {"SourceTag": "v{version}", "Flag": str(self.scratch / "flag")},
            "variables": {"Channel": "stable", "BatonKey": "{key}"},
            "artifacts": ["windows"],
            "checksums": "SHA256SUMS",
        }
        return AzureBuilder.model_validate({**settings, **changes})

    def pipelines(self, **changes: Any) -> AzurePipelines:
        return AzurePipelines(self.builder(**changes))

    def order(self, key: str = "", **changes: Any) -> OutsideOrder:
        """One that nobody gave before, unless it has a key."""
        key = key or f"order-{uuid4()}"
        settings = {"key": key, "version": "1.0.0", "tag": "v1.0.0", "commit": self.commit, "asked": datetime.now(UTC)}
        return OutsideOrder.model_validate({**settings, **changes})

    @property
    def intake(self) -> Intake:
        return self.intake_of()

    def intake_of(self, *, cancelled: bool = False, entries: int = 1000) -> Intake:
        return Intake(
            store=self.store,
            scratch=self.scratch,
            limits=ArchiveLimits(entries=entries),
            progress=lambda _: None,
            cancelled=lambda: cancelled,
        )

    def found(self, run: OutsideRun) -> FakeRun:
        """The run as the simulator has it."""
        found = self.azure.runs.find(int(run.id))
        assert found is not None
        return found

    def fault(self, fault: Fault, times: int = 1) -> None:
        self.azure.faults.add(fault, times)

    def built(self, run: OutsideRun, **changes: Any) -> dict[str, bytes]:
        collected = self.pipelines(**changes).collect(run, ("hello.exe",), self.intake)
        return {one.name: self.store.read(one.digest) for one in self.store.read_set(collected.artifacts).artifacts}


def until(look: Callable[[], RunReport], wanted: Callable[[RunReport], bool]) -> RunReport:
    """Look again until it is as wanted."""
    deadline = time.monotonic() + PATIENCE
    while not wanted(report := look()):
        assert time.monotonic() < deadline, report
        time.sleep(0.02)
    return report


def ended(look: Callable[[], RunReport]) -> RunReport:
    return until(look, lambda report: report.state.ended)


@contextmanager
def azure_world(
    folder: Path, stages: tuple[Stage, ...] = GOOD, *, commit_in: str | None = None, garbles: bool = False
) -> Iterator[World]:
    """A project with one pipeline; nothing that goes over the wire may differ from the description.

    But for answers, where the simulator is asked to garble them.
    """
    project, commit = project_with(folder, stages, commit_in)
    scratch = folder / "scratch"
    scratch.mkdir()
    apps: list[Checked] = []

    def around(app: ASGIApp) -> Checked:
        apps.append(Checked(app))
        return apps[0]

    with fake_azure(project, folder / "azure", around=around) as azure:
        world = World(azure, apps[0], commit, open_store(str(folder / "store")), scratch)
        yield world
        assert [one for one in world.checked.problems if not (garbles and "answer" in one)] == []


def project_with(folder: Path, stages: tuple[Stage, ...], commit_in: str | None = None) -> tuple[Project, str]:
    """A project with one pipeline; the repository is in the folder. Also gives the commit that is to be released."""
    commit = _repository(folder / "repository")
    pipeline = Pipeline(
        id=21,
        name="Windows",
        repository=folder / "repository",
        stages=stages,
        parameters={"SourceTag": "", "SourceCommit": commit, "Flag": "", "DoPublish": "False"},
        commit_in=commit_in,
    )
    return Project(name="our project", token=TOKEN, client=CLIENT, pipelines=(pipeline,)), commit


def _repository(folder: Path) -> str:
    folder.mkdir()
    people = {
        f"GIT_{who}_{what}": "ada@example.invalid" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    git("init", "--quiet", "--initial-branch=main", folder=folder)
    for words in ("first", "second"):
        (folder / "README").write_text(f"{words}\n")
        git("add", "--all", folder=folder)
        git("commit", "--quiet", "--message", words, folder=folder, environment=people)
    # What is released is not the tip of the branch.
    return git("rev-parse", "HEAD^", folder=folder)
