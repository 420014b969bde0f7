"""Whether a gate has passed: derived anew from people's own signed statements, whatever a workflow tells of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from activities.hearing import read_joint
from baton.model.errors import Refused, Unavailable
from baton.model.gate import GateResult
from baton.model.plan import JOINT_GATE, GatePoint
from baton.model.security import JointStream
from baton.proof.agreement import agreed_again

if TYPE_CHECKING:
    from baton.model.plan import Barrier, Gate, Plan
    from baton.model.roster import Roster
    from baton.model.security import JointManifest
    from baton.model.work import ReleaseRef
    from baton.proof import Sigstore
    from baton.store import Store

_CLOCKS_DIFFER = timedelta(minutes=2)
"""How much the clocks of two machines may differ without a person being asked; signing is tried for about as long."""


@dataclass(frozen=True)
class Case:
    """What is to be judged: the gates' results as the workflow tells them, for this plan and these files.

    Attributes:
        manifest: the digest of the files' list; of the plan, where there are no files yet.
        told: the gates' results.
        joint: what people had to agree to at the joint gate of a security release.
    """

    plan: Plan
    release: ReleaseRef
    manifest: str
    told: tuple[GateResult, ...]
    joint: JointManifest | None = None

    def subject_of(self, gate: Gate) -> str:
        """The digest that people had to agree to at a gate."""
        if self.joint is not None:
            return self.joint.digest
        return self.release.plan if gate.before is GatePoint.BUILD else self.manifest

    @property
    def run(self) -> str:
        """The run that people had to name."""
        return self.release.run if self.joint is None else self.joint.run

    def asked_by(self, gate: Gate, told: GateResult) -> GateResult:
        """The gate before anybody agreed. Of what is told, only what makes it harder to pass is believed."""
        return GateResult(
            gate=gate.name,
            attempt=told.attempt,
            run=self.run,
            subject=self.subject_of(gate),
            needs=gate.needs,
            excluded=() if gate.starter_counts else tuple(dict.fromkeys((self.plan.started_by, *told.excluded))),
            opened=told.opened,
            rejected=told.rejected,
        )


class Gatekeeper:
    """Lets nothing through a gate that people did not agree to.

    Args:
        store: has what people signed.
        sigstore: the instance that certifies people.
    """

    def __init__(self, store: Store, sigstore: Sigstore) -> None:
        self._store = store
        self._sigstore = sigstore

    def require_passed(self, gate: Gate, case: Case, roster: Roster) -> GateResult:
        """Require that people on a roster have agreed to what a gate asks about; returns what is proven of it.

        Raises:
            Refused: they have not; the message says what is lacking.
            BatonError: an envelope can't be read.
        """
        told = next((result for result in case.told if result.gate == gate.name), None)
        if told is None:
            raise Refused(f"gate {gate.name} has not been opened, so nothing may go on behind it")
        asked = case.asked_by(gate, told)
        if case.plan.unsigned_acts and any(given.proof is None for given in told.given):
            # A rehearsal that takes people at their word has nothing to prove; that the digest is right still counts.
            given = told.given if told.subject == asked.subject else ()
            result = asked.model_copy(update={"given": given})
        else:
            now = datetime.now(UTC)
            result = agreed_again(
                asked, told.given, roster, read=self._store.read, when=lambda _: now, sigstore=self._sigstore
            )
        if not result:
            raise Refused(f"{result}; asked about {asked.subject}")
        return result

    def require_open(self, barrier: Barrier, case: Case, roster: Roster) -> None:
        """Require that people agreed to exactly these files as part of the whole, and that the embargo is over.

        Raises:
            Refused: they did not, or it is not.
            Unavailable: it ends in a moment.
            BatonError: the joint manifest or an envelope can't be read.
        """
        told = next((result for result in case.told if result.gate == JOINT_GATE), None)
        if told is None:
            raise Refused(f"gate {JOINT_GATE} of {barrier.security} has not passed, so nothing may go on behind it")
        joint = read_joint(self._store, told.subject)
        ours = JointStream(
            version=case.plan.version,
            commit=case.plan.source.commit,
            manifest=case.manifest,
            plan=case.release.plan,
        )
        if objection := joint.objection_to(barrier.security, ours):
            raise Refused(objection)
        self.require_passed(barrier.gate, replace(case, joint=joint), roster)
        left = timedelta(0) if joint.until is None else joint.until - datetime.now(UTC)
        if left > timedelta(0):
            # The clock that opened the barrier may be a little ahead of this one.
            kind = Unavailable if left < _CLOCKS_DIFFER else Refused
            raise kind(f"the embargo ends at {joint.until:%Y-%m-%d %H:%M:%S %Z}: nothing is signed or public before")
