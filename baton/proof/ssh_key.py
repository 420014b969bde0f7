"""Signing with a person's SSH key, wherever it is: in a file, in an agent, in a security key.

``ssh-keygen`` makes the signature, so that a private key, its passphrase or its PIN never come near this process.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from baton.model.errors import Failed, Missing, Refused
from baton.proof.holders import name_of
from baton.proof.programs import ASKING, run
from baton.proof.ssh import NAMESPACE, verify_ssh
from baton.proof.sshsig import fingerprint, key_of_line, read_signature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.model.roster import SshKey

_ABOUT_A_FINGERPRINT = 2
"""Fields of a line of ``ssh-keygen -l`` up to the fingerprint: ``256 SHA256:… ada@laptop (ED25519)``."""


@dataclass(frozen=True)
class SshSigningKey:
    """A key to sign with.

    Attributes:
        credential: the roster's entry of it.
        file: the file that holds it or, of a security key, points to it; None, an agent has it.
    """

    credential: SshKey
    file: Path | None = None

    @property
    def keyid(self) -> str:
        """What an envelope names it by: ``ssh:SHA256:…``."""
        return f"ssh:{name_of(self.credential).removeprefix('ssh key ')}"

    @property
    def name(self) -> str:
        """The key in words."""
        return f"{name_of(self.credential)} {f'in {self.file}' if self.file else 'in the agent'}"

    @property
    def asks(self) -> str:
        """What the person may have to do while it signs."""
        if self.credential.public_key.startswith("sk-"):
            return "touch the security key when it blinks"
        return "type the key's passphrase if it asks for one"

    def sign(self, message: bytes) -> bytes:
        """An armoured SSHSIG signature, verified.

        Raises:
            Missing: ssh-keygen is not installed.
            Failed: it does not sign, or not with this key.
        """
        with tempfile.TemporaryDirectory(prefix="baton-") as folder:
            # Named by its public key, a key is taken from the agent.
            public = Path(folder) / "key.pub"
            public.write_text(self.credential.public_key + "\n", encoding="utf-8")
            key = self.file or public
            made = run(["ssh-keygen", "-Y", "sign", "-n", NAMESPACE, "-f", key], stdin=message, seconds=ASKING)
        if made.code != 0:
            raise Failed(f"ssh-keygen does not sign with the {self.name}: {made.complaint}")
        try:
            signature = read_signature(made.output)
            verify_ssh(signature, message)
        except Refused as error:
            raise Failed(f"ssh-keygen made a signature that does not count: {error}") from error
        if signature.key != key_of_line(self.credential.public_key):
            raise Failed(f"ssh-keygen signed with the ssh key {signature.fingerprint}; expected the {self.name}")
        return made.output


def agent_keys() -> frozenset[bytes]:
    """The public keys that the SSH agent holds; none if no agent runs or OpenSSH is not installed."""
    try:
        listed = run(["ssh-add", "-L"])
    except Missing:
        return frozenset()
    if listed.code != 0:
        return frozenset()
    keys = (key_of_line(line) for line in listed.output.decode("utf-8", "replace").splitlines())
    return frozenset(key for key in keys if key is not None)


def key_file(credential: SshKey, folder: Path) -> Path | None:
    """The file in a folder, ``~/.ssh`` as a rule, that holds a listed key, or None.

    A key is known by its public half, ``NAME.pub``; one named ``id_…`` as `ssh-keygen` does may lack that.
    """
    wanted = key_of_line(credential.public_key)
    if wanted is None:
        return None
    with_half = (file for file, key in _halves(folder) if key == wanted)
    without = (file for file in _without_half(folder) if fingerprint_of(file) == fingerprint(wanted))
    return next(chain(with_half, without), None)


def fingerprint_of(file: Path) -> str | None:
    """The fingerprint of the key in a private or public key file, or None if ssh-keygen can't tell.

    Raises:
        Missing: ssh-keygen is not installed.
    """
    told = run(["ssh-keygen", "-l", "-f", file])
    words = told.output.decode("utf-8", "replace").split()
    return words[1] if told.code == 0 and len(words) > _ABOUT_A_FINGERPRINT else None


def _halves(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for public in sorted(folder.glob("*.pub")):
        private = public.with_suffix("")
        if not private.is_file():
            continue
        try:
            key = key_of_line(public.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            continue
        if key is not None:
            yield private, key


def _without_half(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.glob("id_*")):
        if file.suffix != ".pub" and file.is_file() and not Path(f"{file}.pub").exists():
            yield file
