"""What gpg says of one detached signature, read strictly.

The status lines are those of GnuPG's doc/DETAILS, section "Format of the --status-fd output". gpg's return code and
python-gnupg's summary take expired and revoked keys for good and see only the last of several signatures.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from baton.trust.result import Fault, KeyState

_ARMOURED = re.compile(
    rb"\s*-----BEGIN PGP SIGNATURE-----\r?\n(?:(?!-----).*\n)+-----END PGP SIGNATURE-----\s*",
)
_BINARY_DOCUMENT = "00"
_SOUND_HASHES = frozenset({"8", "9", "10", "11", "12", "14"})
"""SHA-2 and SHA-3 by their numbers in RFC 9580, section 9.5, which has MD5, SHA-1 and RIPE-MD validate nothing new."""

_FAULTS: dict[str, tuple[Fault, str]] = {
    "REVKEYSIG": (Fault.REVOKED, "the key that made it has been revoked"),
    "BADSIG": (Fault.BAD, "it does not fit the file"),
    "EXPSIG": (Fault.EXPIRED, "the signature itself has expired"),
    "NO_PUBKEY": (Fault.UNKNOWN_KEY, "it is by a key that is not at hand"),
    "NODATA": (Fault.MALFORMED, "it holds no OpenPGP signature"),
    "UNEXPECTED": (Fault.MALFORMED, "it is not a detached signature"),
    "ERRSIG": (Fault.BAD, "it can't be checked"),
    "FAILURE": (Fault.BAD, "gpg failed"),
}
"""Any of these means that the signature does not count; the first one found says why."""


@dataclass(frozen=True)
class SignatureStatus:
    """A detached signature as gpg sees it, whoever made it.

    Attributes:
        primary: the fingerprint of the primary key.
        signing_key: the fingerprint of the key that made it; of an unknown key, only the key id.
        made_at: when its maker says it was made.
        states: what there is to say of the key.
        fault: why it is not good; None when it is. An expired key is for the caller to judge.
        reason: the same in words.
    """

    primary: str | None = None
    signing_key: str | None = None
    made_at: datetime | None = None
    states: tuple[KeyState, ...] = ()
    fault: Fault | None = None
    reason: str = ""


def armour_problem(signature: bytes) -> str | None:
    """Why this is not exactly one armoured detached signature and nothing else, or None.

    gpg would read the first of several blocks, and take a clear-signed text for signed.
    """
    if signature.count(b"-----BEGIN ") == 1 and _ARMOURED.fullmatch(signature):
        return None
    begins = re.findall(rb"-----BEGIN ([A-Z ]{1,40})-----", signature)
    found = ", ".join(label.decode() for label in begins) or f"{len(signature)} bytes without any"
    return f"expected exactly one block PGP SIGNATURE and nothing else, found {found}"


def read_status(output: str, return_code: int) -> SignatureStatus:
    r"""Judge what gpg wrote on its status stream for ``--verify SIGNATURE FILE``.

    Args:
        output: standard error and status lines, decoded as Latin-1. Only ``\n`` ends a line: a user id may hold bytes
            that :meth:`str.splitlines` breaks at, and so counterfeit a status line.
        return_code: gpg's.
    """
    lines = [line.split()[1:] for line in output.split("\n") if line.startswith("[GNUPG:] ")]
    words = [line[0] for line in lines]
    valid = [line for line in lines if line[0] == "VALIDSIG"]
    if found := next((word for word in _FAULTS if word in words), None):
        return _faulty(found, lines, valid)
    good = words.count("GOODSIG") + words.count("EXPKEYSIG")
    if words.count("NEWSIG") != 1 or len(valid) != 1 or good != 1:
        return SignatureStatus(
            fault=Fault.MALFORMED,
            reason=f"expected exactly one signature, gpg saw {words.count('NEWSIG')} ({good} of them good)",
        )
    return _judged(valid[0], expired="EXPKEYSIG" in words, return_code=return_code)


def _judged(valid: list[str], *, expired: bool, return_code: int) -> SignatureStatus:
    status = _described(valid, expired=expired)
    if valid[9] != _BINARY_DOCUMENT:
        return replace(
            status, fault=Fault.MALFORMED, reason=f"it is of class {valid[9]}, expected 00, a signature of a file"
        )
    if valid[8] not in _SOUND_HASHES:
        return replace(
            status, fault=Fault.BAD, reason=f"it rests on hash algorithm {valid[8]}, expected SHA-2 or SHA-3"
        )
    if return_code != 0:
        return replace(status, fault=Fault.BAD, reason=f"gpg ended with code {return_code}")
    return status


def _faulty(word: str, lines: list[list[str]], valid: list[list[str]]) -> SignatureStatus:
    fault, reason = _FAULTS[word]
    if word == "REVKEYSIG" and len(valid) == 1:
        status = _described(valid[0], expired=False)
        return replace(status, states=(*status.states, KeyState.REVOKED), fault=fault, reason=reason)
    if word != "NO_PUBKEY":
        return SignatureStatus(fault=fault, reason=reason)
    key = next(line[1] for line in lines if line[0] == word)
    return SignatureStatus(
        signing_key=key, states=(KeyState.UNKNOWN,), fault=fault, reason=f"it is by the key {key}, which is not at hand"
    )


def _described(valid: list[str], *, expired: bool) -> SignatureStatus:
    """From ``VALIDSIG fpr date timestamp expires version reserved pubkey-algo hash-algo class primary-fpr``."""
    signing_key, primary = valid[1], valid[10]
    states = [KeyState.SUBKEY] if signing_key != primary else []
    if expired:
        states.append(KeyState.EXPIRED)
    made_at = datetime.fromtimestamp(int(valid[3]), tz=UTC)
    return SignatureStatus(primary=primary, signing_key=signing_key, made_at=made_at, states=tuple(states))
