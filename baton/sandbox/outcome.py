"""What came of a release in the sandbox: what was published, verified and recorded, and where it is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path  # pydantic reads it at run time
from typing import TYPE_CHECKING

from baton.evidence.folder import export
from baton.model.base import Value
from baton.model.errors import Failed, Invalid
from baton.model.manifest import Manifest
from baton.model.signing import GpgSigner, SigstoreSigner
from baton.sandbox.state import State, write_private
from baton.sandbox.stranger import verify_as_stranger
from baton.store import open_store
from baton.targets import sandbox_folder
from baton.trust.identities import TrustedIdentities

if TYPE_CHECKING:
    from baton.model.base import Digest
    from baton.model.plan import Plan
    from baton.model.status import ReleaseStatus
    from baton.model.version import ReleaseId
    from baton.sandbox.world import World


class OutcomeFile(Value):
    """A published file.

    Attributes:
        sha256: 64 hexadecimal digits.
        size: in bytes.
        sigstore_bundle: where its Sigstore bundle is.
        signature: where its OpenPGP signature is.
    """

    name: str
    sha256: str
    size: int
    sigstore_bundle: Path
    signature: Path


class Outcome(Value):
    """A finished release. Everything it names stays when the world ends, but for what has an address.

    Attributes:
        release: project and version.
        status: the phase that it is in.
        published: the public folder.
        published_url: the address that serves it while the world runs.
        trust_config: for ``sigstore --trust-config``.
        identity: whose Sigstore signatures they are.
        issuer: who vouches for that.
        gpg_fingerprint: of the primary key whose OpenPGP signatures they are.
        gpg_public_key: a file with that key.
        trusted_identities: a document that says all of this, for ``baton verify --identities``.
        evidence: a folder with the record of the release, for ``baton evidence verify``; its page is ``index.html``.
    """

    release: str
    workflow_id: str
    status: str
    manifest_digest: str
    published: Path
    published_url: str
    trust_config: Path
    identity: str
    issuer: str
    gpg_fingerprint: str
    gpg_public_key: Path
    trusted_identities: Path
    evidence: Path
    temporal_address: str
    ui_url: str
    files: tuple[OutcomeFile, ...]


def outcome_of(world: World, plan: Plan, status: ReleaseStatus) -> Outcome:
    """Export a finished release's evidence, verify what it published as a stranger would, and say where all of it is.

    Args:
        world: where it was made.
        plan: what it was to do.
        status: what it says of itself at its end.

    Raises:
        Failed: a signature does not count, or the release is not finished.
        Invalid: its plan does not sign and publish as the sandbox does.
        BatonError: something of it could not be fetched.
    """
    if status.manifest is None or status.evidence is None or not status.published:
        raise Failed(f"{status.release} is not finished: it is in phase {status.phase}")
    evidence = _export(world, status.release, status.evidence)
    manifest = Manifest.model_validate_json((evidence / "manifest.json").read_bytes())
    if manifest.digest != status.manifest.digest:
        raise Failed(f"the evidence has manifest {manifest.digest}; expected {status.manifest.digest}")
    url = f"{world.public_url}/{status.release.project}/{status.release.version}/"
    report = verify_as_stranger(url, manifest.files, plan.signers, trust_config=world.trust_config)
    if not report:
        raise Failed("what was published can't be verified:\n" + "\n".join(report.failures))
    published = sandbox_folder(world.public_root) / status.release.project / status.release.version
    sigstore, gpg = _signers(plan)
    return Outcome(
        release=str(status.release),
        workflow_id=status.release.workflow_id,
        status=status.phase,
        manifest_digest=manifest.digest,
        published=published,
        published_url=url,
        trust_config=world.trust_config,
        identity=sigstore.identity.identity,
        issuer=sigstore.identity.issuer,
        gpg_fingerprint=gpg.key.fingerprint,
        gpg_public_key=world.gpg_public_key,
        trusted_identities=_write_identities(world, plan),
        evidence=evidence,
        temporal_address=world.temporal_address,
        ui_url=world.ui_url,
        files=tuple(
            OutcomeFile(
                name=file.name,
                sha256=file.sha256,
                size=file.size,
                sigstore_bundle=published / f"{file.name}{sigstore.suffix}",
                signature=published / f"{file.name}{gpg.suffix}",
            )
            for file in manifest.files
        ),
    )


def _export(world: World, release: ReleaseId, evidence: Digest) -> Path:
    """Copy the evidence out of the store; harmless if it was done before."""
    folder = State.at(world.state).evidence / f"{release.project}-{release.version}"
    return export(open_store(str(world.store)), evidence, folder)


def _write_identities(world: World, plan: Plan) -> Path:
    file = State.at(world.state).identities
    document = TrustedIdentities.of_plan(plan, issued=datetime.now(UTC).date())
    write_private(file, document.model_dump_json(by_alias=True, exclude_none=True, indent=2).encode())
    return file


def _signers(plan: Plan) -> tuple[SigstoreSigner, GpgSigner]:
    sigstore = [signer for signer in plan.signers if isinstance(signer, SigstoreSigner)]
    gpg = [signer for signer in plan.signers if isinstance(signer, GpgSigner)]
    if len(sigstore) != 1 or len(gpg) != 1:
        raise Invalid("expected a plan that signs with Sigstore and with the team's key, once each")
    return sigstore[0], gpg[0]
