"""OpenPGP signatures by the team's key, through python-gnupg.

python-gnupg 0.5 and gpg 2.2 have ways to make a wrong signature and report success. Each is closed here and shown in
the tests: a path handed to ``sign_file`` is signed truncated, so gpg opens the file itself; an empty passphrase eats
the file's first line, so it is refused; ``keyid`` falls back to another key, so ``--local-user KEY!`` is used and the
maker's fingerprint compared; the agent lets a wrong passphrase pass while the key is cached, so its cache is dropped
first. Every signature is verified, as a stranger would, before anyone gets it.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
from typing import TYPE_CHECKING

from baton.model.errors import BatonError, Conflict, Failed, Invalid, Missing, Refused, Unavailable
from baton.signers.gpg_key import find_signing_key
from baton.signers.port import sign_in_threads
from baton.signers.secrets import read_secret
from baton.store.files import digest_of_file
from baton.trust.gnupg_home import open_home
from baton.trust.identities import TrustedKey, Who
from baton.trust.openpgp import Keyring, open_keyring

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import gnupg
    from pydantic import SecretStr

    from baton.model.manifest import Artifact
    from baton.model.roster import OpenPgpKey
    from baton.settings import WorkerSettings
    from baton.signers.port import File, Keep

_THREADS = min(8, 2 * (os.cpu_count() or 1))
"""Beyond this, RSA keys under a passphrase exhaust the agent's secure memory."""

_FAILURE = re.compile(r"^\[GNUPG:\] FAILURE \S+ (\d+)$", re.MULTILINE)
"""How gpg reports an error number; its words depend on the language. The numbers are those of libgpg-error."""
_CODE = 0xFFFF
_BAD_PASSPHRASE = 11
_NO_PIN_ENTRY = 85
_OUT_OF_MEMORY = 0x8000 | 86


