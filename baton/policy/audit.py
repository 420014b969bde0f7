"""Which published files are signed otherwise than the policy says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from baton.model.base import Value
from baton.project.check_identities import holds
from baton.trust.identities import SignatureKind, TrustedIdentities
from baton.trust.result import Fault, FileResult, SignatureResult
from baton.trust.verification import verify_subjects
from baton.trust.verifiers import Trust

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from baton.policy.expected import Expected, Policy
    from baton.trust.identities import TrustedIdentity
    from baton.trust.subjects import Subject

__all__ = ["Audit", "Disagreement", "Wrong", "audit"]


class Wrong(StrEnum):
    """What is otherwise than the policy says."""

    MISSING = "missing"
    """A signature that has to be there is not."""
    EXTRA = "extra"
    """A signature of a kind that the stream does not have."""
    UNTRUSTED = "untrusted"
    OUTSIDE_WINDOW = "outside-window"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNKNOWN_KEY = "unknown-key"
    BAD = "bad"
    MALFORMED = "malformed"
    """From ``untrusted`` to here: why the signature does not count, as :class:`baton.trust.Fault` has it."""
    STRAY = "stray"
    """A signature without its file."""
    FILE = "file"
    """The file is not what it has to be, or can't be read."""
    UNKNOWN_STREAM = "unknown-stream"
    """Nobody is known who may sign its version, or its version is not known."""


class Disagreement(Value):
    """One thing about one file.

    Attributes:
        file: its path in what was audited.
        signature: the signature's file name; None where the file as a whole is meant.
        by: who made it, or nobody knows.
        reason: in words, with what was expected.
    """

    file: str
    version: str | None
    stream: str | None
    wrong: Wrong
    signature: str | None = None
    by: str | None = None
    reason: str

    def __str__(self) -> str:
        where = self.file if self.signature is None else f"{self.file}: {self.signature}"
        return f"{where}: {self.wrong}: {self.reason}"


class Audit(Value):
    """What was found.

    Attributes:
        released: for each version the day by which its files were judged, in UTC.
        unchecked: OpenPGP signatures for which no key was at hand; of them nothing is known.
        passed_over: files without a signature and without a version, which are of no release.
    """

    files: int
    released: dict[str, date]
    disagreements: tuple[Disagreement, ...]
    unchecked: int = 0
    passed_over: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.files > 0 and not self.disagreements


def audit(
    subjects: Sequence[Subject],
    policy: Policy,
    *,
    public_keys: tuple[bytes, ...] = (),
    trust_config: Path | None = None,
    offline: bool = False,
    released: date | None = None,
    processes: int = 1,
) -> Audit:
    """Compare published files with the policy of their stream on the day of their release.

    The day is that of the first Sigstore signature of the version, whose time is proven; without one that of the first
    OpenPGP signature; without any, today.

    Args:
        subjects: what was published, as :func:`baton.policy.published.find_published` gives it.
        policy: what is expected.
        public_keys: exported OpenPGP keys, beside those in the policy.
        trust_config: a Sigstore client trust configuration, for another instance than the public ones.
        offline: take Sigstore's trust root as it is at hand.
        released: the day of all these releases, in UTC, in place of what signatures say.
        processes: how many may be at work.

    Raises:
        Missing, Invalid, Refused, Unavailable, Failed: as :func:`baton.trust.verify`.
    """
    trust = Trust(policy.listed, public_keys=public_keys, trust_config=trust_config, offline=offline)
    report = verify_subjects(subjects, trust, processes=processes)
    found = list(zip(report.files, subjects, strict=True))
    judged = [(file, subject) for file, subject in found if not _is_of_no_release(file, policy.listed)]
    days = _days([file for file, _ in judged], released)
    return Audit(
        files=len(judged),
        released={version: day for version, day in days.items() if version is not None},
        disagreements=tuple(
            one for file, subject in judged for one in _of_subject(file, subject, policy, days[file.version])
        ),
        unchecked=sum(one.fault is Fault.NOT_CHECKED for file, _ in judged for one in file.signatures),
        passed_over=tuple(file.name for file in report.files if _is_of_no_release(file, policy.listed)),
    )


