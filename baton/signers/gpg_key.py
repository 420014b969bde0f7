"""Which secret key of a GnuPG home makes the signatures that count for a primary key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from baton.model.errors import Missing, Refused

if TYPE_CHECKING:
    import gnupg

_NO_SECRET_PART = "#"  # noqa: S105  # gpg's mark for a key whose secret part is elsewhere


@dataclass(frozen=True)
class _SecretKey:
    """One line ``sec`` or ``ssb`` of ``gpg --list-secret-keys --with-colons`` (GnuPG's doc/DETAILS)."""

    fingerprint: str
    validity: str
    can_sign: bool
    here: bool
    created: int
    expires: int | None

    @classmethod
    def of(cls, fingerprint: str, fields: dict[str, Any]) -> _SecretKey:
        return cls(
            fingerprint=fingerprint,
            validity=fields["trust"],
            can_sign="s" in fields["cap"],
            here=fields["token"] != _NO_SECRET_PART,
            created=int(fields["date"]),
            expires=int(fields["expires"]) if fields["expires"] else None,
        )


def find_signing_key(gpg: gnupg.GPG, primary: str) -> str:
    """The fingerprint of the key to sign with: the newest signing subkey whose secret part is here, or the primary.

    Raises:
        Missing: the home has no secret key of this primary that can sign.
        Refused: it has, but the key has expired or been revoked; the message says when.
    """
    listed = gpg.list_keys(secret=True, keys=[primary])
    found = next((key for key in listed if key["fingerprint"] == primary), None)
    if found is None:
        raise Missing(
            f"the GnuPG home {gpg.gnupghome} has no secret key of {primary}: import it, or its signing subkey"
        )
    whole = _SecretKey.of(primary, found)
    _require_usable(whole, primary)
    subkeys = [_SecretKey.of(fields["fingerprint"], fields) for fields in found.get("subkey_info", {}).values()]
    able = [key for key in (whole, *subkeys) if key.can_sign and key.here]
    if not able:
        raise Missing(
            f"the GnuPG home {gpg.gnupghome} knows {primary}, but holds no secret key of it that can sign: "
            "import a signing subkey with its secret part (`gpg --export-secret-subkeys SUBKEY!`)"
        )
    # As gpg chooses: subkeys before the primary, the newest of them first.
    by_preference = sorted(able, key=lambda key: (key.fingerprint != primary, key.created), reverse=True)
    usable = [key for key in by_preference if _objection(key) is None]
    if not usable:
        _require_usable(by_preference[0], primary)
    return usable[0].fingerprint


def _require_usable(key: _SecretKey, primary: str) -> None:
    if objection := _objection(key):
        kind = "the primary key" if key.fingerprint == primary else f"of {primary}, the signing subkey"
        raise Refused(f"{kind} {key.fingerprint} {objection}")


def _objection(key: _SecretKey) -> str | None:
    if key.validity == "r":
        return "has been revoked: make a new one, and a new plan that names it"
    if key.validity == "e" and key.expires is not None:
        made, expired = (datetime.fromtimestamp(time, tz=UTC).date() for time in (key.created, key.expires))
        return f"has expired: it was made on {made} for use until {expired}; extend it, or make a new one"
    if key.validity in {"i", "d"}:
        return "is disabled or invalid in this home"
    return None
