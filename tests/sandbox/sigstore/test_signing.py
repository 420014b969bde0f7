"""Who can sign at the instance, and whose signatures the real client takes for whose."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sigstore import dsse
from sigstore.errors import VerificationError
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext
from sigstore.verify import Verifier, policy

from baton.sandbox.sigstore import ISSUER, machine_identity
from baton.sandbox.sigstore.identities import GITHUB_ACTIONS, GOOGLE
from baton.sandbox.sigstore.server import local_sigstore
from baton.sandbox.sigstore.tokens import github_claims

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from baton.sandbox.sigstore.server import LocalSigstore

GITHUB = "https://github.com/login/oauth"
WORKFLOW = "https://github.com/python/release/.github/workflows/release.yml@refs/tags/v3.14.1"


@dataclass
class MovableClock:
    """The machine's clock, and how far a test has moved it."""

    offset: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset


def of_machine(name: str) -> policy.Identity:
    return policy.Identity(identity=machine_identity(name), issuer=ISSUER)


@pytest.mark.parametrize("log_version", [1, 2])
def test_a_machine_signs_under_its_uri(
    instance: LocalSigstore, sign: Callable[..., Bundle], verifier: Verifier, log_version: int
) -> None:
    bundle = sign(instance.trust_config, instance.tokens.for_machine("release-worker"), b"data", log_version)
    verifier.verify_artifact(b"data", bundle, of_machine("release-worker"))


def test_a_person_signs_under_their_address(
    instance: LocalSigstore, sign: Callable[..., Bundle], verifier: Verifier
) -> None:
    bundle = sign(instance.trust_config, instance.tokens.for_person("hugo@example.org"), b"data")
    verifier.verify_artifact(b"data", bundle, policy.Identity(identity="hugo@example.org", issuer=ISSUER))


@pytest.mark.parametrize("provider", [GOOGLE, GITHUB])
def test_a_person_of_a_public_provider_signs_under_that_provider(
    instance: LocalSigstore, sign: Callable[..., Bundle], verifier: Verifier, provider: str
) -> None:
    token = instance.tokens.for_person("hugo@example.org", provider=provider)
    bundle = sign(instance.trust_config, token, b"data")
    verifier.verify_artifact(b"data", bundle, policy.Identity(identity="hugo@example.org", issuer=provider))


def test_a_service_account_signs_with_googles_own_token(
    instance: LocalSigstore, sign: Callable[..., Bundle], verifier: Verifier
) -> None:
    account = "release@project.iam.gserviceaccount.com"
    token = instance.tokens.mint({"sub": "1", "email": account, "email_verified": True}, issuer=GOOGLE)
    bundle = sign(instance.trust_config, token, b"data")
    verifier.verify_artifact(b"data", bundle, policy.Identity(identity=account, issuer=GOOGLE))


def test_a_workflow_run_signs_under_its_workflow_with_githubs_facts(
    instance: LocalSigstore, sign: Callable[..., Bundle], verifier: Verifier
) -> None:
    claims = github_claims("python/release", ref="refs/tags/v3.14.1", sha="a" * 40, environment="release")
    bundle = sign(instance.trust_config, instance.tokens.for_github_workflow(claims), b"data")
    facts: list[policy.VerificationPolicy] = [
        policy.Identity(identity=WORKFLOW, issuer=GITHUB_ACTIONS),
        policy.OIDCIssuerV2(GITHUB_ACTIONS),
        policy.OIDCBuildConfigURI(WORKFLOW),
        policy.OIDCBuildSignerURI(WORKFLOW),
        policy.OIDCSourceRepositoryURI("https://github.com/python/release"),
        policy.OIDCSourceRepositoryRef("refs/tags/v3.14.1"),
        policy.OIDCSourceRepositoryDigest("a" * 40),
        policy.OIDCSourceRepositoryOwnerURI("https://github.com/python"),
        policy.OIDCRunnerEnvironment("github-hosted"),
        policy.OIDCBuildTrigger("workflow_dispatch"),
        policy.GitHubWorkflowRepository("python/release"),
        policy.GitHubWorkflowRef("refs/tags/v3.14.1"),
    ]
    verifier.verify_artifact(b"data", bundle, policy.AllOf(facts))


