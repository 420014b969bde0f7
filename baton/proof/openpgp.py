"""Whether an OpenPGP signature of a statement is by the key that the roster lists."""

from __future__ import annotations

import tempfile
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from baton.model.errors import Refused
from baton.proof.programs import run
from baton.trust.gpg_status import armour_problem, read_status
from baton.trust.result import Fault, KeyState

if TYPE_CHECKING:
    from datetime import datetime

    from baton.model.roster import OpenPgpKey
    from baton.trust.gpg_status import SignatureStatus

LARGEST_SIGNATURE = 16 * 1024
"""Bytes, armoured; an RSA key of 16,384 bits makes one of less than 4,000."""

_ALONE = ("--no-options", "--no-autostart", "--disable-dirmngr", "--no-auto-key-retrieve", "--no-auto-check-trustdb")
"""Nothing but the keys at hand counts, and no other program is started."""


def verify_openpgp(message: bytes, signature: bytes, key: OpenPgpKey, when: datetime) -> datetime:
    """Verify a detached signature in a keyring that holds this one key, as the roster has it, and nothing else.

    Args:
        message: what has to be signed.
        signature: ASCII-armoured; exactly one, of a binary document.
        key: the primary key by which, or by a subkey of which, it has to be.
        when: the time by which the key's expiry is judged.

    Returns:
        When it was made, as its maker says.

    Raises:
        Refused: it does not count; the message says why.
        Missing: gpg is not installed.
        Failed: gpg did not end in time.
    """
    name = f"openpgp key {key.fingerprint}"
    if key.public_key is None:
        raise Refused(
            f"the roster lists the {name} without its public key, so that nothing can be verified by it: "
            "add its public-key-file"
        )
    if len(signature) > LARGEST_SIGNATURE:
        raise Refused(f"the OpenPGP signature has {len(signature)} bytes; accepted: up to {LARGEST_SIGNATURE}")
    if problem := armour_problem(signature):
        raise Refused(f"the OpenPGP signature can't be read: {problem}")
    with tempfile.TemporaryDirectory(prefix="baton-", ignore_cleanup_errors=True) as folder:
        status = _status(Path(folder), message, signature, key.public_key, when)
    return _require_good(status, key, name)


def _status(home: Path, message: bytes, signature: bytes, public_key: str, when: datetime) -> SignatureStatus:
    gpg = ("gpg", "--batch", "--homedir", home, *_ALONE)
    run([*gpg, "--quiet", "--import"], stdin=public_key.encode())
    signed, signer = home / "statement", home / "statement.asc"
    signed.write_bytes(message)
    signer.write_bytes(signature)
    # The `!` lets the clock stand still.
    clock = ("--faked-system-time", f"{when.astimezone(UTC):%Y%m%dT%H%M%S}!")
    verified = run([*gpg, "--trust-model=always", "--status-fd", "2", *clock, "--verify", "--", signer, signed])
    return read_status(verified.errors, verified.code)


def _require_good(status: SignatureStatus, key: OpenPgpKey, name: str) -> datetime:
    if status.fault is Fault.UNKNOWN_KEY:
        raise Refused(
            f"the signature is by the openpgp key {status.signing_key}, which is no part of the public key that the "
            f"roster has for {key.fingerprint}; if it is a new subkey of it, export the public key again"
        )
    if status.fault is not None or status.made_at is None:
        reason = status.reason.replace("the file", "the statement")
        raise Refused(f"the signature by the {name} does not count: {reason}")
    if status.primary != key.fingerprint:
        raise Refused(f"the signature is by the primary openpgp key {status.primary}; expected {key.fingerprint}")
    if KeyState.EXPIRED in status.states:
        raise Refused(f"the {name} has expired, as its public key in the roster says: extend it, and export it again")
    return status.made_at
