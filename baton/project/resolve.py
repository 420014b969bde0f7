"""From a project's `release.toml` to the plan of one release."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion
from packaging.version import Version as Pep440
from pydantic import ValidationError

from baton.model.plan import Plan
from baton.model.version import ReleaseId, Stream, StreamStatus, kind_of
from baton.project import parts
from baton.project.builder_parts import Simulators
from baton.project.commit import is_whole
from baton.project.platform_signing import platform_steps
from baton.project.problem import CannotPlan
from baton.project.quorum import shortages
from baton.project.selection import Occasion
from baton.project.signers import signers
from baton.project.source import source_of
from baton.project.step_tables import steps_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from baton.model.roster import OpenPgpKey, SigstoreIdentity
    from baton.project.read import Project


@dataclass(frozen=True)
class SandboxFacts:
    """What a sandbox puts in the place of a project's real identities and places.

    Attributes:
        machine: the machine identity of the sandbox's Sigstore instance.
        team_key: the sandbox's throw-away team key, with its public key block.
        repository: the sandbox's own copy of the project, to which tags are pushed; without one, nothing is pushed.
        checkout: the project's checkout on this machine, from which it is rehearsed where there is no such copy;
            without one, from the project's repository.
        simulators: what takes the place of CI systems elsewhere.
    """

    machine: SigstoreIdentity
    team_key: OpenPgpKey
    repository: Path | None = None
    checkout: Path | None = None
    simulators: Simulators = field(default_factory=Simulators)

    @property
    def source(self) -> Path | None:
        """The repository on this machine that takes the place of the project's, or None."""
        return self.repository or self.checkout


def resolve(
    project: Project,
    version: str,
    commit: str,
    *,
    started_by: str,
    sandbox: SandboxFacts | None,
    today: date | None = None,
) -> Plan:
    """Resolve what a release will do.

    With `sandbox` the plan is a rehearsal: it signs as the sandbox, publishes into the sandbox, tells the log what it
    would tell people through a secret address, and pushes its tag to the sandbox's copy or nowhere. All else is as in
    the real release.

    Args:
        project: what is released.
        version: the version to release.
        commit: the whole id of the commit to release; see :func:`baton.project.commit.resolve_commit`.
        started_by: the roster id of the person who starts it.
        sandbox: what the sandbox substitutes, or None for a real release.
        today: the day, in UTC, by which a stream's end of life and who signs it are judged; by default the current one.

    Raises:
        CannotPlan: the release can't be made; the error lists every reason.
    """
    streams = [parts.stream(name, table) for name, table in project.settings.streams.items()]
    day = today or datetime.now(UTC).date()
    stream, reasons = stream_of(version, streams)
    reasons += objections(project, started_by, commit, rehearsal=sandbox is not None)
    if stream is not None:
        reasons += _ended(stream, day)
        reasons += _nothing_built(project, Occasion.of(version, stream))
    if stream is None or reasons:
        raise CannotPlan(reasons)
    try:
        plan = _plan(project, stream, version, commit, started_by=started_by, sandbox=sandbox, today=day)
    except ValidationError as error:
        raise CannotPlan(_fields(error)) from error
    if twice := _named_twice(plan):
        raise CannotPlan(f"{name} would be released twice: version {version} makes two names equal" for name in twice)
    return plan


