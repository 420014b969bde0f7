"""From a project's `release.toml` to the plan of a security release: a release for each stream, behind one barrier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from baton.model.errors import Refused
from baton.model.plan import JOINT_GATE, Barrier, Gate, GatePoint, Plan, SignWhen
from baton.model.security import SecurityPlan, new_security_id
from baton.model.statement import facts_of
from baton.project import parts
from baton.project.fields import seconds
from baton.project.problem import CannotPlan
from baton.project.quorum import shortages
from baton.project.resolve import resolve
from baton.project.source import while_private

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from baton.model.version import SecurityId
    from baton.project.read import Project
    from baton.project.resolve import SandboxFacts
    from baton.project.security_tables import SecurityTable


@dataclass(frozen=True)
class SecurityWish:
    """What a person asks to be shipped together.

    Attributes:
        advisory: what it mends, by a reference that says nothing by itself.
        streams: each version with the whole id of the commit that has the fix, in the order in which they go public.
        until: when the embargo ends, with its time zone; None if it ends as soon as people agree.
    """

    advisory: str
    streams: tuple[tuple[str, str], ...]
    until: datetime | None = None


def resolve_security(
    project: Project,
    wish: SecurityWish,
    *,
    started_by: str,
    sandbox: SandboxFacts | None,
    today: date | None = None,
) -> SecurityPlan:
    """Resolve what a security release will do. It has a new random name each time.

    Args:
        project: what is released.
        wish: what to ship.
        started_by: the roster id of the person who starts it.
        sandbox: what the sandbox substitutes, or None for a real release.
        today: as of :func:`baton.project.resolve.resolve`, which resolves each stream's release.

    Raises:
        CannotPlan: it can't be made; the error lists every reason, of every stream.
    """
    table = project.settings.security
    if table is None:
        raise CannotPlan([_without_rules(project)])
    security = new_security_id(project.name)
    barrier = _barrier(table, security)
    reasons = list(_objections(project, table, started_by))
    plans: list[Plan] = []
    for version, commit in wish.streams:
        try:
            plan = resolve(project, version, commit, started_by=started_by, sandbox=sandbox, today=today)
        except CannotPlan as error:
            reasons += [f"{version}: {reason}" for reason in error.reasons]
        else:
            plans.append(behind(project, plan, barrier))
    if reasons or not plans:
        raise CannotPlan(reasons or ["no stream is named: a security release needs at least one"])
    own = plans[0]
    try:
        return SecurityPlan(
            release=security,
            title=own.title,
            advisory=wish.advisory,
            embargoed=table.embargo,
            until=wish.until,
            started_by=started_by,
            sandbox=own.sandbox,
            unsigned_acts=own.unsigned_acts,
            plans=tuple(plans),
            pause=0 if table.pause is None else seconds(table.pause),
            announcers=tuple(parts.announcer(each, rehearsed=own.sandbox) for each in project.settings.announcers),
            reminders=parts.reminders(project.settings.reminders),
            roster=own.roster,
            queue=own.queue,
        )
    except ValidationError as error:
        raise CannotPlan([facts_of(error)]) from error


def behind(project: Project, plan: Plan, barrier: Barrier) -> Plan:
    """The same release as one of a security release: people agree to it with the others, and are told of it with them.

    It is built from where the fixes are while they are not public, if the project has such a place; a rehearsal from
    where it would be built anyway. A stream's release that is planned anew keeps its barrier in this way.
    """
    source = plan.source if plan.sandbox else while_private(project, plan.source)
    changes = {
        "source": source.model_dump(by_alias=True),
        "gates": gates_of_streams(plan.gates, barrier),
        "barrier": barrier,
        "announcers": (),
        "reminders": (),
    }
    return Plan.model_validate({**plan.model_dump(by_alias=True), **changes})


def barrier_of(project: Project, security: SecurityId) -> Barrier:
    """The barrier of a project's security release, as its rules have it.

    Raises:
        Refused: the project has no rules for security releases.
    """
    table = project.settings.security
    if table is None:
        raise Refused(_without_rules(project))
    return _barrier(table, security)


def gates_of_streams(gates: Sequence[Gate], barrier: Barrier) -> tuple[Gate, ...]:
    """The gates that each stream of a security release keeps: those that the joint gate comes too late for."""
    kept = {GatePoint.BUILD} | ({GatePoint.SIGN} if barrier.sign is SignWhen.EARLY else set())
    return tuple(gate for gate in gates if gate.before in kept)


def _barrier(table: SecurityTable, security: SecurityId) -> Barrier:
    gate = Gate(name=JOINT_GATE, before=GatePoint.PUBLISH, needs=dict(table.needs), starter_counts=table.starter_counts)
    return Barrier(security=security, gate=gate, sign=table.sign)


def _objections(project: Project, table: SecurityTable, started_by: str) -> Iterator[str]:
    if table.starter_counts:
        return
    others = [person.roles for person in project.settings.roster if person.id != started_by]
    for shortage in shortages(table.needs, others):
        yield f"gate {JOINT_GATE} does not count {started_by}, who starts the release: it {shortage}"


def _without_rules(project: Project) -> str:
    return f"{project.file} has no table [security], which says who must agree to a security release: write one"
