"""What lets a worker use its secrets: people's agreement, proven here again and judged by the worker's own rules.

Workflow state can be forged by whoever may write to Temporal; a signed statement can't. So the workers that sign and
publish believe neither the workflow nor the plan that it brings along: they prove each sign-off themselves, by the
roster and the gates of the project's ``release.toml`` as it lies on their own machine, and use no other signer and no
other target than that file names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from activities.hearing import read_joint, read_plan
from activities.recorded import recorded_manifest
from activities.released import read_manifest
from activities.rules import read_projects, rules_for
from baton.model.attesting import attester
from baton.model.errors import Refused
from baton.model.gate import GateResult
from baton.model.plan import JOINT_GATE, GatePoint, SignWhen
from baton.model.signing import SigstoreInstance
from baton.model.version import Purpose
from baton.model.work import Publish
from baton.proof import Sigstore
from baton.proof.agreement import agreed_again

if TYPE_CHECKING:
    from collections.abc import Sequence

    from activities.rules import Rules
    from baton.model.attesting import AttestFiles, AttestRelease
    from baton.model.evidence import PublishEvidence, SignEvidence
    from baton.model.plan import Barrier, Gate, Plan, Target
    from baton.model.platform import SignPlatform, SubmitNotarization
    from baton.model.renewing import Renew, TakeStock
    from baton.model.resigning import Resigning
    from baton.model.roster import Roster
    from baton.model.security import JointManifest
    from baton.model.signing import Signer
    from baton.model.work import ReleaseRef, SignFiles
    from baton.settings import WorkerSettings
    from baton.store import Store

    _Asked = SignFiles | Publish | Renew | SignEvidence | PublishEvidence | AttestFiles | AttestRelease

_BEFORE_SIGNING = (GatePoint.BUILD, GatePoint.SIGN)
_BEFORE_PROMOTION = (GatePoint.BUILD, GatePoint.SIGN, GatePoint.PUBLISH)


@dataclass(frozen=True)
class _Case:
    """What is to be judged: the gates' results as the workflow tells them, for this plan and these files.

    Attributes:
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


