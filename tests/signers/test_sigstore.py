from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sigstore.models import Bundle

from baton.model.base import digest_of
from baton.model.errors import Failed, Missing, Refused, Unavailable
from baton.model.manifest import Artifact
from baton.model.roster import SigstoreIdentity
from baton.model.signing import SigstoreInstance, SigstoreSigner
from baton.sandbox.sigstore import ISSUER, machine_identity
from baton.sandbox.sigstore.server import local_sigstore
from baton.sandbox.sigstore.tokens import github_claims
from baton.settings import WorkerSettings
from baton.signers import open_signer, sigstore, sigstore_client
from baton.trust.identities import trusted_signers
from baton.trust.instances import trust_configuration
from baton.trust.sigstore import SigstoreTrust

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from baton.sandbox.sigstore.server import LocalSigstore
    from baton.signers.port import File
    from tests.signers.conftest import Answering, Kept

MACHINE = SigstoreIdentity(identity=machine_identity("signer"), issuer=ISSUER)
SIGNER = SigstoreSigner(instance=SigstoreInstance.SANDBOX, identity=MACHINE)


@pytest.fixture
def settings(sandbox: LocalSigstore, tmp_path: Path) -> WorkerSettings:
    """A worker of the sandbox with a token file of the machine ``signer``."""
    token = tmp_path / "token"
    token.write_text(sandbox.tokens.for_machine("signer") + "\n")
    return WorkerSettings(sigstore_trust_config=sandbox.trust_config, identity_token_file=token)


def verify(sandbox: LocalSigstore, files: Sequence[File], bundles: Mapping[str, bytes]) -> list[bool]:
    trust = SigstoreTrust(trust_configuration(SigstoreInstance.SANDBOX, sandbox.trust_config))
    trusted = trusted_signers(SIGNER)
    return [bool(trust.verify(bundles[a.name], a.digest, trusted, source=a.name)) for a, _ in files]


def certificates(bundles: Mapping[str, bytes]) -> set[int]:
    return {Bundle.from_json(bundle).signing_certificate.serial_number for bundle in bundles.values()}


def test_a_batch_is_signed_with_one_certificate_and_the_sigstore_command_accepts_it(
    sandbox: LocalSigstore, settings: WorkerSettings, files: list[File], kept: Kept
) -> None:
    open_signer(SIGNER, settings).sign(files, kept)

    assert verify(sandbox, files, kept) == [True] * len(files)
    assert len(certificates(kept)) == 1
    for artifact, path in files:
        Path(f"{path}.sigstore.json").write_bytes(kept[artifact.name])
    command = [sys.executable, "-m", "sigstore", "--trust-config", str(sandbox.trust_config), "verify", "identity"]
    expected = ["--cert-identity", MACHINE.identity, "--cert-oidc-issuer", MACHINE.issuer]
    subprocess.run([*command, *expected, *(str(path) for _, path in files)], check=True)


def test_files_are_signed_by_digest_and_never_read(
    sandbox: LocalSigstore, settings: WorkerSettings, kept: Kept
) -> None:
    absent = Artifact(name="huge", digest=digest_of(b"huge"), size=2 * 1024**3)
    open_signer(SIGNER, settings).sign([(absent, Path("/nowhere/huge"))], kept)
    assert verify(sandbox, [(absent, Path("/nowhere/huge"))], kept) == [True]


