"""A team's OpenPGP key through its life: a primary key that only certifies and stays offline, and subkeys that sign.

Each place that signs has a subkey of its own, so that one of them can end or be withdrawn without the others. Whatever
is made is verified before it is handed out: the file for a worker is imported elsewhere, signs there, and its signature
is verified as a stranger would.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from baton.model.errors import Conflict, Failed, Invalid, Missing, Refused
from baton.signers.key_home import PASSPHRASE_QUESTION, scratch_key_home
from baton.signers.key_publishing import WebKey, public_files
from baton.trust.identities import TrustedKey, Who
from baton.trust.openpgp import open_keyring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import SecretStr

    from baton.signers.key_home import KeyHome
    from baton.signers.key_parts import Key, KeyPart

LIFETIME = "2y"
"""How long keys last unless told otherwise."""

_LIFETIME = re.compile(r"[1-9][0-9]{0,3}[dwmy]|[0-9]{4}-[0-9]{2}-[0-9]{2}|never")
_ALGORITHM = "ed25519"
_PROBE = b"signed once, to see that it can be"


class Reason(StrEnum):
    """Why a key is withdrawn (RFC 9580, section 5.2.3.31)."""

    COMPROMISED = "compromised"
    SUPERSEDED = "superseded"
    RETIRED = "retired"
    UNSPECIFIED = "unspecified"


_REASON_CODES = {Reason.UNSPECIFIED: "0", Reason.COMPROMISED: "1", Reason.SUPERSEDED: "2", Reason.RETIRED: "3"}
"""By the numbers of gpg's menu, which are not those of the RFC."""


@dataclass(frozen=True)
class PublicHalf:
    """What everyone may have.

    Attributes:
        files: by their paths under a web server's root.
        addresses: the mail addresses that the key can be looked up by.
    """

    files: dict[str, bytes]
    addresses: tuple[WebKey, ...]


def require_lifetime(text: str) -> str:
    """A lifetime as gpg takes it.

    Raises:
        Invalid: it is none.
    """
    if not _LIFETIME.fullmatch(text):
        raise Invalid(f"{text!r} is no lifetime; expected 2y, 18m, 6w or 30d, a day such as 2028-11-30, or never")
    return text


def make_key(home: KeyHome, user_id: str, lifetime: str) -> Key:
    """Make a primary key that only certifies, and its first signing subkey.

    Args:
        home: where it is kept; it must have no secret key yet.
        user_id: ``Name <local@domain>``.
        lifetime: of both.

    Raises:
        Conflict: there is a key already.
        Invalid: the user id is none.
        Failed: gpg did not make it, or made something else.
    """
    if found := home.keys():
        names = ", ".join(key.primary.fingerprint for key in found)
        raise Conflict(f"{home.folder} has the key {names} already; `baton keys rotate` adds a signing subkey to it")
    if WebKey.of(user_id) is None or not user_id.isprintable():
        raise Invalid(f"{user_id!r} is no user id; expected a name and a mail address: Spam team <team@spam.example>")
    home.run("--quick-generate-key", user_id, _ALGORITHM, "cert", require_lifetime(lifetime))
    made = home.key()
    if made.primary.can_sign or made.subkeys:
        raise Failed(f"gpg made the key {made.primary.fingerprint} otherwise than asked: it should only certify")
    add_subkey(home, made, lifetime)
    return home.key()


def add_subkey(home: KeyHome, key: Key, lifetime: str) -> KeyPart:
    """Add a signing subkey; those that there are stay as they are.

    Raises:
        Refused: the primary key has been revoked, or the passphrase is wrong.
        Missing: the home does not have the primary key's secret part.
        Failed: gpg did not make it.
    """
    _require_primary(home, key)
    home.run("--quick-add-key", key.primary.fingerprint, _ALGORITHM, "sign", require_lifetime(lifetime))
    before = {part.fingerprint for part in key.subkeys}
    added = [part for part in home.key(key.primary.fingerprint).subkeys if part.fingerprint not in before]
    if len(added) != 1 or not added[0].can_sign:
        raise Failed(f"gpg added {len(added)} subkeys to {key.primary.fingerprint}; expected one that can sign")
    return added[0]


