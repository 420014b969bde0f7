"""OpenPGP signatures: verified strictly, with a keyring of its own, against exact primary fingerprints."""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING

from baton.model.errors import Invalid
from baton.trust.gnupg_home import open_home, temporary_home
from baton.trust.gpg_status import SignatureStatus, armour_problem, read_status
from baton.trust.identities import SignatureKind, TrustedIdentity, TrustedKey
from baton.trust.result import Fault, KeyState, SignatureResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import gnupg

_OPTIONS = (
    "--no-options",
    "--disable-dirmngr",
    "--no-auto-key-retrieve",
    "--no-auto-check-trustdb",
    # The web of trust has no say here: what counts is the list of fingerprints.
    "--trust-model=always",
)


class Keyring:
    """Public keys to verify with, and nothing else. It may be used from several threads at once.

    Args:
        gpg: a home that holds the keys; None, there is no key.
    """

    def __init__(self, gpg: gnupg.GPG | None) -> None:
        self._gpg = gpg

    def verify(
        self, signature: bytes, file: Path, trusted: Sequence[TrustedIdentity], *, source: str
    ) -> SignatureResult:
        """Who made a detached signature of a file, and whether it counts.

        Args:
            signature: ASCII-armoured; exactly one, of a binary document (class 00, RFC 9580, section 5.2.1).
            file: what is signed; read once by gpg.
            trusted: whose signatures count; those that are not OpenPGP keys are passed over.
            source: the signature's file name, for the result.
        """
        keys = [key for key in trusted if isinstance(key, TrustedKey)]
        status = self._status(signature, file)
        fault, reason, matched = _judge(status, keys)
        return SignatureResult(
            kind=SignatureKind.OPENPGP,
            source=source,
            identity=status.primary,
            signing_key=status.signing_key,
            signed_at=status.made_at,
            states=status.states,
            matched=matched,
            fault=fault,
            reason=reason,
            expected=tuple(map(str, keys)),
        )

    def _status(self, signature: bytes, file: Path) -> SignatureStatus:
        if problem := armour_problem(signature):
            return SignatureStatus(fault=Fault.MALFORMED, reason=problem)
        if self._gpg is None:
            return SignatureStatus(
                fault=Fault.NOT_CHECKED, reason="no OpenPGP key is at hand: hand the signers' public keys in"
            )
        # An absolute path can't be taken for an option.
        verified = self._gpg.verify_file(io.BytesIO(signature), str(file.absolute()))
        return read_status(verified.stderr, verified.returncode)


@contextmanager
def open_keyring(public_keys: Iterable[bytes]) -> Iterator[Keyring]:
    """A keyring that holds these keys alone, in a temporary home; the user's own is never looked at.

    Args:
        public_keys: exported public keys, armoured or binary; each may hold several. With none at all, signatures
            come back as not checked, and gpg is not needed.

    Raises:
        Invalid: one of them holds no public key, or a private one.
        Missing: gpg is not installed.
    """
    blocks = list(public_keys)
    if not blocks:
        yield Keyring(None)
        return
    with temporary_home() as home:
        gpg = open_home(home, _OPTIONS)
        for number, block in enumerate(blocks, start=1):
            _import(gpg, block, f"OpenPGP key file {number} of {len(blocks)}")
        yield Keyring(gpg)


def _import(gpg: gnupg.GPG, block: bytes, what: str) -> None:
    if b"PRIVATE KEY BLOCK" in block:
        raise Invalid(f"{what} holds a private key; expected public keys, as `gpg --export --armor` writes them")
    imported = gpg.import_keys(block)
    if not imported.fingerprints:
        raise Invalid(f"{what} holds no OpenPGP public key; expected what `gpg --export --armor` writes")


def _judge(status: SignatureStatus, keys: list[TrustedKey]) -> tuple[Fault | None, str, TrustedKey | None]:
    """Whether a signature counts by this list: the fault if it does not, the reason, the entry it counts by."""
    if status.fault is Fault.UNKNOWN_KEY and any(_has_id(key, status.signing_key) for key in keys):
        # A key id proves nothing, but says which public key to hand in.
        return status.fault, f"{status.reason}; a key with that id is listed: hand its public key in", None
    if status.fault is not None or status.made_at is None:
        return status.fault or Fault.BAD, status.reason, None
    named = [key for key in keys if key.fingerprint == status.primary]
    if not named:
        listed = ", ".join(key.fingerprint for key in keys) or "no key"
        return (
            Fault.UNTRUSTED,
            f"it is by the primary key {status.primary}, which does not count here; what does: {listed}",
            None,
        )
    day = status.made_at.date()
    covering = [key for key in named if key.covers(day)]
    if not covering:
        return Fault.OUTSIDE_WINDOW, f"it is of {day}; {_windows(named)}", None
    if KeyState.EXPIRED not in status.states:
        return None, f"{status.primary} counts", covering[0]
    bounded = next((key for key in covering if key.last is not None), None)
    if bounded is None:
        return Fault.EXPIRED, "its key has expired, and no end of the time in which it counts is known", None
    return None, f"{status.primary} counted until {bounded.last}; the key has expired since", bounded


def _has_id(key: TrustedKey, key_id: str | None) -> bool:
    """Whether that is the key's id: the end of its fingerprint in version 4 (RFC 9580, section 5.5.4)."""
    return key_id is not None and key.fingerprint.endswith(key_id)


def _windows(keys: list[TrustedKey]) -> str:
    return f"the key counts {', '.join(key.span for key in keys)}"
