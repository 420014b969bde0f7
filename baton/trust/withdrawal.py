"""What a new trusted-identities document takes back: signatures that counted, and would not any more.

What was published stays published, and people verify it for years. An identity that signed something stays in the list,
until the last day on which it signed.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from baton.model.base import Value
from baton.trust.identities import (
    TrustedIdentity,
    TrustedKey,
    TrustedSigstoreIdentity,
    TrustedStream,
    TrustedWorkflow,
    signature_kind,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from baton.model.roster import Window
    from baton.model.version import Version
    from baton.trust.identities import TrustedIdentities
    from baton.trust.result import FileResult

_DAY = timedelta(days=1)


class Withdrawal(Value):
    """Signatures that counted for a stream, and would not.

    Attributes:
        stream: the stream's name in the former document.
        entry: who made them, by the former document; None when it concerns everyone.
        first: the first day of such signatures; None when they have no first one.
        last: the last day; None when no day matters.
        reason: in words, with what to do.
    """

    stream: str
    entry: TrustedIdentity | None = None
    first: date | None = None
    last: date | None = None
    reason: str

    def __str__(self) -> str:
        return f"stream {self.stream}: {self.reason}"


def withdrawn(
    before: TrustedIdentities,
    after: TrustedIdentities,
    *,
    published: Collection[Version] | None = None,
    today: date | None = None,
) -> tuple[Withdrawal, ...]:
    """What of the signatures that may have been published until today would stop counting.

    That is: an identity that is gone, or counts for fewer past days; a key that comes without its public half; a kind
    of signature that becomes required; another Sigstore instance. What will be signed from tomorrow on is the project's
    to change. Who is marked as revoked is left out: that those signatures stop counting is what that is for.

    Args:
        before: what people verify with now.
        after: what they would verify with.
        published: every version of which anything was published; None, any version of each of the former streams.
        today: in UTC; by default what it is.

    Returns:
        Nothing when every file that verifies now would go on to.
    """
    until = today or datetime.now(UTC).date()
    pairs = _pairs(before, after, published)
    if before.sigstore is not after.sigstore:
        reason = f"its bundles are of Sigstore's {before.sigstore} instance; {after.sigstore} would take its place"
        return tuple(Withdrawal(stream=stream.name, reason=reason) for stream in dict.fromkeys(old for old, _ in pairs))
    return tuple(found for old, new in pairs for found in _of_stream(old, new, until))


def stops_verifying(files: Iterable[FileResult], after: TrustedIdentities) -> tuple[str, ...]:
    """Which published files would stop verifying, by what their verification said.

    Args:
        files: the facts of files as :func:`baton.trust.verify` returns them; those that fail now are passed over.
        after: what people would verify with.

    Returns:
        One line for each file, with its name and why.
    """
    judged = ((file.name, _loss(file, after)) for file in files if file and file.version is not None)
    return tuple(f"{name}: {loss}" for name, loss in judged if loss is not None)


def _loss(file: FileResult, after: TrustedIdentities) -> str | None:
    stream = after.stream_of(file.version or "")
    if stream is None:
        return f"no stream would hold its version, {file.version}"
    counted = [(one.matched, one.signed_at.date()) for one in file.signatures if one.matched and one.signed_at]
    for entry, day in counted:
        if not any(_speaks_for(new, entry) and new.covers(day) for new in stream.trusted):
            return f"{entry} signed it on {day}, which would not count for stream {stream.name}"
    kinds = {signature_kind(entry) for entry, _ in counted}
    missing = [kind for kind in stream.requires if kind not in kinds]
    return f"stream {stream.name} would require {', '.join(missing)}" if missing else None


def _pairs(
    before: TrustedIdentities, after: TrustedIdentities, published: Collection[Version] | None
) -> list[tuple[TrustedStream, TrustedStream | None]]:
    """Each former stream with the one that would judge its files."""
    if published is None:
        return [(old, _successor(old, after)) for old in before.streams]
    judged = [(before.stream_of(version), after.stream_of(version)) for version in published]
    return list(dict.fromkeys((old, new) for old, new in judged if old is not None))


def _successor(old: TrustedStream, after: TrustedIdentities) -> TrustedStream | None:
    """The most specific stream that holds all of the former one's versions."""
    holding = [new for new in after.streams if old.prefix[: len(new.prefix)] == new.prefix]
    return max(holding, key=lambda new: len(new.prefix), default=None)


def _of_stream(old: TrustedStream, new: TrustedStream | None, until: date) -> Iterator[Withdrawal]:
    if new is None:
        yield Withdrawal(stream=old.name, reason="it would be gone: keep it for as long as its files are published")
        return
    for entry in old.trusted:
        yield from _of_entry(entry, old.name, new.trusted, until)
    kinds = {signature_kind(entry) for entry in old.trusted}
    if added := [kind for kind in new.requires if kind not in old.requires and kinds != {kind}]:
        reason = f"{', '.join(added)} would become required; files without may be published: begin at a new stream"
        yield Withdrawal(stream=old.name, reason=reason)


def _of_entry(
    entry: TrustedIdentity, stream: str, trusted: Sequence[TrustedIdentity], until: date
) -> Iterator[Withdrawal]:
    same = [new for new in trusted if _speaks_for(new, entry)]
    if entry.revoked is not None or any(new.revoked is not None for new in same):
        return
    for first, last in _uncovered(entry, same, until):
        span = f"{f'from {first} ' if first else ''}until {last}"
        if same:
            reason = f"what {entry} signed {span} would not count: widen its from and until"
        else:
            reason = f"{entry} would be gone, and with it all it signed {span}: keep it, with an until"
        yield Withdrawal(stream=stream, entry=entry, first=first, last=last, reason=reason)
    if same and _has_key([entry]) and not _has_key(same):
        reason = f"{entry} would come without its public key, so that nobody could check what it signed: add it"
        yield Withdrawal(stream=stream, entry=entry, reason=reason)


def _has_key(entries: Sequence[TrustedIdentity]) -> bool:
    return any(isinstance(entry, TrustedKey) and entry.public_key is not None for entry in entries)


def _uncovered(old: Window, same: Sequence[Window], until: date) -> Iterator[tuple[date | None, date]]:
    """The spans of days, up to today, in which the old entry counts and none of the new ones does."""
    at, end = old.first or date.min, min(old.last or until, until)
    for new in sorted(same, key=lambda window: window.first or date.min):
        first, last = new.first or date.min, new.last or date.max
        if at < first and at <= end:
            yield _bound(at), min(first - _DAY, end)
        if last >= end:
            return
        at = max(at, last + _DAY)
    if at <= end:
        yield _bound(at), end


def _bound(first: date) -> date | None:
    return None if first == date.min else first


def _speaks_for(new: TrustedIdentity, old: TrustedIdentity) -> bool:
    """Whether every signature that the old entry names is one that the new one names, whatever the days."""
    match new, old:
        case TrustedSigstoreIdentity(), TrustedSigstoreIdentity():
            return (new.identity, new.issuer) == (old.identity, old.issuer)
        case TrustedWorkflow(), TrustedWorkflow():
            return (new.repository, new.workflow) == (old.repository, old.workflow) and _allows(new.ref, old.ref)
        case TrustedKey(), TrustedKey():
            return new.fingerprint == old.fingerprint
        case _:
            return False


def _allows(new: str, old: str) -> bool:
    """Whether a pattern of refs holds all that another one does."""
    return old == new or (new.endswith("*") and old.removesuffix("*").startswith(new.removesuffix("*")))
