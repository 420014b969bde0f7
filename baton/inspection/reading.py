"""What is known while an archive is being read, and the rules that every member must keep."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from enum import Enum
from hashlib import blake2b
from typing import TYPE_CHECKING

from baton.model.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.model.plan import ArchiveLimits

_SMALL = 16 * 1024**2
"""Bytes up to which no ratio makes a bomb: a few kilobytes of zeros pack a thousandfold."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"[A-Za-z]:")


class Kind(Enum):
    """What a member of an archive is."""

    FILE = "a file"
    FOLDER = "a folder"
    LINK = "a symbolic link"
    HARD_LINK = "a hard link"
    OTHER = "a device, pipe or something else that is no file"


@dataclass(frozen=True)
class Member:
    """One entry of an archive.

    Attributes:
        name: as the archive has it.
        target: where a link leads.
    """

    name: str
    kind: Kind
    target: str = ""


class TooMuch(Invalid):
    """An archive holds more than the plan's limits allow."""


@dataclass
class Reading:
    """One archive while it is read. Memory grows with the number of entries, which is bounded, by 100 bytes each.

    Attributes:
        packed: the archive's size in bytes.
        member: what is being read.
    """

    limits: ArchiveLimits
    packed: int
    member: str = ""
    entries: int = 0
    unpacked: int = 0
    _files: set[bytes] = field(default_factory=set)
    _folders: set[bytes] = field(default_factory=set)
    _links: set[bytes] = field(default_factory=set)

    def count(self, unpacked: int) -> None:
        """Count bytes that came out of the archive.

        Raises:
            TooMuch: they are too many, or too many for its size.
        """
        self.unpacked += unpacked
        if self.unpacked > self.limits.unpacked_bytes:
            raise TooMuch(f"unpacks to more than the {self.limits.unpacked_bytes} bytes that the plan's limits allow")
        if self.unpacked > max(_SMALL, self.limits.ratio * self.packed):
            raise TooMuch(
                f"unpacks to more than {self.limits.ratio} times its {self.packed} bytes, which the plan's limits "
                "do not allow"
            )

    def enter(self, member: Member) -> Iterator[str]:
        """Go on to the next member; gives what is wrong with its name, kind and target.

        Raises:
            TooMuch: the archive has too many members.
        """
        self.member = member.name
        self.entries += 1
        if self.entries > self.limits.entries:
            raise TooMuch(f"has more than the {self.limits.entries} entries that the plan's limits allow")
        if member.kind is Kind.OTHER:
            yield f"is {member.kind.value}; expected files, folders and links"
        problem = problem_of_name(member.name)
        if problem:
            yield problem
            return
        yield from self._collisions(member)
        if member.kind is Kind.LINK and (problem := problem_of_link(member.name, member.target)):
            yield problem
        if member.kind is Kind.HARD_LINK and (problem := problem_of_name(member.target)):
            yield f"links to {member.target[:200]!r}, which {problem}"

    def _collisions(self, member: Member) -> Iterator[str]:
        parts = _parts(member.name)
        key = _key(parts)
        if any(_key(parts[:depth]) in self._links for depth in range(1, len(parts))):
            yield "lies behind a link of the same archive; expected real folders on its way"
        if key in self._files or (key in self._folders and member.kind is not Kind.FOLDER):
            yield "has the name of another member, or one that differs only in case"
        (self._folders if member.kind is Kind.FOLDER else self._files).add(key)
        if member.kind is Kind.LINK:
            self._links.add(key)


def problem_of_name(name: str) -> str:
    """What is wrong with a member's name, or nothing.

    A name is relative, stays inside, and means the same on every system: ``/`` is the only separator.
    """
    if not name:
        return "has no name"
    if _CONTROL.search(name):
        return "has control characters in its name"
    if "\\" in name:
        return "has a backslash in its name, which some systems take for a separator"
    if name.startswith("/") or _DRIVE.match(name):
        return "has an absolute path; expected one inside the archive"
    if ".." in name.split("/"):
        return "has '..' in its path; expected one that stays inside the archive"
    return ""


def problem_of_link(name: str, target: str) -> str:
    """What is wrong with the target of a symbolic link, or nothing.

    ``..`` counts at the beginning only: behind the name of a folder that is a link, it leads somewhere else than it
    seems to.
    """
    shown = f"links to {target[:200]!r}"
    if not target or _CONTROL.search(target) or "\\" in target:
        return f"{shown}; expected the path of another member"
    if target.startswith("/") or _DRIVE.match(target):
        return f"{shown}, an absolute path; expected one inside the archive"
    parts = _parts(target)
    up = next((at for at, part in enumerate(parts) if part != ".."), len(parts))
    if ".." in parts[up:] or up >= len(_parts(name)):
        return f"{shown}, which leads out of the archive"
    return ""


def _parts(name: str) -> list[str]:
    return [part for part in name.split("/") if part not in ("", ".")]


def _key(parts: list[str]) -> bytes:
    """The same for names that some file system holds to be the same."""
    same = unicodedata.normalize("NFC", "/".join(parts).casefold())
    return blake2b(same.encode("utf-8", "surrogatepass"), digest_size=16).digest()
