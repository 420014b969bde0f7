"""The keys of the payload codec: whose they are, and in which order they are used."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from baton.codec.files import read_private
from baton.model.errors import Invalid

if TYPE_CHECKING:
    from pathlib import Path

    from baton.settings import WorkerSettings

EVERY_PROJECT = "*"
"""Stands in a key's line in place of a project."""

KEYS, KEYS_FILE = "BATON_CODEC_KEYS", "BATON_CODEC_KEYS_FILE"
"""The environment variables that give a process its keys: themselves, or the file that has them."""

_BYTES = 32
_ENTRY = re.compile(r"(?P<project>\*|[a-z0-9][a-z0-9._-]{0,63}):(?P<secret>[A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class CodecKey:
    """A key for AES-256-GCM.

    Attributes:
        project: the only project whose payloads it encrypts and decrypts; :data:`EVERY_PROJECT` for all.
        secret: its 32 bytes; never shown.
    """

    project: str
    secret: bytes = field(repr=False)

    @classmethod
    def new(cls, project: str = EVERY_PROJECT) -> CodecKey:
        """A key that nobody else has.

        Raises:
            Invalid: no project has such a name.
        """
        return parse_keys(f"{project}:{_encoded(secrets.token_bytes(_BYTES))}", "a new key").keys[0]

    @property
    def id(self) -> str:
        """What payloads name it by. It follows from the key, so that no two keys share one; it tells nothing of it."""
        return "k" + hashlib.sha256(b"baton codec key\0" + self.secret).hexdigest()[:12]

    @property
    def line(self) -> str:
        """The key as a file of keys has it. This is the secret."""
        return f"{self.project}:{_encoded(self.secret)}"

    def fits(self, project: str) -> bool:
        """Whether it is a key for a project's payloads."""
        return self.project in (project, EVERY_PROJECT)


@dataclass(frozen=True)
class Keyring:
    """The keys of a process. The first one that fits a project encrypts; every one that fits decrypts."""

    keys: tuple[CodecKey, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.keys)

    def encrypting(self, project: str) -> CodecKey | None:
        """The key that a project's payloads are encrypted with, or None if they are not."""
        return next((key for key in self.keys if key.fits(project)), None)

    def find(self, key_id: str) -> CodecKey | None:
        """The key of this id, or None."""
        return next((key for key in self.keys if key.id == key_id), None)

    def ids(self) -> str:
        """The ids of all of them, in words."""
        return ", ".join(key.id for key in self.keys) or "none"


def keyring_of(settings: WorkerSettings) -> Keyring:
    """The keys that a process is given by its environment; none if it names none.

    Raises:
        Invalid: they are given twice, or are not keys.
        Missing: the file is not there.
        Refused: others than its owner may read the file.
    """
    given, file = settings.codec_keys, settings.codec_keys_file
    if given is not None and file is not None:
        raise Invalid(f"{KEYS} and {KEYS_FILE} are both set: keep one")
    if file is not None:
        return read_keys(file)
    return Keyring() if given is None else parse_keys(given.get_secret_value(), KEYS)


def read_keys(file: Path) -> Keyring:
    """The keys in a file that nobody but its owner may read.

    Raises:
        Missing: the file is not there, or can't be read.
        Refused: others than its owner may read it, or its owner is another user.
        Invalid: it does not hold keys.
    """
    return parse_keys(read_private(file, "codec keys"), str(file))


def parse_keys(text: str, source: str) -> Keyring:
    """Read keys: words of the form ``PROJECT:KEY``, with ``*`` for every project, and comments that begin with ``#``.

    Args:
        text: the keys.
        source: where they are from, for messages, which never repeat any of the text.

    Raises:
        Invalid: there is none, one is malformed, or one stands there twice.
    """
    words = [word for line in text.splitlines() for word in line.partition("#")[0].split()]
    if not words:
        raise Invalid(
            f"there is no key in {source}: `baton codec keys new` makes one; to encrypt nothing, don't set it"
        )
    keys = tuple(_key(word, number, source) for number, word in enumerate(words, 1))
    if len({key.id for key in keys}) < len(keys):
        raise Invalid(f"a key stands in {source} twice: keep its first place, or bind it to one project")
    return Keyring(keys)


def _key(word: str, number: int, source: str) -> CodecKey:
    entry = _ENTRY.fullmatch(word)
    if entry is None:
        raise Invalid(
            f"entry {number} of {source} is no key; expected PROJECT:KEY or *:KEY with 32 bytes in 43 characters of "
            "base64url (RFC 4648, section 5), as `baton codec keys new` writes it"
        )
    return CodecKey(entry["project"], base64.urlsafe_b64decode(entry["secret"] + "="))


def _encoded(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).decode().rstrip("=")
