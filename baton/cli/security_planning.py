"""From a project's folder, an advisory and commits to the plan of a security release."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from baton.cli.exits import WrongCall
from baton.cli.person import GitIdentity, find_person
from baton.cli.place import Place, find_place
from baton.cli.planning import sandbox_facts
from baton.model.errors import BatonError, Refused
from baton.project.commit import resolve_commit
from baton.project.problem import CannotPlan
from baton.project.read import Project, read_project
from baton.project.security import SecurityWish, resolve_security

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from baton.model.plan import Plan, SignWhen
    from baton.model.security import SecurityPlan
    from baton.project.resolve import SandboxFacts


@dataclass(frozen=True)
class Ordered:
    """A security release as somebody typed it.

    Attributes:
        folder: has release.toml.
        streams: each version with a commit, branch or tag, in the order in which they go public.
        until: when the embargo ends; None if it ends as soon as people agree.
        sign: when files are signed, if a rehearsal is to do it otherwise than release.toml says.
        person: the roster id of who starts it; None to find them by git's configuration.
    """

    folder: Path
    advisory: str
    streams: tuple[tuple[str, str], ...]
    until: datetime | None = None
    sign: SignWhen | None = None
    person: str | None = None


@dataclass(frozen=True)
class Planned:
    """What came of it.

    Attributes:
        place: where it would run.
    """

    project: Project
    plan: SecurityPlan
    place: Place

    def left_out(self, plan: Plan) -> tuple[str, ...]:
        """The steps that the project has and a stream's release does not, as those of a security-only stream."""
        return tuple(step.name for step in self.project.settings.steps if plan.step(step.name) is None)


def parse_stream(text: str) -> tuple[str, str]:
    """Read ``VERSION=COMMIT``.

    Raises:
        WrongCall: it is not that.
    """
    version, equals, commit = text.partition("=")
    if not (version and equals and commit):
        raise WrongCall(f"--stream {text!r} is not VERSION=COMMIT, such as 3.14.1=v3.14-fix")
    return version, commit


def parse_time(text: str) -> datetime:
    """Read a time with its zone (RFC 3339).

    Raises:
        WrongCall: it is none, or has no zone.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongCall(f"{text!r} is no time; expected one such as 2026-12-01T14:00Z") from error
    if time.tzinfo is None:
        raise WrongCall(f"{text!r} does not say in which zone; write 2026-12-01T14:00Z or 2026-12-01T15:00+01:00")
    return time.astimezone(UTC)


def plan_security(ordered: Ordered, *, sandbox: bool, state: Path | None) -> Planned:
    """Resolve what a security release would do, and where it would run.

    Raises:
        CannotPlan: it can't be made; the error lists every reason, of every stream.
        BatonError: the project can't be read, or nobody says who starts it.
    """
    require_sound(ordered, datetime.now(UTC))
    project = read_project(ordered.folder)
    place = find_place(sandbox=sandbox or project.settings.project.sandbox, state=state)
    person = find_person(project.roster, ordered.person, GitIdentity.here())
    facts = None if place.world is None else sandbox_facts(place.world, project)
    project = _signing(project, ordered.sign, rehearsed=facts is not None)
    return Planned(project, resolved(project, ordered, person.id, facts), place)


def resolved(project: Project, ordered: Ordered, person: str, facts: SandboxFacts | None) -> SecurityPlan:
    """The plan of what was ordered, with each stream's commit looked up.

    Raises:
        CannotPlan: it can't be made; the error lists every reason, of every stream.
    """
    repository = _repository(project, facts)
    commits, missing = [], []
    for version, ref in ordered.streams:
        try:
            commits.append((version, resolve_commit(repository, ref)))
        except BatonError as error:
            missing.append(f"{version}: {error}")
    if missing:
        raise CannotPlan(missing)
    wish = SecurityWish(advisory=ordered.advisory, streams=tuple(commits), until=ordered.until)
    plan = resolve_security(project, wish, started_by=person, sandbox=facts)
    if twice := _of_one_stream(plan.plans):
        raise CannotPlan(twice)
    return plan


def _repository(project: Project, facts: SandboxFacts | None) -> str:
    """Where the fixes are looked up: where each stream is built from."""
    if facts is not None and facts.source is not None:
        return str(facts.source)
    table = project.settings.security
    if facts is not None or table is None or table.repository is None:
        return project.repository
    return project.address_of(table.repository)


def require_sound(ordered: Ordered, now: datetime) -> None:
    """Require what can be said without looking anything up.

    Raises:
        WrongCall: no stream is named, or the embargo is over already.
    """
    if not ordered.streams:
        raise WrongCall("no stream is named: give each with --stream VERSION=COMMIT")
    if ordered.until is not None and ordered.until <= now:
        raise WrongCall(
            f"the embargo ended at {ordered.until:%Y-%m-%d %H:%M %Z} already: name a time to come, or leave it out "
            "to go public as soon as people agree"
        )


def _of_one_stream(plans: Sequence[Plan]) -> list[str]:
    names = [plan.stream.name for plan in plans]
    return [
        f"stream {name} is named twice, with {' and '.join(plan.version for plan in plans if plan.stream.name == name)}"
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]


def _signing(project: Project, sign: SignWhen | None, *, rehearsed: bool) -> Project:
    table = project.settings.security
    if sign is None or table is None or table.sign is sign:
        return project
    if not rehearsed:
        raise Refused(
            f"{project.file} says sign = {table.sign.value!r} in [security], and the workers go by their own copy of "
            f"it: change it there to sign {sign.value}"
        )
    security = table.model_copy(update={"sign": sign})
    return replace(project, settings=project.settings.model_copy(update={"security": security}))
