"""The structures of the Time-Stamp Protocol (RFC 3161) and of the messages it is signed in (RFC 5652, RFC 5035)."""
# Annotations are evaluated as they stand: the ASN.1 encoder reads them.

from typing import Annotated, Final, TypeVar

from cryptography import x509
from cryptography.hazmat import asn1

Oid = x509.ObjectIdentifier

SHA256: Final = Oid("2.16.840.1.101.3.4.2.1")
SHA384: Final = Oid("2.16.840.1.101.3.4.2.2")
SHA512: Final = Oid("2.16.840.1.101.3.4.2.3")
ECDSA_WITH_SHA256: Final = Oid("1.2.840.10045.4.3.2")
SIGNED_DATA: Final = Oid("1.2.840.113549.1.7.2")
TST_INFO: Final = Oid("1.2.840.113549.1.9.16.1.4")
CONTENT_TYPE: Final = Oid("1.2.840.113549.1.9.3")
MESSAGE_DIGEST: Final = Oid("1.2.840.113549.1.9.4")
SIGNING_TIME: Final = Oid("1.2.840.113549.1.9.5")
SIGNING_CERTIFICATE_V2: Final = Oid("1.2.840.113549.1.9.16.2.47")


@asn1.sequence
class AlgorithmIdentifier:
    """RFC 5280 section 4.1.1.2; no algorithm here has parameters, though some write that as NULL."""

    algorithm: x509.ObjectIdentifier
    parameters: asn1.Null | None = None


@asn1.sequence
class MessageImprint:
    """The digest to be timestamped."""

    hash_algorithm: AlgorithmIdentifier
    hashed_message: bytes


@asn1.sequence
class TimeStampReq:
    """RFC 3161 section 2.4.1, without extensions: there are none that an authority has to know."""

    version: int
    message_imprint: MessageImprint
    req_policy: x509.ObjectIdentifier | None = None
    nonce: int | None = None
    cert_req: Annotated[bool, asn1.Default(value=False)] = False


@asn1.sequence
class Accuracy:
    """How far the time may be off."""

    seconds: int


@asn1.sequence
class TSTInfo:
    """RFC 3161 section 2.4.2: what the authority signs."""

    version: int
    policy: x509.ObjectIdentifier
    message_imprint: MessageImprint
    serial_number: int
    gen_time: asn1.GeneralizedTime
    accuracy: Accuracy
    nonce: int | None


@asn1.sequence
class Attribute:
    """RFC 5652 section 5.3."""

    type: x509.ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class IssuerAndSerialNumber:
    """RFC 5652 section 10.2.4."""

    issuer: asn1.TLV
    serial_number: int


@asn1.sequence
class DirectoryName:
    """A GeneralNames (RFC 5280 section 4.2.1.6) that holds one directory name."""

    name: Annotated[asn1.TLV, asn1.Explicit(4)]


@asn1.sequence
class IssuerSerial:
    """RFC 5035 section 4."""

    issuer: DirectoryName
    serial_number: int


@asn1.sequence
class ESSCertIDv2:
    """RFC 5035 section 4, with its default hash algorithm, SHA-256."""

    cert_hash: bytes
    issuer_serial: IssuerSerial


@asn1.sequence
class SigningCertificateV2:
    """RFC 5035 section 3: ties the signature to one certificate."""

    certs: list[ESSCertIDv2]


@asn1.sequence
class SignerInfo:
    """RFC 5652 section 5.3."""

    version: int
    sid: IssuerAndSerialNumber
    digest_algorithm: AlgorithmIdentifier
    signed_attrs: Annotated[asn1.SetOf[Attribute], asn1.Implicit(0)]
    signature_algorithm: AlgorithmIdentifier
    signature: bytes


@asn1.sequence
class EncapsulatedContentInfo:
    """RFC 5652 section 5.2."""

    content_type: x509.ObjectIdentifier
    content: Annotated[bytes, asn1.Explicit(0)]


@asn1.sequence
class SignedData:
    """RFC 5652 section 5.1."""

    version: int
    digest_algorithms: asn1.SetOf[AlgorithmIdentifier]
    content_info: EncapsulatedContentInfo
    certificates: Annotated[asn1.SetOf[x509.Certificate] | None, asn1.Implicit(0)]
    signer_infos: asn1.SetOf[SignerInfo]


@asn1.sequence
class ContentInfo:
    """RFC 5652 section 3, for signed data."""

    content_type: x509.ObjectIdentifier
    content: Annotated[SignedData, asn1.Explicit(0)]


@asn1.sequence
class PKIStatusInfo:
    """RFC 3161 section 2.4.2; 0 is granted."""

    status: int


@asn1.sequence
class TimeStampResp:
    """RFC 3161 section 2.4.2, for a request that was granted."""

    status: PKIStatusInfo
    time_stamp_token: ContentInfo


_Encodable = TypeVar("_Encodable", x509.ObjectIdentifier, bytes, asn1.UTCTime, SigningCertificateV2)


def attribute(kind: x509.ObjectIdentifier, value: _Encodable) -> Attribute:
    """An attribute with one value."""
    return Attribute(type=kind, values=asn1.SetOf([tlv(asn1.encode_der(value))]))


def tlv(der: bytes) -> asn1.TLV:
    """DER as an element that can stand in a structure."""
    return asn1.decode_der(asn1.TLV, der)
