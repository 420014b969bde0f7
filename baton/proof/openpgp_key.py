"""Signing with a person's OpenPGP key: by their own gpg, its agent and its way to ask for the passphrase."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from baton.model.errors import Failed, Refused
from baton.proof.holders import name_of
from baton.proof.openpgp import verify_openpgp
from baton.proof.programs import ASKING, run

if TYPE_CHECKING:
    from baton.model.roster import OpenPgpKey

_ELSEWHERE = "#"
"""gpg's mark for a key whose secret part is not here."""

_UNUSABLE = {"r": "has been revoked", "e": "has expired", "d": "is disabled", "i": "is invalid"}
"""By gpg's letter for a key's validity."""


@dataclass(frozen=True)
class OpenPgpSigningKey:
    """A key to sign with.

    Attributes:
        credential: the roster's entry of the primary key.
        part: the fingerprint of the primary key, or of the subkey of it, that signs.
    """

    credential: OpenPgpKey
    part: str

    @property
    def keyid(self) -> str:
        """What an envelope names it by: ``openpgp:`` and the primary key's fingerprint."""
        return f"openpgp:{self.credential.fingerprint}"

    @property
    def name(self) -> str:
        """The key in words."""
        return f"{name_of(self.credential)} in gpg"

    @property
    def asks(self) -> str:
        """What the person may have to do while it signs."""
        return "type the key's passphrase if gpg asks for one, or touch the card"

    def sign(self, message: bytes) -> bytes:
        """An armoured detached signature, verified with the public key that the roster has.

        Raises:
            Missing: gpg is not installed.
            Failed: it does not sign, or makes what does not count.
        """
        # With `!` gpg takes this key alone, and fails rather than take another.
        command = ["gpg", "--batch", "--status-fd", "2", "--armor", "--local-user", f"{self.part}!"]
        command += ["--output", "-", "--detach-sign"]
        made = run(command, stdin=message, seconds=ASKING, environment=gpg_environment())
        if made.code != 0:
            raise Failed(f"gpg does not sign with the {self.name}: {made.complaint}")
        try:
            verify_openpgp(message, made.output, self.credential, datetime.now(UTC))
        except Refused as error:
            raise Failed(f"gpg made a signature that does not count: {error}") from error
        return made.output


def find_signing_part(credential: OpenPgpKey) -> OpenPgpSigningKey | None:
    """The key that this person's gpg can sign with for a listed primary key, or None if it has no secret part of it.

    It is the newest signing subkey that is here, or the primary key, as gpg itself chooses.

    Raises:
        Missing: gpg is not installed.
        Refused: what is here has expired or been revoked, or the roster lacks the public key.
    """
    if credential.public_key is None:
        raise Refused(f"the roster lists the openpgp key {credential.fingerprint} without its public key")
    listed = run(["gpg", "--batch", "--with-colons", "--fixed-list-mode", "--list-secret-keys", credential.fingerprint])
    parts = _parts(listed.output.decode("latin-1"))
    if not parts or parts[0].fingerprint != credential.fingerprint:
        return None
    primary, able = parts[0], [part for part in parts if part.signs and part.here]
    if not able:
        return None
    usable = [part for part in able if part.objection is None and primary.objection is None]
    if not usable:
        refused = primary if primary.objection else able[-1]
        raise Refused(
            f"gpg has the openpgp key {credential.fingerprint}, but {refused.fingerprint} {refused.objection}"
        )
    chosen = max(usable, key=lambda part: (part is not primary, part.created))
    return OpenPgpSigningKey(credential, chosen.fingerprint)


@dataclass(frozen=True)
class _Part:
    """A primary key or subkey as ``gpg --with-colons --list-secret-keys`` shows it (GnuPG's doc/DETAILS)."""

    fingerprint: str
    validity: str
    created: int
    signs: bool
    here: bool

    @classmethod
    def of(cls, line: list[str], fingerprint: str) -> _Part:
        return cls(
            fingerprint=fingerprint,
            validity=line[1],
            created=int(line[5]),
            signs="s" in line[11],
            here=line[14] != _ELSEWHERE,
        )

    @property
    def objection(self) -> str | None:
        return _UNUSABLE.get(self.validity)


def _parts(listing: str) -> list[_Part]:
    """The primary key first."""
    lines = [line.split(":") for line in listing.split("\n")]
    keys = [line for line in lines if line[0] in {"sec", "ssb"}]
    names = [line[9] for line in lines if line[0] == "fpr"]
    return [_Part.of(line, fingerprint) for line, fingerprint in zip(keys, names, strict=False)]


def gpg_environment() -> dict[str, str]:
    """This process's, and the terminal on which gpg's agent may ask for the passphrase."""
    environment = dict(os.environ)
    if "GPG_TTY" not in environment and sys.stdin is not None and sys.stdin.isatty():
        environment["GPG_TTY"] = os.ttyname(sys.stdin.fileno())
    return environment