def _is_of_no_release(file: FileResult, listed: TrustedIdentities) -> bool:
    return file.version is None and not file.signatures and len(listed.streams) > 1


def _days(files: Iterable[FileResult], released: date | None) -> dict[str | None, date]:
    """The day of each version's release."""
    signed: dict[str | None, list[SignatureResult]] = {}
    for file in files:
        signed.setdefault(file.version, []).extend(file.signatures)
    return {version: released or _first_day(signatures) for version, signatures in signed.items()}


def _first_day(signatures: Sequence[SignatureResult]) -> date:
    good = [one for one in signatures if one.fault in (None, Fault.UNTRUSTED, Fault.OUTSIDE_WINDOW)]
    for kind in SignatureKind:
        if times := [one.signed_at for one in good if one.kind is kind and one.signed_at is not None]:
            return min(times).astimezone(UTC).date()
    return datetime.now(UTC).date()


@dataclass(frozen=True)
class _Judged:
    """One file, with what it was found to carry and what it has to."""

    file: FileResult
    expected: Expected

    def disagreements(self) -> Iterator[Disagreement]:
        yield from self._missing()
        for signature in self.file.signatures:
            if signature.kind not in self.expected.allowed:
                reason = f"stream {self.file.stream} has no {signature.kind} signatures on the day of this release"
                yield self._of_signature(Wrong.EXTRA, signature, reason)
            elif signature.fault not in (None, Fault.NOT_CHECKED):
                yield self._of_signature(Wrong(signature.fault), signature, signature.reason)

    def _missing(self) -> Iterator[Disagreement]:
        signatures = self.file.signatures
        if not signatures and not self.expected.required:
            yield _of_file(self.file, Wrong.MISSING, "no signature lies beside it")
        if signatures and all(one.fault is Fault.NOT_CHECKED for one in signatures):
            reason = "none of its signatures can be checked: give the keys of those who sign with --gpg-key"
            yield _of_file(self.file, Wrong.MISSING, reason)
        for kind, signers in self.expected.required.items():
            there = [one for one in self.file.signatures if one.kind is kind]
            if not there:
                yield _of_file(self.file, Wrong.MISSING, f"it has no {kind} signature{_by(signers)}")
            elif any(there) and signers and not any(_is_by(one, signers) for one in there):
                names = ", ".join(str(one.matched) for one in there if one)
                reason = f"it has no {kind} signature{_by(signers)}, only by {names}"
                yield _of_file(self.file, Wrong.MISSING, reason)

    def _of_signature(self, wrong: Wrong, signature: SignatureResult, reason: str) -> Disagreement:
        by = signature.identity or signature.signing_key
        return _of_file(self.file, wrong, reason).model_copy(update={"signature": signature.source, "by": by})


def _of_subject(file: FileResult, subject: Subject, policy: Policy, day: date) -> Iterator[Disagreement]:
    if subject.path is None and subject.digest is None:
        names = ", ".join(signature.name for signature in subject.signatures)
        yield _of_file(file, Wrong.STRAY, f"{names} is there, and the file is not")
    elif file.digest is None or subject.digest not in (None, file.digest):
        yield _of_file(file, Wrong.FILE, file.problem)
    elif file.stream is None:
        yield _of_file(file, Wrong.UNKNOWN_STREAM, file.problem)
    else:
        yield from _Judged(file, policy.on(file.stream, day)).disagreements()


def _of_file(file: FileResult, wrong: Wrong, reason: str | None) -> Disagreement:
    return Disagreement(file=file.name, version=file.version, stream=file.stream, wrong=wrong, reason=reason or "")


def _is_by(signature: SignatureResult, signers: Sequence[TrustedIdentity]) -> bool:
    return signature.matched is not None and any(holds(signature.matched, signer) for signer in signers)


def _by(signers: Sequence[TrustedIdentity]) -> str:
    return f" by {' or '.join(map(str, signers))}" if signers else ""
