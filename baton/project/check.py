"""Everything about a project that would stop its next release, found before it starts."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from baton.model.version import StreamStatus
from baton.project.check_builders import branch_findings, secret_findings
from baton.project.check_identities import identities_findings
from baton.project.check_keys import openpgp_findings
from baton.project.check_machine import credential_findings, tool_findings
from baton.project.check_people import people_findings
from baton.project.fields import is_url
from baton.project.finding import Severity, error, ok, warning
from baton.project.platform_tables import NotarizationTable
from baton.project.problem import InvalidProject
from baton.project.read import read_project
from baton.project.selection import in_words, occasions
from baton.project.signing_policy import policies_from
from baton.project.step_tables import steps_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from baton.project.finding import Finding
    from baton.project.read import Project
    from baton.project.selection import Occasion


def check_file(path: Path) -> tuple[Project | None, list[Finding]]:
    """Read a project, and say of each thing that is wrong with its file what it is.

    Returns:
        The project, or None if its file can't be used; and what was found.

    Raises:
        Missing: there is no such file.
    """
    try:
        project = read_project(path)
    except InvalidProject as invalid:
        return None, [
            error(_spot(problem.file, problem.line), _fact(problem.key, problem.fact)) for problem in invalid.problems
        ]
    return project, [ok(str(project.file), "valid")]


def check_project(
    project: Project,
    *,
    findings_here: Iterable[Finding] = (),
    environment: Mapping[str, str] | None = None,
    today: date | None = None,
) -> list[Finding]:
    """Look at everything that a release of the project needs.

    Args:
        project: a project whose file is valid.
        findings_here: what is known about the workers of :func:`queues_of` the project, and about keys and folders of
            this machine; they are only passed through, since nothing here knows how to ask.
        environment: the environment variables of the machine that is looked at; by default those of this process.
            Only names of credentials are told, and whether they are set.
        today: the day, in UTC, by which validity is judged; by default the current one.

    Returns:
        What was found: errors first, then warnings, then what is well.
    """
    day = today or datetime.now(UTC).date()
    variables = os.environ if environment is None else environment
    findings = [
        *_files(project),
        *_streams(project, day),
        *_repository(project),
        *branch_findings(project),
        *secret_findings(project),
        *people_findings(project.roster, project.settings, day),
        *openpgp_findings(project, day),
        *identities_findings(project, day),
        *tool_findings(project, variables, day),
        *credential_findings(project, variables, day),
        *findings_here,
    ]
    return sorted(findings, key=lambda finding: list(Severity).index(finding.severity))


def queues_of(project: Project, today: date | None = None) -> tuple[str, ...]:
    """Every task queue that some release of the project needs a worker for on a day, in UTC, or later; sorted."""
    settings = project.settings
    policies = policies_from(settings, today or datetime.now(UTC).date())
    signing = {queue for policy in policies for queue in (policy.sigstore_queue, policy.gpg_queue) if queue is not None}
    return tuple(
        sorted(
            {settings.project.queue}
            | {step.queue for step in settings.steps}
            | {signing.queue for signing in settings.platform_signing}
            | {
                signing.signing.queue
                for signing in settings.platform_signing
                if isinstance(signing.signing, NotarizationTable)
            }
            | {check.queue for check in settings.checks}
            | {target.queue for target in settings.targets}
            | signing
        )
    )


def _spot(file: str, line: int | None) -> str:
    return file if line is None else f"{file}:{line}"


def _fact(key: str, fact: str) -> str:
    return f"{key}: {fact}" if key else fact


def _files(project: Project) -> Iterator[Finding]:
    """The files that every release has; where that differs, those of each sort of release."""
    expected: dict[tuple[str, ...], list[Occasion]] = {}
    for occasion in occasions(project.settings):
        steps = steps_on(occasion, project.settings.steps).values()
        files = tuple(file for step in steps if step.agrees_with is None for file in step.files)
        expected.setdefault(files, []).append(occasion)
    for files, sorts in expected.items():
        subject = "files" if len(expected) == 1 else f"files of {in_words(sorts)}"
        if files:
            yield ok(subject, f"{len(files)} expected: {', '.join(files)}")
        else:
            yield ok(subject, "none, so that there can be no such release")


def _streams(project: Project, today: date) -> Iterator[Finding]:
    for name, stream in project.settings.streams.items():
        subject = f"stream {name}"
        if stream.status is StreamStatus.END_OF_LIFE:
            yield ok(subject, "at its end of life; nothing is released from it")
        elif stream.end_of_life is not None and stream.end_of_life <= today:
            yield warning(
                subject,
                f"its status is {stream.status}, but its end of life was on {stream.end_of_life}",
                'set its status to "end-of-life", or its date to the new one',
            )
        else:
            until = "" if stream.end_of_life is None else f" until {stream.end_of_life}"
            yield ok(subject, f"{stream.status}{until}")


def _repository(project: Project) -> Iterator[Finding]:
    if project.settings.project.sandbox or is_url(project.repository):
        return
    yield warning(
        "repository",
        f"{project.repository} is a folder; every worker that prepares a release must have it under the same path",
        "name the repository by its URL",
    )
