"""An OpenPGP key as gpg lists it: the primary key, its subkeys, and what is wrong with it on a day.

Fields are those of GnuPG's doc/DETAILS, "Format of the colon listings", by the names that python-gnupg gives them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

_REVOKED = "r"
_ELSEWHERE = "#"


@dataclass(frozen=True)
class KeyPart:
    """The primary key, or a subkey.

    Attributes:
        fingerprint: in upper case.
        can_sign: whether it may sign files.
        made: the day in UTC.
        expires: the last day, in UTC, of which a part counts; None, it has no end.
        revoked: whether its owner has withdrawn it.
        secret_here: whether its secret part is in the home that was listed.
    """

    fingerprint: str
    can_sign: bool
    made: date
    expires: date | None
    revoked: bool
    secret_here: bool

    @classmethod
    def of(cls, fingerprint: str, fields: Mapping[str, Any]) -> Self:
        """Read one part from python-gnupg's listing."""
        made, expires = _day(fields["date"]), _day(fields["expires"])
        return cls(
            fingerprint=fingerprint,
            # Capital letters are what the whole key can do.
            can_sign="s" in fields["cap"],
            made=made or date.min,
            expires=expires,
            revoked=fields["trust"] == _REVOKED,
            secret_here=fields["type"] in {"sec", "ssb"} and fields["token"] != _ELSEWHERE,
        )


@dataclass(frozen=True)
class Key:
    """A whole key."""

    primary: KeyPart
    subkeys: tuple[KeyPart, ...]
    user_ids: tuple[str, ...]

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """Read a key from python-gnupg's ``list_keys`` or ``scan_keys_mem``."""
        known = fields.get("subkey_info", {})
        return cls(
            primary=KeyPart.of(fields["fingerprint"], fields),
            # Each is listed by its id first and its fingerprint third.
            subkeys=tuple(KeyPart.of(listed[2], known[listed[0]]) for listed in fields["subkeys"]),
            user_ids=tuple(fields["uids"]),
        )

    @property
    def signing(self) -> tuple[KeyPart, ...]:
        """Every part that may sign and was not revoked, whether it has expired or not."""
        if self.primary.revoked:
            return ()
        return tuple(part for part in (self.primary, *self.subkeys) if part.can_sign and not part.revoked)

    @property
    def last_day(self) -> date | None:
        """The last day on which some part can sign; None if there is no end, or nothing can sign at all.

        A subkey ends with its primary key at the latest.
        """
        ends = [self._end(part) for part in self.signing]
        return None if None in ends else max((end for end in ends if end is not None), default=None)

    def _end(self, part: KeyPart) -> date | None:
        return min((end for end in (self.primary.expires, part.expires) if end is not None), default=None)


@dataclass(frozen=True)
class KeyProblem:
    """What is wrong with a key.

    Attributes:
        fact: what it is.
        remedy: what to do about it.
        fatal: whether nothing can be signed with the key; otherwise that is near.
    """

    fact: str
    remedy: str
    fatal: bool


def key_problem(key: Key, today: date, within: timedelta) -> KeyProblem | None:
    """What stands, or soon will stand, against signing with a key: the worst thing only, or None.

    Args:
        key: as its public key block shows it.
        today: the day in UTC that counts as today.
        within: how long before its end a key is worth a warning.
    """
    if key.primary.revoked:
        return KeyProblem(
            "its primary key has been revoked, and with it whatever it has signed",
            "make a new key, and sign again what is published",
            fatal=True,
        )
    if not key.signing:
        withdrawn = any(part.can_sign and part.revoked for part in key.subkeys)
        return KeyProblem(
            "no part of the key can sign" + (": every signing subkey has been revoked" if withdrawn else ""),
            "add a signing subkey (`baton keys rotate`), and put the new public key here",
            fatal=True,
        )
    last = key.last_day
    if last is None or last - today > within:
        return None
    what = "its primary key" if key.primary.expires == last else "its last signing subkey"
    remedy = "extend it (`baton keys extend`), and put the new public key here"
    if last < today:
        return KeyProblem(f"expired on {last}: {what} did", remedy, fatal=True)
    return KeyProblem(f"ends on {last}: {what} does", remedy, fatal=False)


def _day(seconds: str) -> date | None:
    return datetime.fromtimestamp(int(seconds), UTC).date() if seconds else None