class Mandate:
    """Whether people have agreed to what a worker is asked to do.

    Each method raises Refused if they have not, with what is lacking; Missing if this worker has no rules of its own to
    judge a real release by; and another BatonError if the plan, the manifest or an envelope can't be read.
    """

    def __init__(self, store: Store, settings: WorkerSettings) -> None:
        """Look at the worker's own rules, so that what is wrong with them shows before a release waits for them.

        Raises:
            BatonError: as :func:`activities.rules.read_projects`.
        """
        read_projects(settings)
        self._store = store
        self._settings = settings
        instance = SigstoreInstance.PUBLIC if settings.sandbox is None else SigstoreInstance.SANDBOX
        self._sigstore = Sigstore(instance, settings.sigstore_trust_config)

    def to_sign(self, what: SignFiles) -> None:
        """Require that every gate before signing has passed for these files, and that they are to be signed so.

        What belongs to a security release is signed only behind its barrier, unless its project signs early.
        What is signed anew because a release's evidence tells of it has to be what that evidence tells of.
        """
        _require_signer(what.signer, self._require(_BEFORE_SIGNING, what))
        plan = self._plan(what.release)
        if plan.resigning is not None and plan.resigning.evidence is not None:
            recorded = recorded_manifest(self._store, plan.resigning.evidence, plan, self._settings)
            if read_manifest(self._store, what.manifest).files != recorded.files:
                raise Refused(f"manifest {what.manifest.digest} does not list the files of manifest {recorded.digest}")

    def to_attest(self, what: AttestFiles) -> Roster:
        """Require the same as for signing; returns by whose word it is judged who handed files in."""
        rules = self._require(_BEFORE_SIGNING, what)
        _require_signer(what.signer, rules)
        return rules.roster

    def to_attest_release(self, what: AttestRelease) -> tuple[tuple[Gate, GateResult], ...]:
        """Require that every gate has passed for these files; returns each with what is proven of it."""
        rules, passed = self._proven(_BEFORE_PROMOTION, what)
        _require_signer(what.signer, rules)
        return passed

    @property
    def sigstore(self) -> Sigstore:
        """The Sigstore instance that certifies people."""
        return self._sigstore

    def to_sign_within(self, what: SignPlatform | SubmitNotarization) -> None:
        """Require that every gate before the build has passed, and that files are to be signed inside in this way.

        There is no manifest yet: what people have agreed to is the plan, and so the commit and the builders.
        """
        plan = self._plan(what.release)
        rules = rules_for(plan, self._settings)
        rules.require_same(plan)
        if what.step not in rules.platform:
            raise Refused(f"the platform signing {what.step.name} that is asked for is none of {rules.source}")
        case = _Case(plan, what.release, plan.digest, what.gates)
        for gate in rules.gates:
            if gate.before is GatePoint.BUILD:
                self._require_passed(gate, case, rules.roster)

    def to_sign_evidence(self, what: SignEvidence) -> None:
        """Require that every gate has passed for these files, and that their release is signed so."""
        _require_signer(what.signer, self._require(_BEFORE_PROMOTION, what))

    def to_publish_evidence(self, what: PublishEvidence) -> tuple[Signer, ...]:
        """Require that every gate has passed for these files, and that they go there; returns who has to sign."""
        rules = self._require(_BEFORE_PROMOTION, what)
        _require_target(what.target, rules)
        return rules.signers

    def to_stage(self, what: Publish) -> None:
        """Require the same as for signing, and that the files are to go there: staging uses a secret as well.

        What is signed behind a barrier is staged without its signatures before that.
        """
        self._require_purpose(what.release, Purpose.RELEASE)
        if not (what.signed or what.attested) and self._plan(what.release).signs_at_barrier:
            _require_target(what.target, self._require((GatePoint.BUILD,), what))
        else:
            _require_planned(what, self._require(_BEFORE_SIGNING, what))

    def to_promote(self, what: Publish) -> None:
        """Require that every gate has passed for these files, and that they are to go there."""
        self._require_purpose(what.release, Purpose.RELEASE)
        _require_planned(what, self._require(_BEFORE_PROMOTION, what))

    def to_attend(self, release: ReleaseRef, signer: Signer) -> None:
        """Require that a release may have to do with a signer at all, whether or not anybody has agreed to anything."""
        _require_signer(signer, rules_for(self._plan(release), self._settings))

    def to_take_stock(self, what: TakeStock) -> tuple[Plan, Resigning]:
        """Require that a plan signs something anew there, whether or not anybody has agreed; returns what."""
        self.to_touch(what.release, what.target)
        return self._signing_anew(what.release)

    def to_renew(self, what: Renew) -> tuple[Plan, Resigning]:
        """Require that every gate has passed for these files, and that they are signed anew there; returns what."""
        signing_anew = self._signing_anew(what.release)
        _require_planned(what, self._require(_BEFORE_PROMOTION, what))
        return signing_anew

    def to_touch(self, release: ReleaseRef, target: Target) -> None:
        """Require that a release may have to do with a target at all, whether or not anybody has agreed to anything."""
        _require_target(target, rules_for(self._plan(release), self._settings))

    def _signing_anew(self, release: ReleaseRef) -> tuple[Plan, Resigning]:
        plan = self._require_purpose(release, Purpose.RESIGN)
        if plan.resigning is None:
            raise Refused(f"plan {release.plan} does not say what of {plan.release} is signed anew")
        return plan, plan.resigning

    def _require_purpose(self, release: ReleaseRef, purpose: Purpose) -> Plan:
        plan = self._plan(release)
        if plan.release.purpose is not purpose:
            raise Refused(f"plan {release.plan} is to {plan.release.purpose}, and this is done to {purpose} alone")
        return plan

    def _require(self, points: Sequence[GatePoint], what: _Asked) -> Rules:
        """Require that every gate before these points has passed; returns by whose word."""
        return self._proven(points, what)[0]

    def _proven(self, points: Sequence[GatePoint], what: _Asked) -> tuple[Rules, tuple[tuple[Gate, GateResult], ...]]:
        """Require that every gate before these points has passed; returns by whose word, and what is proven of each."""
        plan = self._plan(what.release)
        files = read_manifest(self._store, what.manifest)
        # By the digest that the plan was kept under: another version of Baton may write the same plan in another way.
        release = (what.release.plan, plan.release.project, plan.release.version)
        if (files.plan, files.project, files.version) != release:
            raise Refused(f"manifest {what.manifest.digest} is of {files.project} {files.version}, plan {files.plan}")
        rules = rules_for(plan, self._settings)
        rules.require_same(plan)
        case = _Case(plan, what.release, what.manifest.digest, what.gates)
        asked = [gate for gate in rules.gates if gate.before in points]
        passed = tuple((gate, self._require_passed(gate, case, rules.roster)) for gate in asked)
        if rules.barrier is not None and _stands_before(rules.barrier, points):
            self._require_open(rules.barrier, case, rules.roster)
        return rules, passed

    def _require_open(self, barrier: Barrier, case: _Case, roster: Roster) -> None:
        """Require that people have agreed to exactly these files as part of the whole, and that the embargo is over."""
        told = next((result for result in case.told if result.gate == JOINT_GATE), None)
        if told is None:
            raise Refused(f"gate {JOINT_GATE} of {barrier.security} has not passed, so nothing may go on behind it")
        joint = read_joint(self._store, told.subject)
        if joint.release != barrier.security:
            raise Refused(f"{told.subject} is what {joint.release} ships; {case.plan.release} is of {barrier.security}")
        ours = joint.stream(case.plan.version)
        came = (case.plan.source.commit, case.manifest, case.release.plan)
        if ours is None or (ours.commit, ours.manifest, ours.plan) != came:
            agreed = "nothing" if ours is None else f"manifest {ours.manifest} of plan {ours.plan}"
            raise Refused(
                f"people agreed to {agreed} for {case.plan.release}; this is manifest {came[1]} of plan {came[2]}"
            )
        self._require_passed(barrier.gate, replace(case, joint=joint), roster)
        if joint.until is not None and joint.until > datetime.now(UTC):
            raise Refused(f"the embargo ends at {joint.until:%Y-%m-%d %H:%M %Z}: nothing is signed or public before")

    def _plan(self, release: ReleaseRef) -> Plan:
        plan = read_plan(self._store, release.plan)
        if plan.release != release.release or plan.sandbox is not release.sandbox:
            raise Refused(f"plan {release.plan} is for {plan.release}, not for {release.release}")
        return plan

    def _require_passed(self, gate: Gate, case: _Case, roster: Roster) -> GateResult:
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


def _stands_before(barrier: Barrier, points: Sequence[GatePoint]) -> bool:
    """Whether a barrier has to be open for what is to be done behind the gates before these points."""
    return GatePoint.PUBLISH in points or (GatePoint.SIGN in points and barrier.sign is SignWhen.AT_BARRIER)


def _require_planned(what: Publish | Renew, rules: Rules) -> None:
    _require_target(what.target, rules)
    signers = tuple(made.signer for made in what.signed)
    if signers != rules.signers:
        came, wanted = (", ".join(signer.kind for signer in of) or "nobody" for of in (signers, rules.signers))
        raise Refused(f"the files are signed by {came}; by {rules.source} they have to be by {wanted}")
    if isinstance(what, Publish) and (what.attested is None) != (attester(signers) is None):
        lacks = "lack" if what.attested is None else "come with"
        raise Refused(f"the files {lacks} statements of how they were made, against {rules.source}")


def _require_signer(signer: Signer, rules: Rules) -> None:
    if signer not in rules.signers:
        raise Refused(f"the {signer.kind} signer that is asked for is none of {rules.source}")


def _require_target(target: Target, rules: Rules) -> None:
    if target not in rules.targets:
        raise Refused(f"the target {target.name} that is asked for is none of {rules.source}")
