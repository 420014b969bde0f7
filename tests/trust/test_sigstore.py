from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sigstore._internal.timestamp import TimestampSource, TimestampVerificationResult
from sigstore.errors import CertValidationError
from sigstore.models import Bundle
from sigstore.verify import Verifier

from baton.model.base import digest_of
from baton.model.errors import Invalid, Missing, Refused
from baton.model.signing import SigstoreInstance
from baton.sandbox.sigstore import ISSUER, machine_identity
from baton.sandbox.sigstore.identities import GITHUB_ACTIONS, GOOGLE
from baton.sandbox.sigstore.tokens import github_claims
from baton.trust.identities import TrustedKey, TrustedSigstoreIdentity, TrustedWorkflow, Who
from baton.trust.instances import trust_configuration
from baton.trust.result import Fault, SignatureKind
from baton.trust.sigstore import SigstoreTrust

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.x509 import Certificate

    from baton.sandbox.sigstore.server import LocalSigstore
    from baton.trust.identities import TrustedIdentity
    from baton.trust.result import SignatureResult

CONTENT = b"hello 1.0"
MACHINE = TrustedSigstoreIdentity(identity=machine_identity("signer"), issuer=ISSUER, who=Who.MACHINE)
WORKFLOW = TrustedWorkflow(repository="example/hello", workflow="release.yml", ref="refs/tags/v*")
BUNDLES = Path(__file__).parent / "bundles"


@pytest.fixture(scope="module")
def trust(sandbox: LocalSigstore) -> SigstoreTrust:
    return SigstoreTrust(trust_configuration(SigstoreInstance.SANDBOX, sandbox.trust_config))


@pytest.fixture(scope="module")
def signed(sandbox: LocalSigstore, bundle: Callable[[str, bytes], bytes]) -> bytes:
    return bundle(sandbox.tokens.for_machine("signer"), CONTENT)


def verify(trust: SigstoreTrust, bundle: bytes, *trusted: TrustedIdentity, content: bytes = CONTENT) -> SignatureResult:
    return trust.verify(bundle, digest_of(content), trusted, source="hello.sigstore.json")


def test_a_bundle_by_a_trusted_machine_counts_and_says_whose_it_is(trust: SigstoreTrust, signed: bytes) -> None:
    other = MACHINE.model_copy(update={"identity": machine_identity("other")})
    result = verify(trust, signed, other, MACHINE)

    assert result
    assert result.kind is SignatureKind.SIGSTORE
    assert (result.identity, result.issuer) == (MACHINE.identity, MACHINE.issuer)
    assert result.matched == MACHINE
    assert result.signed_at is not None
    assert abs(datetime.now(UTC) - result.signed_at) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "change",
    [
        {"identity": machine_identity("signer2")},
        {"identity": machine_identity("signe")},
        {"identity": machine_identity("SIGNER")},
        {"issuer": ISSUER + "/"},
        {"issuer": GOOGLE},
    ],
)
def test_identity_and_issuer_are_both_exact(trust: SigstoreTrust, signed: bytes, change: dict[str, str]) -> None:
    listed = MACHINE.model_copy(update=change)
    result = verify(trust, signed, listed)
    assert not result
    assert result.fault is Fault.UNTRUSTED
    assert MACHINE.identity in result.reason
    assert result.expected == (f"{listed.identity} (issuer {listed.issuer})",)


def test_the_right_address_from_the_wrong_provider_does_not_count(
    trust: SigstoreTrust, sandbox: LocalSigstore, bundle: Callable[[str, bytes], bytes]
) -> None:
    ada = TrustedSigstoreIdentity(identity="ada@example.org", issuer=GOOGLE, who=Who.HUMAN)
    assert verify(trust, bundle(sandbox.tokens.for_person("ada@example.org", provider=GOOGLE), CONTENT), ada)
    github = bundle(sandbox.tokens.for_person("ada@example.org", provider="https://github.com/login/oauth"), CONTENT)
    assert verify(trust, github, ada).fault is Fault.UNTRUSTED


def test_nobody_counts_when_nobody_is_listed(trust: SigstoreTrust, signed: bytes) -> None:
    key = TrustedKey(fingerprint="A" * 40, who=Who.HUMAN)
    assert verify(trust, signed).fault is Fault.UNTRUSTED
    assert verify(trust, signed, key).fault is Fault.UNTRUSTED


