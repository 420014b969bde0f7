"""Whether the OpenPGP keys of a project are what its `release.toml` says, and how long they last."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from baton.model.errors import BatonError
from baton.project.check_people import ending
from baton.project.finding import error, ok
from baton.project.key_files import named
from baton.project.read import spelled
from baton.trust.gnupg_home import open_home, temporary_home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.project.finding import Finding
    from baton.project.read import Project


def openpgp_findings(project: Project, today: date) -> Iterator[Finding]:
    """What is to be said of each key file that the project names."""
    files = list(named(project.settings))
    if not files:
        return
    try:
        with temporary_home() as home:
            gpg = open_home(home)
            blocks = {path: list(gpg.scan_keys_mem(block)) for path, block in project.public_keys.items()}
    except BatonError as problem:
        yield error("OpenPGP keys", f"they can't be looked at: {problem}")
        return
    for place, fingerprint, path in files:
        yield from _key(f"{spelled(place)} {path}", fingerprint, blocks[path], today)


def _key(subject: str, fingerprint: str, keys: list[dict[str, Any]], today: date) -> Iterator[Finding]:
    found = [key["fingerprint"] for key in keys]
    if found != [fingerprint]:
        what = f"holds {' and '.join(found)}" if found else "holds no key that gpg can read"
        hint = f"export that key alone: gpg --armor --export {fingerprint}"
        yield error(subject, f"{what}; expected {fingerprint}", hint)
        return
    (key,) = keys
    ends = _signing_ends(key)
    if not ends:
        yield error(subject, "no part of the key can sign", "add a signing subkey, and export the key again")
        return
    last = None if None in ends else max(end for end in ends if end is not None)
    if last is not None and last < today:
        yield error(subject, f"expired on {last}", "extend it, and export the key again")
        return
    yield from ending(subject, last, today)
    yield ok(subject, "is the key that is named" if last is None else f"is the key that is named, valid until {last}")


def _signing_ends(key: dict[str, Any]) -> list[date | None]:
    """The last day of the primary key and of every subkey, where it can sign; None for one without an end.

    Fields as in GnuPG's doc/DETAILS, "Format of the colon listings": of `cap`, small letters are what this key can do.
    A subkey ends with its primary key at the latest.
    """
    parts = [key, *key.get("subkey_info", {}).values()]
    primary = _day(key["expires"])
    ends: list[date | None] = []
    for part in parts:
        if "s" in part["cap"] and part["trust"] != "r" and key["trust"] != "r":
            own = [end for end in (primary, _day(part["expires"])) if end is not None]
            ends.append(min(own, default=None))
    return ends


def _day(seconds: str) -> date | None:
    return datetime.fromtimestamp(int(seconds), UTC).date() if seconds else None
