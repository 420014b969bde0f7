"""What the two logs take over HTTP, what they refuse, and what they commit to when many write at once."""

from __future__ import annotations

import base64
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext
from sigstore.verify import Verifier, policy

from baton.sandbox.sigstore import ISSUER, certificates, machine_identity
from baton.sandbox.sigstore.merkle import MerkleTree, leaf_hash
from baton.sandbox.sigstore.server import local_sigstore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sigstore.models import Bundle, ClientTrustConfig

    from baton.sandbox.sigstore.server import LocalSigstore

Document = dict[str, Any]
KEY = ec.generate_private_key(ec.SECP256R1())
CERTIFICATE = certificates.root(KEY, "Test signer")
DIGEST = hashlib.sha256(b"data").digest()
DSSE_V2 = {"envelope": {"payload": "", "payloadType": "t", "signatures": [{"sig": ""}]}, "verifiers": []}
SIGNATURE = KEY.sign(b"data", ec.ECDSA(hashes.SHA256()))

ED25519_CERTIFICATE = (
    x509.CertificateBuilder(x509.Name([]), x509.Name([]), ed25519.Ed25519PrivateKey.generate().public_key())
    .serial_number(1)
    .not_valid_before(certificates.VALID_FROM)
    .not_valid_after(certificates.VALID_UNTIL)
    .sign(KEY, hashes.SHA256())
)


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def request_v2(**others: Any) -> Document:
    verifier = {
        "x509Certificate": {"rawBytes": text(CERTIFICATE.public_bytes(Encoding.DER))},
        "keyDetails": "PKIX_ECDSA_P256_SHA_256",
    } | others.pop("verifier", {})
    signature = {"content": others.pop("signature", text(SIGNATURE)), "verifier": verifier}
    return {"hashedRekordRequestV002": {"digest": text(DIGEST), "signature": signature} | others}


def request_v1(**others: Any) -> Document:
    certificate = others.pop("certificate", text(CERTIFICATE.public_bytes(Encoding.PEM)))
    signature = others.pop("signature", text(SIGNATURE))
    spec = {
        "signature": {"content": signature, "publicKey": {"content": certificate}},
        "data": {"hash": {"algorithm": "sha256", "value": others.pop("digest", DIGEST.hex())}},
    }
    return {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec} | others


def statement_v1(payload: str = text(b"data"), signatures: int = 1) -> Document:
    encoding = b"DSSEv1 1 t 4 data"
    signed = [{"sig": text(KEY.sign(encoding, ec.ECDSA(hashes.SHA256())))}] * signatures
    envelope = json.dumps({"payload": payload, "payloadType": "t", "signatures": signed})
    content = {"envelope": envelope, "verifiers": [text(CERTIFICATE.public_bytes(Encoding.PEM))]}
    return {"apiVersion": "0.0.1", "kind": "dsse", "spec": {"proposedContent": content}}


def add(instance: LocalSigstore, version: int, request: Any) -> httpx.Response:
    path = {1: "/rekor-v1/api/v1/log/entries", 2: "/rekor/api/v2/log/entries"}[version]
    return httpx.post(instance.url + path, content=json.dumps(request))


@pytest.mark.parametrize(
    ("version", "request_"),
    [(2, request_v2()), (1, request_v1()), (1, statement_v1()), (1, statement_v1(signatures=2))],
)
def test_a_good_signature_is_logged(instance: LocalSigstore, version: int, request_: Document) -> None:
    assert add(instance, version, request_).status_code == 201


