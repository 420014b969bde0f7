"""The transparency log with the API of Rekor v2.

API and entry format: https://github.com/sigstore/rekor-tiles/blob/main/CLIENTS.md.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any, Final

import rfc8785
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sigstore_models.common.v1 import LogId, PublicKeyDetails
from sigstore_models.rekor.v1 import Checkpoint, InclusionProof, KindVersion, TransparencyLogEntry
from sigstore_models.rekor.v2.entry import CreateEntryRequest

from baton.sandbox.sigstore import SANDBOX_DOMAIN
from baton.sandbox.sigstore.errors import ApiError, parsed
from baton.sandbox.sigstore.log import Inclusion, TransparencyLog, TreeHead, checkpoint, signed_note

if TYPE_CHECKING:
    from baton.sandbox.sigstore.keys import KeyFolder

_ED25519_NOTE: Final = b"\x01"
"""The signature type of Ed25519 in the C2SP ``signed-note`` specification."""


class Rekor:
    """Logs signatures as ``hashedrekord`` 0.0.2, the one kind of entry that v2 has.

    Attributes:
        origin: the log's name in its checkpoints. Clients compare it with the trust root; it is not the address, so
            that it stays the same on another port.
        key: signs the checkpoints, Ed25519.
        log_id: the note key ID that C2SP ``signed-note`` defines, at full length.

    Args:
        keys: where the key is.
        log: where the entries go.
    """

    origin: Final = f"rekor.{SANDBOX_DOMAIN}"

    def __init__(self, keys: KeyFolder, log: TransparencyLog) -> None:
        self.key = keys.ed25519("rekor")
        public_key = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.log_id = hashlib.sha256(self.origin.encode() + b"\n" + _ED25519_NOTE + public_key).digest()
        self._log = log

    def add(self, body: bytes) -> dict[str, Any]:
        """Answers ``POST /api/v2/log/entries``: verifies a signature, logs it, and proves that it is logged.

        Raises:
            ApiError: 400, the request or the signature in it is not good.
        """
        entry = canonical_entry(parsed(CreateEntryRequest.from_json, body))
        inclusion = self._log.append(entry)
        answer = TransparencyLogEntry.model_construct(
            log_index=inclusion.index,
            log_id=LogId.model_construct(key_id=self.log_id),
            kind_version=KindVersion(kind="hashedrekord", version="0.0.2"),
            inclusion_proof=self._proof(inclusion),
            canonicalized_body=entry,
        )
        return answer.to_dict()

    def checkpoint(self) -> str:
        """Answers ``GET /api/v2/checkpoint``: the signed head of the log as it is now."""
        return self._signed(self._log.head())

    def _proof(self, inclusion: Inclusion) -> InclusionProof:
        return InclusionProof.model_construct(
            log_index=inclusion.index,
            root_hash=inclusion.head.root,
            tree_size=inclusion.head.size,
            hashes=list(inclusion.path),
            checkpoint=Checkpoint(envelope=self._signed(inclusion.head)),
        )

    def _signed(self, head: TreeHead) -> str:
        text = checkpoint(self.origin, head)
        return signed_note(text, name=self.origin, key_id=self.log_id, signature=self.key.sign(text))


def canonical_entry(request: CreateEntryRequest) -> bytes:
    """The bytes that are logged for a request: its entry in canonical JSON (RFC 8785).

    Raises:
        ApiError: 400, the request is not for what the log takes, or its signature is not good.
    """
    proposed = request.hashed_rekord_request_v002
    if proposed is None:
        raise ApiError(400, "expected hashedRekordRequestV002, the only kind of entry that this log takes")
    verifier = proposed.signature.verifier
    if verifier.x509_certificate is None or verifier.key_details != PublicKeyDetails.PKIX_ECDSA_P256_SHA_256:
        raise ApiError(400, "verifier: expected x509Certificate with keyDetails PKIX_ECDSA_P256_SHA_256")
    try:
        certificate = x509.load_der_x509_certificate(verifier.x509_certificate.raw_bytes)
    except ValueError as error:
        raise ApiError(400, f"verifier: not a certificate in DER ({error})") from error
    verify_signature(certificate, proposed.signature.content, proposed.digest)
    return rfc8785.dumps(
        {
            "apiVersion": "0.0.2",
            "kind": "hashedrekord",
            "spec": {
                "hashedRekordV002": {
                    "data": {"algorithm": "SHA2_256", "digest": base64.b64encode(proposed.digest).decode()},
                    "signature": proposed.signature.to_dict(),
                }
            },
        }
    )


def verify_signature(certificate: x509.Certificate, signature: bytes, digest: bytes) -> None:
    """Verifies an ECDSA signature over a SHA-256 digest by the key in a certificate.

    The certificate itself is not verified, as in the real log: that is for whoever verifies the bundle.

    Raises:
        ApiError: 400, it is not good.
    """
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ApiError(400, "verifier: expected the certificate of an ECDSA key")
    try:
        key.verify(signature, digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    except ValueError as error:
        raise ApiError(400, f"digest: not one of SHA-256 ({error})") from error
    except InvalidSignature as error:
        raise ApiError(400, "the signature is not of this digest by the key in the certificate") from error
