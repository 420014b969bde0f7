"""What a machine stated of the release: how each file was made, and who agreed; compared with everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from baton.attestation.provenance import Context
from baton.attestation.release import PREDICATE_TYPE, ReleasePredicate, release_statement
from baton.attestation.statement import read_statement
from baton.evidence.result import bad, good
from baton.model.attesting import MANIFEST_FILE, PROVENANCE_SUFFIX, RELEASE_SUFFIX, attester, planned_attester
from baton.model.base import counted
from baton.model.errors import Invalid
from baton.model.statement import facts_of
from baton.model.work import ReleaseRef
from baton.trust.identities import trusted_signers
from baton.trust.instances import trust_configuration
from baton.trust.sigstore import SigstoreTrust

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from baton.evidence.folder import Folder
    from baton.evidence.result import Check
    from baton.model.base import Digest
    from baton.model.evidence import Record
    from baton.model.manifest import Manifest
    from baton.model.plan import Plan
    from baton.model.signing import Signer

PROVENANCE = "attestations/provenance.json"
"""The list of the statements of how each file was made; they themselves are public beside the files."""

STATEMENT = f"{MANIFEST_FILE}{RELEASE_SUFFIX}"
"""The statement of who agreed to the release."""


def attested_as_planned(folder: Folder, record: Record, plan: Plan, manifest: Manifest) -> Iterator[Check]:
    """Whether there is one statement of how it was made for each file of the manifest, where a machine signs."""
    planned = planned_attester(plan) is not None
    if planned is not (record.attested is not None) or planned is not (record.attestation is not None):
        yield bad("statements", f"by the plan there are {'such' if planned else 'none'}; the record tells otherwise")
    if record.attested is None:
        return
    there = {statement.name for statement in folder.artifacts(PROVENANCE).artifacts}
    expected = {f"{file.name}{PROVENANCE_SUFFIX}" for file in manifest.files}
    if folder.digest(PROVENANCE) != record.attested.digest:
        yield bad("statements", f"are {folder.digest(PROVENANCE)}; the record says {record.attested.digest}")
    if there != expected:
        differing = ", ".join(sorted(there ^ expected)[:10])
        yield bad("statements", f"are not one for each file of the manifest: {differing}")
    else:
        yield good("statements", f"{counted(len(there), 'statement')} of provenance, one for each file")


def agreed_as_stated(
    folder: Folder, plan: Plan, signers: Sequence[Signer], trust_config: Path | None, *, offline: bool
) -> Iterator[Check]:
    """Whether the machine that signs stated of the release what its record tells.

    Args:
        folder: the evidence.
        plan: what the release followed.
        signers: who signs it, by the plan or by the verifier's own rules.
        trust_config: a Sigstore client trust configuration, for another instance than the public ones.
        offline: take Sigstore's trust root as it is at hand.

    Raises:
        Unreadable: a document is not there, or not what it has to be.
        BatonError: as :func:`baton.trust.instances.trust_configuration`.
    """
    signer, manifest = attester(signers), folder.manifest
    if signer is None or plan.resigning is not None or manifest is None or not folder.index.complete:
        return
    if STATEMENT not in folder.documents:
        yield bad(STATEMENT, "is not there: no machine states who agreed to the release")
        return
    trust = SigstoreTrust(trust_configuration(signer.instance, trust_config, offline=offline))
    signature, payload = trust.verify_statement(folder.documents[STATEMENT], trusted_signers(signer), source=STATEMENT)
    if payload is None:
        yield bad(STATEMENT, signature.reason)
        return
    faults = list(_faults(payload, folder.digest(MANIFEST_FILE), _expected(folder, plan, manifest)))
    yield from (bad(STATEMENT, fault) for fault in faults)
    if not faults:
        told = "plan, manifest and gates as the record tells them"
        yield good(STATEMENT, f"states {told}, signed by {signer.identity.identity}")


def _faults(payload: bytes, manifest: Digest, expected: ReleasePredicate) -> Iterator[str]:
    """What a statement says otherwise than the record."""
    try:
        statement = read_statement(payload)
        came = ReleasePredicate.model_validate(statement.predicate)
    except (Invalid, ValidationError) as error:
        yield f"is no statement about a release: {facts_of(error)}"
        return
    if statement.predicate_type != PREDICATE_TYPE or not statement.is_about(manifest):
        about = f"{statement.predicate_type} about {statement.subject[0].name}"
        yield f"is a {about}; expected {PREDICATE_TYPE} about {manifest}"
    differing = [name for name in ReleasePredicate.model_fields if getattr(came, name) != getattr(expected, name)]
    if differing:
        yield f"states otherwise than the record: {', '.join(differing)}"


def _expected(folder: Folder, plan: Plan, manifest: Manifest) -> ReleasePredicate:
    index, told = folder.index, {result.gate: result for result in folder.record.gates}
    ref = ReleaseRef(release=index.release, run=index.run, plan=index.plan, sandbox=index.sandbox)
    release = Context(ref, plan, manifest.commit, folder.digest(MANIFEST_FILE))
    passed = [(gate, told[gate.name]) for gate in plan.gates if gate.name in told]
    return ReleasePredicate.model_validate(release_statement(release, passed).predicate)
