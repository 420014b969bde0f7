"""What the signing and the publishing worker do with a list of evidence, and with what only looks like one."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from activities.evidence import EvidencePublishing, EvidenceSigning
from baton.model.base import canonical_json, digest_of
from baton.model.errors import Conflict, Invalid, Missing, Refused
from baton.model.evidence import Evidence, PublishEvidence, SignEvidence
from baton.model.manifest import Artifact, ArtifactSet, SetRef
from baton.model.work import ReleaseRef
from baton.targets import open_target

if TYPE_CHECKING:
    from tests.evidence.conftest import Told


def signing(told: Told, evidence: SetRef | None = None, **facts: Any) -> SignEvidence:
    """What the workflow asked of the signing worker at the end of the story."""
    status = told.status
    release = ReleaseRef(release=status.release, run=status.run, plan=status.plan, sandbox=True)
    asked = {"release": release, "signer": told.first.signers[1], "manifest": status.manifest, "gates": status.gates}
    return SignEvidence.model_validate({**asked, "evidence": evidence or listed(told), **facts})


def listed(told: Told, content: bytes | None = None, name: str = "evidence.json", **facts: Any) -> SetRef:
    """A set with the story's list, with facts of it changed, or with other content in its place."""
    index = Evidence.model_validate_json((told.folder / "evidence.json").read_bytes()).model_copy(update=facts)
    content = canonical_json(index) if content is None else content
    artifact = Artifact(name=name, digest=told.store.put_bytes(content), size=len(content))
    return told.store.put_set(ArtifactSet.of([artifact]))


def test_the_same_list_is_signed_once_whoever_asks_again(told: Told) -> None:
    worker = EvidenceSigning(told.store, told.settings)
    again = worker.sign_evidence(signing(told))
    assert again == worker.sign_evidence(signing(told))
    signature = told.store.read_set(again).find("evidence.json.asc")
    assert signature is not None
    assert signature.digest == digest_of((told.folder / "evidence.json.asc").read_bytes())


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"run": "another"}, "run another"),
        ({"plan": "sha256:" + "1" * 64}, "plan sha256:1111"),
        ({"manifest": "sha256:" + "1" * 64}, "manifest sha256:1111"),
        ({"complete": False}, "expected the complete evidence"),
        ({"sandbox": False}, "expected the complete evidence"),
    ],
)
def test_the_list_of_another_release_is_not_signed(told: Told, facts: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        EvidenceSigning(told.store, told.settings).sign_evidence(signing(told, listed(told, **facts)))


def test_nothing_but_a_list_of_evidence_is_signed(told: Told) -> None:
    worker = EvidenceSigning(told.store, told.settings)
    manifest, index = ((told.folder / name).read_bytes() for name in ("manifest.json", "evidence.json"))
    for content in (manifest, b"#!/bin/sh\n", index.replace(b"evidence:v1", b"evidence:v2")):
        with pytest.raises(Invalid, match=r"the list of evidence sha256:\w+ is not what it has to be"):
            worker.sign_evidence(signing(told, listed(told, content)))
    with pytest.raises(Invalid, match="not in canonical JSON"):
        worker.sign_evidence(signing(told, listed(told, index + b"\n")))
    with pytest.raises(Missing, match=r"has no evidence\.json"):
        worker.sign_evidence(signing(told, listed(told, name="python.exe")))


def test_without_people_s_agreement_nothing_is_signed(told: Told) -> None:
    worker = EvidenceSigning(told.store, told.settings)
    lacking = told.status.gates[-1].model_copy(update={"given": told.status.gates[-1].given[:1]})
    with pytest.raises(Refused, match="gate publish has 1 of 2 sign-offs; missing: 1 release-manager"):
        worker.sign_evidence(signing(told, gates=(told.status.gates[0], lacking)))
    other = told.first.signers[1].model_copy(update={"suffix": ".asc", "queue": "elsewhere"})
    with pytest.raises(Refused, match="signer that is asked for is none of"):
        worker.sign_evidence(signing(told, signer=other))


def test_only_evidence_that_everyone_signed_becomes_public(told: Told) -> None:
    asked = signing(told)
    what = PublishEvidence(
        release=asked.release,
        target=told.first.targets[0],
        manifest=asked.manifest,
        evidence=asked.evidence,
        gates=asked.gates,
    )
    with pytest.raises(Refused, match=r"missing: evidence\.json\.asc, evidence\.json\.sigstore\.json"):
        EvidencePublishing(told.store, told.settings).publish_evidence(what)


def test_what_is_public_is_the_evidence_and_stays_as_it_is(told: Told) -> None:
    public = told.served / "hello" / "evidence" / "1.0.0"
    assert told.verify(public)
    target = open_target(told.first.targets[0], told.settings)
    files = [path for path in sorted(public.rglob("*")) if path.is_file()]
    documents = [
        Artifact.model_construct(
            name=path.relative_to(public).as_posix(),
            digest=digest_of(path.read_bytes()),
            size=path.stat().st_size,
        )
        for path in files
    ]
    before = {path: path.stat().st_mtime_ns for path in files}
    url = target.publish_evidence(told.status.release, documents, told.store)
    assert url == f"{told.settings.public_url}/hello/evidence/1.0.0/"
    assert {path: path.stat().st_mtime_ns for path in files} == before
    with pytest.raises(Conflict, match=r"is public with another record of the release; differing: acts/0001\.json"):
        target.publish_evidence(told.status.release, documents[1:], told.store)


def test_publishing_that_was_cut_short_begins_anew(told: Told) -> None:
    elsewhere = told.status.release.model_copy(update={"version": "2.0.0"})
    staged = (
        told.settings.public_root / "staging" / "hello" / "2.0.0" / ".evidence-dead"
        if told.settings.public_root
        else None
    )
    assert staged is not None
    staged.mkdir(parents=True)
    (staged / "plan.json").write_text("half of")
    plan = (told.folder / "plan.json").read_bytes()
    document = Artifact(name="plan.json", digest=digest_of(plan), size=len(plan))
    target = open_target(told.first.targets[0], told.settings)
    target.publish_evidence(elsewhere, [document], told.store)
    assert (told.served / "hello" / "evidence" / "2.0.0" / "plan.json").read_bytes() == plan
    shutil.rmtree(staged.parent)
