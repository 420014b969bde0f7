"""Whoever changes anything in the evidence is found out: by the digests, and where those are made good, by what follows
from the acts."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from baton.evidence.chain import Said, heard_again
from baton.evidence.folder import Unreadable, read_folder
from baton.evidence.result import Verdict
from baton.evidence.verify import compared
from baton.model.acts import Heard
from baton.model.base import Value, canonical_json, digest_of
from baton.model.evidence import Document, Evidence, Record
from baton.model.manifest import Manifest
from baton.model.plan import Plan
from tests.proof.conftest import NO_SIGSTORE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.evidence.conftest import Told

    Change = Callable[[dict[str, Any]], None]


def test_the_evidence_of_a_release_verifies_with_the_folder_alone(told: Told) -> None:
    result = told.verify()
    assert result.failures == ()
    assert result.verdict is Verdict.VERIFIED
    assert (result.acts, result.refused, result.unsigned) == (16, 6, 0)
    facts = {check.subject: check.fact for check in result.checks}
    assert "ada as release-manager" in facts["gate publish"]
    assert facts["step windows"] == "skipped after retry by grace, then skip by grace"
    assert facts["step macos"] == "done after provide by katherine"
    assert facts["evidence.json.asc"].startswith("signed by OpenPGP key")


def test_a_changed_byte_in_any_document_is_found(copy: Path) -> None:
    files = [path for path in sorted(copy.rglob("*.*")) if path.is_file() and "evidence.json" not in path.name]
    assert len(files) == 42
    for path in files:
        content = path.read_bytes()
        middle = len(content) // 2
        path.chmod(0o644)
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        (fault,) = [check for check in read_folder(copy)[1] if not check.ok]
        assert fault.subject == path.relative_to(copy).as_posix()
        path.write_bytes(content)


def test_every_field_of_the_list_is_signed(told: Told, copy: Path) -> None:
    index = json.loads((copy / "evidence.json").read_bytes())
    for field, value in {"acts": 15, "head": "sha256:" + "0" * 64, "at": "2020-01-01T00:00:00Z"}.items():
        (copy / "evidence.json").write_bytes(canonical_json(Evidence.model_validate({**index, field: value})))
        failures = told.verify(copy).failures
        assert {failure.partition(": ")[0] for failure in failures} >= {
            "evidence.json.asc",
            "evidence.json.sigstore.json",
        }


def test_a_missing_or_foreign_signature_is_found(told: Told, copy: Path) -> None:
    (copy / "evidence.json.asc").unlink()
    assert told.verify(copy).failures == ("evidence.json.asc: it is not there",)
    shutil.copy(copy / "evidence.json.sigstore.json", copy / "evidence.json.sigstore")
    assert "evidence.json.sigstore: is a signature by none of those who sign this release" in told.verify(copy).failures


def test_what_is_not_listed_is_found_even_if_it_is_a_link(told: Told, copy: Path) -> None:
    (copy / "acts" / "0017.json").symlink_to(copy / "acts" / "0016.json")
    (copy / "notes.txt").write_text("trust me")
    assert [line.partition(":")[0] for line in told.verify(copy).failures] == ["acts/0017.json", "notes.txt"]


def test_a_document_that_is_a_link_is_refused(told: Told, copy: Path) -> None:
    (copy / "plan.json").unlink()
    (copy / "plan.json").symlink_to(told.folder / "plan.json")
    assert any("is a link; expected a regular file" in line for line in told.verify(copy).failures)


def test_a_folder_without_a_list_is_no_evidence(tmp_path: Path) -> None:
    (tmp_path / "evidence.json").write_text('{"kind": "something"}')
    with pytest.raises(Unreadable, match=r"evidence\.json is not what it has to be"):
        read_folder(tmp_path)


KINDS: dict[str, type[Value]] = {"record.json": Record, "plan.json": Plan, "manifest.json": Manifest}


class Forger:
    """Someone who changes documents and makes all digests and links good again, but has no key to sign with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index = Evidence.model_validate_json((folder / "evidence.json").read_bytes())
        self.links = [json.loads(path.read_bytes()) for path in sorted((folder / "acts").iterdir())]

    def change(self, name: str, change: Change) -> str:
        """Change a document that has a form of its own; returns its new digest."""
        fields = json.loads((self.folder / name).read_bytes())
        change(fields)
        return self.put(name, canonical_json(KINDS[name].model_validate(fields)))

    def put(self, name: str, content: bytes) -> str:
        (self.folder / name).unlink(missing_ok=True)
        (self.folder / name).write_bytes(content)
        return digest_of(content)

    def relist(self, **facts: Any) -> None:
        """Number, link and list everything again."""
        previous = self.links[0]["previous"]
        shutil.rmtree(self.folder / "acts")
        (self.folder / "acts").mkdir()
        for number, link in enumerate(self.links, start=1):
            content = canonical_json(Heard.model_validate({**link, "number": number, "previous": previous}))
            previous = self.put(f"acts/{number:04}.json", content)
        documents = tuple(
            Document(name=name, digest=digest_of(content), size=len(content))
            for name, content in sorted(
                (path.relative_to(self.folder).as_posix(), path.read_bytes())
                for path in self.folder.rglob("*")
                if path.is_file() and not path.name.startswith("evidence.json")
            )
        )
        changed = {"documents": documents, "head": previous, "acts": len(self.links), **facts}
        self.put("evidence.json", canonical_json(self.index.model_copy(update=changed)))