def test_an_identity_counts_from_its_first_day_to_its_last(trust: SigstoreTrust, signed: bytes) -> None:
    at = verify(trust, signed, MACHINE).signed_at
    assert at is not None
    day = at.date()

    def counts(first: date | None, last: date | None) -> SignatureResult:
        return verify(trust, signed, MACHINE.model_copy(update={"first": first, "last": last}))

    assert counts(day, day)
    assert counts(day + timedelta(days=1), None).fault is Fault.OUTSIDE_WINDOW
    assert counts(None, day - timedelta(days=1)).fault is Fault.OUTSIDE_WINDOW


@pytest.fixture(scope="module")
def run(
    sandbox: LocalSigstore, bundle: Callable[[str, bytes], bytes], trust: SigstoreTrust
) -> Callable[..., SignatureResult]:
    def sign_and_verify(repository: str = "example/hello", **claims: str) -> SignatureResult:
        token = sandbox.tokens.for_github_workflow(github_claims(repository, **{"ref": "refs/tags/v1.0", **claims}))
        return verify(trust, bundle(token, CONTENT), WORKFLOW)

    return sign_and_verify


def test_a_workflow_run_counts_by_repository_workflow_and_ref(run: Callable[..., SignatureResult]) -> None:
    result = run()
    assert result
    assert result.matched == WORKFLOW
    assert result.issuer == GITHUB_ACTIONS


@pytest.mark.parametrize(
    "claims",
    [
        {"repository": "example/hello2"},
        {"repository": "attacker/hello"},
        {
            "repository": "attacker/hello",
            "workflow_ref": "example/hello/.github/workflows/release.yml@refs/tags/v1.0",
            "job_workflow_ref": "example/hello/.github/workflows/release.yml@refs/tags/v1.0",
        },
        {"workflow": "other.yml"},
        {"ref": "refs/heads/v1.0"},
        {"ref": "refs/heads/refs/tags/v1.0"},
        {"runner_environment": "self-hosted"},
        {"job_workflow_ref": "attacker/tools/.github/workflows/release.yml@refs/tags/v1.0"},
        {"workflow_ref": "attacker/hello/.github/workflows/release.yml@refs/tags/v1.0"},
    ],
    ids=lambda claims: "-".join(claims.values()),
)
def test_a_run_of_anything_else_does_not_count(run: Callable[..., SignatureResult], claims: dict[str, str]) -> None:
    assert run(**claims).fault is Fault.UNTRUSTED


def test_a_person_can_not_pose_as_a_workflow(
    sandbox: LocalSigstore, bundle: Callable[[str, bytes], bytes], trust: SigstoreTrust
) -> None:
    token = sandbox.tokens.mint(
        {"sub": "https://github.com/example/hello/.github/workflows/release.yml@refs/tags/v1.0"}
    )
    assert verify(trust, bundle(token, CONTENT), WORKFLOW).fault is Fault.UNTRUSTED


def test_other_content_is_refused(trust: SigstoreTrust, signed: bytes) -> None:
    assert verify(trust, signed, MACHINE, content=CONTENT + b"\n").fault is Fault.BAD


@pytest.mark.parametrize("junk", [b"", b"junk", b"{}", b"[]", b"null", b"\xff\xfe", b'"' * 2_000_000])
def test_what_is_no_bundle_is_refused(trust: SigstoreTrust, junk: bytes) -> None:
    assert verify(trust, junk, MACHINE).fault is Fault.MALFORMED


