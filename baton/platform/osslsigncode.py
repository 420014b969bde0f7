"""Authenticode with ``osslsigncode``: the key in a file or a token of the worker.

See https://github.com/mtrojnar/osslsigncode. Versions 2.5, which Debian 12 has, and 2.9 are known to work; for a key
in a token 2.9, as 2.5 does not know ``-login``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.model.code_signing import Pkcs12Key
from baton.model.errors import Missing, Refused, Unavailable
from baton.platform import authenticode
from baton.platform.programs import run
from baton.platform.secrets import named_file, passphrase

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import SecretStr

    from baton.model.code_signing import Authenticode, Pkcs11Key
    from baton.platform.programs import Outcome

_FROM_STDIN = ("-readpass", "/dev/stdin")
"""How it gets a passphrase that is in no argument, in no environment and in no further file."""

_TIMESTAMP_PROBLEMS = ("Timestamping failed", "CURL failure", "Unable to set the timestamp", "RFC 3161 timestamp")
_BAD_PASSPHRASE = ("Failed to parse PKCS#12", "Failed to load the private key", "mac verify failure", "PIN incorrect")


class OsslSignCodeTool:
    """Carries out an :class:`~baton.model.code_signing.Authenticode` whose tool is ``osslsigncode``, as the port says.

    Args:
        signing: the plan's part.
        key: its key.
    """

    def __init__(self, signing: Authenticode, key: Pkcs12Key | Pkcs11Key) -> None:
        self._signing = signing
        self._key = key

    def sign(self, unsigned: Path, signed: Path) -> None:
        """Make a signed and timestamped copy."""
        authenticode.require_unsigned(unsigned)
        outcome = run(self.command(unsigned, signed), secret=self._secret())
        if outcome.code or not signed.is_file():
            signed.unlink(missing_ok=True)
            raise _problem(outcome, self._signing.timestamp_url)

    def verify(self, unsigned: Path, signed: Path) -> None:
        """Require the signature of the plan's signer, with a timestamp, over the same content."""
        authenticode.verify(unsigned, signed, self._signing.signer)

    def command(self, unsigned: Path, signed: Path) -> list[str | Path]:
        """The command line; the passphrase is not in it.

        Raises:
            Missing: the worker does not have the key.
        """
        described = ("-n", self._signing.description) if self._signing.description else ()
        return [
            *("osslsigncode", "sign", *self._key_options(), *described, "-h", "sha256"),
            *("-ts", self._signing.timestamp_url, "-in", unsigned, "-out", signed),
        ]

    def _key_options(self) -> list[str | Path]:
        key = self._key
        if isinstance(key, Pkcs12Key):
            readpass = _FROM_STDIN if key.passphrase_from else ("-pass", "")
            return ["-pkcs12", named_file(key.file_from), *readpass]
        certificates = named_file(key.certificates_from)
        module = named_file(key.module_from)
        return ["-pkcs11module", module, "-certs", certificates, "-key", key.key, "-login", *_FROM_STDIN]

    def _secret(self) -> SecretStr | None:
        variable = self._key.passphrase_from if isinstance(self._key, Pkcs12Key) else self._key.pin_from
        return passphrase(variable) if variable else None


def _problem(outcome: Outcome, timestamp_url: str) -> Missing | Refused | Unavailable:
    said = "\n".join(outcome.lines)
    if any(words in said for words in _TIMESTAMP_PROBLEMS):
        return Unavailable(f"no timestamp came from {timestamp_url}: {outcome.complaint}")
    if any(words in said for words in _BAD_PASSPHRASE):
        return Refused(f"the key does not open: look whether the passphrase is the key's; {outcome.complaint}")
    return Refused(outcome.complaint)
