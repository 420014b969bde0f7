"""What is in a signing certificate, and what no certificate is given for."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from baton.sandbox.sigstore import machine_identity
from baton.sandbox.sigstore.server import local_sigstore

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

    from baton.sandbox.sigstore.server import LocalSigstore

KEY = ec.generate_private_key(ec.SECP256R1())


def request_by(key: CertificateIssuerPrivateKeyTypes) -> x509.CertificateSigningRequest:
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return x509.CertificateSigningRequestBuilder(x509.Name([])).sign(key, algorithm)


def pem(request: x509.CertificateSigningRequest) -> bytes:
    return request.public_bytes(Encoding.PEM)


def unproven() -> bytes:
    """A request for a key that its sender does not have: another key's, in an otherwise good one."""
    good, other = (request_by(ec.generate_private_key(ec.SECP256R1())) for _ in range(2))
    point = [request.public_bytes(Encoding.DER).index(b"\x03\x42\x00\x04") for request in (good, other)]
    assert point[0] == point[1]
    der = bytearray(good.public_bytes(Encoding.DER))
    end = point[0] + 4 + 64
    der[point[0] : end] = other.public_bytes(Encoding.DER)[point[0] : end]
    return pem(x509.load_der_x509_csr(bytes(der)))


def ask(instance: LocalSigstore, request: bytes) -> httpx.Response:
    bearer = {"authorization": f"Bearer {instance.tokens.for_machine('release-worker')}"}
    body = {"certificateSigningRequest": base64.b64encode(request).decode()}
    return httpx.post(f"{instance.url}/api/v2/signingCert", json=body, headers=bearer)


def chain(answer: httpx.Response) -> list[x509.Certificate]:
    links = answer.json()["signedCertificateEmbeddedSct"]["chain"]["certificates"]
    return [x509.load_pem_x509_certificate(link.encode()) for link in links]


def test_the_certificate_has_fulcios_profile(instance: LocalSigstore) -> None:
    leaf, intermediate, root = chain(ask(instance, pem(request_by(KEY))))
    leaf.verify_directly_issued_by(intermediate)
    intermediate.verify_directly_issued_by(root)
    assert leaf.public_key() == KEY.public_key()
    assert leaf.subject == x509.Name([])
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == timedelta(minutes=10)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.critical
    assert names.value.get_values_for_type(x509.UniformResourceIdentifier) == [machine_identity("release-worker")]
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CODE_SIGNING]
    promises = leaf.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value
    assert len(promises) == 1


def test_it_goes_by_the_clock_and_lifetime_given(tmp_path: Path) -> None:
    day = datetime(2024, 2, 29, 12, tzinfo=UTC)
    with local_sigstore(tmp_path, clock=lambda: day, certificate_lifetime=timedelta(hours=1)) as instance:
        leaf, *_ = chain(ask(instance, pem(request_by(KEY))))
    assert (leaf.not_valid_before_utc, leaf.not_valid_after_utc) == (day, day + timedelta(hours=1))


def test_the_trust_bundle_is_the_chain_above_it(instance: LocalSigstore) -> None:
    _, *authorities = chain(ask(instance, pem(request_by(KEY))))
    bundle = httpx.get(f"{instance.url}/api/v2/trustBundle").json()["chains"][0]["certificates"]
    assert [x509.load_pem_x509_certificate(link.encode()) for link in bundle] == authorities


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (b"nonsense", "not a PKCS #10 request in PEM"),
        (unproven(), "its signature is not by the key that it names"),
        (pem(request_by(ed25519.Ed25519PrivateKey.generate())), "expected an ECDSA key on P-256"),
        (pem(request_by(ec.generate_private_key(ec.SECP384R1()))), "expected an ECDSA key on P-256"),
        (pem(request_by(rsa.generate_private_key(65537, 2048))), "expected an ECDSA key on P-256"),
    ],
    ids=["no request", "not the sender's key", "Ed25519", "P-384", "RSA"],
)
def test_there_is_none_for_a_bad_request(instance: LocalSigstore, request_: bytes, reason: str) -> None:
    answer = ask(instance, request_)
    assert answer.status_code == 400
    assert reason in answer.json()["message"]
