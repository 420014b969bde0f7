"""The certificate authority: a code-signing certificate of ten minutes for whoever holds an identity token.

API: https://github.com/sigstore/fulcio/blob/main/fulcio.proto. Certificate profile:
https://github.com/sigstore/fulcio/blob/main/docs/certificate-specification.md.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from pydantic import Base64Bytes, BaseModel, Field, ValidationError

from baton.sandbox.sigstore import certificates
from baton.sandbox.sigstore.errors import ApiError, faults, parsed
from baton.sandbox.sigstore.identities import CertificateIdentity, identity

if TYPE_CHECKING:
    from baton.sandbox.sigstore.clock import Clock
    from baton.sandbox.sigstore.ctlog import CtLog
    from baton.sandbox.sigstore.keys import KeyFolder
    from baton.sandbox.sigstore.tokens import TokenIssuer

CERTIFICATE_LIFETIME: Final = timedelta(minutes=10)


class _SigningCertificateRequest(BaseModel):
    certificate_signing_request: Base64Bytes = Field(alias="certificateSigningRequest")


class Fulcio:
    """Issues signing certificates.

    Attributes:
        root: the root authority.
        intermediate: the authority that issues.

    Args:
        keys: where the authorities' keys are.
        tokens: verifies the identity tokens.
        ctlog: promises that each certificate is logged.
        clock: certificates are valid from now by this clock.
        lifetime: how long they are valid.
    """

    def __init__(self, keys: KeyFolder, tokens: TokenIssuer, ctlog: CtLog, clock: Clock, lifetime: timedelta) -> None:
        self.root = keys.certified(
            "fulcio-root", ec.SECP384R1(), lambda key: certificates.root(key, "Sandbox Fulcio root")
        )
        self.intermediate = keys.certified(
            "fulcio-intermediate",
            ec.SECP384R1(),
            lambda key: certificates.intermediate(key, "Sandbox Fulcio intermediate", self.root),
        )
        self._tokens = tokens
        self._ctlog = ctlog
        self._clock = clock
        self._lifetime = lifetime

    def signing_certificate(self, body: bytes, authorization: str) -> dict[str, Any]:
        """Answers ``POST /api/v2/signingCert``.

        Args:
            body: JSON with a PKCS #10 request in PEM, in base64.
            authorization: the request header; the token comes as ``Bearer``.

        Raises:
            ApiError: 401, the token does not count; 400, anything else is wrong with the request.
        """
        subject = self._identity(authorization)
        request = parsed(_SigningCertificateRequest.model_validate_json, body)
        leaf = self._issue(_public_key(request.certificate_signing_request), subject)
        return {"signedCertificateEmbeddedSct": {"chain": {"certificates": [_pem(leaf), *self._chain()]}}}

    def trust_bundle(self) -> dict[str, Any]:
        """Answers ``GET /api/v2/trustBundle``."""
        return {"chains": [{"certificates": self._chain()}]}

    def _chain(self) -> list[str]:
        return [_pem(self.intermediate.certificate), _pem(self.root.certificate)]

    def _identity(self, authorization: str) -> CertificateIdentity:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise ApiError(401, "expected an identity token in the header 'Authorization: Bearer …', found none")
        try:
            return identity(self._tokens.verify(token.strip()))
        except KeyError as error:
            raise ApiError(400, f"no certificates for tokens of issuer {error}") from error
        except ValidationError as error:
            raise ApiError(400, f"the identity token lacks what a certificate needs: {faults(error)}") from error
        except ValueError as error:
            raise ApiError(400, f"the identity token names what a certificate can't: {error}") from error

    def _issue(self, key: ec.EllipticCurvePublicKey, subject: CertificateIdentity) -> x509.Certificate:
        now = self._clock()
        issuer = self.intermediate
        builder = (
            x509.CertificateBuilder(issuer_name=issuer.certificate.subject, subject_name=x509.Name([]), public_key=key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now.replace(microsecond=0))
            .not_valid_after(now.replace(microsecond=0) + self._lifetime)
            .add_extension(certificates.key_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
            # Critical, since the subject is empty (RFC 5280 section 4.2.1.6).
            .add_extension(x509.SubjectAlternativeName([subject.name]), critical=True)
        )
        for extension in subject.extensions():
            builder = builder.add_extension(extension, critical=False)
        # The promise covers the certificate without the promise (RFC 6962 section 3.2), hence signing it twice.
        to_be_signed = builder.sign(issuer.key, hashes.SHA384()).tbs_certificate_bytes
        promise = self._ctlog.timestamp_list(to_be_signed, issuer.key, now)
        return builder.add_extension(promise, critical=False).sign(issuer.key, hashes.SHA384())


def _public_key(pem: bytes) -> ec.EllipticCurvePublicKey:
    try:
        request = x509.load_pem_x509_csr(pem)
        proven = request.is_signature_valid
        key = request.public_key()
    except ValueError as error:
        raise ApiError(400, f"certificateSigningRequest: not a PKCS #10 request in PEM ({error})") from error
    if not proven:
        raise ApiError(400, "certificateSigningRequest: its signature is not by the key that it names")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ApiError(400, "certificateSigningRequest: expected an ECDSA key on P-256, as the sigstore client makes")
    return key


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
