"""What lets a worker use its secrets: people's agreement, proven here again and judged by the worker's own roster.

Workflow state can be forged by whoever may write to Temporal; a signed statement can't. So the workers that sign and
promote believe neither the workflow nor the plan that it brings along: they prove each sign-off themselves, by the
roster and the gates of the project's ``release.toml`` as it lies on their own machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from activities.hearing import read_plan
from activities.released import read_manifest
from baton.model.errors import Missing, Refused
from baton.model.gate import GateResult
from baton.model.plan import GatePoint, SigstoreInstance
from baton.project import parts
from baton.project.read import read_project
from baton.proof import Sigstore
from baton.proof.agreement import agreed_again

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baton.model.manifest import ManifestRef
    from baton.model.plan import Gate, Plan
    from baton.model.roster import Roster
    from baton.model.work import ReleaseRef
    from baton.settings import WorkerSettings
    from baton.store import Store

BEFORE_SIGNING = (GatePoint.BUILD, GatePoint.SIGN)
"""The gates that must have passed before a secret key is used."""

BEFORE_PROMOTION = (GatePoint.BUILD, GatePoint.SIGN, GatePoint.PUBLISH)
"""The gates that must have passed before anything becomes public."""


@dataclass(frozen=True)
class _Rules:
    """By whose word a worker judges: who may act, and which gates must have passed."""

    roster: Roster
    gates: tuple[Gate, ...]


@dataclass(frozen=True)
class _Case:
    """What is to be judged: the gates' results as the workflow tells them, for this plan and these files."""

    plan: Plan
    release: ReleaseRef
    manifest: ManifestRef
    told: tuple[GateResult, ...]

    def subject_of(self, gate: Gate) -> str:
        """The digest that people had to agree to at a gate."""
        return self.plan.digest if gate.before is GatePoint.BUILD else self.manifest.digest


class Mandate:
    """Whether people have agreed to what a worker is asked to do."""

    def __init__(self, store: Store, settings: WorkerSettings) -> None:
        self._store = store
        self._settings = settings
        instance = SigstoreInstance.PUBLIC if settings.sandbox is None else SigstoreInstance.SANDBOX
        self._sigstore = Sigstore(instance, settings.sigstore_trust_config)

    def require(
        self, points: Sequence[GatePoint], release: ReleaseRef, manifest: ManifestRef, gates: Sequence[GateResult]
    ) -> None:
        """Require that every gate before these points has passed for this plan and manifest.

        Args:
            points: where the gates stand.
            release: which run of which release asks.
            manifest: the files in question.
            gates: the gates' results as the workflow tells them; believed only as far as their envelopes prove them.

        Raises:
            Refused: they have not; the message says which gate lacks what.
            Missing: this worker has no roster of its own to judge a real release by.
            BatonError: the plan, the manifest or an envelope can't be read.
        """
        plan = self._plan(release)
        files = read_manifest(self._store, manifest)
        if (files.plan, files.project, files.version) != (plan.digest, plan.release.project, plan.release.version):
            raise Refused(f"manifest {manifest.digest} is of {files.project} {files.version}, plan {files.plan}")
        case, rules = _Case(plan, release, manifest, tuple(gates)), self._rules(plan)
        for gate in rules.gates:
            if gate.before in points:
                self._require_passed(gate, case, rules)

    def _plan(self, release: ReleaseRef) -> Plan:
        plan = read_plan(self._store, release.plan)
        if plan.release != release.release or plan.sandbox is not release.sandbox:
            raise Refused(f"plan {release.plan} is for {plan.release}, not for {release.release}")
        return plan

    def _rules(self, plan: Plan) -> _Rules:
        """The worker's own rules for a real release; a rehearsal brings its own."""
        if plan.sandbox:
            return _Rules(plan.roster, plan.gates)
        for file in self._settings.projects:
            project = read_project(file)
            if project.name != plan.release.project:
                continue
            gates = tuple(parts.gate(table) for table in project.settings.gates)
            if gates != plan.gates:
                raise Refused(
                    f"the plan's gates are not those of {file} on this worker: bring one of them up to date, "
                    "and plan the release anew if it is the plan"
                )
            return _Rules(project.roster, gates)
        raise Missing(
            f"this worker has no roster to judge the sign-offs of {plan.release.project} by: name the project's "
            "release.toml in BATON_PROJECTS"
        )

    def _require_passed(self, gate: Gate, case: _Case, rules: _Rules) -> None:
        plan, subject = case.plan, case.subject_of(gate)
        claimed = next((result for result in case.told if result.gate == gate.name), None)
        if claimed is None:
            raise Refused(f"gate {gate.name} has not been opened, so nothing may go on behind it")
        asked = GateResult(
            gate=gate.name,
            attempt=claimed.attempt,
            run=case.release.run,
            subject=subject,
            needs=gate.needs,
            excluded=() if gate.starter_counts else tuple(dict.fromkeys((plan.started_by, *claimed.excluded))),
            opened=claimed.opened,
        )
        if plan.unsigned_acts and any(given.proof is None for given in claimed.given):
            # A rehearsal that takes people at their word has nothing to prove; that the digest is right still counts.
            result = claimed if claimed.subject == subject else asked
        else:
            now = datetime.now(UTC)
            result = agreed_again(
                asked, claimed.given, rules.roster, read=self._store.read, when=lambda _: now, sigstore=self._sigstore
            )
        if not result or claimed.rejected:
            raise Refused(f"{claimed if claimed.rejected else result}; asked about {subject}")
