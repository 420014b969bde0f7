"""Signing the manifest's files, and verifying every signature as a stranger would."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from activities.attested import require_attested
from activities.mandate import Mandate
from activities.records import Records
from activities.released import fetch_all, read_manifest
from activities.work import does, progress
from baton.model import work
from baton.model.base import canonical_json, digest_of, short
from baton.model.errors import Refused
from baton.model.manifest import Artifact, ArtifactSet, SetRef
from baton.model.signing import GpgSigner, HumanGpgSigner, who_may_sign
from baton.signers import open_signer
from baton.trust.release import verify_release
from baton.trust.sigstore import LARGEST_BUNDLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baton.model.manifest import ManifestRef
    from baton.model.signing import Signer
    from baton.settings import WorkerSettings
    from baton.signers.port import File
    from baton.store import Store


class SignActivities:
    """What the signing worker does; it alone holds keys and tokens."""

    def __init__(self, store: Store, settings: WorkerSettings) -> None:
        self._store = store
        self._settings = settings
        self._mandate = Mandate(store, settings)

    @does(work.SIGN_FILES)
    def sign_files(self, what: work.SignFiles) -> work.Signed:
        """Sign each file once, if this worker has proven for itself that people agreed to what stands before.

        A signature is kept as soon as it is made, and a new try makes only those missing.
        """
        self._mandate.to_sign(what)
        batch = _Batch(self._store, what)
        if unsigned := batch.unsigned():
            signer = open_signer(what.signer, self._settings)
            self._settings.workspace.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(dir=self._settings.workspace, prefix="sign-") as folder:
                signer.sign(self._at_hand(what.signer, unsigned, Path(folder)), batch.keep)
        return work.Signed(signer=what.signer, signatures=self._store.put_set(batch.signatures()))

    def _at_hand(self, signer: Signer, files: Sequence[Artifact], folder: Path) -> list[File]:
        # Sigstore signs the digest; gpg reads the whole file.
        if isinstance(signer, GpgSigner):
            return fetch_all(self._store, files, folder)
        return [(file, folder / file.name) for file in files]


class _Batch:
    """The manifest's files and the signatures that one signer has made of them, kept one by one in the store."""

    def __init__(self, store: Store, what: work.SignFiles) -> None:
        self._store = store
        self._records = Records(store, what.release)
        self._files = read_manifest(store, what.manifest).files
        self._suffix = what.signer.suffix
        self._signer = f"{what.signer.kind}-{short(digest_of(canonical_json(what.signer)))}"
        self._say = progress()

    def unsigned(self) -> list[Artifact]:
        return [file for file in self._files if self._records.find_content(self._name(file)) is None]

    def keep(self, file: Artifact, signature: bytes) -> None:
        self._records.keep_content(self._name(file), signature)
        self._say(f"signed {file.name}")

    def signatures(self) -> ArtifactSet:
        return ArtifactSet.of([self._signature(file) for file in self._files])

    def _signature(self, file: Artifact) -> Artifact:
        digest = self._records.require_content(self._name(file))
        return Artifact(name=f"{file.name}{self._suffix}", digest=digest, size=len(self._store.read(digest)))

    def _name(self, file: Artifact) -> str:
        return f"signature/{self._signer}/{file.sha256}"


class VerifyActivities:
    """Verifying, on a worker that holds no key: it knows no more than a stranger does."""

    def __init__(self, store: Store, settings: WorkerSettings) -> None:
        self._store = store
        self._settings = settings

    @does(work.TAKE_SIGNATURES)
    def take_signatures(self, what: work.TakeSignatures) -> work.Signed:
        """Take what a person signed, if each file has one signature that counts, all by one of those who may sign."""
        signed = work.Signed(signer=what.signer, signatures=SetRef.to(self._store.read_set(what.provided)))
        require_counting(signed, what.manifest, self._store, self._settings)
        return signed

    @does(work.VERIFY_SIGNATURES)
    def verify_signatures(self, what: work.VerifySignatures) -> work.Verified:
        """Require one good signature of each kind on every file, by the identity that the plan names, and no other.

        Where a machine signs, each file also needs its good statement of how it was made.
        """
        if tuple(made.signer for made in what.signed) != what.signers:
            came, wanted = (", ".join(s.kind for s in of) for of in ([m.signer for m in what.signed], what.signers))
            raise Refused(f"the release is signed by {came or 'nobody'}; the plan's signers are {wanted}")
        files = read_manifest(self._store, what.manifest).files
        signed = [(made.signer, _signatures(made, self._store)) for made in what.signed]
        self._settings.workspace.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self._settings.workspace, prefix="verify-") as folder:
            at_hand = fetch_all(self._store, files, Path(folder))
            report = verify_release(at_hand, signed, trust_config=self._settings.sigstore_trust_config)
            if not report:
                raise Refused("signatures do not count: " + "; ".join(report.failures[:10]))
            require_attested(self._store, what, Path(folder), self._settings)
        return work.Verified(files=len(files), signatures=sum(len(signatures) for _, signatures in signed))


def require_counting(made: work.Signed, manifest: ManifestRef, store: Store, settings: WorkerSettings) -> None:
    """Require that signatures which were made elsewhere count, as a stranger would verify them.

    Raises:
        Refused: they are not one for each file of the manifest, or not all by one of those who may sign; the message
            names these.
        Missing: one of them, or a file that is needed to verify them, is not in the store.
        BatonError: as :func:`baton.trust.release.verify_release`.
    """
    files = read_manifest(store, manifest).files
    signed = [(made.signer, _signatures(made, store))]
    settings.workspace.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=settings.workspace, prefix="take-") as folder:
        # A Sigstore bundle is of a digest; an OpenPGP signature can't be verified without the file.
        at_hand: Sequence[tuple[Artifact, Path | None]] = (
            fetch_all(store, files, Path(folder))
            if isinstance(made.signer, HumanGpgSigner)
            else [(file, None) for file in files]
        )
        report = verify_release(at_hand, signed, trust_config=settings.sigstore_trust_config)
    if not report:
        raise Refused(f"the signatures do not count: {'; '.join(report.failures[:5])}. {who_may_sign(made.signer)}")


def _signatures(made: work.Signed, store: Store) -> dict[str, bytes]:
    listed = store.read_set(made.signatures).artifacts
    return {one.name: store.read(one.digest, limit=LARGEST_BUNDLE) for one in listed}
