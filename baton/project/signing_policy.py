"""How the files of a stream are signed, day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from baton.project.signing_tables import StreamSigningTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from baton.project.problem import Place
    from baton.project.schema import ReleaseFile
    from baton.project.signing_tables import SigningChangeTable, SigningTable

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Spell:
    """Days through which a stream is signed in one way.

    Attributes:
        first: the first day, in UTC; None when there is no first.
        last: the last day; None when there is no last.
        place: the table of the file that had the last word.
    """

    first: date | None
    last: date | None
    policy: SigningTable
    place: Place


def policy_of(settings: ReleaseFile, stream: str, today: date | None = None) -> SigningTable:
    """How the files of a stream are signed on a day in UTC, by default the current one."""
    return _on(settings, stream, today or datetime.now(UTC).date()).policy


def spells(settings: ReleaseFile, stream: str) -> tuple[Spell, ...]:
    """How the files of a stream are signed on every day there is, in order of time."""
    beginnings = sorted({begin for change in _changes(settings, stream) for begin in _turns(change)})
    ends = [*(begin - _DAY for begin in beginnings), None]
    days = zip([None, *beginnings], ends, strict=True)
    return tuple(_spell(settings, stream, first, last) for first, last in days)


def policies_from(settings: ReleaseFile, today: date) -> list[SigningTable]:
    """Every way in which some stream is signed on a day, in UTC, or later."""
    return [
        spell.policy
        for stream in settings.streams
        for spell in spells(settings, stream)
        if spell.last is None or spell.last >= today
    ]


def signing_parts(
    settings: ReleaseFile,
) -> Iterator[tuple[Place, SigningTable | StreamSigningTable | SigningChangeTable]]:
    """Every table of the file that says how something is signed, with its place."""
    tables: list[tuple[Place, SigningTable | StreamSigningTable]] = [(("signing",), settings.signing)]
    tables += [
        (("streams", name, "signing"), stream.signing)
        for name, stream in settings.streams.items()
        if stream.signing is not None
    ]
    for place, table in tables:
        yield place, table
        for index, change in enumerate(table.changes):
            yield (*place, "changes", index), change


def _spell(settings: ReleaseFile, stream: str, first: date | None, last: date | None) -> Spell:
    on = _on(settings, stream, first or last or date.min)
    return Spell(first, last, on.policy, on.place)


def _changes(settings: ReleaseFile, stream: str) -> Iterator[SigningChangeTable]:
    yield from settings.signing.changes
    yield from _own(settings, stream).changes


def _own(settings: ReleaseFile, stream: str) -> StreamSigningTable:
    return settings.streams[stream].signing or StreamSigningTable()


def _turns(change: SigningChangeTable) -> Iterator[date]:
    """The days from which something else may hold."""
    if change.first is not None and change.first > date.min:
        yield change.first
    if change.last is not None and change.last < date.max:
        yield change.last + _DAY


def _on(settings: ReleaseFile, stream: str, day: date) -> Spell:
    policy, place = _changed(settings.signing, settings.signing.changes, ("signing",), day)
    own = _own(settings, stream)
    if settings.streams[stream].signing is not None:
        policy, place = policy.under(own), ("streams", stream, "signing")
        policy, place = _changed(policy, own.changes, place, day)
    return Spell(day, day, policy, place)


def _changed(
    policy: SigningTable, changes: Sequence[SigningChangeTable], place: Place, day: date
) -> tuple[SigningTable, Place]:
    where = place
    for index, change in enumerate(changes):
        if change.covers(day):
            policy, where = policy.under(change), (*place, "changes", index)
    return policy, where
