"""What lets a worker use its secrets: people's agreement, proven here again and judged by the worker's own rules.

Workflow state can be forged by whoever may write to Temporal; a signed statement can't. So the workers that hold
secrets believe neither the workflow nor the plan that it brings along: they prove each sign-off themselves, by the
roster and the gates of the project's ``release.toml`` as it lies on their own machine, and speak with no other signer,
target, repository and outside CI system than that file names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from activities.hearing import read_plan
from activities.makings import MakingRecords
from activities.passing import Case, Gatekeeper
from activities.recorded import recorded_manifest
from activities.released import read_manifest
from activities.rules import read_projects, rules_for
from baton.model.attesting import attester
from baton.model.errors import Refused
from baton.model.plan import GatePoint, SignWhen
from baton.model.signing import DispatchedSigner, SigstoreInstance
from baton.model.version import Purpose
from baton.model.work import Publish
from baton.proof import Sigstore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from activities.rules import Rules
    from baton.model.attesting import AttestFiles, AttestRelease
    from baton.model.building import Step
    from baton.model.evidence import PublishEvidence, SignEvidence
    from baton.model.gate import GateResult
    from baton.model.outside import OutsideRun
    from baton.model.plan import Barrier, Gate, Plan, Target
    from baton.model.platform import AwaitNotarization, SignPlatform, SubmitNotarization
    from baton.model.renewing import Renew, TakeStock
    from baton.model.resigning import Resigning
    from baton.model.roster import Roster
    from baton.model.signing import Signer
    from baton.model.work import OfferSource, OrderRun, PrepareSource, PushTag, ReleaseRef, SignFiles, Source
    from baton.settings import WorkerSettings
    from baton.store import Store

    _Asked = SignFiles | Publish | Renew | SignEvidence | PublishEvidence | AttestFiles | AttestRelease | PushTag

_BEFORE_SIGNING = (GatePoint.BUILD, GatePoint.SIGN)
_BEFORE_PROMOTION = (GatePoint.BUILD, GatePoint.SIGN, GatePoint.PUBLISH)


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
        self._gatekeeper = Gatekeeper(store, self._sigstore)

    def to_sign(self, what: SignFiles) -> None:
        """Require that every gate before signing has passed for these files, and that they are to be signed so.

        What belongs to a security release is signed only behind its barrier, unless its project signs early.
        What is signed anew because a release's evidence tells of it has to be what that evidence tells of.
        """
        _require_signer(what.signer, self._require(_BEFORE_SIGNING, what))
        self.to_attend(what.release, what.signer)
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

    def to_sign_within(self, what: SignPlatform | SubmitNotarization | AwaitNotarization) -> None:
        """Require that every gate before the build has passed, and that files are to be signed inside in this way.

        There is no manifest yet: what people have agreed to is the plan, and so the commit and the builders.
        """
        _, rules = self._agreed_to_plan(what.release, what.gates)
        if what.step not in rules.platform:
            raise Refused(f"the platform signing {what.step.name} that is asked for is none of {rules.source}")

    def to_prepare(self, what: PrepareSource) -> None:
        """Require that it is the plan's source, prepared as this worker's own rules say: that runs commands."""
        plan = self._plan(what.release)
        rules_for(plan, self._settings).require_source(plan)
        if what.source != plan.source:
            raise Refused(f"the source that is asked for is not that of plan {what.release.plan}")

    def to_offer(self, what: OfferSource) -> None:
        """Require that every gate before the build has passed, and that this is the plan's source, prepared."""
        plan, rules = self._agreed_to_plan(what.release, what.gates)
        rules.require_source(plan)
        if plan.branch is None:
            raise Refused(f"by plan {what.release.plan}, no branch is made for {plan.release}")
        self._require_prepared(what.source, plan, what.release)

    def to_withdraw(self, what: OfferSource) -> None:
        """Require that it is the plan's source, prepared, whether or not anybody has agreed to anything."""
        plan = self._plan(what.release)
        rules_for(plan, self._settings).require_source(plan)
        self._require_prepared(what.source, plan, what.release)

    def to_push_tag(self, what: PushTag) -> None:
        """Require that every gate has passed for these files, and that they are of this source, prepared."""
        rules, plan = self._require(_BEFORE_PROMOTION, what), self._plan(what.release)
        rules.require_source(plan)
        self._require_prepared(what.source, plan, what.release, at=plan.source.push_to)
        commit = read_manifest(self._store, what.manifest).commit
        if not plan.source.push_tag or commit != what.source.commit:
            raise Refused(f"by plan {what.release.plan}, with files of {commit}, {what.source.tag} is not pushed there")

    def to_order(self, what: OrderRun) -> None:
        """Require that every gate before the build has passed, and that this step is to be built so, of this commit.

        A step says where a run is started and what it is told, which only the source's facts are filled into.
        """
        plan, rules = self._agreed_to_plan(what.release, what.gates)
        rules.require_source(plan)
        self._require_step(what.step, rules)
        self._require_prepared(what.source, plan, what.release)

    def to_attend_order(self, release: ReleaseRef, step: Step) -> None:
        """Require that a release may have a step built so, whether or not anybody has agreed to anything."""
        self._require_step(step, rules_for(self._plan(release), self._settings))

    def to_attend_run(self, release: ReleaseRef, step: Step, run: OutsideRun) -> OutsideRun:
        """Require the same, and that the run was started for the step; returns it as the system gave it."""
        self.to_attend_order(release, step)
        ordered = MakingRecords(self._store, release).find_ordered(step, run.id)
        if ordered is None:
            raise Refused(f"run {run.id} was not started for {step.name} as it is planned: {run.url}")
        return ordered.run.model_copy(update={"attempt": run.attempt})

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
        if isinstance(signer, DispatchedSigner):
            self._require_own_world(f"signer {signer.kind}", (signer.run.api,))

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
        case = Case(plan, what.release, what.manifest.digest, what.gates)
        asked = [gate for gate in rules.gates if gate.before in points]
        passed = tuple((gate, self._gatekeeper.require_passed(gate, case, rules.roster)) for gate in asked)
        if rules.barrier is not None and _stands_before(rules.barrier, points):
            self._gatekeeper.require_open(rules.barrier, case, rules.roster)
        return rules, passed

    def _require_step(self, step: Step, rules: Rules) -> None:
        if step not in rules.steps:
            raise Refused(f"step {step.name} as it is asked for is none of {rules.source}")
        self._require_own_world(f"step {step.name}", step.addresses)

    def _require_own_world(self, what: str, addresses: tuple[str, ...]) -> None:
        """Require that a rehearsal, which brings its own rules, speaks with simulators alone."""
        real = [address for address in addresses if not address.startswith("http://")]
        if self._settings.sandbox is not None and real:
            raise Refused(f"a rehearsal speaks with simulators on this machine alone; {what} is at {', '.join(real)}")

    def _agreed_to_plan(self, release: ReleaseRef, told: tuple[GateResult, ...]) -> tuple[Plan, Rules]:
        """Require that every gate before the build has passed; there are no files yet, so nothing else can be."""
        plan = self._plan(release)
        rules = rules_for(plan, self._settings)
        rules.require_same(plan)
        case = Case(plan, release, plan.digest, told)
        for gate in rules.gates:
            if gate.before is GatePoint.BUILD:
                self._gatekeeper.require_passed(gate, case, rules.roster)
        return plan, rules

    def _require_prepared(self, source: Source, plan: Plan, release: ReleaseRef, *, at: str | None = None) -> None:
        """Require that a prepared source is what the plan's gave, in its repository or another that it names."""
        came, planned = (source.repository, source.tag), (at or plan.source.repository, plan.source.tag)
        if came != planned:
            raise Refused(
                f"{came[1]} of {came[0]} is asked for; by plan {release.plan} it is {planned[1]} of {planned[0]}"
            )
        MakingRecords(self._store, release).require_prepared(plan.source, source.commit)

    def _plan(self, release: ReleaseRef) -> Plan:
        plan = read_plan(self._store, release.plan)
        if plan.release != release.release or plan.sandbox is not release.sandbox:
            raise Refused(f"plan {release.plan} is for {plan.release}, not for {release.release}")
        return plan


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
