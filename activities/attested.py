"""Verifying what a machine states of a release, as a stranger would, before anyone is asked anything."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from activities.hearing import read_plan
from activities.released import fetch_all, public_files, read_manifest
from baton.attestation.provenance import HANDED_IN, source_uri
from baton.model.attesting import NO_ATTESTATIONS, planned_attester
from baton.model.errors import Refused
from baton.trust.identities import TrustedIdentities
from baton.trust.provenance import Expected, verify_provenance
from baton.trust.verifiers import Trust

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from baton.model.manifest import Manifest
    from baton.model.plan import Plan
    from baton.model.work import VerifySignatures
    from baton.settings import WorkerSettings
    from baton.store import Store
    from baton.trust.attested import ProvenanceReport


def require_attested(store: Store, what: VerifySignatures, folder: Path, settings: WorkerSettings) -> None:
    """Require one good statement of how it was made for each file, of this very release, where a machine signs.

    Args:
        store: has the statements.
        what: what is to be verified.
        folder: holds the manifest's files; the statements are put beside them.
        settings: the worker's.

    Raises:
        Refused: a statement is missing, does not count, or says something else; the message says which and why.
        BatonError: the plan, the manifest or Sigstore's trust configuration can't be read.
    """
    plan = read_plan(store, what.release.plan)
    if (what.attested is None) != (planned_attester(plan) is None):
        raise Refused(f"there are {'no' if what.attested is None else 'such'} statements; planned: {NO_ATTESTATIONS}")
    if what.attested is None:
        return
    manifest = read_manifest(store, what.manifest)
    names = {file.name for file in manifest.files}
    files = public_files(store, what.manifest, (), what.attested)
    fetch_all(store, [file for file in files if file.name not in names], folder)
    today = datetime.now(UTC).date()
    report = verify_provenance(
        [folder / file.name for file in manifest.files],
        Trust(TrustedIdentities.of_plan(plan, today), trust_config=settings.sigstore_trust_config),
        expected=Expected(version=plan.version),
    )
    if failures := [*report.failures, *_otherwise(report, plan, manifest, what)]:
        raise Refused("statements do not count: " + "; ".join(failures[:10]))


def _otherwise(report: ProvenanceReport, plan: Plan, manifest: Manifest, what: VerifySignatures) -> Iterator[str]:
    """What is stated otherwise than it is planned."""
    planned = (what.release.plan, what.manifest.digest)
    source = (source_uri(plan.source.repository), manifest.commit)
    for file in report.files:
        if file.made is None:
            continue
        if (file.made.plan, file.made.manifest) != planned:
            yield f"{file.name}: of plan {file.made.plan}, manifest {file.made.manifest}; expected {planned}"
        if file.made.build_type != HANDED_IN and (file.made.repository, file.made.commit) != source:
            yield f"{file.name}: of {file.made.repository}, commit {file.made.commit}; expected {source}"
