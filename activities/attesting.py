"""Signing what a machine knows of a release: how each file was made, and what people agreed to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activities.hearing import read_plan
from activities.mandate import Mandate
from activities.origins import Origins
from activities.records import Records
from activities.released import read_manifest
from activities.work import does, progress
from baton.attestation.provenance import Context, provenance_of
from baton.attestation.release import release_statement
from baton.model import attesting
from baton.model.attesting import MANIFEST_FILE, PROVENANCE_SUFFIX, RELEASE_SUFFIX
from baton.model.base import canonical_json, digest_of, short
from baton.model.manifest import Artifact, ArtifactSet, SetRef
from baton.signers.sigstore import SigstoreBatchSigner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baton.model.base import Digest
    from baton.model.signing import SigstoreSigner
    from baton.model.work import ReleaseRef
    from baton.settings import WorkerSettings
    from baton.store import Store


class AttestActivities:
    """What the signing worker states; nothing of it is taken from what a workflow says."""

    def __init__(self, store: Store, settings: WorkerSettings) -> None:
        self._store = store
        self._settings = settings
        self._mandate = Mandate(store, settings)

    @does(attesting.ATTEST_FILES)
    def attest_files(self, what: attesting.AttestFiles) -> SetRef:
        """State how each file was made, if people agreed to what stands before signing and records prove all of it.

        A statement is kept as soon as it is signed, and a new try makes only those missing.
        """
        roster = self._mandate.to_attest(what)
        origins = Origins(self._store, what, roster, self._mandate.sigstore)
        made = origins.all()
        signed = _Signed(self._store, what.release, what.signer, f"provenance/{short(what.manifest.digest)}")
        unsigned = [
            (file, provenance_of(file, origin, origins.release).content())
            for file, origin in made
            if not signed.has(file)
        ]
        self._sign(what.signer, unsigned, signed)
        return self._store.put_set(ArtifactSet.of([signed.artifact(file, PROVENANCE_SUFFIX) for file, _ in made]))

    @does(attesting.ATTEST_RELEASE)
    def attest_release(self, what: attesting.AttestRelease) -> Artifact:
        """State once who agreed to the release at each gate, if this worker has proven for itself that they did."""
        passed = self._mandate.to_attest_release(what)
        plan, manifest = read_plan(self._store, what.release.plan), read_manifest(self._store, what.manifest)
        content = self._store.read(what.manifest.digest)
        subject = Artifact(name=MANIFEST_FILE, digest=what.manifest.digest, size=len(content))
        signed = _Signed(self._store, what.release, what.signer, "release")
        if not signed.has(subject):
            context = Context(what.release, plan, manifest.commit, what.manifest.digest)
            self._sign(what.signer, [(subject, release_statement(context, passed).content())], signed)
        return signed.artifact(subject, RELEASE_SUFFIX)

    def _sign(self, signer: SigstoreSigner, statements: Sequence[tuple[Artifact, bytes]], signed: _Signed) -> None:
        if statements:
            SigstoreBatchSigner.from_settings(signer, self._settings).attest(statements, signed.keep)


class _Signed:
    """The statements of one kind that one signer has signed, kept one by one in the store."""

    def __init__(self, store: Store, release: ReleaseRef, signer: SigstoreSigner, kind: str) -> None:
        self._store = store
        self._records = Records(store, release)
        self._prefix = f"attestation/{kind}/{short(digest_of(canonical_json(signer)))}"
        self._say = progress()

    def has(self, file: Artifact) -> bool:
        return self._records.find_content(self._name(file)) is not None

    def keep(self, file: Artifact, bundle: bytes) -> None:
        self._records.keep_content(self._name(file), bundle)
        self._say(f"stated how {file.name} was made")

    def artifact(self, file: Artifact, suffix: str) -> Artifact:
        digest: Digest = self._records.require_content(self._name(file))
        return Artifact(name=f"{file.name}{suffix}", digest=digest, size=len(self._store.read(digest)))

    def _name(self, file: Artifact) -> str:
        # By the name as well: two files may have the same content.
        return f"{self._prefix}/{short(digest_of(file.name.encode()))}/{file.sha256}"