def step(name: str, **facts: Any) -> Change:
    return lambda record: next(one for one in record["steps"] if one["name"] == name).update(facts)


def gate(name: str, **facts: Any) -> Change:
    return lambda record: next(one for one in record["gates"] if one["gate"] == name).update(facts)


RECORD: dict[str, tuple[Change, str]] = {
    "a sign-off is left out": (gate("publish", given=[]), "gate publish: is told with given nothing"),
    "a gate passed earlier": (gate("publish", passed_at="2026-01-01T00:00:00Z"), "publish: is told with passed_at"),
    "a gate never passed": (gate("commit", passed_at=None), "gate commit: is told with passed_at None"),
    "a gate needed less": (gate("publish", needs={"release-manager": 1}), "gate publish: has needs"),
    "a gate was about something else": (gate("commit", subject="sha256:" + "1" * 64), "gate commit: has subject"),
    "a gate was for another run": (gate("commit", run="other"), "gate commit: has run other"),
    "a gate was another attempt": (gate("commit", attempt=1), "gate commit: act 6 counted, but must not"),
    "the starter was excluded": (gate("publish", excluded=["ada"]), "gate publish: has excluded ('ada',)"),
    "a gate was never opened": (lambda record: record["gates"].pop(), "gate publish: is in the plan, but was never"),
    "a skipped step was done": (step("windows", state="done"), "step windows: is done, and grace decided to skip it"),
    "a step was skipped": (step("source", state="skipped"), "step source: is skipped, and nobody decided to skip it"),
    "a step was tried again": (step("source", attempt=2), "step source: is at attempt 2, but nobody decided"),
    "a step was not tried again": (step("windows", attempt=1), "grace decided about attempt 2"),
    "the record is of another run": (lambda record: record.update(run="other"), "release: the record says run other"),
    "another commit was built": (
        lambda record: record["built"][0].update(commit="d" * 40), "step source: built commit dddd"
    ),
    "other files were handed in": (
        lambda record: record["built"][1]["artifacts"].update(digest="sha256:" + "2" * 64),
        "step macos: has the files sha256:2222",
    ),
    "a build is left out": (lambda record: record["built"].pop(0), "the manifest and what the steps made differ"),
    "a signer is left out": (lambda record: record["signed"].pop(), "signatures: are by sigstore"),
    "a target is left out": (lambda record: record["published"].pop(), "targets: public on none"),
    "less was fetched back": (lambda record: record["published"][0].update(checked=5), "5 files were fetched back"),
}  # fmt: skip


@pytest.fixture(scope="module")
def said(told: Told) -> list[Said]:
    """What people said, proven once."""
    folder, _ = read_folder(told.folder)
    return heard_again(folder, folder.chain, own=None, sigstore=NO_SIGSTORE)


def faults(path: Path, said: list[Said] | None = None) -> list[str]:
    """What is found wrong beside the signatures of the list, which somebody without a key can't make good."""
    folder, checks = read_folder(path)
    try:
        heard = said or heard_again(folder, folder.chain, own=None, sigstore=NO_SIGSTORE)
        checks += compared(folder, heard)
    except Unreadable as error:
        return [str(error)]
    return [f"{check.subject}: {check.fact}" for check in checks if not check.ok]


@pytest.mark.parametrize("name", RECORD)
def test_a_record_that_says_otherwise_than_the_acts_is_found(copy: Path, said: list[Said], name: str) -> None:
    change, found = RECORD[name]
    forger = Forger(copy)
    assert faults(copy, said) == []
    forger.change("record.json", change)
    forger.relist()
    assert any(found in fault for fault in faults(copy, said)), faults(copy, said)


def link(number: int, **facts: Any) -> Callable[[Forger], None]:
    return lambda forger: forger.links[number - 1].update(facts)


def repeat(number: int) -> Callable[[Forger], None]:
    return lambda forger: forger.links.append(dict(forger.links[number - 1], at=forger.links[-1]["at"]))