def _plan(
    project: Project,
    stream: Stream,
    version: str,
    commit: str,
    *,
    started_by: str,
    sandbox: SandboxFacts | None,
    today: date,
) -> Plan:
    settings, own = project.settings, project.settings.project
    rehearsed = sandbox is not None
    source = source_of(project, version, commit)
    if sandbox is not None:
        local = source.repository if sandbox.source is None else str(sandbox.source)
        source = source.model_copy(update={"repository": local, "push_tag": sandbox.repository is not None})
    simulators = None if sandbox is None else sandbox.simulators
    occasion = Occasion.of(version, stream)
    return Plan(
        release=ReleaseId(project=own.name, version=version),
        title=own.title,
        stream=stream,
        release_kind=kind_of(version, stream),
        sandbox=rehearsed,
        unsigned_acts=rehearsed and not own.signed_rehearsals,
        started_by=started_by,
        source=source,
        steps=tuple(parts.step(table, version, simulators) for table in steps_on(occasion, settings.steps).values()),
        platform=() if rehearsed else platform_steps(project, stream, version),
        checks=tuple(parts.check(table, version) for table in settings.checks if occasion.is_meant(table)),
        sboms=own.sboms,
        limits=parts.limits(settings.archive_limits),
        signers=signers(project, stream.name, sandbox, today),
        gates=tuple(parts.gate(table) for table in settings.gates),
        targets=(parts.sandbox_target(settings.targets),) if rehearsed else parts.targets(settings.targets),
        announcers=tuple(parts.announcer(table, rehearsed=rehearsed) for table in settings.announcers),
        reminders=parts.reminders(settings.reminders),
        publish_evidence=settings.evidence.publish,
        roster=project.roster,
        queue=own.queue,
    )


def stream_of(version: str, streams: Sequence[Stream]) -> tuple[Stream | None, list[str]]:
    """The stream that a version belongs to; or none, and why."""
    try:
        normal = str(Pep440(version))
    except InvalidVersion:
        return None, [f"{version!r} is not a version; expected the form of PEP 440, such as 3.14.1 or 3.15.0rc2"]
    if normal != version:
        return None, [f"{version} is not in normal form; write {normal}"]
    stream = next((stream for stream in streams if stream.holds(version)), None)
    if stream is None:
        listed = ", ".join(stream.name for stream in streams)
        return None, [f"{version} belongs to no stream of the project; its streams: {listed}"]
    return stream, []


def _ended(stream: Stream, today: date) -> Iterator[str]:
    if stream.status is StreamStatus.END_OF_LIFE:
        yield f"stream {stream.name} is at its end of life; nothing is released from it any more"
    elif stream.end_of_life is not None and stream.end_of_life <= today:
        end = f"stream {stream.name} reached its end of life on {stream.end_of_life}"
        yield f"{end}; if that was put off, correct its end-of-life"


def objections(project: Project, started_by: str, commit: str, *, rehearsal: bool) -> Iterator[str]:
    """What stands against somebody starting anything of a project from a commit, whichever version is meant."""
    if not is_whole(commit):
        yield f"{commit!r} is not the whole id of a commit; expected 40 or 64 hexadecimal digits"
    settings = project.settings
    if settings.project.sandbox and not rehearsal:
        yield (
            f"{project.name} is only ever rehearsed, since project.sandbox is true in {project.file}; "
            "release it in a sandbox"
        )
    people = settings.roster
    if started_by not in [person.id for person in people]:
        listed = ", ".join(person.id for person in people)
        yield f"{started_by} is not on the roster, so can't start a release; on it: {listed}"
    for gate in settings.gates:
        if not gate.starter_counts:
            others = [person.roles for person in people if person.id != started_by]
            for shortage in shortages(gate.needs, others):
                yield f"gate {gate.name} does not count {started_by}, who starts the release: it {shortage}"


def _nothing_built(project: Project, occasion: Occasion) -> Iterator[str]:
    if not any(step.agrees_with is None and occasion.is_meant(step) for step in project.settings.steps):
        yield f"no step releases a file in {occasion}; see streams, statuses and kinds of the steps"


def _fields(error: ValidationError) -> Iterator[str]:
    for detail in error.errors(include_url=False):
        place = ".".join(map(str, detail["loc"]))
        yield f"{place}: {detail['msg']}; found {detail['input']!r}"


def _named_twice(plan: Plan) -> list[str]:
    released = Counter(file for step in plan.steps if step.agrees_with is None for file in step.files)
    return [file for file, times in released.items() if times > 1]
