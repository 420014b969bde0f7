"""Which files of a release are signed anew: those of its evidence, proven here, or those of a person's list."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from activities.released import read_manifest
from activities.rules import signers_on
from baton.evidence.folder import parse_document
from baton.model.errors import Invalid, Missing, Refused
from baton.model.evidence import INDEX, Evidence
from baton.model.plan import Plan
from baton.model.version import Purpose
from baton.trust.release import verify_release

if TYPE_CHECKING:
    from baton.model.base import Digest
    from baton.model.manifest import Manifest
    from baton.model.signing import Signer
    from baton.settings import WorkerSettings
    from baton.store import Store


def recorded_manifest(store: Store, evidence: Digest, plan: Plan, settings: WorkerSettings) -> Manifest:
    """The manifest that the evidence of the released version tells of.

    It counts when those who sign the project's releases signed the list of that evidence, by this worker's own
    ``release.toml`` and the day that the list is of. A rehearsal, where nothing is at stake, brings its own signers.

    Args:
        store: has the evidence.
        evidence: the set that holds its list and the signatures of that.
        plan: of the re-signing.
        settings: this worker's.

    Raises:
        Refused: it is the evidence of something else, or is not signed by those who have to sign it.
        Missing, Invalid: something of it is not there, or not what it has to be.
    """
    signed = store.read_set(evidence)
    index = signed.find(INDEX)
    if index is None:
        raise Missing(f"the set {evidence} has no {INDEX}, so it is no release's evidence")
    listed = parse_document(f"the list of evidence {index.digest}", store.read(index.digest), Evidence)
    released = plan.release.model_copy(update={"purpose": Purpose.RELEASE})
    came, wanted = (listed.release, listed.sandbox, listed.complete), (released, plan.sandbox, True)
    if came != wanted or listed.manifest is None:
        raise Refused(
            f"{INDEX} ({index.digest}) is of {listed.release}, run {listed.run}; expected the complete evidence of "
            f"{released}: give a list of its files instead"
        )
    signers = _signers_of(listed, store, plan, settings)
    by_signer = [
        (
            signer,
            {one.name: store.read(one.digest) for one in signed.artifacts if one.name == f"{INDEX}{signer.suffix}"},
        )
        for signer in signers
    ]
    settings.workspace.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=settings.workspace, prefix="recorded-") as folder:
        path = Path(folder) / INDEX
        store.fetch(index.digest, path)
        report = verify_release([(index, path)], by_signer, trust_config=settings.sigstore_trust_config)
    if not report:
        raise Refused(
            f"nobody who signs {plan.release.project} vouches for the evidence of {released}: "
            f"{'; '.join(report.failures[:5])}. Give a list of its files instead"
        )
    manifest = read_manifest(store, listed.manifest)
    if (manifest.project, manifest.version) != (released.project, released.version):
        raise Invalid(f"manifest {listed.manifest} is of {manifest.project} {manifest.version}; expected {released}")
    return manifest


def _signers_of(listed: Evidence, store: Store, plan: Plan, settings: WorkerSettings) -> tuple[Signer, ...]:
    if settings.sandbox is None:
        return signers_on(plan, settings, listed.at.astimezone(UTC).date())
    try:
        return Plan.model_validate_json(store.read(listed.plan)).signers
    except ValueError as error:
        raise Invalid(f"{listed.plan} is no plan of this version of Baton: give a list of the files instead") from error
