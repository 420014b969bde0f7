from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]  # it publishes no types
import pytest

from baton.model.base import canonical_json
from baton.model.building import CommandBuilder, Step
from baton.model.errors import Invalid, Missing
from baton.model.plan import Gate, GatePoint, Plan, SandboxTarget, SourcePlan
from baton.model.roster import OpenPgpKey, Roster, SigstoreIdentity
from baton.model.signing import GpgSigner, HumanSigstoreSigner, SigstoreInstance, SigstorePerson, SigstoreSigner
from baton.model.version import ReleaseId, ReleaseKind, Stream, StreamStatus
from baton.trust.documents import identities_schema, load_identities, published_schema, shipped_identities
from baton.trust.identities import (
    SignatureKind,
    TrustedIdentities,
    TrustedKey,
    TrustedSigstoreIdentity,
    TrustedWorkflow,
    Who,
)

if TYPE_CHECKING:
    from baton.model.signing import Signer

DOCUMENT: dict[str, Any] = {
    "kind": "urn:baton:trusted-identities:v1",
    "project": "hello",
    "sigstore": "public",
    "issued": "2026-01-01",
    "streams": [
        {
            "name": "1",
            "trusted": [
                {
                    "kind": "sigstore",
                    "identity": "ada@example.org",
                    "issuer": "https://accounts.google.com",
                    "who": "human",
                    "until": "2026-03-31",
                },
                {
                    "kind": "github-workflow",
                    "repository": "example/hello",
                    "workflow": "release.yml",
                    "ref": "refs/tags/v*",
                    "from": "2026-04-01",
                },
                {"kind": "openpgp", "fingerprint": "A" * 40, "who": "machine"},
            ],
        },
        {"name": "1.2", "trusted": [{"kind": "openpgp", "fingerprint": "B" * 40, "who": "human"}]},
    ],
}


@pytest.fixture
def document() -> TrustedIdentities:
    return TrustedIdentities.model_validate(DOCUMENT)


def changed(where: tuple[str | int, ...], value: object) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(DOCUMENT))
    place: Any = copy
    for key in where[:-1]:
        place = place[key]
    place[where[-1]] = value
    return copy


def test_who_counts_depends_on_the_day(document: TrustedIdentities) -> None:
    def kinds(day: date) -> list[str]:
        return [type(trusted).__name__ for trusted in document.matching("1", day)]

    assert kinds(date(2026, 3, 31)) == [TrustedSigstoreIdentity.__name__, TrustedKey.__name__]
    assert kinds(date(2026, 4, 1)) == [TrustedWorkflow.__name__, TrustedKey.__name__]
    assert document.matching("2", date(2026, 4, 1)) == ()


@pytest.mark.parametrize(("version", "stream"), [("1.0.1", "1"), ("1.2.3rc1", "1.2"), ("1.20.0", "1"), ("2.0", None)])
def test_a_version_belongs_to_its_most_specific_stream(
    document: TrustedIdentities, version: str, stream: str | None
) -> None:
    found = document.stream_of(version)
    assert (found.name if found else None) == stream


def test_a_project_of_one_line_has_one_stream_for_every_version() -> None:
    document = TrustedIdentities.model_validate(changed(("streams", 0, "name"), "*"))
    assert document.stream_of("7.1").name == "*"  # type: ignore[union-attr]  # there is one
    assert document.stream_of("1.2.1").name == "1.2"  # type: ignore[union-attr]  # there is one


@pytest.mark.parametrize(
    ("where", "value", "says"),
    [
        (("kind",), "urn:baton:trusted-identities:v2", "kind"),
        (("streams",), [], "streams"),
        (("streams", 1, "name"), "1", "stream 1 is listed more than once"),
        (("streams", 1, "name"), "1.x", "streams.1.name"),
        (("streams", 0, "trusted"), [], "streams.0.trusted"),
        (("streams", 0, "trusted", 0, "issuer"), "accounts.google.com", "issuer"),
        (("streams", 0, "trusted", 0, "who"), "robot", "who"),
        (("streams", 0, "trusted", 0, "kind"), "ssh", "kind"),
        (("streams", 0, "trusted", 1, "ref"), "*", "ref"),
        (("streams", 0, "trusted", 2, "fingerprint"), "64E628F8D684696D", "fingerprint"),
        (("signed",), True, "signed"),
        (("serial",), 0, "serial"),
        (("expires",), "2025-12-31", "before it is issued"),
        (("address",), "file:///etc/identities.json", "address"),
        (("document_signers",), [{"kind": "openpgp", "fingerprint": "A", "who": "human"}], "document_signers.0"),
        (("streams", 0, "requires"), ["ssh"], "requires"),
        (("streams", 1, "requires"), ["sigstore"], "nobody is listed who makes one"),
    ],
)
def test_a_wrong_document_is_refused_and_the_place_is_named(
    tmp_path: Path, where: tuple[str | int, ...], value: object, says: str
) -> None:
    path = tmp_path / "identities.json"
    path.write_text(json.dumps(changed(where, value)))
    with pytest.raises(Invalid, match="not a urn:baton:trusted-identities:v1 document") as refusal:
        load_identities(path)
    assert says in str(refusal.value)


def test_a_document_that_is_not_there_or_no_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"identities\.json"):
        load_identities(tmp_path / "identities.json")
    (tmp_path / "identities.json").write_text("{")
    with pytest.raises(Invalid, match="Invalid JSON"):
        load_identities(tmp_path / "identities.json")


def test_the_digest_names_the_content_not_its_layout(document: TrustedIdentities) -> None:
    again = TrustedIdentities.model_validate_json(json.dumps(DOCUMENT, indent=8))
    other = TrustedIdentities.model_validate(changed(("issued",), "2026-01-02"))
    assert again.digest == document.digest != other.digest