def flipped(document: dict[str, Any], where: str) -> bytes:
    """The document with one bit of a base64 or one digit of a number changed."""
    copy = json.loads(json.dumps(document))
    *path, last = (int(key) if key.isdigit() else key for key in where.split("."))
    place: Any = copy
    for key in path:
        place = place[key]
    value = str(place[last])
    if value.isdigit():
        place[last] = str(int(value) + 1)
    else:
        content = bytearray(base64.b64decode(value))
        content[len(content) // 2] ^= 1
        place[last] = base64.b64encode(content).decode()
    return json.dumps(copy).encode()


@pytest.mark.parametrize(
    "where",
    [
        "messageSignature.signature",
        "messageSignature.messageDigest.digest",
        "verificationMaterial.certificate.rawBytes",
        "verificationMaterial.timestampVerificationData.rfc3161Timestamps.0.signedTimestamp",
        "verificationMaterial.tlogEntries.0.canonicalizedBody",
        "verificationMaterial.tlogEntries.0.inclusionProof.rootHash",
        "verificationMaterial.tlogEntries.0.inclusionProof.logIndex",
        "verificationMaterial.tlogEntries.0.inclusionProof.hashes.0",
    ],
)
def test_a_changed_proof_is_refused(
    trust: SigstoreTrust,
    sandbox: LocalSigstore,
    bundle: Callable[[str, bytes], bytes],
    where: str,
) -> None:
    token = sandbox.tokens.for_machine("signer")
    bundle(token, b"so that the log has another entry, and the proof hashes")
    good = bundle(token, CONTENT)
    assert verify(trust, good, MACHINE)
    assert verify(trust, flipped(json.loads(good), where), MACHINE).fault in {Fault.BAD, Fault.MALFORMED}


def test_a_bundle_of_another_instance_is_refused(signed: bytes, trust: SigstoreTrust) -> None:
    public = SigstoreTrust(trust_configuration(SigstoreInstance.PUBLIC, offline=True))
    assert verify(public, signed, MACHINE).fault is Fault.BAD

    digest = json.loads((BUNDLES / "digests.json").read_text())["3.14.0"]["Python-3.14.0.tgz"]["sha256"]
    published = (BUNDLES / "Python-3.14.0.tgz.sigstore").read_bytes()
    hugo = TrustedSigstoreIdentity(identity="hugo@python.org", issuer="https://github.com/login/oauth", who=Who.HUMAN)
    assert public.verify(published, f"sha256:{digest}", [hugo], source="x")
    assert trust.verify(published, f"sha256:{digest}", [hugo], source="x").fault is Fault.BAD


def test_the_sandbox_and_real_instances_are_kept_apart(sandbox: LocalSigstore, tmp_path: Path) -> None:
    for real in (SigstoreInstance.PUBLIC, SigstoreInstance.STAGING):
        with pytest.raises(Refused, match=f"not of the {real} instance.*sandbox.baton.invalid"):
            trust_configuration(real, sandbox.trust_config)

    copy = tmp_path / "public.json"
    config = json.loads(sandbox.trust_config.read_text())
    for authority in config["trustedRoot"]["certificateAuthorities"]:
        authority["uri"] = "https://fulcio.sigstore.dev"
    copy.write_text(json.dumps(config))
    trust_configuration(SigstoreInstance.PUBLIC, copy)
    for other in (SigstoreInstance.SANDBOX, SigstoreInstance.STAGING):
        with pytest.raises(Refused, match=r"fulcio\.sigstore\.dev"):
            trust_configuration(other, copy)


def test_a_trust_configuration_has_to_be_one(tmp_path: Path) -> None:
    file = tmp_path / "trust.json"
    with pytest.raises(Missing, match="BATON_SIGSTORE_TRUST_CONFIG"):
        trust_configuration(SigstoreInstance.SANDBOX)
    with pytest.raises(Missing, match=r"trust\.json"):
        trust_configuration(SigstoreInstance.SANDBOX, file)
    for content in ("", "{}", "[]", '{"trustedRoot": {}}'):
        file.write_text(content)
        with pytest.raises(Invalid, match=r"trust\.json is not a Sigstore client trust configuration"):
            trust_configuration(SigstoreInstance.SANDBOX, file)


def test_a_certificate_that_had_a_chain_at_one_time_has_none_after_it_expired(
    trust: SigstoreTrust, signed: bytes
) -> None:
    certificate = Bundle.from_json(signed).signing_certificate
    valid, expired = certificate.not_valid_before_utc, certificate.not_valid_after_utc + timedelta(seconds=1)
    verifier = trust._verifier
    for _ in range(2):
        assert verifier._verify_chain_at_time(certificate, at(valid))
        with pytest.raises(CertValidationError):
            verifier._verify_chain_at_time(certificate, at(expired))


def test_the_chain_of_a_batchs_certificate_is_looked_for_once_for_each_second(
    sandbox: LocalSigstore, signed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[datetime] = []
    library = Verifier._verify_chain_at_time

    def look(verifier: Verifier, certificate: Certificate, time: TimestampVerificationResult) -> list[Certificate]:
        looked.append(time.time)
        return library(verifier, certificate, time)

    monkeypatch.setattr(Verifier, "_verify_chain_at_time", look)
    trust = SigstoreTrust(trust_configuration(SigstoreInstance.SANDBOX, sandbox.trust_config))
    assert all(verify(trust, signed, MACHINE) for _ in range(3))
    assert len(looked) == 1


def at(time: datetime) -> TimestampVerificationResult:
    return TimestampVerificationResult(source=TimestampSource.TIMESTAMP_AUTHORITY, time=time)
