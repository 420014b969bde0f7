"""What a Sigstore signing certificate says of who asked for it.

The extensions are those of https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat import asn1
from cryptography.x509 import (
    Certificate,
    ExtensionNotFound,
    ObjectIdentifier,
    RFC822Name,
    SubjectAlternativeName,
    UniformResourceIdentifier,
    UnrecognizedExtension,
)
from sigstore.errors import VerificationError

from baton.trust.identities import GITHUB_ISSUER, TrustedIdentity, TrustedSigstoreIdentity, TrustedWorkflow

if TYPE_CHECKING:
    from datetime import datetime

_ARC = "1.3.6.1.4.1.57264.1"
_ISSUER_OLD, _ISSUER = 1, 8
_RUNNER_ENVIRONMENT, _SOURCE_REPOSITORY, _SOURCE_REF, _BUILD_CONFIG = 11, 12, 14, 18


@dataclass(frozen=True)
class CertifiedIdentity:
    """Who a certificate names.

    Attributes:
        identity: the one subject alternative name.
        issuer: who vouched for it.
        at: from when the certificate is valid.
        runner: where a workflow ran, ``github-hosted`` or ``self-hosted``; with the next three, of workflows only.
        repository: the address of the repository that the workflow ran for.
        ref: the git ref that it ran on.
        workflow: the address of the workflow file that the run started with, at that ref.
    """

    identity: str
    issuer: str
    at: datetime
    runner: str | None
    repository: str | None
    ref: str | None
    workflow: str | None

    @classmethod
    def of(cls, certificate: Certificate) -> CertifiedIdentity:
        """Read a certificate. This proves nothing: the caller verifies the certificate.

        Raises:
            VerificationError: it has not exactly one subject alternative name, or names no issuer.
        """
        issuer = _text(certificate, _ISSUER) or _bare_text(certificate, _ISSUER_OLD)
        if issuer is None:
            raise VerificationError("the certificate names no issuer")
        return cls(
            identity=_only_name(certificate),
            issuer=issuer,
            at=certificate.not_valid_before_utc,
            runner=_text(certificate, _RUNNER_ENVIRONMENT),
            repository=_text(certificate, _SOURCE_REPOSITORY),
            ref=_text(certificate, _SOURCE_REF),
            workflow=_text(certificate, _BUILD_CONFIG),
        )

    def is_named_by(self, trusted: TrustedIdentity) -> bool:
        """Whether this is the identity, or a run of the workflow, that the entry names, whatever its dates."""
        if isinstance(trusted, TrustedSigstoreIdentity):
            return self.identity == trusted.identity and self.issuer == trusted.issuer
        if isinstance(trusted, TrustedWorkflow):
            return self._is_run_of(trusted)
        return False

    def _is_run_of(self, trusted: TrustedWorkflow) -> bool:
        repository = f"https://github.com/{trusted.repository}"
        # Equal names mean that the workflow signed itself, not another one that it called.
        return (
            self.issuer == GITHUB_ISSUER
            and self.runner == "github-hosted"
            and self.repository == repository
            and self.ref is not None
            and trusted.allows_ref(self.ref)
            and self.identity == self.workflow == f"{repository}/.github/workflows/{trusted.workflow}@{self.ref}"
        )


def _only_name(certificate: Certificate) -> str:
    try:
        extension = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    except ExtensionNotFound as error:
        raise VerificationError("the certificate has no subject alternative name") from error
    names = [*extension.get_values_for_type(RFC822Name), *extension.get_values_for_type(UniformResourceIdentifier)]
    if len(names) != 1 or len(list(extension)) != 1:
        raise VerificationError(
            f"the certificate has {len(list(extension))} subject alternative names; expected one e-mail address or URI"
        )
    return names[0]


def _value(certificate: Certificate, number: int) -> bytes | None:
    try:
        extension = certificate.extensions.get_extension_for_oid(ObjectIdentifier(f"{_ARC}.{number}")).value
    except ExtensionNotFound:
        return None
    return extension.value if isinstance(extension, UnrecognizedExtension) else None


def _text(certificate: Certificate, number: int) -> str | None:
    value = _value(certificate, number)
    return None if value is None else asn1.decode_der(str, value)


def _bare_text(certificate: Certificate, number: int) -> str | None:
    """Extensions .1 to .6, which came first, hold bare text."""
    value = _value(certificate, number)
    return None if value is None else value.decode()