@pytest.mark.parametrize(
    ("pattern", "ref", "allowed"),
    [
        ("refs/tags/v*", "refs/tags/v1.0", True),
        ("refs/tags/v*", "refs/heads/v1.0", False),
        ("refs/tags/v1.0", "refs/tags/v1.0", True),
        ("refs/tags/v1.0", "refs/tags/v1.0.1", False),
        ("refs/tags/v1.*", "refs/tags/v10", False),
    ],
)
def test_a_ref_is_whole_or_begins_as_the_pattern(pattern: str, ref: str, *, allowed: bool) -> None:
    workflow = TrustedWorkflow(repository="example/hello", workflow="release.yml", ref=pattern)
    assert workflow.allows_ref(ref) is allowed


def test_the_published_schema_accepts_what_the_model_accepts() -> None:
    schema = identities_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    shipped = shipped_identities("cpython").model_dump(mode="json", by_alias=True, exclude_none=True)
    assert validator.is_valid(DOCUMENT)
    assert validator.is_valid(shipped)
    assert not validator.is_valid(changed(("streams", 0, "trusted", 2, "fingerprint"), "64E628F8D684696D"))
    assert not validator.is_valid(changed(("signed",), True))


def test_the_published_schema_is_the_models() -> None:
    published = Path(__file__).parents[2] / "docs" / "trusted-identities.schema.json"
    assert published.read_text(encoding="utf-8") == published_schema(), "make it anew: baton identities schema"


def test_cpythons_streams_that_have_ended_are_closed_and_new_ones_need_sigstore() -> None:
    document = shipped_identities("cpython")
    closed = {stream.name for stream in document.streams if all(entry.last for entry in stream.trusted)}
    assert closed == {"3.7", "3.8", "3.9"}
    required = {stream.name for stream in document.streams if stream.requires == (SignatureKind.SIGSTORE,)}
    assert required == {"3.14", "3.15", "3.16", "3.17"}, "PEP 761"


def test_the_shipped_cpython_document_names_who_signs_which_stream() -> None:
    document = shipped_identities("cpython")
    signers = {
        stream.name: [(t.identity, t.issuer) for t in stream.trusted if isinstance(t, TrustedSigstoreIdentity)]
        for stream in document.streams
    }
    github, google = "https://github.com/login/oauth", "https://accounts.google.com"
    assert document.sigstore is SigstoreInstance.PUBLIC
    assert signers == {
        "3.7": [("nad@python.org", github)],
        "3.8": [("lukasz@langa.pl", github)],
        "3.9": [("lukasz@langa.pl", github)],
        "3.10": [("pablogsal@python.org", google)],
        "3.11": [("pablogsal@python.org", google)],
        "3.12": [("thomas@python.org", google)],
        "3.13": [("thomas@python.org", google)],
        "3.14": [("hugo@python.org", github)],
        "3.15": [("hugo@python.org", github)],
        "3.16": [("savannah@python.org", github)],
        "3.17": [("savannah@python.org", github)],
    }
    with_keys = {s.name for s in document.streams if any(isinstance(t, TrustedKey) for t in s.trusted)}
    assert with_keys == {"3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13"}, "PEP 761: no OpenPGP from 3.14"


def test_only_shipped_projects_are_known_by_name() -> None:
    with pytest.raises(Missing, match="cpython"):
        shipped_identities("../cpython")


def plan(*signers: Signer) -> Plan:
    return Plan(
        release=ReleaseId(project="hello", version="1.0.0"),
        title="hello 1.0.0",
        stream=Stream(name="1", status=StreamStatus.BUGFIX),
        release_kind=ReleaseKind.FINAL,
        sandbox=True,
        started_by="ada",
        source=SourcePlan(repository="/srv/hello.git", commit="0" * 40, tag="v1.0.0"),
        steps=(Step(name="source", builder=CommandBuilder(commands=(("make",),)), queue="build", files=("x",)),),
        signers=signers,
        gates=(Gate(name="publish", before=GatePoint.PUBLISH, needs={"release-manager": 1}),),
        targets=(SandboxTarget(name="sandbox"),),
        roster=Roster(),
    )


def test_a_plan_says_who_signs_its_stream(tmp_path: Path) -> None:
    machine = SigstoreIdentity(identity="https://example.org/signer", issuer="https://oidc.example.org")
    key = OpenPgpKey(fingerprint="A" * 40, public_key="a key block", last=date(2027, 1, 1))
    sandbox = SigstoreSigner(instance=SigstoreInstance.SANDBOX, identity=machine)
    document = TrustedIdentities.of_plan(plan(sandbox, GpgSigner(key=key)), date(2026, 1, 1))

    assert document.sigstore is SigstoreInstance.SANDBOX
    assert document.matching("1", date(2027, 1, 1)) == (
        TrustedSigstoreIdentity(identity=machine.identity, issuer=machine.issuer, who=Who.MACHINE),
        TrustedKey(fingerprint="A" * 40, public_key="a key block", last=date(2027, 1, 1), who=Who.MACHINE),
    )
    (tmp_path / "identities.json").write_bytes(canonical_json(document))
    assert load_identities(tmp_path / "identities.json") == document

    ada = SigstorePerson(person="ada", identities=(machine,))
    public = HumanSigstoreSigner(instance=SigstoreInstance.PUBLIC, people=(ada,))
    with pytest.raises(Invalid, match="public, sandbox"):
        TrustedIdentities.of_plan(plan(sandbox, public), date(2026, 1, 1))