REFUSED = {"accepted": False, "message": "no reason"}
ACTS: dict[str, tuple[Callable[[Forger], None], str]] = {
    "an objection is refused": (link(12, **REFUSED), "gate publish: act 12 was refused (no reason), but counts"),
    "a sign-off is refused": (link(10, **REFUSED), "gate publish: act 10 was refused (no reason), but counts"),
    "a withdrawal is refused": (link(14, **REFUSED), "gate publish: act 14 was refused (no reason), but counts"),
    "a stranger counts": (link(2, accepted=True), "act 2: counted, but is not proven: mallory is not on the roster"),
    "a forged signature counts": (link(1, accepted=True), "act 1: counted, but is not proven: the signature is by"),
    "a repeated act counts": (link(11, accepted=True), "act 11: counted, but this very statement had been heard"),
    "an act is repeated": (repeat(16), "act 17: counted, but this very statement had been heard"),
    "an act for other files counts": (link(15, accepted=True), "gate publish: act 15 counted, but must not"),
    "an act is somebody else's": (link(10, by="grace"), "act 10: is told as sign-off, grace"),
    "an act is another": (link(12, kind="sign-off"), "act 12: is told as sign-off, grace"),
    "an act is about something else": (link(8, about="step source"), "act 8: is told as decide, grace, windows-expert"),
    "an act has another key": (
        lambda forger: forger.links[9]["proof"].update(credential="another key"), "act 10: is told as proven by another"
    ),
    "an act is not proven": (link(16, proof=None), "act 16: is told as not proven, but openpgp key"),
    "an act is unsigned": (link(16, proof=None, envelope=None), "act 16: counted, but is not proven"),
    "a decision is left out": (lambda forger: forger.links.pop(7), "step windows: is skipped, and nobody decided"),
    "a hand-in is left out": (lambda forger: forger.links.pop(8), "step macos: is handed in by a person, but nobody's"),
    "a new plan is left out": (lambda forger: forger.links.pop(3), "plans: the acts lead to plan"),
    "an act was heard before the last": (link(9, at="2026-01-01T00:00:00Z"), "act 9: was heard at"),
    "the chain begins with another plan": (link(1, previous="sha256:" + "3" * 64), "the evidence lacks plans/3333"),
    "an envelope is gone": (
        lambda forger: (forger.folder / "envelopes" / f"{forger.links[5]['envelope'][7:]}.json").unlink(),
        "the evidence lacks the envelope",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ACTS)
def test_acts_that_were_tampered_with_are_found_though_the_chain_is_made_good(copy: Path, name: str) -> None:
    change, found = ACTS[name]
    forger = Forger(copy)
    change(forger)
    forger.relist()
    found_wrong = faults(copy)
    assert any(found in fault for fault in found_wrong), found_wrong


def test_a_broken_chain_is_found_at_the_link(told: Told, copy: Path) -> None:
    forger = Forger(copy)
    forger.relist()
    changed = json.loads((copy / "acts/0007.json").read_bytes()) | {"message": "altered"}
    digest = forger.put("acts/0007.json", canonical_json(Heard.model_validate(changed)))
    documents = [
        document.model_copy(update={"digest": digest, "size": (copy / document.name).stat().st_size})
        if document.name == "acts/0007.json"
        else document
        for document in Evidence.model_validate_json((copy / "evidence.json").read_bytes()).documents
    ]
    forger.put("evidence.json", canonical_json(forger.index.model_copy(update={"documents": tuple(documents)})))
    assert any(line.startswith("act 8: follows") for line in told.verify(copy).failures)


def test_another_manifest_under_the_same_sign_offs_is_found(copy: Path, said: list[Said]) -> None:
    forger = Forger(copy)
    digest = forger.change("manifest.json", lambda fields: fields["files"][0].update(digest="sha256:" + "4" * 64))
    forger.change("record.json", lambda record: record.update(manifest=digest))
    forger.change("record.json", gate("publish", subject=digest))
    forger.relist(manifest=digest)
    failures = faults(copy, said)
    assert any(line.startswith("gate publish: act 10 counted, but must not") for line in failures)
    assert any(line.startswith("files: the manifest and what the steps made differ: hello.pkg") for line in failures)


def test_another_plan_under_the_same_acts_is_found(told: Told, copy: Path) -> None:
    forger = Forger(copy)
    digest = forger.change("plan.json", lambda plan: plan["gates"][1].update(needs={"release-manager": 1}))
    forger.change("record.json", lambda record: record.update(plan=digest))
    forger.relist(plan=digest)
    assert any("the evidence lacks plans/" in line for line in told.verify(copy).failures)
