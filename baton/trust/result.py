"""What verification found: the facts about each file and signature, and the verdict that follows from them."""

from __future__ import annotations

from datetime import datetime  # pydantic reads it at run time
from enum import StrEnum

from baton.model.base import Digest, Value
from baton.trust.identities import SignatureKind, TrustedIdentity  # pydantic reads them at run time

__all__ = ["Fault", "FileResult", "KeyState", "Report", "SignatureKind", "SignatureResult"]


class Fault(StrEnum):
    """Why a signature does not count."""

    MISSING = "missing"
    MALFORMED = "malformed"
    BAD = "bad"
    """It does not fit the file, or one of its proofs does not hold."""
    UNTRUSTED = "untrusted"
    """It is good, by someone whose signature does not count for this stream."""
    OUTSIDE_WINDOW = "outside-window"
    """It is good, by someone whose signature does not count on the day it was made."""
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNKNOWN_KEY = "unknown-key"
    """It is by an OpenPGP key that is none of those at hand."""
    NOT_CHECKED = "not-checked"
    """No OpenPGP key at all is at hand to check it with; the file's verdict rests on its other signatures."""


class KeyState(StrEnum):
    """What there is to say of the OpenPGP key that made a signature."""

    SUBKEY = "subkey"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class SignatureResult(Value):
    """One signature: who made it, and whether it counts.

    Attributes:
        source: the signature's file name.
        identity: the certificate's subject alternative name, or the OpenPGP primary key's fingerprint. Only to be
            relied on when the signature counts.
        issuer: who vouches for a Sigstore identity.
        signing_key: the fingerprint of the OpenPGP key that made it, which may be a subkey of the primary; of an
            unknown key only the key id is known.
        signed_at: for Sigstore, when the signing certificate was issued, at most its ten minutes before the signature;
            for OpenPGP, when the signer says.
        states: what there is to say of the OpenPGP key.
        matched: the entry of the trusted identities that it counts by.
        fault: why it does not count; None when it does.
        reason: the same in words, with expected and actual.
        expected: whose signature would have counted.
    """

    kind: SignatureKind
    source: str
    identity: str | None = None
    issuer: str | None = None
    signing_key: str | None = None
    signed_at: datetime | None = None
    states: tuple[KeyState, ...] = ()
    matched: TrustedIdentity | None = None
    fault: Fault | None = None
    reason: str
    expected: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.matched is not None and self.fault is None


class FileResult(Value):
    """One file and its signatures.

    Attributes:
        digest: what was computed from the file, or given in its place; None when it could not be read.
        version: which version the file is taken to belong to, and
        stream: which stream's identities count for it.
        required: of each of these kinds one signature has to count.
        problem: what is wrong with the file itself, whatever its signatures.
    """

    name: str
    digest: Digest | None
    version: str | None = None
    stream: str | None = None
    required: tuple[SignatureKind, ...] = ()
    signatures: tuple[SignatureResult, ...] = ()
    problem: str | None = None

    @property
    def missing(self) -> tuple[SignatureKind, ...]:
        """The required kinds of which no signature counts."""
        counting = {signature.kind for signature in self.signatures if signature}
        return tuple(kind for kind in self.required if kind not in counting)

    @property
    def failures(self) -> tuple[str, ...]:
        """One line for each thing that is wrong; none if all is well."""
        if self:
            return ()
        lines = [self.problem] if self.problem else []
        lines += [f"{signature.source}: {signature.reason}" for signature in self.signatures if not signature]
        unseen = set(self.missing) - {signature.kind for signature in self.signatures}
        lines += [f"it has no {kind} signature, which is required" for kind in self.missing if kind in unseen]
        return tuple(lines)

    def __bool__(self) -> bool:
        """At least one signature counts, one of each required kind, none that could be checked fails, all else fits."""
        checked = [signature for signature in self.signatures if signature.fault is not Fault.NOT_CHECKED]
        return self.problem is None and bool(checked) and all(checked) and not self.missing


class Report(Value):
    """A verification as a whole.

    Attributes:
        problems: what is wrong beyond the single files, such as a signature that belongs to none of them.
    """

    files: tuple[FileResult, ...]
    problems: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.files) and all(self.files) and not self.problems

    @property
    def failures(self) -> tuple[str, ...]:
        """One line for each thing that is wrong, naming the file."""
        return (*(f"{file.name}: {line}" for file in self.files for line in file.failures), *self.problems)
