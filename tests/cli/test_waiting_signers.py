"""Who may sign what a release waits for, before anybody signs in or unlocks a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from baton.cli.exits import WrongCall
from baton.cli.standing import Standing
from baton.cli.waiting_signers import waiting_signer
from baton.model.base import digest_of
from baton.model.errors import Refused
from baton.model.manifest import Artifact, Manifest, ManifestFile
from baton.model.plan import Plan
from baton.model.status import Phase, ReleaseStatus, StepState, StepStatus
from baton.sandbox.sigstore.server import local_sigstore
from baton.signers.keeping import KeptSignatures
from tests.conftest import PLAN

if TYPE_CHECKING:
    from pathlib import Path

    from baton.cli.waiting_signers import WaitingSigner

ISSUER = "https://issuer.example.org"
SIGSTORE, GPG = "sign-sigstore-human", "sign-gpg-human"


def by_sigstore(*people: str) -> dict[str, Any]:
    listed = [
        {"person": name, "identities": [{"identity": f"{name}@example.org", "issuer": ISSUER}]} for name in people
    ]
    return {"kind": "sigstore-human", "instance": "sandbox", "people": listed}


def by_gpg(*people: str) -> dict[str, Any]:
    return {"kind": "gpg-human", "people": [{"person": name, "keys": [{"fingerprint": "B" * 40}]} for name in people]}


BOTH = [by_sigstore("ada", "katherine"), by_gpg("ada", "grace")]


def standing(*signers: object, **states: StepState) -> Standing:
    """A release with these signers, whose units wait unless something else is said of them."""
    plan = Plan.model_validate({**PLAN, "signers": signers})
    steps = tuple(
        StepStatus(
            name=f"sign-{signer.kind}",
            phase=Phase.SIGN,
            state=states.get(signer.kind.replace("-", "_"), StepState.NEEDS_DECISION),
            attempt=2,
            queue="release",
            role="release-manager",
        )
        for signer in plan.signers
    )
    facts = {"release": plan.release, "release_kind": plan.release_kind, "stream": "1.0", "sandbox": True, "run": "r"}
    told = {"plan": plan.digest, "phase": Phase.SIGN, "steps": steps, "gates": (), "waiting": (), "published": ()}
    return Standing(plan, "r", ReleaseStatus.model_validate({**facts, **told, "manifest": None, "evidence": None}))


def found(release: Standing, who: str, kind: str | None = None) -> WaitingSigner:
    person = release.plan.roster.find(who)
    assert person is not None
    return waiting_signer(release, kind, person)


def test_each_is_asked_for_what_is_listed_of_them() -> None:
    release = standing(*BOTH)
    assert found(release, "katherine").step.name == SIGSTORE
    grace = found(release, "grace")
    assert (grace.step.name, grace.step.attempt, grace.entry.person) == (GPG, 2, "grace")
    with pytest.raises(WrongCall, match="two kinds of your signatures: say which with --sigstore or --gpg"):
        found(release, "ada")
    assert (found(release, "ada", "gpg").step.name, found(release, "ada", "sigstore").step.name) == (GPG, SIGSTORE)


def test_what_is_done_is_not_asked_for_again() -> None:
    assert found(standing(*BOTH, gpg_human=StepState.DONE), "ada").step.name == SIGSTORE
    over = standing(*BOTH, gpg_human=StepState.DONE, sigstore_human=StepState.RUNNING)
    with pytest.raises(Refused, match=f"waits for nobody's signatures now: {SIGSTORE} is running, {GPG} is done"):
        found(over, "ada")


def test_who_is_not_listed_is_told_who_is() -> None:
    who = r"Who may sign, all files at once: ada as ada@example\.org, or katherine as katherine@example\.org"
    with pytest.raises(Refused, match=f"lists nothing of grace that signs its files. {who}$"):
        found(standing(*BOTH), "grace", "sigstore")
    with pytest.raises(Refused, match=f"lists nothing of grace .* {who}$"):
        found(standing(*BOTH, gpg_human=StepState.DONE), "grace")


def test_nobody_signs_what_is_signed_otherwise() -> None:
    with pytest.raises(Refused, match="is not signed by people with gpg; by its plan it is by sigstore-human"):
        found(standing(by_sigstore("ada")), "ada", "gpg")
    with pytest.raises(Refused, match=r"is not signed by people; by its plan it is by sigstore$"):
        found(standing(*PLAN["signers"]), "ada")  # type: ignore[misc]  # a list of tables


def test_what_one_person_has_made_is_found_for_the_same_manifest_and_signer_alone(tmp_path: Path) -> None:
    file = Artifact(name="hello.exe", digest=digest_of(b"hello"), size=5)
    listed = ManifestFile(**file.model_dump(), step="source")
    manifest = Manifest(project="hello", version="1.0.0", plan="sha256:" + "0" * 64, commit="c" * 40, files=(listed,))
    release = standing(*BOTH)
    found(release, "ada", "gpg").kept(tmp_path, manifest).keep(file, b"made")

    assert found(release, "ada", "gpg").kept(tmp_path, manifest).find([file]) == {file: b"made"}
    others = [found(release, "ada", "sigstore"), found(release, "grace"), found(standing(by_gpg("ada")), "ada")]
    assert [other.kept(tmp_path, manifest).find([file]) for other in others] == [{}, {}, {}]
    newer = manifest.model_copy(update={"plan": "sha256:" + "1" * 64})
    assert found(release, "ada", "gpg").kept(tmp_path, newer).find([file]) == {}


def test_what_does_not_count_is_neither_handed_in_nor_kept(tmp_path: Path) -> None:
    file = Artifact(name="hello.exe", digest=digest_of(b"hello"), size=5)
    kept = KeptSignatures(tmp_path / "kept")
    kept.keep(file, b"{}")
    signer = found(standing(by_sigstore("ada")), "ada")
    with local_sigstore(tmp_path / "sigstore") as sigstore:
        why = r"hello\.exe\.sigstore\.json.*Who may sign, all files at once: ada.*Nothing was handed in"
        with pytest.raises(Refused, match=why):
            signer.checked([(file, None)], kept.find([file]), sigstore.trust_config, kept)
    assert kept.find([file]) == {}
