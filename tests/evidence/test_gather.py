"""Evidence that was put together by hand: what a rehearsal's is worth, what is known so far, and how large it gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import rfc8785
from temporalio.contrib.pydantic import pydantic_data_converter

from baton.evidence.folder import write
from baton.evidence.gather import gather
from baton.evidence.result import Verdict
from baton.evidence.verify import verify_evidence
from baton.model.acts import Heard, Proof, SignOff
from baton.model.base import canonical_json, digest_of
from baton.model.errors import Conflict
from baton.model.evidence import Record, WriteEvidence
from baton.model.gate import GateResult, Given, Refusal
from baton.model.status import Entry, Phase
from baton.model.work import ReleaseRef
from tests.conftest import NOW
from workflows.evidence import LOG_LINE
from workflows.floor import LOG_LINES
from workflows.room import LAST_WORDS, MOST_ACTS, RECORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from baton.model.plan import Plan

RUN = "0191f0a0-0000-7000-8000-000000000000"
PAYLOAD_LIMIT = 2 * 1024**2
"""In bytes; a Temporal server refuses a larger argument."""


def record_of(plan: Plan, **facts: Any) -> Record:
    about = {"release": plan.release, "run": RUN, "sandbox": plan.sandbox, "plan": plan.digest, "at": NOW}
    begun = {"phase": Phase.PREPARE, "complete": False, "manifest": None, "steps": (), "gates": (), "published": ()}
    return Record(**{**about, **begun, "journal": (), **facts})


def unsigned(plan: Plan, **facts: Any) -> Heard:
    """Ada signs off the plan, and nothing proves it."""
    act = SignOff(
        release=plan.release, run=RUN, subject=plan.digest, by="ada", role="release-manager", gate="commit", attempt=1
    )
    fields: dict[str, Any] = {
        "number": 1,
        "at": NOW,
        "kind": act.kind,
        "by": act.by,
        "role": act.role,
        "about": act.about,
        "accepted": True,
        "message": "gate commit has 1 of 1 sign-offs",
        "unsigned": act.model_dump_json(exclude_none=True),
        "previous": plan.digest,
    }
    return Heard(**{**fields, **facts})


@pytest.fixture
def rehearsal(make_plan: Callable[..., Plan]) -> Plan:
    return make_plan(gates=[{"name": "commit", "before": "build", "needs": {"release-manager": 1}}])


def gate_of(plan: Plan, *given: Given, **facts: Any) -> GateResult:
    asked = {"gate": "commit", "attempt": 1, "run": RUN, "subject": plan.digest, "needs": {"release-manager": 1}}
    return GateResult(**{**asked, "opened": NOW, "given": given, **facts})


def test_a_rehearsal_that_takes_people_at_their_word_proves_nothing(rehearsal: Plan, tmp_path: Path) -> None:
    gate = gate_of(rehearsal, Given(by="ada", role="release-manager", at=NOW), passed_at=NOW)
    kept = {rehearsal.digest: canonical_json(rehearsal)}
    write(gather(record_of(rehearsal, gates=(gate,)), [unsigned(rehearsal)], kept.__getitem__), tmp_path)
    result = verify_evidence(tmp_path)
    assert result.failures == ()
    assert (result.verdict, result.unsigned, bool(result)) == (Verdict.REHEARSAL, 1, False)
    assert any("UNSIGNED, so that anyone may have said it" in check.fact for check in result.checks)
    page = (tmp_path / "index.html").read_text()
    assert "takes people at their word: this proves nothing. 1 of what counted is unsigned." in page


def test_an_unsigned_act_that_counted_in_a_release_that_allows_none_is_found(rehearsal: Plan, tmp_path: Path) -> None:
    plan = rehearsal.model_copy(update={"unsigned_acts": False})
    gate = gate_of(plan, Given(by="ada", role="release-manager", at=NOW), passed_at=NOW)
    kept = {plan.digest: canonical_json(plan)}
    write(gather(record_of(plan, gates=(gate,)), [unsigned(plan)], kept.__getitem__), tmp_path)
    assert "act 1: counted, but is not proven: nothing proves it: it is unsigned" in verify_evidence(tmp_path).failures


def test_what_is_known_so_far_is_signed_by_nobody_and_is_written_again_in_its_place(
    rehearsal: Plan, tmp_path: Path
) -> None:
    plan = rehearsal.model_copy(update={"unsigned_acts": False})
    kept = {plan.digest: canonical_json(plan)}
    refused = unsigned(plan, accepted=False, message="nothing proves that ada said this")
    write(gather(record_of(plan), [refused], kept.__getitem__), tmp_path)
    assert verify_evidence(tmp_path).verdict is Verdict.PROVISIONAL
    write(gather(record_of(plan), [], kept.__getitem__), tmp_path)
    assert verify_evidence(tmp_path).verdict is Verdict.PROVISIONAL
    assert verify_evidence(tmp_path).acts == 0


def test_nothing_else_is_overwritten(rehearsal: Plan, tmp_path: Path) -> None:
    documents = gather(record_of(rehearsal), [], {rehearsal.digest: canonical_json(rehearsal)}.__getitem__)
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(Conflict, match="holds no evidence: name another folder"):
        write(documents, tmp_path)
    (tmp_path / "evidence.json").touch()
    (tmp_path / "evidence.json.asc").touch()
    with pytest.raises(Conflict, match=r"holds evidence that was signed \(evidence\.json\.asc\)"):
        write(documents, tmp_path)


async def test_all_the_acts_that_a_release_hears_fit_into_one_payload_at_their_longest(plan: Plan) -> None:
    """So do the fullest log and gates with them. Envelopes are not among it, only their digests."""
    digest, word, reason = digest_of(b""), "n" * 64, "r" * 300
    proof = Proof(envelope=digest, credential="openpgp key " + "F" * 64)
    facts = {"number": MOST_ACTS, "by": word, "role": word, "about": f"step {word}", "accepted": False}
    heard = unsigned(plan, **facts, message=reason, proof=proof, envelope=digest, unsigned="")
    given = Given(by=word, role=word, at=NOW, reason="r" * 500, proof=proof)
    refusal = Refusal(by=word, kind="sign-off", at=NOW, why=reason)
    gate = gate_of(plan, *[given] * 20, refused=[refusal] * 20)
    entry = Entry(at=NOW, who=word, what="w" * LOG_LINE)
    longest = RECORD_BYTES // len(canonical_json(heard)) + LAST_WORDS
    assert longest > 1000
    what = WriteEvidence(
        release=ReleaseRef(release=plan.release, run=RUN, plan=plan.digest, sandbox=True),
        record=record_of(plan, journal=(entry,) * LOG_LINES, gates=(gate,) * 3),
        heard=(heard,) * longest,
    )
    (payload,) = await pydantic_data_converter.encode([what])
    assert len(payload.data) < 0.65 * PAYLOAD_LIMIT


def test_a_plan_that_an_older_version_wrote_keeps_its_digest(rehearsal: Plan, tmp_path: Path) -> None:
    content = rfc8785.dumps(rehearsal.model_dump(mode="json", by_alias=True, exclude={"reminders"}))
    older = digest_of(content)
    assert older != rehearsal.digest
    act = unsigned(rehearsal).unsigned.replace(rehearsal.digest, older)
    gate = gate_of(rehearsal, Given(by="ada", role="release-manager", at=NOW), passed_at=NOW, subject=older)
    chain = [unsigned(rehearsal, unsigned=act, previous=older)]
    record = record_of(rehearsal, gates=(gate,)).model_copy(update={"plan": older})
    write(gather(record, chain, {older: content}.__getitem__), tmp_path)
    assert verify_evidence(tmp_path).failures == ()