class GpgBatchSigner:
    """Signs with the secret key, or a signing subkey of it, that lies in a GnuPG home.

    Args:
        key: the primary key that the signatures have to be by, with its public key block.
        home: the GnuPG home. The primary's secret part may be elsewhere when a signing subkey is here.
        passphrase: of the secret key; without one, the agent has to have it already or the key has none.
        attended: whether somebody is there for the agent to ask.

    Raises:
        Invalid: the plan's key has no public key block, or the passphrase can't be handed to gpg.
    """

    def __init__(self, key: OpenPgpKey, home: Path, passphrase: SecretStr | None, *, attended: bool = False) -> None:
        if key.public_key is None:
            raise Invalid(f"the plan names the key {key.fingerprint} without its public key block: add it to the plan")
        self._key = TrustedKey(**key.model_dump(), who=Who.MACHINE)
        self._public_key = key.public_key.encode()
        self._home = home
        self._passphrase = _gpg_text(passphrase)
        self._attended = attended

    @classmethod
    def from_settings(cls, key: OpenPgpKey, settings: WorkerSettings) -> GpgBatchSigner:
        """The signer of a worker that has been given the key's home.

        Raises:
            Missing: it has not, or the passphrase file is not there; the setting is named.
            Invalid: as for the class.
        """
        if settings.gpg_home is None:
            raise Missing(
                f"this worker has no GnuPG home with the key {key.fingerprint}: set BATON_GPG_HOME, "
                "or let a worker that has one serve the signer's queue"
            )
        return cls(key, settings.gpg_home, _passphrase(settings))

    def sign(self, files: Sequence[File], keep: Keep) -> None:
        """Sign each file; see :meth:`baton.signers.port.BatchSigner.sign`."""
        # Where nobody is there to type a passphrase, gpg must fail instead of asking.
        unable_to_ask = not self._attended and not self._passphrase
        gpg = open_home(self._home, ["--pinentry-mode=error"] if unable_to_ask else [])
        signing_key = find_signing_key(gpg, self._key.fingerprint)
        if self._passphrase:
            self._drop_cached_passphrases()
        with open_keyring([self._public_key]) as keyring:

            def sign_one(artifact: Artifact, path: Path) -> bytes:
                _require_content(artifact, path)
                signature = self._signature(gpg, signing_key, path)
                self._verify(keyring, signature, artifact, path)
                return signature

            sign_in_threads(files, sign_one, keep, threads=_THREADS)

    def _signature(self, gpg: gnupg.GPG, signing_key: str, path: Path) -> bytes:
        arguments = ["--local-user", f"{signing_key}!", "--output", "-", "--", str(path.absolute())]
        made = gpg.sign_file(io.BytesIO(b""), detach=True, passphrase=self._passphrase, extra_args=arguments)
        if made.status != "signature created" or made.returncode != 0:
            raise self._why_not(made)
        if (made.fingerprint or "").upper() != signing_key:
            raise Failed(f"gpg signed {path.name} with the key {made.fingerprint}; expected {signing_key}")
        return bytes(made.data)

    def _verify(self, keyring: Keyring, signature: bytes, artifact: Artifact, path: Path) -> None:
        result = keyring.verify(signature, path, [self._key], source=f"{artifact.name}.asc")
        if not result:
            raise Failed(
                f"gpg made a signature of {artifact.name} that does not count: {result.reason}; expected one by "
                f"{self._key.fingerprint}, as its public key in the plan shows it"
            )

    def _why_not(self, made: gnupg.Sign) -> BatonError:
        failure = _FAILURE.search(made.stderr)
        code = int(failure[1]) & _CODE if failure else None
        if code == _BAD_PASSPHRASE:
            return Refused(
                f"gpg refuses the passphrase of the key {self._key.fingerprint}: "
                "set the right one in BATON_GPG_PASSPHRASE or BATON_GPG_PASSPHRASE_FILE"
            )
        if code == _NO_PIN_ENTRY:
            return Missing(
                f"the key {self._key.fingerprint} needs a passphrase and this worker has none: "
                "set BATON_GPG_PASSPHRASE or BATON_GPG_PASSPHRASE_FILE"
            )
        if code == _OUT_OF_MEMORY:
            return Unavailable("gpg-agent has no secure memory left: put `auto-expand-secmem` into gpg-agent.conf")
        said = "; ".join(line for line in made.stderr.split("\n") if line and not line.startswith("[GNUPG:]"))
        return Failed(f"gpg could not sign with the key {self._key.fingerprint}: {said[-300:]}")

    def _drop_cached_passphrases(self) -> None:
        """A wrong passphrase has to show now, not on the day after the agent's restart."""
        subprocess.run(
            ["gpgconf", "--homedir", self._home.absolute(), "--reload", "gpg-agent"], capture_output=True, check=False
        )


def _passphrase(settings: WorkerSettings) -> SecretStr | None:
    if settings.gpg_passphrase is not None or settings.gpg_passphrase_file is None:
        return settings.gpg_passphrase
    return read_secret(settings.gpg_passphrase_file, "BATON_GPG_PASSPHRASE_FILE")


def _gpg_text(passphrase: SecretStr | None) -> str | None:
    """The passphrase so that python-gnupg, which writes Latin-1, sends its UTF-8 bytes, as gpg took them.

    Raises:
        Invalid: it is empty, with which python-gnupg signs all but the first line, or no single line.
    """
    if passphrase is None:
        return None
    secret = passphrase.get_secret_value()
    if not secret:
        raise Invalid("the passphrase is empty: leave BATON_GPG_PASSPHRASE unset if the key has none")
    if any(character in secret for character in "\n\r\0"):
        raise Invalid("the passphrase holds a line end or a null character, which gpg can't be given")
    return secret.encode().decode("latin-1")


def _require_content(artifact: Artifact, path: Path) -> None:
    digest, size = digest_of_file(path)
    if digest != artifact.digest:
        raise Conflict(f"{artifact.name} should be {artifact.digest}, is {digest} ({size} bytes): nothing was signed")
