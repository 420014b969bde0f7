"""The private keys and certificates of an instance: PEM files, made at their first use and kept from then on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from baton.model.errors import Invalid
from baton.sandbox.sigstore.files import create_once

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class CertifiedKey:
    """A private key and the certificate of its public key."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


class KeyFolder:
    """The folder ``keys`` in an instance's state folder. Keys are not encrypted: only file modes guard them.

    Args:
        state: the state folder.
    """

    def __init__(self, state: Path) -> None:
        self._folder = state / "keys"

    def elliptic_curve(self, name: str, curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
        """The ECDSA key of that name.

        Raises:
            Invalid: the file holds something else.
        """
        key = self._load(name, lambda: ec.generate_private_key(curve))
        if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == curve.name:
            return key
        raise self._unexpected(name, f"an ECDSA key on {curve.name}")

    def ed25519(self, name: str) -> ed25519.Ed25519PrivateKey:
        """The Ed25519 key of that name.

        Raises:
            Invalid: the file holds something else.
        """
        key = self._load(name, ed25519.Ed25519PrivateKey.generate)
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return key
        raise self._unexpected(name, "an Ed25519 key")

    def certified(
        self,
        name: str,
        curve: ec.EllipticCurve,
        certify: Callable[[ec.EllipticCurvePrivateKey], x509.Certificate],
    ) -> CertifiedKey:
        """The ECDSA key of that name and its certificate.

        Args:
            name: of both files.
            curve: the key's.
            certify: makes the certificate for the key; called only if there is none.

        Raises:
            Invalid: a file holds something else, or the certificate is for another key.
        """
        key = self.elliptic_curve(name, curve)
        file = self._folder / f"{name}.crt.pem"
        pem = create_once(file, lambda: certify(key).public_bytes(Encoding.PEM))
        try:
            certificate = x509.load_pem_x509_certificate(pem)
        except ValueError as error:
            raise Invalid(f"{file} should hold a certificate in PEM but does not: {error}; {_START_AFRESH}") from error
        if certificate.public_key() != key.public_key():
            raise Invalid(f"{file} is the certificate of another key than {name}.key.pem; {_START_AFRESH}")
        return CertifiedKey(key, certificate)

    def _load(self, name: str, generate: Callable[[], PrivateKey]) -> object:
        def pem() -> bytes:
            return generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

        try:
            return load_pem_private_key(create_once(self._folder / f"{name}.key.pem", pem), password=None)
        except ValueError as error:
            raise self._unexpected(name, "a private key in PEM") from error

    def _unexpected(self, name: str, expected: str) -> Invalid:
        return Invalid(f"{self._folder / name}.key.pem should hold {expected} but does not; {_START_AFRESH}")


_START_AFRESH = "restore it, or remove the state folder to start a new instance (nothing signed before will verify)"


def subject_public_key_info(key: PrivateKey) -> bytes:
    """The DER form of a key's public half (RFC 5280 section 4.1.2.7), by whose SHA-256 logs are known."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
