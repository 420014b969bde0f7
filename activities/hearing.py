"""Hearing people: what they signed is kept and proven, and plans are kept and taken by their digest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from activities.work import does
from baton.model import hearing
from baton.model.base import canonical_json
from baton.model.envelope import read_envelope
from baton.model.errors import Invalid, Refused
from baton.model.plan import Plan
from baton.model.security import KEEP_JOINT, JointManifest, KeepJoint, KeptJoint
from baton.model.signing import SigstoreInstance
from baton.model.statement import facts_of
from baton.proof import Sigstore
from baton.proof.said import proven_act

if TYPE_CHECKING:
    from baton.settings import WorkerSettings
    from baton.store import Store


class HearActivities:
    """Keeping and proving what people say, keeping and taking plans."""

    def __init__(self, store: Store, settings: WorkerSettings) -> None:
        self._store = store
        instance = SigstoreInstance.PUBLIC if settings.sandbox is None else SigstoreInstance.SANDBOX
        self._sigstore = Sigstore(instance, settings.sigstore_trust_config)

    @does(hearing.PROVE_ACT)
    def prove_act(self, what: hearing.ProveAct) -> hearing.Proven:
        """Keep a signed act, whatever becomes of it, and say whether the person whom it names signed it."""
        digest = self._store.put_bytes(what.envelope.encode())
        try:
            envelope = read_envelope(what.envelope)
            _, proof = proven_act(envelope, what.roster, datetime.now(UTC), sigstore=self._sigstore)
        except (Invalid, Refused) as error:
            # What is wrong with this worker, such as a missing gpg, is nobody's refusal: it fails and is told as such.
            return hearing.Proven(envelope=digest, refusal=str(error)[:2000])
        return hearing.Proven(envelope=digest, proof=proof)

    @does(hearing.KEEP_PLAN)
    def keep_plan(self, what: hearing.KeepPlan) -> hearing.Kept:
        """Put the plan into the store; it is there under its digest however often this is done."""
        return hearing.Kept(digest=self._store.put_bytes(canonical_json(what.plan)))

    @does(KEEP_JOINT)
    def keep_joint(self, what: KeepJoint) -> KeptJoint:
        """Put what the streams of a security release ship into the store, where workers read it by its digest."""
        return KeptJoint(digest=self._store.put_bytes(canonical_json(what.joint)))

    @does(hearing.TAKE_PLAN)
    def take_plan(self, what: hearing.TakePlan) -> Plan:
        """Read a plan from the store."""
        return read_plan(self._store, what.plan)


def read_plan(store: Store, digest: str) -> Plan:
    """The plan of that digest.

    Raises:
        Missing: the store has nothing of that digest.
        Invalid: what it has is no plan.
    """
    try:
        return Plan.model_validate_json(store.read(digest))
    except ValueError as error:
        raise Invalid(f"{digest} is no plan: {facts_of(error)}") from error


def read_joint(store: Store, digest: str) -> JointManifest:
    """What the streams of a security release ship, by its digest.

    Raises:
        Missing: the store has nothing of that digest.
        Invalid: what it has is no joint manifest in canonical JSON.
    """
    content = store.read(digest)
    try:
        joint = JointManifest.model_validate_json(content)
    except ValueError as error:
        raise Invalid(f"{digest} is no joint manifest: {facts_of(error)}") from error
    if joint.digest != digest:
        raise Invalid(f"{digest} is a joint manifest, but not in canonical JSON (RFC 8785)")
    return joint
