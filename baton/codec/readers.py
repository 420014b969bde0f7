"""Who may read payloads: people with a token of their own, as long as a project's roster has them."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from baton.codec.files import read_private
from baton.model.errors import Invalid, Missing, Refused
from baton.project.read import read_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from baton.model.roster import Roster
    from baton.project.read import Project

_PREFIX = "baton_codec_"
"""By which a token is known where it should not be, as in a commit."""

_ENTRY = re.compile(r"(?P<person>[a-z0-9][a-z0-9._-]{0,63}) (?P<digest>[0-9a-f]{64}) (?P<until>\d{4}-\d\d-\d\d)")

LIFETIME = timedelta(days=90)


@dataclass(frozen=True)
class Token:
    """What lets one person read; the token itself is with that person alone.

    Attributes:
        person: their id on rosters.
        digest: the token's SHA-256. It has 256 random bits, so that nothing slower is needed.
        until: the last day, in UTC, on which it counts.
    """

    person: str
    digest: str
    until: date

    @property
    def line(self) -> str:
        """The token as a file of tokens has it."""
        return f"{self.person} {self.digest} {self.until}"


def new_token(person: str, until: date) -> tuple[Token, str]:
    """A token for a person: what the server keeps, and what the person does.

    Raises:
        Invalid: nobody can have such an id.
    """
    secret = _PREFIX + secrets.token_urlsafe(32)
    (token,) = parse_tokens(f"{person} {_digest(secret)} {until}", f"the token for {person!r}")
    return token, secret


def read_tokens(file: Path) -> tuple[Token, ...]:
    """The tokens in a file that nobody but its owner may read.

    Raises:
        Missing: the file is not there, or can't be read.
        Refused: others than its owner may read it, or its owner is another user.
        Invalid: it holds something else.
    """
    return tuple(parse_tokens(read_private(file, "tokens for the codec server"), str(file)))


def parse_tokens(text: str, source: str) -> Iterator[Token]:
    """Read tokens, one in a line: ``PERSON SHA256 LAST-DAY``.

    Raises:
        Invalid: a line is something else.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        entry = _ENTRY.fullmatch(line.strip())
        try:
            until = date.fromisoformat(entry["until"]) if entry else None
        except ValueError:
            until = None
        if entry is None or until is None:
            raise Invalid(f"line {number} of {source} is no token; expected PERSON SHA256 YYYY-MM-DD")
        yield Token(entry["person"], entry["digest"], until)


@dataclass(frozen=True)
class Readers:
    """Who may read what, looked up anew for each request, so that a changed file counts at once.

    Attributes:
        tokens: the file with people's tokens.
        projects: the ``release.toml`` files whose rosters count.
        roles: the roles of which a reader needs one; none of them, and everyone on the roster may read.
    """

    tokens: Path
    projects: tuple[Path, ...]
    roles: frozenset[str] = frozenset()

    def require_usable(self) -> None:
        """Require that the files can be read now.

        Raises:
            BatonError: one can't, or no project is named.
        """
        read_tokens(self.tokens)
        if not self.projects:
            raise Missing("no project is named: name the release.toml whose roster may read in BATON_PROJECTS")
        for file in self.projects:
            read_project(file)

    def person(self, secret: str) -> str:
        """Whose token this is.

        Raises:
            Refused: nobody's, or not any more.
            BatonError: the file of tokens can't be used.
        """
        digest = _digest(secret)
        today = datetime.now(UTC).date()
        found = [token for token in read_tokens(self.tokens) if hmac.compare_digest(token.digest, digest)]
        if not found:
            raise Refused("this is nobody's token: ask whoever runs the codec server for one")
        if all(token.until < today for token in found):
            raise Refused(f"this token ended on {found[0].until}: ask whoever runs the codec server for another")
        return found[0].person

    def readable(self, person: str) -> frozenset[str]:
        """The projects whose payloads somebody may read.

        Raises:
            BatonError: a ``release.toml`` can't be used.
        """
        rosters = {project.name: project.roster for project in map(_project, self.projects)}
        return frozenset(name for name, roster in rosters.items() if self._may(roster, person))

    def _may(self, roster: Roster, person: str) -> bool:
        found = roster.find(person)
        return found is not None and (not self.roles or not self.roles.isdisjoint(found.roles))


def _project(file: Path) -> Project:
    """The project of a file as it is now, read again when that has changed."""
    try:
        facts = file.stat()
    except OSError as error:
        raise Missing(f"{file} can't be read: {error.strerror}") from error
    return _read(file, facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=64)
def _read(file: Path, _changed: int, _size: int) -> Project:
    return read_project(file)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