@pytest.mark.parametrize("log_version", [1, 2])
def test_a_signed_statement_verifies_until_it_is_changed(
    instance: LocalSigstore,
    config_of: Callable[[Path, int], ClientTrustConfig],
    verifier: Verifier,
    log_version: int,
) -> None:
    digest = dsse.DigestSet({"sha256": hashlib.sha256(b"data").hexdigest()})
    subject = dsse.Subject(name="Python-3.14.1.tgz", digest=digest)
    builder = dsse.StatementBuilder().subjects([subject]).predicate_type("https://slsa.dev/provenance/v1")
    context = SigningContext.from_trust_config(config_of(instance.trust_config, log_version))
    with context.signer(IdentityToken(instance.tokens.for_machine("release-worker"))) as signer:
        text = signer.sign_dsse(builder.predicate({"buildDefinition": {}}).build()).to_json()

    _, payload = verifier.verify_dsse(Bundle.from_json(text), of_machine("release-worker"))
    assert json.loads(payload)["subject"][0]["name"] == "Python-3.14.1.tgz"
    changed = json.loads(text)
    changed["dsseEnvelope"]["payload"] = changed["dsseEnvelope"]["payload"].replace("e", "f", 1)
    with pytest.raises(VerificationError):
        verifier.verify_dsse(Bundle.from_json(json.dumps(changed)), of_machine("release-worker"))


@pytest.mark.parametrize(
    "case",
    [
        (b"datA", policy.Identity(identity="hugo@example.org", issuer=GOOGLE), "digest mismatch"),
        (b"data", policy.Identity(identity="nobody@example.org", issuer=GOOGLE), "SANs do not match"),
        (b"data", policy.Identity(identity="hugo@example.org", issuer=GITHUB), "OIDCIssuer does not match"),
        (b"data", policy.Identity(identity="hugo@example.org", issuer=ISSUER), "OIDCIssuer does not match"),
    ],
    ids=["changed artifact", "wrong identity", "right address of the wrong provider", "right address of the sandbox"],
)
def test_a_good_bundle_does_not_count_for_anything_else(
    instance: LocalSigstore,
    sign: Callable[..., Bundle],
    verifier: Verifier,
    case: tuple[bytes, policy.Identity, str],
) -> None:
    data, expected, reason = case
    token = instance.tokens.for_person("hugo@example.org", provider=GOOGLE)
    bundle = sign(instance.trust_config, token, b"data")
    with pytest.raises(VerificationError, match=reason):
        verifier.verify_artifact(data, bundle, expected)


def test_a_bundle_of_another_instance_does_not_count(
    tmp_path: Path, sign: Callable[..., Bundle], verifier: Verifier
) -> None:
    with local_sigstore(tmp_path) as other:
        bundle = sign(other.trust_config, other.tokens.for_machine("release-worker"), b"data")
    with pytest.raises(VerificationError):
        verifier.verify_artifact(b"data", bundle, of_machine("release-worker"))


@pytest.mark.parametrize("log_version", [1, 2])
@pytest.mark.parametrize("minutes", [-20, 20], ids=["not yet valid", "expired"])
def test_a_signature_made_outside_the_certificates_validity_does_not_count(
    tmp_path: Path,
    config_of: Callable[[Path, int], ClientTrustConfig],
    verifier_of: Callable[[Path], Verifier],
    log_version: int,
    minutes: int,
) -> None:
    clock = MovableClock()
    with local_sigstore(tmp_path, clock=clock) as instance:
        context = SigningContext.from_trust_config(config_of(instance.trust_config, log_version))
        with context.signer(IdentityToken(instance.tokens.for_machine("release-worker"))) as signer:
            good = signer.sign_artifact(b"data")
            clock.offset = timedelta(minutes=minutes)
            bad = signer.sign_artifact(b"data")
    verifier_of(instance.trust_config).verify_artifact(b"data", good, of_machine("release-worker"))
    with pytest.raises(VerificationError, match="failed to build timestamp certificate chain"):
        verifier_of(instance.trust_config).verify_artifact(b"data", bad, of_machine("release-worker"))