def extend(home: KeyHome, key: Key, lifetime: str, parts: Sequence[str] = ()) -> Key:
    """Move the day on which parts of a key expire.

    Args:
        home: has the primary key's secret part.
        key: whose parts they are.
        lifetime: counted from today.
        parts: fingerprints; none at all means the primary key and every subkey that has neither ended nor been revoked.

    Raises:
        Missing: a part is not of this key, or the home does not have the primary key's secret part.
        Refused: the key has been revoked, or the passphrase is wrong.
        Failed: gpg could not do it.
    """
    _require_primary(home, key)
    primary = key.primary.fingerprint
    chosen = [find_part(key, fingerprint).fingerprint for fingerprint in parts]
    if not chosen or primary in chosen:
        home.run("--quick-set-expire", primary, require_lifetime(lifetime))
    # gpg's own word for every subkey that is neither revoked nor expired.
    subkeys = [fingerprint for fingerprint in chosen if fingerprint != primary] if chosen else ["*"]
    if subkeys:
        home.run("--quick-set-expire", primary, require_lifetime(lifetime), *subkeys)
    return home.key(primary)


def revoke(home: KeyHome, key: Key, fingerprint: str, reason: Reason, text: str) -> Key:
    """Withdraw a subkey, or with the primary key's fingerprint all of the key. It can't be undone once published.

    Verifiers then refuse what it has signed, at any time: gpg makes no difference between reasons.

    Args:
        home: has the primary key's secret part.
        key: which key.
        fingerprint: which part of it.
        reason: why, as a code that programs read.
        text: why, in a line for people; may be empty.

    Raises:
        Missing: the key has no such part, or the home does not have the primary key's secret part.
        Refused: it has been revoked before, or the passphrase is wrong.
        Invalid: the text is not one line.
        Failed: gpg could not do it.
    """
    part = find_part(key, fingerprint)
    if part.revoked:
        raise Refused(f"{part.fingerprint} has been revoked already")
    if text and not text.isprintable():
        raise Invalid("the reason in words must be a single line of text")
    _require_primary(home, key)
    selected = [] if part is key.primary else [f"key {part.fingerprint}"]
    home.answer(
        {
            "keyedit.prompt": [*selected, "revkey", "save"],
            "keyedit.revoke.subkey.okay": ["y"],
            "ask_revocation_reason.code": [_REASON_CODES[reason]],
            "ask_revocation_reason.text": [text, ""] if text else [""],
            "ask_revocation_reason.okay": ["y"],
        },
        "--edit-key",
        key.primary.fingerprint,
    )
    now = home.key(key.primary.fingerprint)
    if not find_part(now, part.fingerprint).revoked:
        raise Failed(f"gpg did not revoke {part.fingerprint}")
    return now


def public_half(home: KeyHome, key: Key) -> PublicHalf:
    """The files to publish; they say of each part when it ends and whether it was revoked."""
    fingerprint = key.primary.fingerprint
    exported = ["--export-options", "export-minimal", "--export", fingerprint]
    addresses = tuple(address for user_id in key.user_ids if (address := WebKey.of(user_id)) is not None)
    files = public_files(home.run("--armor", *exported), home.run(*exported), addresses)
    return PublicHalf(files, addresses)


def revocation_certificate(home: KeyHome, key: Key) -> bytes:
    """The certificate that revokes the whole key, which gpg made with it. Whoever has it can do so, without a secret.

    Raises:
        Missing: it is not where gpg puts it.
    """
    file = home.folder / "openpgp-revocs.d" / f"{key.primary.fingerprint}.rev"
    try:
        return file.read_bytes()
    except OSError as error:
        raise Missing(f"can't read the revocation certificate {file}: {error.strerror}") from error


