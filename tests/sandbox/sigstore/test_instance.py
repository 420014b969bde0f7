"""An instance is the same one after a restart, is held by one process, and says what it is."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import requests
import sigstore
from cryptography.x509 import load_der_x509_certificate
from cryptography.x509.oid import NameOID
from sigstore.verify import Verifier, policy
from sigstore_models.trustroot.v1 import ClientTrustConfig

from baton.model.errors import Invalid, Unavailable
from baton.sandbox.sigstore import ISSUER, SANDBOX_MARKER, is_sandbox_trust_root, machine_identity
from baton.sandbox.sigstore.server import local_sigstore
from baton.sandbox.sigstore.tokens import TokenIssuer
from tests.conftest import own_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from sigstore.models import Bundle

    from baton.sandbox.sigstore.server import LocalSigstore

IDENTITY = policy.Identity(identity=machine_identity("release-worker"), issuer=ISSUER)


@pytest.mark.parametrize("log_version", [1, 2])
def test_it_goes_on_after_a_restart_on_another_port(
    tmp_path: Path, sign: Callable[..., Bundle], verifier_of: Callable[[Path], Verifier], log_version: int
) -> None:
    bundles, roots, urls = [], set(), set()
    for _ in range(3):
        with local_sigstore(tmp_path) as instance:
            urls.add(instance.url)
            roots.add(json.dumps(json.loads(instance.trust_config.read_text())["trustedRoot"]))
            token = instance.tokens.for_machine("release-worker")
            bundles.append(sign(instance.trust_config, token, b"data", log_version))
    assert len(urls) == 3
    assert len(roots) == 1
    assert [bundle.log_entry._inner.log_index for bundle in bundles] == [0, 1, 2]
    for bundle in bundles:
        verifier_of(tmp_path / "trust_config.json").verify_artifact(b"data", bundle, IDENTITY)


def test_its_trust_root_names_the_logs_as_their_entries_do(
    instance: LocalSigstore, sign: Callable[..., Bundle]
) -> None:
    token = instance.tokens.for_machine("release-worker")
    by_version = [sign(instance.trust_config, token, b"data", version).log_entry._inner for version in (2, 1)]
    logs = ClientTrustConfig.from_json(instance.trust_config.read_text()).trusted_root.tlogs
    assert [log.log_id for log in logs] == [entry.log_id for entry in by_version]
    for log, entry in zip(logs, by_version, strict=True):
        assert entry.inclusion_proof.checkpoint is not None
        assert entry.inclusion_proof.checkpoint.envelope.startswith(log.base_url.removeprefix("https://"))


def test_it_answers_within_milliseconds_over_a_connection_that_stays_open(instance: LocalSigstore) -> None:
    with requests.Session() as session:
        elapsed = [session.post(f"{instance.url}/rekor/api/v2/log/entries", json={}).elapsed for _ in range(200)]
    # With Nagle's algorithm on, every answer but the first few would wait 40 ms for a delayed acknowledgement. On a
    # busy machine many take as long for other reasons, but not all.
    assert min(elapsed[10:]) < timedelta(milliseconds=30)


def test_it_comes_up_again_on_a_given_port(tmp_path: Path) -> None:
    port = own_port()
    with local_sigstore(tmp_path, port=port) as instance:
        assert instance.url == f"http://127.0.0.1:{port}"
        assert httpx.get(f"{instance.url}/api/v2/trustBundle").status_code == 200
    with local_sigstore(tmp_path, port=port) as again:
        assert again.url == instance.url
        assert httpx.get(f"{again.url}/api/v2/trustBundle").status_code == 200


def test_a_token_made_before_it_first_runs_counts(
    tmp_path: Path, sign: Callable[..., Bundle], verifier_of: Callable[[Path], Verifier]
) -> None:
    token = TokenIssuer(tmp_path).for_machine("release-worker")
    with local_sigstore(tmp_path) as instance:
        bundle = sign(instance.trust_config, token, b"data")
    verifier_of(instance.trust_config).verify_artifact(b"data", bundle, IDENTITY)


def test_its_state_folder_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    with local_sigstore(tmp_path), pytest.raises(Unavailable, match=r"in use by .* \(process \d+\)"):
        local_sigstore(tmp_path).__enter__()
    with local_sigstore(tmp_path):
        pass


def test_a_port_that_is_taken_is_refused(instance: LocalSigstore, tmp_path: Path) -> None:
    port = int(instance.url.rsplit(":", 1)[1])
    with pytest.raises(Unavailable, match=f"can't listen on 127.0.0.1:{port}: Address already in use"):
        local_sigstore(tmp_path, port=port).__enter__()


def test_a_state_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(Invalid, match="should be a folder"):
        local_sigstore(tmp_path / "state").__enter__()


def test_the_trust_configuration_is_served_too(instance: LocalSigstore) -> None:
    assert httpx.get(f"{instance.url}/trust_config.json").text == instance.trust_config.read_text()


def test_every_authority_says_that_it_is_for_development_only(instance: LocalSigstore) -> None:
    config = ClientTrustConfig.from_json(instance.trust_config.read_text())
    root = config.trusted_root
    for authority in (*root.certificate_authorities, *root.timestamp_authorities):
        assert authority.subject.organization == SANDBOX_MARKER
        for link in authority.cert_chain.certificates:
            (organization,) = load_der_x509_certificate(link.raw_bytes).subject.get_attributes_for_oid(
                NameOID.ORGANIZATION_NAME
            )
            assert organization.value == SANDBOX_MARKER
    signing = config.signing_config
    services = (*signing.ca_urls, *signing.oidc_urls, *signing.rekor_tlog_urls, *signing.tsa_urls)
    assert {service.operator for service in services} == {SANDBOX_MARKER}


class TestSandboxTrustRoot:
    def test_is_known_for_one(self, instance: LocalSigstore) -> None:
        config = json.loads(instance.trust_config.read_text())
        assert is_sandbox_trust_root(json.dumps(config))
        assert is_sandbox_trust_root(json.dumps(config["trustedRoot"]))

    @pytest.mark.parametrize("part", ["certificateAuthorities", "timestampAuthorities", "tlogs", "ctlogs"])
    def test_is_known_by_any_part_of_it(self, instance: LocalSigstore, part: str) -> None:
        root = json.loads(public_root()) | {part: json.loads(instance.trust_config.read_text())["trustedRoot"][part]}
        assert is_sandbox_trust_root(json.dumps(root))

    def test_is_not_the_public_one(self) -> None:
        assert not is_sandbox_trust_root(public_root())

    @pytest.mark.parametrize("document", ["", "[]", "{}", '{"trustedRoot": 1}', "nothing"])
    def test_is_not_just_anything(self, document: str) -> None:
        with pytest.raises(Invalid, match="expected a Sigstore TrustedRoot"):
            is_sandbox_trust_root(document)


def public_root() -> str:
    """The trust root of the public instance, as the client ships it."""
    (file,) = Path(sigstore.__file__).parent.glob("_store/*tuf-repo-cdn.sigstore.dev/trusted_root.json")
    return file.read_text()
