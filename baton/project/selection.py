"""For which of a project's releases a part of its `release.toml` is meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from packaging.version import Version as Pep440
from pydantic import Field, Strict, StringConstraints

from baton.model.version import ReleaseKind, StreamStatus, kind_of
from baton.project.fields import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from baton.model.version import Stream
    from baton.project.schema import ReleaseFile

StreamName = Annotated[str, StringConstraints(pattern=r"^(\*|[0-9]+(\.[0-9]+)*)$", max_length=32)]

Kind: TypeAlias = Literal["alpha", "beta", "candidate", "prerelease", "final", "security"]
"""What kind of release it is. Alphas, betas and candidates are prereleases too; what a stream that gets security fixes
alone releases is `security`, and not `final`."""

_PHASES: dict[str, Kind] = {"a": "alpha", "b": "beta", "rc": "candidate"}
"""The letters of PEP 440."""


class SelectionTable(Table):
    """A part that is meant for some releases only: those that are one of each thing that it says."""

    streams: tuple[StreamName, ...] = Field(default=(), min_length=1, max_length=200)
    """Only for releases of these streams."""

    statuses: tuple[Annotated[StreamStatus, Strict(strict=False)], ...] = Field(default=(), min_length=1, max_length=5)
    """Only for releases of streams that stand there."""

    kinds: tuple[Kind, ...] = Field(default=(), min_length=1, max_length=6)
    """Only for releases of these kinds; a `prerelease` is every `alpha`, `beta` and `candidate`."""

    @property
    def selects(self) -> bool:
        """Whether it says anything, and so is not meant for every release."""
        return bool(self.streams or self.statuses or self.kinds)


@dataclass(frozen=True)
class Occasion:
    """A release, as far as the parts of a file can be meant for it or not.

    Attributes:
        kinds: every word for its kind.
    """

    stream: str
    status: StreamStatus
    kinds: frozenset[Kind]

    @classmethod
    def of(cls, version: str, stream: Stream) -> Occasion:
        """The release of this version."""
        phase = (Pep440(version).pre or ("",))[0]
        kinds: set[Kind] = {kind_of(version, stream).value}
        if phase in _PHASES:
            kinds.add(_PHASES[phase])
        return cls(stream.name, stream.status, frozenset(kinds))

    def is_meant(self, part: SelectionTable) -> bool:
        """Whether the part is meant for this release."""
        return (
            (not part.streams or self.stream in part.streams)
            and (not part.statuses or self.status in part.statuses)
            and (not part.kinds or not self.kinds.isdisjoint(part.kinds))
        )

    @property
    def kind(self) -> Kind:
        """The most exact word for its kind."""
        return next((phase for phase in _PHASES.values() if phase in self.kinds), next(iter(self.kinds)))

    def __str__(self) -> str:
        return f"{self.kind} releases of stream {self.stream}"


def in_words(sorts: Sequence[Occasion]) -> str:
    """Several sorts of releases: ``3.13 (final), 3.14 (alpha, beta)``."""
    kinds: dict[str, list[str]] = {}
    for occasion in sorts:
        kinds.setdefault(occasion.stream, []).append(occasion.kind)
    return ", ".join(f"{stream} ({', '.join(words)})" for stream, words in kinds.items())


def occasions(settings: ReleaseFile) -> Iterator[Occasion]:
    """Every sort of release that the project can make."""
    for name, stream in settings.streams.items():
        if stream.status is StreamStatus.END_OF_LIFE:
            continue
        last: Kind = "security" if stream.status is StreamStatus.SECURITY else "final"
        for phase in _PHASES.values():
            yield Occasion(name, stream.status, frozenset({ReleaseKind.PRERELEASE.value, phase}))
        yield Occasion(name, stream.status, frozenset({last}))
