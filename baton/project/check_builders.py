"""Whether CI systems elsewhere can find the commit that a release has them build, and nobody else a secret one."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from baton.model.outside import GitHubBuilder
from baton.model.outside_azure import AzureBuilder
from baton.model.version import ReleaseId
from baton.project import parts
from baton.project.finding import warning
from baton.project.selection import occasions
from baton.project.step_tables import steps_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from baton.model.building import Step
    from baton.project.finding import Finding
    from baton.project.read import Project

_ANY_VERSION = "0"


def branch_findings(project: Project) -> Iterator[Finding]:
    """Steps that are built elsewhere from a commit which ``prepare`` makes, but which nothing brings there.

    That ``prepare`` makes commits is known only where it says ``git commit`` itself.
    """
    if not any(_commits(command) for command in project.settings.project.prepare):
        return
    branch = ReleaseId(project=project.name, version=_ANY_VERSION).branch
    told: set[str] = set()
    for occasion in occasions(project.settings):
        for table in steps_on(occasion, project.settings.steps).values():
            step = parts.step(table, _ANY_VERSION, None)
            if step.name in told or _finds(step, branch):
                continue
            told.add(step.name)
            yield warning(
                f"step {step.name}",
                f"prepare makes a commit, and in {occasion} nothing brings it to where the run looks for it",
                f'{_where(step)} name the branch "baton/{project.name}-{{version}}": then Baton pushes it there',
            )


def secret_findings(project: Project) -> Iterator[Finding]:
    """Steps that are built elsewhere, from where everybody may look, though a fix may be under embargo."""
    security = project.settings.security
    if security is None or not security.embargo or security.repository is not None:
        return
    elsewhere = {
        step.name
        for occasion in occasions(project.settings)
        for table in steps_on(occasion, project.settings.steps).values()
        if isinstance((step := parts.step(table, _ANY_VERSION, None)).builder, GitHubBuilder | AzureBuilder)
    }
    if elsewhere:
        yield warning(
            "security",
            f"outside CI systems build {', '.join(sorted(elsewhere))} from {project.settings.project.repository}, also "
            "a fix that is under embargo",
            "name the private repository where fixes are as `repository` in [security], if that one is public",
        )


def _commits(command: Sequence[str]) -> bool:
    """Whether a command is ``git commit``, or a shell's line that has it."""
    return ("git", "commit") in pairwise(" ".join(command).split())


def _finds(step: Step, branch: str) -> bool:
    match step.builder:
        case GitHubBuilder(proof="head-sha", ref=ref):
            return branch in ref.replace("{version}", _ANY_VERSION)
        case GitHubBuilder() | AzureBuilder():
            return step.is_told(branch, _ANY_VERSION)
    return True


def _where(step: Step) -> str:
    match step.builder:
        case GitHubBuilder(proof="head-sha"):
            return "let its ref"
    return "let its ref, or something that a run is given,"
