"""What a token's claims become in a certificate: its subject alternative name and Fulcio's extensions.

The extensions are those of https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md. Numbers .1 to .6, which came
first, hold bare text; .8 and later hold a DER UTF8String.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from cryptography import x509
from cryptography.hazmat import asn1
from pydantic import BaseModel, ConfigDict, Field

from baton.sandbox.sigstore import ISSUER

GITHUB_ACTIONS: Final = "https://token.actions.githubusercontent.com"
GOOGLE: Final = "https://accounts.google.com"
SIGSTORE_DEV: Final = "https://oauth2.sigstore.dev/auth"
"""Sigstore's public sign-in, which federates: its certificates name the provider where the person signed in."""

_EXTENSION_ARC: Final = "1.3.6.1.4.1.57264.1"
_LAST_BARE_TEXT: Final = 6
_GITHUB: Final = "https://github.com"

Claims = Mapping[str, Any]


@dataclass(frozen=True)
class CertificateIdentity:
    """Who a certificate will name.

    Attributes:
        name: the subject alternative name.
        issuer: who vouches for it.
        subject: the token's ``sub``.
        facts: what else the certificate tells, by extension number.
    """

    name: x509.GeneralName
    issuer: str
    subject: str
    facts: Mapping[int, str] = field(default_factory=dict)

    def extensions(self) -> tuple[x509.UnrecognizedExtension, ...]:
        """Fulcio's extensions, in the order of their numbers."""
        numbered = {1: self.issuer, 8: self.issuer, 24: self.subject, **self.facts}
        return tuple(_extension(number, text) for number, text in sorted(numbered.items()))


def identity(claims: Claims) -> CertificateIdentity:
    """The identity that a token's claims stand for.

    Args:
        claims: of a token whose signature, audience and time were verified.

    Raises:
        KeyError: the issuer is not one of those that the instance plays; its argument is the issuer.
        ValueError: a claim is missing or is not what it has to be. Pydantic's ``ValidationError`` is one.
    """
    return _ISSUERS[claims["iss"]](claims)


class _Claims(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    iss: str
    sub: str = Field(min_length=1)


class _MachineClaims(_Claims):
    sub: str = Field(pattern="^https://")


class _FederatedClaims(BaseModel):
    connector_id: str = Field(pattern="^https?://")


class _PersonClaims(_Claims):
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    email_verified: Literal[True]


class _FederatedPersonClaims(_PersonClaims):
    federated_claims: _FederatedClaims


class _GitHubClaims(_Claims):
    """What a GitHub Actions token says of its workflow run, as far as certificates tell it.

    See https://docs.github.com/en/actions/reference/security/oidc for each claim.
    """

    event_name: str
    sha: str
    workflow: str
    repository: str
    repository_id: str
    repository_owner: str
    repository_owner_id: str
    repository_visibility: str
    ref: str
    job_workflow_ref: str
    job_workflow_sha: str
    workflow_ref: str
    workflow_sha: str
    runner_environment: str
    run_id: str
    run_attempt: str
    environment: str | None = None


def _person(claims: Claims) -> CertificateIdentity:
    person = _PersonClaims.model_validate(claims)
    return CertificateIdentity(x509.RFC822Name(person.email), person.iss, person.sub)


def _federated_person(claims: Claims) -> CertificateIdentity:
    person = _FederatedPersonClaims.model_validate(claims)
    return CertificateIdentity(x509.RFC822Name(person.email), person.federated_claims.connector_id, person.sub)


def _sandbox(claims: Claims) -> CertificateIdentity:
    if "email" in claims:
        return _person(claims)
    machine = _MachineClaims.model_validate(claims)
    return CertificateIdentity(x509.UniformResourceIdentifier(machine.sub), machine.iss, machine.sub)


def _github_workflow(claims: Claims) -> CertificateIdentity:
    run = _GitHubClaims.model_validate(claims)
    workflow = f"{_GITHUB}/{run.job_workflow_ref}"
    repository = f"{_GITHUB}/{run.repository}"
    facts = {
        2: run.event_name,
        3: run.sha,
        4: run.workflow,
        5: run.repository,
        6: run.ref,
        9: workflow,
        10: run.job_workflow_sha,
        11: run.runner_environment,
        12: repository,
        13: run.sha,
        14: run.ref,
        15: run.repository_id,
        16: f"{_GITHUB}/{run.repository_owner}",
        17: run.repository_owner_id,
        18: f"{_GITHUB}/{run.workflow_ref}",
        19: run.workflow_sha,
        20: run.event_name,
        21: f"{repository}/actions/runs/{run.run_id}/attempts/{run.run_attempt}",
        22: run.repository_visibility,
    }
    if run.environment is not None:
        facts[23] = run.environment
    return CertificateIdentity(x509.UniformResourceIdentifier(workflow), run.iss, run.sub, facts)


_ISSUERS: Final[Mapping[str, Callable[[Claims], CertificateIdentity]]] = {
    ISSUER: _sandbox,
    GITHUB_ACTIONS: _github_workflow,
    GOOGLE: _person,
    SIGSTORE_DEV: _federated_person,
}


def _extension(number: int, text: str) -> x509.UnrecognizedExtension:
    value = text.encode() if number <= _LAST_BARE_TEXT else asn1.encode_der(text)
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{_EXTENSION_ARC}.{number}"), value)
