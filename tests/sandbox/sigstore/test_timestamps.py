"""The timestamp authority answers what RFC 3161 asks for, in a form that others than the sigstore client accept."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from typing import TYPE_CHECKING

import httpx
import pytest
from cryptography.x509 import Certificate, load_pem_x509_certificate
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from baton.sandbox.sigstore.tsa import POLICY

if TYPE_CHECKING:
    from pathlib import Path

    from baton.sandbox.sigstore.server import LocalSigstore

DATA = b"data"


def ask(instance: LocalSigstore, query: bytes) -> httpx.Response:
    headers = {"content-type": "application/timestamp-query"}
    return httpx.post(f"{instance.url}/tsa/api/v1/timestamp", content=query, headers=headers)


def certificate(instance: LocalSigstore, name: str) -> Certificate:
    return load_pem_x509_certificate((instance.trust_config.parent / "keys" / f"{name}.crt.pem").read_bytes())


@pytest.mark.parametrize("algorithm", [HashAlgorithm.SHA256, HashAlgorithm.SHA512])
@pytest.mark.parametrize("with_certificate", [True, False])
def test_a_timestamp_verifies(instance: LocalSigstore, algorithm: HashAlgorithm, with_certificate: bool) -> None:
    builder = TimestampRequestBuilder().data(DATA).hash_algorithm(algorithm).nonce(nonce=True)
    query = builder.cert_request(cert_request=with_certificate).build()
    answer = ask(instance, query.as_bytes())
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/timestamp-reply"

    response = decode_timestamp_response(answer.content)
    assert len(response.signed_data.certificates) == with_certificate
    assert response.tst_info.nonce == query.nonce
    assert response.tst_info.policy == POLICY
    verifier = (
        VerifierBuilder.from_request(query)
        .tsa_certificate(certificate(instance, "tsa"))
        .add_root_certificate(certificate(instance, "tsa-root"))
        .build()
    )
    assert verifier.verify_message(response, DATA)
    with pytest.raises(VerificationError):
        verifier.verify_message(response, b"datA")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_accepts_a_timestamp_of_this_file_alone(instance: LocalSigstore, tmp_path: Path) -> None:
    def openssl(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["openssl", "ts", *arguments], capture_output=True, text=True, cwd=tmp_path, check=False)

    (tmp_path / "data").write_bytes(DATA)
    (tmp_path / "changed").write_bytes(b"datA")
    assert openssl("-query", "-data", "data", "-sha256", "-cert", "-out", "query").returncode == 0
    (tmp_path / "reply").write_bytes(ask(instance, (tmp_path / "query").read_bytes()).content)

    trusted = ("-CAfile", str(instance.trust_config.parent / "keys" / "tsa-root.crt.pem"))
    assert "Verification: OK" in openssl("-verify", "-queryfile", "query", "-in", "reply", *trusted).stdout
    assert "Verification: OK" in openssl("-verify", "-data", "data", "-in", "reply", *trusted).stdout
    assert openssl("-verify", "-data", "changed", "-in", "reply", *trusted).returncode != 0


@pytest.mark.parametrize("query", [b"", b"nonsense", b"\x30\x03\x02\x01\x01"])
def test_what_is_no_query_is_refused(instance: LocalSigstore, query: bytes) -> None:
    answer = ask(instance, query)
    assert answer.status_code == 400
    assert "not a timestamp query" in answer.json()["message"]


@pytest.mark.parametrize("how", ["digest of another size", "another version"])
def test_a_query_that_is_not_served_is_refused(instance: LocalSigstore, how: str) -> None:
    query = TimestampRequestBuilder().data(DATA).nonce(nonce=False).build().as_bytes()
    digest = hashlib.sha512(DATA).digest()
    if how == "another version":
        altered = query.replace(b"\x02\x01\x01", b"\x02\x01\x02", 1)
    else:
        sha512 = TimestampRequestBuilder().data(DATA).hash_algorithm(HashAlgorithm.SHA512).nonce(nonce=False).build()
        # The object identifiers of SHA-256 and SHA-512 differ in their last byte only, 1 and 3.
        altered = sha512.as_bytes().replace(b"\x04\x02\x03", b"\x04\x02\x01", 1)
        assert digest in altered
    assert altered != query
    answer = ask(instance, altered)
    assert answer.status_code == 400
    assert "expected a version 1 query" in answer.json()["message"]
