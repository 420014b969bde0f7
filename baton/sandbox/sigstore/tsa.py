"""The timestamp authority (RFC 3161): signs that a digest was there at a time."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from baton.sandbox.sigstore import certificates, tsp
from baton.sandbox.sigstore.errors import ApiError

if TYPE_CHECKING:
    from datetime import datetime

    from baton.sandbox.sigstore.clock import Clock
    from baton.sandbox.sigstore.keys import KeyFolder

POLICY: Final = x509.ObjectIdentifier("1.3.6.1.4.1.57264.2")
"""The policy that Sigstore's own timestamp authority states."""

_VERSION: Final = 1
_DIGEST_SIZES: Final = {tsp.SHA256: 32, tsp.SHA384: 48, tsp.SHA512: 64}
_SERIAL_BITS: Final = 152  # positive, and no longer than the 160 bits that RFC 3161 section 2.4.2 allows for


class TimestampAuthority:
    """Answers timestamp queries.

    Attributes:
        root: the root authority.
        signer: signs the timestamps.

    Args:
        keys: where the keys are.
        clock: says what time it is.
    """

    def __init__(self, keys: KeyFolder, clock: Clock) -> None:
        self.root = keys.certified(
            "tsa-root", ec.SECP384R1(), lambda key: certificates.root(key, "Sandbox timestamp root")
        )
        self.signer = keys.certified(
            "tsa",
            ec.SECP256R1(),
            lambda key: certificates.timestamper(key, "Sandbox timestamp authority", self.root),
        )
        self._clock = clock

    def respond(self, query: bytes) -> bytes:
        """The DER of the response to a query in DER.

        Raises:
            ApiError: 400, it is not a query that the authority answers.
        """
        request = _request(query)
        now = self._clock().replace(microsecond=0)
        info = asn1.encode_der(
            tsp.TSTInfo(
                version=_VERSION,
                policy=POLICY,
                message_imprint=request.message_imprint,
                serial_number=secrets.randbits(_SERIAL_BITS),
                gen_time=asn1.GeneralizedTime(now),
                accuracy=tsp.Accuracy(seconds=1),
                nonce=request.nonce,
            )
        )
        signed = tsp.SignedData(
            version=3,
            digest_algorithms=asn1.SetOf([tsp.AlgorithmIdentifier(algorithm=tsp.SHA256)]),
            content_info=tsp.EncapsulatedContentInfo(content_type=tsp.TST_INFO, content=info),
            certificates=asn1.SetOf([self.signer.certificate]) if request.cert_req else None,
            signer_infos=asn1.SetOf([self._signer_info(info, now)]),
        )
        token = tsp.ContentInfo(content_type=tsp.SIGNED_DATA, content=signed)
        return asn1.encode_der(tsp.TimeStampResp(status=tsp.PKIStatusInfo(status=0), time_stamp_token=token))

    def _signer_info(self, info: bytes, now: datetime) -> tsp.SignerInfo:
        certificate = self.signer.certificate
        issuer = tsp.tlv(certificate.issuer.public_bytes())
        attributes = asn1.SetOf(
            [
                tsp.attribute(tsp.CONTENT_TYPE, tsp.TST_INFO),
                tsp.attribute(tsp.SIGNING_TIME, asn1.UTCTime(now)),
                tsp.attribute(tsp.MESSAGE_DIGEST, hashlib.sha256(info).digest()),
                tsp.attribute(tsp.SIGNING_CERTIFICATE_V2, _reference(certificate)),
            ]
        )
        return tsp.SignerInfo(
            version=1,
            sid=tsp.IssuerAndSerialNumber(issuer=issuer, serial_number=certificate.serial_number),
            digest_algorithm=tsp.AlgorithmIdentifier(algorithm=tsp.SHA256),
            signed_attrs=attributes,
            signature_algorithm=tsp.AlgorithmIdentifier(algorithm=tsp.ECDSA_WITH_SHA256),
            # Over the attributes as a plain SET OF, not as the [0] that they are carried as (RFC 5652 section 5.4).
            signature=self.signer.key.sign(asn1.encode_der(attributes), ec.ECDSA(hashes.SHA256())),
        )


def _request(query: bytes) -> tsp.TimeStampReq:
    try:
        request = asn1.decode_der(tsp.TimeStampReq, query)
    except ValueError as error:
        raise ApiError(400, f"not a timestamp query that this authority reads: {error}") from error
    imprint = request.message_imprint
    expected = _DIGEST_SIZES.get(imprint.hash_algorithm.algorithm)
    if request.version != _VERSION or expected is None or len(imprint.hashed_message) != expected:
        raise ApiError(400, "expected a version 1 query for a SHA-256, SHA-384 or SHA-512 digest")
    return request


def _reference(certificate: x509.Certificate) -> tsp.SigningCertificateV2:
    name = tsp.DirectoryName(name=tsp.tlv(certificate.issuer.public_bytes()))
    serial = tsp.IssuerSerial(issuer=name, serial_number=certificate.serial_number)
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    return tsp.SigningCertificateV2(certs=[tsp.ESSCertIDv2(cert_hash=digest, issuer_serial=serial)])
