"""By whose word a worker judges: for a real release the ``release.toml`` on its own machine, never what it is told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from baton.model.errors import Invalid, Missing, Refused
from baton.model.plan import SourcePlan
from baton.project import parts
from baton.project.platform_signing import platform_steps
from baton.project.read import read_project
from baton.project.resigning import gates_to_sign_anew
from baton.project.security import barrier_of, gates_of_streams
from baton.project.selection import Occasion
from baton.project.signers import signers
from baton.project.source import source_of, while_private
from baton.project.step_tables import steps_on

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from baton.model.announcing import Announcer
    from baton.model.building import Step
    from baton.model.code_signing import PlatformStep
    from baton.model.plan import Barrier, Gate, Plan, Target
    from baton.model.resigning import Resigning
    from baton.model.roster import Roster
    from baton.model.signing import Signer
    from baton.project.read import Project
    from baton.settings import WorkerSettings


@dataclass(frozen=True)
class Rules:
    """Who may act, what has to be agreed to, and with what.

    Attributes:
        gates: which must have passed.
        signers: which may sign.
        targets: where files may go.
        steps: what may be built, and how.
        platform: which platform signing may be done.
        barrier: for one of a security release, the gate that all of its streams share, and when files are signed.
        made_from: where the source is, how it is prepared and tagged; of the commit that the plan names.
        source: where the rules are from, for messages.
    """

    roster: Roster
    gates: tuple[Gate, ...]
    signers: tuple[Signer, ...]
    targets: tuple[Target, ...]
    steps: tuple[Step, ...]
    platform: tuple[PlatformStep, ...]
    barrier: Barrier | None
    made_from: SourcePlan
    source: str

    def require_same(self, plan: Plan) -> None:
        """Require that a plan has the same gates, signers, targets, platform signing, barrier; its roster may be older.

        Raises:
            Refused: it has not.
        """
        others = [what for what in ("gates", "signers", "targets") if getattr(plan, what) != getattr(self, what)]
        others += ["platform steps"] if plan.platform != self.platform else []
        others += ["barrier"] if plan.barrier != self.barrier else []
        self._require_none_of(others)

    def require_source(self, plan: Plan) -> None:
        """Require that a plan's source is in the same repository, prepared and tagged alike, for the same place.

        Raises:
            Refused: it is not.
        """
        came, own = plan.source, self.made_from
        self._require_none_of(
            [f"source's {name}" for name in SourcePlan.model_fields if getattr(came, name) != getattr(own, name)]
        )

    def _require_none_of(self, others: list[str]) -> None:
        if others:
            raise Refused(
                f"the plan's {' and '.join(others)} are not those of {self.source} on this worker: bring that up to "
                "date if it is older than the plan, else plan the release anew"
            )


def rules_for(plan: Plan, settings: WorkerSettings) -> Rules:
    """The rules for a release: the worker's own for a real one; a rehearsal, where nothing is at stake, brings its own.

    Raises:
        Missing: this worker has no ``release.toml`` of the project.
        Refused: the one that it has is of a project that is only ever rehearsed, lacks the plan's stream, or has
            no rules for the security release that the plan belongs to.
        Invalid: as :func:`read_projects`.
    """
    if settings.sandbox is not None:
        return Rules(
            roster=plan.roster,
            gates=plan.gates,
            signers=plan.signers,
            targets=plan.targets,
            steps=plan.steps,
            platform=plan.platform,
            barrier=plan.barrier,
            made_from=plan.source,
            source="the plan",
        )
    rules = _own_rules(plan, settings)
    return rules if plan.resigning is None else _to_sign_anew(rules, plan, plan.resigning)


def signers_on(plan: Plan, settings: WorkerSettings, day: date) -> tuple[Signer, ...]:
    """Who signs a real release's stream on a day, by the worker's own rules; raises as :func:`rules_for`."""
    return signers(_own(plan.release.project, settings), plan.stream.name, None, day)


def _to_sign_anew(rules: Rules, plan: Plan, resigning: Resigning) -> Rules:
    """What of the rules holds where files are signed anew: nothing is built, and some of the signers may be enough."""
    return replace(
        rules,
        gates=gates_to_sign_anew(rules.gates, resigning),
        signers=tuple(signer for signer in rules.signers if signer in plan.signers),
        steps=(),
        platform=(),
    )


def _own_rules(plan: Plan, settings: WorkerSettings) -> Rules:
    project = _own(plan.release.project, settings)
    stream, version, own = plan.stream.name, plan.version, project.settings.project
    if own.sandbox or stream not in project.settings.streams or not plan.stream.holds(version):
        raise Refused(
            f"{project.file} on this worker allows no real release of {plan.release} from stream {stream}: bring it up "
            "to date"
        )
    # By its own status: which steps there are, and how they are built, may depend on it.
    ours = parts.stream(stream, project.settings.streams[stream])
    steps = steps_on(Occasion.of(version, ours), project.settings.steps).values()
    barrier = None if plan.barrier is None else barrier_of(project, plan.barrier.security)
    gates = tuple(parts.gate(table) for table in project.settings.gates)
    made_from = source_of(project, version, plan.source.commit)
    return Rules(
        roster=project.roster,
        gates=gates if barrier is None else gates_of_streams(gates, barrier),
        barrier=barrier,
        signers=signers(project, stream, None),
        targets=parts.targets(project.settings.targets),
        steps=tuple(parts.step(table, version) for table in steps),
        platform=platform_steps(project, ours, version),
        made_from=made_from if barrier is None else while_private(project, made_from),
        source=str(project.file),
    )


def announcers_of(project: str, settings: WorkerSettings) -> tuple[Announcer, ...]:
    """Who is told of a project's real releases, by the worker's own rules.

    Raises:
        Missing: this worker has no ``release.toml`` of the project.
        Invalid: as :func:`read_projects`.
    """
    tables = _own(project, settings).settings.announcers
    return tuple(parts.announcer(table, rehearsed=False) for table in tables)


def read_projects(settings: WorkerSettings) -> Mapping[str, Project]:
    """The projects that this worker has rules of its own for, by their names.

    Raises:
        Missing: a file that BATON_PROJECTS names is not there.
        InvalidProject: a file can't be used.
        Invalid: two files are of the same project.
    """
    found: dict[str, Project] = {}
    for project in map(read_project, settings.projects):
        if (first := found.setdefault(project.name, project)) is not project:
            raise Invalid(f"{first.file} and {project.file} in BATON_PROJECTS are both of {project.name}: keep one")
    return found


def _own(name: str, settings: WorkerSettings) -> Project:
    projects = read_projects(settings)
    if name not in projects:
        raise Missing(
            f"this worker has no rules to judge a release of {name} by: name the project's release.toml in "
            "BATON_PROJECTS"
        )
    return projects[name]