@pytest.mark.parametrize(
    ("version", "request_", "reason"),
    [
        (2, [], "malformed"),
        (2, {}, "malformed"),
        (2, {"dsseRequestV002": DSSE_V2}, "the only kind of entry"),
        (
            2,
            request_v2(
                verifier={"x509Certificate": {"rawBytes": text(ED25519_CERTIFICATE.public_bytes(Encoding.DER))}}
            ),
            "certificate of an ECDSA key",
        ),
        (2, request_v2(digest=text(hashlib.sha256(b"datA").digest())), "not of this digest"),
        (2, request_v2(digest=text(b"short")), "not one of SHA-256"),
        (2, request_v2(signature=text(b"nonsense")), "not of this digest"),
        (2, request_v2(verifier={"keyDetails": "PKIX_ED25519"}), "expected x509Certificate with keyDetails"),
        (2, request_v2(verifier={"x509Certificate": {"rawBytes": text(b"nonsense")}}), "not a certificate"),
        (1, [], "malformed"),
        (1, request_v1(kind="rekord"), "malformed"),
        (1, request_v1(apiVersion="0.0.2"), "malformed"),
        (1, request_v1(digest="A" * 64), "malformed"),
        (1, request_v1(digest="0" * 64), "not of this digest"),
        (1, request_v1(signature=text(b"nonsense")), "not of this digest"),
        (1, request_v1(certificate=text(b"nonsense")), "not a certificate"),
        (1, statement_v1(payload=text(b"datA")), "not of this digest"),
        (1, statement_v1(signatures=0), "malformed"),
    ],
)
def test_anything_else_is_refused_and_not_logged(
    instance: LocalSigstore, version: int, request_: Any, reason: str
) -> None:
    before = instance.log.head()
    answer = add(instance, version, request_)
    assert answer.status_code == 400
    assert reason in answer.json()["message"]
    assert instance.log.head() == before


def test_what_is_too_long_is_refused(instance: LocalSigstore) -> None:
    assert httpx.post(f"{instance.url}/rekor/api/v2/log/entries", content=b" " * 5_000_000).status_code == 413


def test_the_published_checkpoint_is_of_the_log_as_it_is(instance: LocalSigstore) -> None:
    add(instance, 2, request_v2())
    head = instance.log.head()
    note = httpx.get(f"{instance.url}/rekor/api/v2/checkpoint").text
    origin, size, root, *_ = note.splitlines()
    assert (origin, int(size), base64.b64decode(root)) == ("rekor.sandbox.baton.invalid", head.size, head.root)


@pytest.mark.parametrize("log_version", [1, 2])
def test_many_signing_at_once_get_one_history(
    tmp_path: Path,
    config_of: Callable[[Path, int], ClientTrustConfig],
    verifier_of: Callable[[Path], Verifier],
    log_version: int,
) -> None:
    with local_sigstore(tmp_path) as instance:
        context = SigningContext.from_trust_config(config_of(instance.trust_config, log_version))

        def sign(machine: int) -> list[Bundle]:
            with context.signer(IdentityToken(instance.tokens.for_machine(f"machine-{machine}"))) as signer:
                return [signer.sign_artifact(b"data") for _ in range(6)]

        with ThreadPoolExecutor(8) as pool:
            by_machine = list(pool.map(sign, range(8)))

    verifier = verifier_of(instance.trust_config)
    for machine, bundles in enumerate(by_machine):
        identity = policy.Identity(identity=machine_identity(f"machine-{machine}"), issuer=ISSUER)
        for bundle in bundles:
            verifier.verify_artifact(b"data", bundle, identity)

    history = MerkleTree()
    entries = [bundle.log_entry._inner for bundles in by_machine for bundle in bundles]
    for entry in sorted(entries, key=lambda entry: entry.log_index):
        assert history.append(leaf_hash(entry.canonicalized_body)) == entry.log_index
        assert entry.inclusion_proof.tree_size == history.size
        assert entry.inclusion_proof.root_hash == history.root()


def test_added_latency_holds_back_the_answer_but_not_other_requests(tmp_path: Path) -> None:
    with local_sigstore(tmp_path, log_latency=timedelta(seconds=1)) as instance, ThreadPoolExecutor(16) as pool:
        start = monotonic()
        answers = list(
            pool.map(lambda version: add(instance, version, [request_v1(), request_v2()][version - 1]), [1, 2] * 8)
        )
        elapsed = monotonic() - start
    assert {answer.status_code for answer in answers} == {201}
    assert min(answer.elapsed for answer in answers) >= timedelta(seconds=1)
    # One after the other they would take as many seconds as there are requests.
    assert elapsed < 16
