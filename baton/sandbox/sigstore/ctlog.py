"""The certificate transparency log key: it signs the promise that a certificate was logged (RFC 6962 section 3.2).

Clients only verify the promise, which is inside the certificate; there is no log behind it.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID

from baton.sandbox.sigstore.keys import KeyFolder, subject_public_key_info

if TYPE_CHECKING:
    from datetime import datetime

_VERSION_1: Final = 0
_CERTIFICATE_TIMESTAMP: Final = 0
_PRECERTIFICATE_ENTRY: Final = 1
_SHA256_ECDSA: Final = b"\x04\x03"
"""RFC 5246 section 7.4.1.4.1: the hash algorithm, then the signature algorithm."""


class CtLog:
    """Signs signed certificate timestamps.

    Attributes:
        key: the log's key, ECDSA on P-256.
        log_id: the SHA-256 of its public key.
    """

    def __init__(self, keys: KeyFolder) -> None:
        self.key = keys.elliptic_curve("ctlog", ec.SECP256R1())
        self.log_id = hashlib.sha256(subject_public_key_info(self.key)).digest()

    def timestamp_list(
        self, tbs_certificate: bytes, issuer_key: ec.EllipticCurvePrivateKey, time: datetime
    ) -> x509.UnrecognizedExtension:
        """The certificate extension with one signed certificate timestamp, to be added as the last extension.

        Args:
            tbs_certificate: the DER of the certificate to be signed, complete but for this extension.
            issuer_key: the authority's that will sign the certificate.
            time: of logging.
        """
        milliseconds = int(time.timestamp() * 1000)
        entry = (
            hashlib.sha256(subject_public_key_info(issuer_key)).digest()
            + len(tbs_certificate).to_bytes(3, "big")
            + tbs_certificate
        )
        no_extensions = _length_prefixed(b"")
        signed = (
            struct.pack(">BBQH", _VERSION_1, _CERTIFICATE_TIMESTAMP, milliseconds, _PRECERTIFICATE_ENTRY)
            + entry
            + no_extensions
        )
        signature = self.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        timestamp = (
            struct.pack(">B32sQ", _VERSION_1, self.log_id, milliseconds)
            + no_extensions
            + _SHA256_ECDSA
            + _length_prefixed(signature)
        )
        timestamps = _length_prefixed(_length_prefixed(timestamp))
        return x509.UnrecognizedExtension(
            ExtensionOID.PRECERT_SIGNED_CERTIFICATE_TIMESTAMPS, asn1.encode_der(timestamps)
        )


def _length_prefixed(data: bytes) -> bytes:
    return struct.pack(">H", len(data)) + data
