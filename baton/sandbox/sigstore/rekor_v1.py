"""The transparency log with the API of Rekor v1, which the public instance and package indexes still use.

Unlike v2 it says when an entry came, in a signed entry timestamp. API and entry formats:
https://github.com/sigstore/rekor/blob/main/openapi.yaml.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import rfc8785
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import Base64Bytes, BaseModel, Field, StringConstraints, TypeAdapter

from baton.sandbox.sigstore import SANDBOX_DOMAIN
from baton.sandbox.sigstore.errors import ApiError, parsed
from baton.sandbox.sigstore.keys import KeyFolder, subject_public_key_info
from baton.sandbox.sigstore.log import TransparencyLog, TreeHead, checkpoint, signed_note
from baton.sandbox.sigstore.rekor import verify_signature

if TYPE_CHECKING:
    from baton.sandbox.sigstore.clock import Clock

_TREE_ID: Final = 1


class _PublicKey(BaseModel):
    content: Base64Bytes


class _Signature(BaseModel):
    content: Base64Bytes
    public_key: _PublicKey = Field(alias="publicKey")


class _Hash(BaseModel):
    algorithm: Literal["sha256"]
    value: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class _Data(BaseModel):
    hash: _Hash


class _HashedRekordSpec(BaseModel):
    signature: _Signature
    data: _Data


class _HashedRekord(BaseModel):
    api_version: Literal["0.0.1"] = Field(alias="apiVersion")
    kind: Literal["hashedrekord"]
    spec: _HashedRekordSpec

    def canonical_spec(self) -> dict[str, Any]:
        signature = self.spec.signature
        certificate = _certificate(signature.public_key.content)
        verify_signature(certificate, signature.content, bytes.fromhex(self.spec.data.hash.value))
        return self.spec.model_dump(mode="json", by_alias=True)


class _EnvelopeSignature(BaseModel):
    sig: Base64Bytes


class _Envelope(BaseModel):
    """A DSSE envelope: https://github.com/secure-systems-lab/dsse/blob/master/envelope.md."""

    payload: Base64Bytes
    payload_type: str = Field(alias="payloadType")
    signatures: Annotated[tuple[_EnvelopeSignature, ...], Field(min_length=1)]

    def signed_digest(self) -> bytes:
        """The SHA-256 of what its signatures sign (DSSE's pre-authentication encoding)."""
        kind = self.payload_type.encode()
        encoding = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(self.payload), self.payload)
        return hashlib.sha256(encoding).digest()


class _ProposedContent(BaseModel):
    envelope: str
    verifiers: Annotated[tuple[Base64Bytes], Field(description="one certificate in PEM")]


class _DsseSpec(BaseModel):
    proposed_content: _ProposedContent = Field(alias="proposedContent")


class _Dsse(BaseModel):
    api_version: Literal["0.0.1"] = Field(alias="apiVersion")
    kind: Literal["dsse"]
    spec: _DsseSpec

    def canonical_spec(self) -> dict[str, Any]:
        text = self.spec.proposed_content.envelope.encode()
        envelope = parsed(_Envelope.model_validate_json, text)
        (verifier,) = self.spec.proposed_content.verifiers
        certificate = _certificate(verifier)
        for signature in envelope.signatures:
            verify_signature(certificate, signature.sig, envelope.signed_digest())
        return {
            "envelopeHash": _sha256(text),
            "payloadHash": _sha256(envelope.payload),
            "signatures": [
                {"signature": _base64(signature.sig), "verifier": _base64(verifier)}
                for signature in envelope.signatures
            ],
        }


_ProposedEntry: Final[TypeAdapter[_HashedRekord | _Dsse]] = TypeAdapter(
    Annotated[_HashedRekord | _Dsse, Field(discriminator="kind")]
)


class RekorV1:
    """Logs signatures as ``hashedrekord`` 0.0.1, and signed statements as ``dsse`` 0.0.1.

    Attributes:
        host: the log's name; the origin of its checkpoints is this and the tree ID.
        key: signs checkpoints and entry timestamps, ECDSA on P-256.
        log_id: the SHA-256 of its public key.

    Args:
        keys: where the key is.
        log: where the entries go.
        clock: says when an entry came.
    """

    host: Final = f"rekor-v1.{SANDBOX_DOMAIN}"

    def __init__(self, keys: KeyFolder, log: TransparencyLog, clock: Clock) -> None:
        self.key = keys.elliptic_curve("rekor-v1", ec.SECP256R1())
        self.log_id = hashlib.sha256(subject_public_key_info(self.key)).digest()
        self._log = log
        self._clock = clock

    def add(self, body: bytes) -> dict[str, Any]:
        """Answers ``POST /api/v1/log/entries``: verifies a signature, logs it, proves it and says when.

        Raises:
            ApiError: 400, the request or the signature in it is not good.
        """
        proposed = parsed(_ProposedEntry.validate_json, body)
        entry = rfc8785.dumps({"apiVersion": "0.0.1", "kind": proposed.kind, "spec": proposed.canonical_spec()})
        inclusion = self._log.append(entry)
        logged: dict[str, int | str] = {
            "body": _base64(entry),
            "integratedTime": int(self._clock().timestamp()),
            "logID": self.log_id.hex(),
            "logIndex": inclusion.index,
        }
        proof = {
            "logIndex": inclusion.index,
            "rootHash": inclusion.head.root.hex(),
            "treeSize": inclusion.head.size,
            "hashes": [node.hex() for node in inclusion.path],
            "checkpoint": self._checkpoint(inclusion.head),
        }
        entry_timestamp = _base64(self._sign(rfc8785.dumps(logged)))
        verification = {"signedEntryTimestamp": entry_timestamp, "inclusionProof": proof}
        return {f"{_TREE_ID:016x}{inclusion.leaf.hex()}": {**logged, "verification": verification}}

    def _checkpoint(self, head: TreeHead) -> str:
        text = checkpoint(f"{self.host} - {_TREE_ID}", head)
        return signed_note(text, name=self.host, key_id=self.log_id, signature=self._sign(text))

    def _sign(self, data: bytes) -> bytes:
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))


def _certificate(pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise ApiError(400, f"verifier: not a certificate in PEM ({error})") from error


def _sha256(data: bytes) -> dict[str, str]:
    return {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