def worker_file(home: KeyHome, key: Key, subkey: KeyPart, passphrase: SecretStr | None) -> bytes:
    """The secret part of one signing subkey, and of nothing else, in ASCII armour.

    Args:
        home: has the subkey's secret part.
        key: whose subkey it is.
        subkey: which one.
        passphrase: what the file is protected with; None leaves it as in the home.

    Raises:
        Invalid: it shall have another passphrase than the home, whose own is known to the agent only.
        Refused: the home's passphrase is wrong.
        Failed: gpg could not export it, or what it exported does not sign, or holds more than the subkey.
    """
    content = _exported_subkey(home, subkey)
    public = home.run("--armor", "--export", key.primary.fingerprint)
    if passphrase is not None:
        content = _with_passphrase(home, content, subkey, passphrase)
    with scratch_key_home(home, passphrase or home.passphrase) as elsewhere:
        _prove(elsewhere, content, public, key, subkey)
    return content


def _exported_subkey(home: KeyHome, subkey: KeyPart) -> bytes:
    return home.run("--armor", "--export-secret-subkeys", f"{subkey.fingerprint}!")


def _with_passphrase(home: KeyHome, content: bytes, subkey: KeyPart, passphrase: SecretStr) -> bytes:
    if home.passphrase is None:
        raise Invalid("a passphrase of its own for the worker's file needs that of the key too: give both, or neither")
    with scratch_key_home(home, passphrase) as scratch:
        scratch.run("--import", content=content)
        answers = {PASSPHRASE_QUESTION: [one.get_secret_value() for one in (home.passphrase, passphrase)]}
        scratch.answer(answers, "--passwd", f"{subkey.fingerprint}!")
        return _exported_subkey(scratch, subkey)


def _prove(elsewhere: KeyHome, content: bytes, public: bytes, key: Key, subkey: KeyPart) -> None:
    """Import the file where nothing else is, sign something there, and verify that as a stranger would."""
    elsewhere.run("--import", content=content)
    there = elsewhere.key(key.primary.fingerprint)
    held = [part.fingerprint for part in (there.primary, *there.subkeys) if part.secret_here]
    if held != [subkey.fingerprint]:
        raise Failed(f"the worker's file holds the secrets of {', '.join(held)}; expected {subkey.fingerprint} alone")
    trusted = TrustedKey(fingerprint=key.primary.fingerprint, who=Who.MACHINE)
    with NamedTemporaryFile() as probe, open_keyring([public]) as keyring:
        probe.write(_PROBE)
        probe.flush()
        signed = ["--armor", "--detach-sign", "--local-user", f"{subkey.fingerprint}!", "--output", "-", probe.name]
        result = keyring.verify(elsewhere.run(*signed), Path(probe.name), [trusted], source="the probe")
    if not result or result.signing_key != subkey.fingerprint:
        raise Failed(f"what the worker's file signs does not verify: {result.reason}")


def find_part(key: Key, fingerprint: str) -> KeyPart:
    """The part of a key with this fingerprint.

    Raises:
        Missing: it has none.
    """
    wanted = fingerprint.upper().replace(" ", "")
    parts = (key.primary, *key.subkeys)
    found = next((part for part in parts if part.fingerprint == wanted), None)
    if found is None:
        known = ", ".join(part.fingerprint for part in parts)
        raise Missing(f"the key {key.primary.fingerprint} has no part {wanted}; it has {known}")
    return found


def _require_primary(home: KeyHome, key: Key) -> None:
    if key.primary.revoked:
        raise Refused(f"the key {key.primary.fingerprint} has been revoked: make a new one with `baton keys init`")
    if not key.primary.secret_here:
        raise Missing(
            f"{home.folder} does not have the secret part of the primary key {key.primary.fingerprint}: "
            "bring the offline home"
        )
