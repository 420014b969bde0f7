"""The text of an advisory: which versions of a security release mend it, with the digests of their files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from baton.model.manifest import Manifest
    from baton.model.security import JointStream


@dataclass(frozen=True)
class Mended:
    """One stream as the advisory tells of it.

    Attributes:
        urls: where it is public; none while it is not.
    """

    stream: JointStream
    manifest: Manifest
    urls: tuple[str, ...]


@dataclass(frozen=True)
class Advised:
    """What an advisory is about.

    Attributes:
        title: the project's, as people write it.
        advisory: its reference: ``GHSA-…``, ``CVE-…``.
        public: whether every stream is public; until then the text is a draft.
        until: when the embargo ends, if there is a date.
        joint: digest of what people agreed to.
    """

    title: str
    advisory: str
    public: bool
    until: datetime | None
    joint: str
    streams: Sequence[Mended]


def advisory_text(advised: Advised) -> str:
    """The advisory's part about versions, as Markdown; what is wrong and how bad it is, people write."""
    return "\n".join(_lines(advised)) + "\n"


def _lines(advised: Advised) -> Iterator[str]:
    if not advised.public:
        until = "" if advised.until is None else f" The embargo ends {advised.until:%Y-%m-%d %H:%M %Z}."
        yield f"> **Draft: not public yet.** Tell nobody.{until}"
        yield ""
    versions = ", ".join(mended.stream.version for mended in advised.streams)
    yield f"# {advised.title}: {advised.advisory}"
    yield ""
    yield f"Fixed in {advised.title} {versions}."
    yield ""
    yield "| version | commit | where |"
    yield "| --- | --- | --- |"
    for mended in advised.streams:
        where = " ".join(f"<{url}>" for url in mended.urls) or "not public yet"
        yield f"| {mended.stream.version} | `{mended.stream.commit}` | {where} |"
    for mended in advised.streams:
        yield from (
            "",
            f"## {advised.title} {mended.stream.version}",
            "",
            "| file | bytes | SHA-256 |",
            "| --- | --- | --- |",
        )
        for file in mended.manifest.files:
            yield f"| `{file.name}` | {file.size} | `{file.sha256}` |"
    yield ""
    yield f"All of these were agreed to at once: joint manifest `{advised.joint}`."
