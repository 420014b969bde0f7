from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from baton.model.base import digest_of
from baton.model.errors import Invalid, Missing, Refused
from baton.model.manifest import Artifact
from baton.model.roster import OpenPgpKey, SigstoreIdentity
from baton.model.signing import GpgSigner, SigstoreInstance, SigstoreSigner
from baton.sandbox.sigstore import ISSUER, machine_identity
from baton.trust.release import verify_release
from baton.trust.result import Fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from baton.model.signing import Signer
    from baton.sandbox.sigstore.server import LocalSigstore
    from baton.trust.result import Report
    from tests.trust.conftest import Gnupg

SIGSTORE = SigstoreSigner(
    instance=SigstoreInstance.SANDBOX, identity=SigstoreIdentity(identity=machine_identity("signer"), issuer=ISSUER)
)


class Release:
    """Two files, each signed by both of a plan's signers; a test changes what it is about."""

    def __init__(self, folder: Path, gpg: GpgSigner, trust_config: Path) -> None:
        self.files: list[tuple[Artifact, Path]] = []
        self.gpg = gpg
        self.bundles: dict[str, bytes] = {}
        self.signatures: dict[str, bytes] = {}
        self.trust_config = trust_config
        self._folder = folder

    def add(self, name: str, content: bytes) -> Path:
        path = self._folder / name
        path.write_bytes(content)
        self.files.append((Artifact(name=name, digest=digest_of(content), size=len(content)), path))
        return path

    def verify(self) -> Report:
        signed: list[tuple[Signer, dict[str, bytes]]] = [(SIGSTORE, self.bundles), (self.gpg, self.signatures)]
        return verify_release(self.files, signed, trust_config=self.trust_config)

    def faults(self) -> set[Fault | None]:
        report = self.verify()
        assert not report
        return {signature.fault for file in report.files for signature in file.signatures} - {None}


@pytest.fixture(scope="module")
def team(gnupg: Gnupg) -> str:
    return gnupg.make("Release verifier's team")


@pytest.fixture
def release(
    tmp_path: Path,
    gnupg: Gnupg,
    team: str,
    *,
    sandbox: LocalSigstore,
    bundle: Callable[[str, bytes], bytes],
) -> Release:
    key = OpenPgpKey(fingerprint=team, public_key=gnupg.export(team).decode())
    release = Release(tmp_path, GpgSigner(key=key), sandbox.trust_config)
    token = sandbox.tokens.for_machine("signer")
    for name in ("hello-1.0.tar.gz", "hello-1.0.zip"):
        path = release.add(name, name.encode())
        release.bundles[f"{name}.sigstore.json"] = bundle(token, name.encode())
        release.signatures[f"{name}.asc"] = gnupg.sign(team, path)
    return release


def test_a_release_with_every_signature_verifies(release: Release) -> None:
    report = release.verify()
    assert report, report.failures
    assert [file.name for file in report.files] == ["hello-1.0.tar.gz", "hello-1.0.zip"]
    assert all(len(file.signatures) == 2 for file in report.files)


@pytest.mark.parametrize(("kind", "suffix"), [("bundles", ".sigstore.json"), ("signatures", ".asc")])
def test_a_missing_signature_of_either_kind_is_told(release: Release, kind: str, suffix: str) -> None:
    del getattr(release, kind)[f"hello-1.0.zip{suffix}"]
    assert release.faults() == {Fault.MISSING}
    assert f"hello-1.0.zip: hello-1.0.zip{suffix}: it is not there" in release.verify().failures


@pytest.mark.parametrize(("kind", "suffix"), [("bundles", ".sigstore.json"), ("signatures", ".asc")])
def test_signatures_of_each_others_files_are_told(release: Release, kind: str, suffix: str) -> None:
    signatures = getattr(release, kind)
    first, second = (f"hello-1.0{ending}{suffix}" for ending in (".tar.gz", ".zip"))
    signatures[first], signatures[second] = signatures[second], signatures[first]
    assert release.faults() == {Fault.BAD}


def test_another_signers_bundle_is_told(
    release: Release, sandbox: LocalSigstore, bundle: Callable[[str, bytes], bytes]
) -> None:
    token = sandbox.tokens.for_machine("stand-in")
    release.bundles["hello-1.0.zip.sigstore.json"] = bundle(token, b"hello-1.0.zip")
    assert release.faults() == {Fault.UNTRUSTED}
    (failure,) = release.verify().failures
    assert machine_identity("stand-in") in failure
    assert machine_identity("signer") in failure


def test_another_key_is_told(release: Release, gnupg: Gnupg) -> None:
    other = gnupg.make("Release verifier's stand-in")
    release.signatures["hello-1.0.zip.asc"] = gnupg.sign(other, release.files[1][1])
    assert release.faults() == {Fault.UNKNOWN_KEY}


def test_a_signature_of_no_file_is_told(release: Release) -> None:
    release.bundles["extra.exe.sigstore.json"] = release.bundles["hello-1.0.zip.sigstore.json"]
    report = release.verify()
    assert not report
    assert report.problems == ("extra.exe.sigstore.json is a signature of no file of the manifest",)


def test_a_file_that_is_not_the_manifests_is_told(release: Release) -> None:
    artifact, path = release.files[1]
    path.write_bytes(b"tampered")
    report = release.verify()
    assert not report
    assert f"{artifact.name}: should be {artifact.digest}, is {digest_of(b'tampered')}" in report.failures


def test_nothing_to_verify_is_no_success(release: Release) -> None:
    with pytest.raises(Invalid, match="no file"):
        verify_release([], [(release.gpg, {})])
    with pytest.raises(Invalid, match="no signer"):
        verify_release(release.files, [])
    with pytest.raises(Invalid, match="several signers of one kind"):
        verify_release(release.files, [(release.gpg, release.signatures), (release.gpg, release.signatures)])
    bare = GpgSigner(key=OpenPgpKey(fingerprint=release.gpg.key.fingerprint))
    with pytest.raises(Invalid, match="public key block"):
        verify_release(release.files, [(bare, release.signatures)])


def test_a_plan_for_the_public_instance_is_never_judged_by_the_sandboxs(release: Release) -> None:
    public = SIGSTORE.model_copy(update={"instance": SigstoreInstance.PUBLIC})
    with pytest.raises(Refused, match="not of the public instance"):
        verify_release(release.files, [(public, release.bundles)], trust_config=release.trust_config)
    with pytest.raises(Missing, match="trust configuration"):
        verify_release(release.files, [(SIGSTORE, release.bundles)])
