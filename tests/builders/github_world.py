"""A simulator of GitHub, an adapter that builds with it, and what tests ask of both."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from baton.builders.github_actions import GitHubActions
from baton.builders.outside import Intake
from baton.git import git
from baton.model.outside import GitHubBuilder, OutsideOrder, OutsideRun, RunReport, RunState
from baton.model.plan import ArchiveLimits
from baton.sandbox.fake_ci.github import Access, Fault, GitHubConfig, GitHubSimulator, Workflow, github_simulator
from baton.sandbox.fake_ci.runs import Recipe
from baton.store import Store, open_store
from tests.builders.github_contract import Contract
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TOKEN = "ghp_a-token-that-nobody-may-see"  # noqa: S105  # known to the simulator alone
SCRIPT = """
import os, pathlib, subprocess, sys, time
mode = os.environ["INPUT_MODE"]
print("building in mode", mode, flush=True)
if mode == "wait":
    time.sleep(600)
if mode == "fail" or (mode == "flaky" and not pathlib.Path(os.environ["MARK"]).exists()):
    pathlib.Path(os.environ["MARK"]).touch()
    sys.exit("the compiler is on fire")
dist = pathlib.Path("dist/deep")
dist.mkdir(parents=True)
(dist / "hello.txt").write_bytes(pathlib.Path("README").read_bytes() * 1000)
(dist / "hello.bin").write_bytes(bytes(range(256)) * 100)
"""
FILES = ("hello.bin", "hello.txt")


@dataclass
class World:
    """Everything that a test needs."""

    simulator: GitHubSimulator
    contract: Contract
    commit: str
    folder: Path
    store: Store

    def builder(self, **changes: Any) -> GitHubBuilder:
        values: dict[str, Any] = {
            "repository": "example/hello",
            "workflow": "build.yml",
            "ref": "main",
            "inputs": {"baton": "{key}", "mode": "good"},
            "artifacts": ("packages",),
            "api": self.simulator.url,
            "token_from": "GITHUB_TOKEN_FOR_TEST",
        }
        return GitHubBuilder.model_validate({**values, **changes})

    def adapter(self, mode: str = "good", **changes: Any) -> GitHubActions:
        return GitHubActions(self.builder(**{"inputs": {"baton": "{key}", "mode": mode}, **changes}))

    def order(self, **changes: Any) -> OutsideOrder:
        values = {"version": "1.0.0", "tag": "v1.0.0", "commit": self.commit, "asked": datetime.now(UTC)}
        return OutsideOrder.model_validate({"key": f"run-{uuid4()}.windows.1", **values, **changes})

    def intake(self, **changes: Any) -> Intake:
        values: dict[str, Any] = {
            "store": self.store,
            "scratch": self.folder / "scratch",
            "limits": ArchiveLimits(),
            "progress": lambda _: None,
            "cancelled": lambda: False,
        }
        return Intake(**{**values, **changes})

    def goes_wrong(self, fault: Fault, times: int = 1) -> None:
        self.simulator.runs.faults[fault] += times

    @property
    def dispatches(self) -> int:
        return self.simulator.runs.dispatches


@contextmanager
def github_world(folder: Path, *, access: dict[str, Any] | None = None, **changes: Any) -> Iterator[World]:
    """A simulator whose workflow is in a repository of its own."""
    origin = folder / "origin"
    origin.mkdir(parents=True)
    (origin / "README").write_text("hello\n")
    who = {
        f"GIT_{role}_{what}": "ada@example.invalid" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    git("init", "--quiet", "--initial-branch=main", folder=origin)
    git("add", "--all", folder=origin)
    git("commit", "--quiet", "--message", "First", folder=origin, environment=who)
    commit = git("rev-parse", "HEAD", folder=origin)
    recipe = Recipe(
        commands=(("python", "-c", SCRIPT),),
        artifacts={"packages": "dist"},
        environment={"MARK": str(folder / "mark")},
    )
    values: dict[str, Any] = {"repository": origin, "recipe": recipe, "inputs": ("baton", "mode", "commit")}
    config = GitHubConfig(
        workflow=Workflow.model_validate({**values, **changes}),
        access=Access.model_validate({"token": TOKEN, **(access or {})}),
    )
    contract = Contract()
    with github_simulator(config, folder / "github", around=contract.around) as simulator:
        yield World(simulator, contract, commit, folder, open_store(str(folder / "store")))
    assert contract.broken == [], "\n".join(sorted(set(contract.broken)))[:6000]


def until(
    adapter: GitHubActions, run: OutsideRun, wanted: Callable[[RunReport], bool] = lambda report: report.state.ended
) -> RunReport:
    """Look until the report is as wanted."""
    deadline = time.monotonic() + PATIENCE
    while not wanted(report := adapter.look(run)):
        assert time.monotonic() < deadline, report
        time.sleep(0.02)
    return report


def is_(state: RunState) -> Callable[[RunReport], bool]:
    return lambda report: report.state is state
