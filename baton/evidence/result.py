"""What came of verifying evidence: the facts of each check, and the verdict that follows from them."""

from __future__ import annotations

from datetime import datetime  # pydantic reads it at run time
from enum import StrEnum

from baton.model.base import Digest, Value
from baton.model.version import ReleaseId  # pydantic reads it at run time


class Verdict(StrEnum):
    """What the evidence is worth."""

    VERIFIED = "verified"
    FAILED = "failed"
    REHEARSAL = "rehearsal"
    """It holds together, but people could say anything unsigned: it proves nothing."""
    PROVISIONAL = "provisional"
    """It holds together, but was written before the release was over, so that nobody signed it."""


class Check(Value):
    """One thing that was looked at.

    Attributes:
        subject: what: ``act 3``, ``gate publish``, ``step windows``.
        ok: whether it is as it has to be.
        fact: what was found; where something is wrong, what was expected and what came.
    """

    subject: str
    ok: bool
    fact: str


class EvidenceResult(Value):
    """What is known of a release's evidence.

    Attributes:
        acts: how many acts the release heard; ``refused`` of them did not count, ``unsigned`` counted unproven.
        judged_by: whose word says who may act and sign: the plan's own, or a file that the verifier has.
        signers: whose signatures the list of the evidence has to have.
    """

    release: ReleaseId
    run: str
    plan: Digest
    manifest: Digest | None
    sandbox: bool
    complete: bool
    at: datetime
    acts: int
    refused: int
    unsigned: int
    unsigned_allowed: bool
    judged_by: str
    signers: tuple[str, ...]
    checks: tuple[Check, ...]

    @property
    def failures(self) -> tuple[str, ...]:
        """One line for each thing that is wrong."""
        return tuple(f"{check.subject}: {check.fact}" for check in self.checks if not check.ok)

    @property
    def verdict(self) -> Verdict:
        """What the evidence is worth."""
        if self.failures or not self.checks:
            return Verdict.FAILED
        if self.unsigned or self.unsigned_allowed:
            return Verdict.REHEARSAL
        return Verdict.VERIFIED if self.complete else Verdict.PROVISIONAL

    def __bool__(self) -> bool:
        return self.verdict is Verdict.VERIFIED


def good(subject: str, fact: str) -> Check:
    """Something that is as it has to be."""
    return Check(subject=subject, ok=True, fact=fact)


def bad(subject: str, fact: object) -> Check:
    """Something that is not."""
    return Check(subject=subject, ok=False, fact=str(fact))
