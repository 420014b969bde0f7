"""Looking for everything that would stop a release, before it starts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.text import Text

from baton.cli.embargo import embargo_findings
from baton.cli.exits import ExitCode
from baton.cli.layout import columns
from baton.cli.place import find_place
from baton.cli.session import with_releases
from baton.cli.terminal import plain, print_json, show
from baton.model.errors import BatonError
from baton.project.check import check_file, check_project, queues_of
from baton.project.finding import Severity, error, ok, warning

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.table import Table

    from baton.cli.releases import Releases
    from baton.cli.workers import QueueWorkers
    from baton.project.finding import Finding
    from baton.project.read import Project

_MARKS = {Severity.ERROR: ("✗", "bold red"), Severity.WARNING: ("!", "yellow"), Severity.OK: ("✓", "green")}


def show_check(folder: Path, *, sandbox: bool, state: Path | None, as_json: bool) -> ExitCode:
    """Show what was found about a project.

    Args:
        folder: has release.toml.
        sandbox: whether it is to be rehearsed in the local world.
        state: that world's folder.
        as_json: as a document and not as a page.

    Returns:
        Whether a release could be made, as an exit code.

    Raises:
        Missing: there is no release.toml.
    """
    project, findings = check_file(folder)
    if project is not None:
        found = _findings_here(project, sandbox=sandbox, state=state)
        findings += check_project(project, findings_here=found)
    fit = all(finding.severity is not Severity.ERROR for finding in findings)
    if as_json:
        print_json("check", {"ok": fit, "findings": [finding.model_dump(mode="json") for finding in findings]})
    else:
        show(findings_page(findings))
    return ExitCode.OK if fit else ExitCode.FAILED


def findings_page(findings: Sequence[Finding]) -> Table:
    """Render findings, each with what to do about it."""
    table = columns()
    for finding in findings:
        mark, style = _MARKS[finding.severity]
        fact = Text.assemble((finding.subject, "bold"), ": ", plain(finding.message), overflow="fold")
        if finding.hint:
            fact.append(f"\n→ {plain(finding.hint)}", "bold")
        table.add_row(Text(mark, style), fact)
    return table


def _findings_here(project: Project, *, sandbox: bool, state: Path | None) -> list[Finding]:
    own = project.settings.project

    async def look(releases: Releases) -> list[QueueWorkers]:
        return await releases.workers(queues_of(project), of_workflows=[own.queue])

    try:
        place = find_place(sandbox=sandbox or own.sandbox, state=state)
        secrecy = list(embargo_findings(project, place))
    except BatonError as problem:
        return [error("Temporal", str(problem))]
    try:
        found = with_releases(place, look)
    except BatonError as problem:
        return [error("Temporal", str(problem)), *secrecy]
    now = datetime.now(UTC)
    return [*(_of_queue(workers, now) for workers in found), *secrecy]


def _of_queue(workers: QueueWorkers, now: datetime) -> Finding:
    subject = f"queue {workers.queue}"
    if not workers.silent(now):
        return ok(subject, workers.fact(now))
    return warning(subject, workers.fact(now), f"start one: python worker.py --queue {workers.queue}")