def test_a_certificate_with_little_time_left_is_exchanged(
    files: list[File], kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that some files begin when another has shown the certificate's end.
    monkeypatch.setattr(sigstore, "_THREADS", 2)
    with local_sigstore(tmp_path / "short", certificate_lifetime=timedelta(seconds=59)) as short:
        (tmp_path / "token").write_text(short.tokens.for_machine("signer"))
        settings = WorkerSettings(sigstore_trust_config=short.trust_config, identity_token_file=tmp_path / "token")
        open_signer(SIGNER, settings).sign(files, kept)
        assert all(verify(short, files, kept))
    assert len(certificates(kept)) > 1


def test_another_identity_is_refused_before_anything_is_logged(
    sandbox: LocalSigstore, settings: WorkerSettings, files: list[File], kept: Kept
) -> None:
    assert settings.identity_token_file is not None
    before = sandbox.log.head()
    for token in (
        sandbox.tokens.for_machine("intruder"),
        sandbox.tokens.for_machine("signer2"),
        sandbox.tokens.for_person("signer@example.org"),
        sandbox.tokens.mint({"sub": MACHINE.identity}, issuer="https://accounts.example.org"),
        sandbox.tokens.for_github_workflow(github_claims("example/hello")),
    ):
        settings.identity_token_file.write_text(token)
        with pytest.raises(Refused, match="Nothing was signed") as refusal:
            open_signer(SIGNER, settings).sign(files, kept)
        assert MACHINE.identity in str(refusal.value)
        assert MACHINE.issuer in str(refusal.value)
        assert token not in str(refusal.value)
    assert not kept
    assert sandbox.log.head() == before


def test_a_workflow_signs_as_what_its_certificate_will_say(
    sandbox: LocalSigstore, settings: WorkerSettings, files: list[File], kept: Kept
) -> None:
    assert settings.identity_token_file is not None
    claims = github_claims("example/hello", ref="refs/tags/v1.0")
    settings.identity_token_file.write_text(sandbox.tokens.for_github_workflow(claims))
    workflow = SigstoreIdentity(
        identity="https://github.com/example/hello/.github/workflows/release.yml@refs/tags/v1.0",
        issuer="https://token.actions.githubusercontent.com",
    )
    open_signer(SIGNER.model_copy(update={"identity": workflow}), settings).sign(files, kept)
    assert len(kept) == len(files)


def test_a_worker_signs_only_for_plans_of_its_own_instance(sandbox: LocalSigstore, settings: WorkerSettings) -> None:
    for instance in (SigstoreInstance.PUBLIC, SigstoreInstance.STAGING):
        with pytest.raises(Refused, match=f"not of the {instance} instance"):
            open_signer(SIGNER.model_copy(update={"instance": instance}), settings)
    with pytest.raises(Missing, match="BATON_SIGSTORE_TRUST_CONFIG"):
        open_signer(SIGNER, WorkerSettings(identity_token_file=sandbox.trust_config))


def replaced(settings: WorkerSettings, service: str, url: str, folder: Path) -> WorkerSettings:
    """The same worker, with one service of the instance somewhere else."""
    assert settings.sigstore_trust_config is not None
    config = json.loads(settings.sigstore_trust_config.read_text())
    for entry in config["signingConfig"][service]:
        entry["url"] = url
    copy = folder / "trust_config.json"
    copy.write_text(json.dumps(config))
    return settings.model_copy(update={"sigstore_trust_config": copy})


@pytest.mark.parametrize("service", ["caUrls", "rekorTlogUrls"])
@pytest.mark.parametrize(("status", "error"), [(400, Refused), (403, Refused), (429, Unavailable), (503, Unavailable)])
def test_what_a_service_says_reaches_people(
    settings: WorkerSettings,
    files: list[File],
    kept: Kept,
    *,
    answering: Answering,
    tmp_path: Path,
    service: str,
    status: int,
    error: type[Exception],
) -> None:
    with (
        answering(status, '{"code": 3, "message": "the moon is in the wrong phase"}') as url,
        pytest.raises(error, match=rf"{url}.* answers {status} .*the moon is in the wrong phase"),
    ):
        open_signer(SIGNER, replaced(settings, service, url, tmp_path)).sign(files, kept)
    assert not kept


def test_a_service_that_is_not_there_is_unavailable(
    settings: WorkerSettings, files: list[File], kept: Kept, answering: Answering, tmp_path: Path
) -> None:
    with answering(200) as gone:
        pass
    with pytest.raises(Unavailable, match="does not answer"):
        open_signer(SIGNER, replaced(settings, "caUrls", gone, tmp_path)).sign(files, kept)


@pytest.mark.parametrize("service", ["caUrls", "rekorTlogUrls"])
def test_a_service_that_never_answers_does_not_hold_the_worker(
    settings: WorkerSettings,
    files: list[File],
    kept: Kept,
    *,
    answering: Answering,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    service: str,
) -> None:
    monkeypatch.setattr(sigstore_client, "_TIMEOUT", (0.2, 0.2))
    with answering(200, never=True) as url, pytest.raises(Unavailable, match="timed out"):
        open_signer(SIGNER, replaced(settings, service, url, tmp_path)).sign(files, kept)


def test_nothing_is_logged_without_a_timestamp(
    sandbox: LocalSigstore,
    settings: WorkerSettings,
    files: list[File],
    kept: Kept,
    *,
    answering: Answering,
    tmp_path: Path,
) -> None:
    before = sandbox.log.head()
    with answering(500) as url, pytest.raises(Unavailable, match="timestamp authority"):
        open_signer(SIGNER, replaced(settings, "tsaUrls", url, tmp_path)).sign(files, kept)
    assert sandbox.log.head() == before


def test_a_bundle_that_does_not_verify_is_never_handed_out(
    settings: WorkerSettings, files: list[File], kept: Kept, tmp_path: Path
) -> None:
    with local_sigstore(tmp_path / "other") as other:
        config = json.loads(other.trust_config.read_text())
        # Another instance's timestamps are made without complaint, and are good for nothing here.
        elsewhere = replaced(settings, "tsaUrls", config["signingConfig"]["tsaUrls"][0]["url"], tmp_path)
        with pytest.raises(Failed, match="does not count"):
            open_signer(SIGNER, elsewhere).sign(files, kept)
    assert not kept
