"""The certificates of an instance's own authorities; all of them say that they are for development only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from baton.sandbox.sigstore import SANDBOX_MARKER

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

    from baton.sandbox.sigstore.keys import CertifiedKey

VALID_FROM: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""When every authority's validity starts: long ago, so that a test's clock may stand years back."""

VALID_UNTIL: Final = datetime(2049, 12, 31, tzinfo=UTC)
"""When it ends: the last year that RFC 5280 writes with two digits, so that every parser agrees."""


def root(key: ec.EllipticCurvePrivateKey, common_name: str) -> x509.Certificate:
    """A self-signed root."""
    return _authority(common_name, key, issuer=_subject(common_name), issuer_key=key, path_length=None).sign(
        key, hashes.SHA384()
    )


def intermediate(key: ec.EllipticCurvePrivateKey, common_name: str, issuer: CertifiedKey) -> x509.Certificate:
    """An authority under a root that may issue code-signing certificates and nothing else."""
    return (
        _authority(common_name, key, issuer=issuer.certificate.subject, issuer_key=issuer.key, path_length=0)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .sign(issuer.key, hashes.SHA384())
    )


def timestamper(key: ec.EllipticCurvePrivateKey, common_name: str, issuer: CertifiedKey) -> x509.Certificate:
    """The certificate of a timestamp authority: its sole purpose, and critically so (RFC 3161 section 2.3)."""
    return (
        _named(common_name, key, issuer=issuer.certificate.subject, issuer_key=issuer.key)
        .add_extension(key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(issuer.key, hashes.SHA384())
    )


def key_usage(*, digital_signature: bool = False, signs_certificates: bool = False) -> x509.KeyUsage:
    """A key usage (RFC 5280 section 4.2.1.3) with just these bits; who signs certificates may revoke them too."""
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authority(
    common_name: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    path_length: int | None,
) -> x509.CertificateBuilder:
    return (
        _named(common_name, key, issuer=issuer, issuer_key=issuer_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(key_usage(signs_certificates=True), critical=True)
    )


def _named(
    common_name: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder(issuer_name=issuer, subject_name=_subject(common_name), public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(VALID_FROM)
        .not_valid_after(VALID_UNTIL)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )


def _subject(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, SANDBOX_MARKER),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
