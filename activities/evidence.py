"""The record of a release that anyone can check later without Temporal: written, signed, and made public."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from activities.hearing import read_plan
from activities.mandate import Mandate
from activities.records import Records
from activities.work import does, progress
from baton.evidence.folder import parse_document
from baton.evidence.gather import gather
from baton.model import evidence
from baton.model.base import canonical_json, counted, digest_of, short
from baton.model.errors import Missing, Refused
from baton.model.evidence import INDEX, Evidence
from baton.model.manifest import Artifact, ArtifactSet, SetRef
from baton.model.signing import own_signers
from baton.signers import open_signer
from baton.targets import open_target

if TYPE_CHECKING:
    from baton.model.work import ReleaseRef
    from baton.settings import WorkerSettings
    from baton.store import Store


class EvidenceActivities:
    """Writing the evidence into the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @does(evidence.WRITE_EVIDENCE)
    def write_evidence(self, what: evidence.WriteEvidence) -> SetRef:
        """Write every document and the list of them; gives the set that the list is in, to which signatures come."""
        documents = gather(what.record, what.heard, self._store.read)
        for number, content in enumerate(documents.values(), start=1):
            self._store.put_bytes(content)
            progress()(f"wrote {counted(number, 'document')} of {len(documents)}")
        index = documents[INDEX]
        return self._store.put_set(ArtifactSet.of([Artifact(name=INDEX, digest=digest_of(index), size=len(index))]))


class EvidenceSigning:
    """Signing the evidence, on the worker that holds the keys."""

    def __init__(self, store: Store, settings: WorkerSettings) -> None:
        self._store = store
        self._settings = settings
        self._mandate = Mandate(store, settings)

    @does(evidence.SIGN_EVIDENCE)
    def sign_evidence(self, what: evidence.SignEvidence) -> SetRef:
        """Sign the list of this very release's evidence once, if people agreed to all of the release; nothing else.

        The key can't be had to sign anything but such a list: it has to be one in its one form, and every fact in it
        that names a release has to name the one whose gates this worker has proven.
        """
        self._mandate.to_sign_evidence(what)
        made = self._store.read_set(what.evidence)
        index = require_evidence(self._store, what)
        name = f"{INDEX}{what.signer.suffix}"
        records = Records(self._store, what.release)
        record = f"evidence/{what.signer.kind}-{short(digest_of(canonical_json(what.signer)))}/{index.sha256}"

        def keep(_: Artifact, signature: bytes) -> None:
            records.keep_content(record, signature)

        if records.find_content(record) is None:
            self._settings.workspace.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(dir=self._settings.workspace, prefix="evidence-") as folder:
                path = Path(folder) / INDEX
                self._store.fetch(index.digest, path)
                signer = open_signer(what.signer, self._settings)
                signer.sign([(index, path)], keep)
        digest = records.require_content(record)
        signature = Artifact(name=name, digest=digest, size=len(self._store.read(digest)))
        others = [artifact for artifact in made.artifacts if artifact.name != name]
        return self._store.put_set(ArtifactSet.of([*others, signature]))


class EvidencePublishing:
    """Making the evidence public, on the worker that holds the targets."""

    def __init__(self, store: Store, settings: WorkerSettings) -> None:
        self._store = store
        self._settings = settings
        self._mandate = Mandate(store, settings)

    @does(evidence.PUBLISH_EVIDENCE)
    def publish_evidence(self, what: evidence.PublishEvidence) -> evidence.Shown:
        """Make the list, its signatures and every document public, if people agreed to all of the release."""
        signers = self._mandate.to_publish_evidence(what)
        listed = require_evidence(self._store, what)
        wanted = {INDEX, *(f"{INDEX}{signer.suffix}" for signer in own_signers(signers))}
        signed = self._store.read_set(what.evidence).artifacts
        if others := wanted.symmetric_difference(one.name for one in signed):
            raise Refused(
                "the evidence is not signed once by each who signs this release; too many or missing: "
                f"{', '.join(sorted(others)[:10])}"
            )
        documents = [*signed, *_read_evidence(self._store, listed).documents]
        target = open_target(what.target, self._settings)
        total = sum(document.size for document in documents)
        say = progress()
        url = target.publish_evidence(
            what.release.release,
            documents,
            self._store,
            named=self._name_of(what.release),
            progress=lambda done: say(f"{done:,} of {total:,} bytes"),
        )
        return evidence.Shown(url=url, documents=len(documents))

    def _name_of(self, release: ReleaseRef) -> str | None:
        """What the record of a re-signing is called beside the release's own; no version has a ``-`` in it.

        The end of the run's id tells several of one day apart.
        """
        resigning = read_plan(self._store, release.plan).resigning
        if resigning is None:
            return None
        return f"{release.release.version}-resigned-{resigning.dated}-{release.run.rpartition('-')[2]}"


def require_evidence(store: Store, what: evidence.SignEvidence | evidence.PublishEvidence) -> Artifact:
    """Require that a set holds the list of the complete evidence of this run of this release.

    Returns:
        The list, as an artifact.

    Raises:
        Missing: the set has no list.
        Unreadable: what is there is no such list.
        Refused: it is the list of something else.
    """
    index = store.read_set(what.evidence).find(INDEX)
    if index is None:
        raise Missing(f"the set {what.evidence.digest} has no {INDEX}")
    listed, release = _read_evidence(store, index), what.release
    came = (listed.release, listed.run, listed.plan, listed.sandbox, listed.manifest, listed.complete)
    if came != (release.release, release.run, release.plan, release.sandbox, what.manifest.digest, True):
        raise Refused(
            f"{INDEX} ({index.digest}) is of {listed.release}, run {listed.run}, plan {listed.plan}, manifest "
            f"{listed.manifest}; expected the complete evidence of {release.release}, run {release.run}, plan "
            f"{release.plan}, manifest {what.manifest.digest}"
        )
    return index


def _read_evidence(store: Store, index: Artifact) -> Evidence:
    return parse_document(f"the list of evidence {index.digest}", store.read(index.digest), Evidence)
