"""Which key of a person's this machine can sign with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from baton.model.errors import BatonError, Missing, Refused
from baton.model.roster import OpenPgpKey, SigstoreIdentity, SshKey
from baton.proof.holders import name_of
from baton.proof.openpgp_key import OpenPgpSigningKey, find_signing_part
from baton.proof.ssh_key import SshSigningKey, agent_keys, fingerprint_of, key_file
from baton.proof.sshsig import key_of_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from baton.model.roster import Credential, Person
    from baton.proof.instance import Sigstore
    from baton.proof.sigstore_key import SigstoreSigningKey

    SigningKey = SshSigningKey | OpenPgpSigningKey | SigstoreSigningKey

WAYS = "a key file, ssh:SHA256:…, openpgp:FINGERPRINT or sigstore"
"""What names a key to sign with."""


def find_key(person: Person, wish: str | None, *, sigstore: Sigstore, today: date) -> SigningKey:
    """The key to sign with: the one that is asked for, or the first of the person's that this machine has.

    Without a wish that is an SSH key in the agent or in ``~/.ssh``, else an OpenPGP key whose secret part gpg has, else
    a Sigstore identity, which takes signing in.

    Args:
        person: who signs; only what the roster lists for them, and what counts today, is looked for.
        wish: the path of an SSH key's private or public file, ``ssh:SHA256:…``, ``openpgp:FINGERPRINT`` or
            ``sigstore``.
        sigstore: the instance that certifies them.
        today: the day by which keys are judged, in UTC.

    Raises:
        Missing: the key, or any key, is not here; the message says what was looked for.
        Refused: what is asked for is none of the person's keys, or does not count today.
        Failed: one of the programs that keep the keys did not end in time.
    """
    desk = _Desk(person, sigstore, today)
    if wish is None:
        return desk.first()
    if wish == "sigstore":
        return desk.signing_in()
    if wish.startswith("ssh:"):
        return desk.key(desk.listed(f"ssh key {wish.removeprefix('ssh:')}"))
    if wish.startswith("openpgp:"):
        return desk.key(desk.listed(f"openpgp key {wish.removeprefix('openpgp:').replace(' ', '').upper()}"))
    return desk.key_in(Path(wish).expanduser())


@dataclass(frozen=True)
class _Desk:
    """A person at this machine, today."""

    person: Person
    sigstore: Sigstore
    today: date

    def first(self) -> SigningKey:
        """The first key of theirs that is here."""
        if not self.person.keys:
            raise Missing(f"the roster lists no key for {self.person.id}, so that nothing they sign counts: add one")
        looked = []
        for kind in (SshKey, OpenPgpKey, SigstoreIdentity):
            for credential in (key for key in self.person.keys if isinstance(key, kind)):
                try:
                    self._require_counting(name_of(credential), [credential])
                    return self.key(credential)
                except BatonError as reason:
                    looked.append(str(reason))
        raise Missing(f"there is no key here that {self.person.id} can sign with: {'; '.join(looked)}")

    def key(self, credential: Credential) -> SigningKey:
        """What signs by this entry of the roster."""
        if isinstance(credential, SshKey):
            return self._ssh(credential)
        if isinstance(credential, OpenPgpKey):
            return self._openpgp(credential)
        return self.signing_in()

    def key_in(self, file: Path) -> SshSigningKey:
        """What signs by an SSH key file; by a public one whose private half is not beside it, the agent does."""
        if not file.is_file():
            raise Missing(f"there is no file {file}; a key is named by {WAYS}")
        fingerprint = fingerprint_of(file)
        if fingerprint is None:
            raise Refused(
                f"ssh-keygen can't tell which key is in {file}: put its public half beside it, with "
                f"`ssh-keygen -y -f {file} > {file}.pub`"
            )
        credential = self.listed(f"ssh key {fingerprint}")
        if not isinstance(credential, SshKey):
            raise Refused(f"{file} holds no SSH key")
        private = file.with_suffix("") if file.suffix == ".pub" else file
        return SshSigningKey(credential, private) if private.is_file() else self._ssh(credential)

    def listed(self, name: str) -> Credential:
        """The person's entry of that name which counts today."""
        entries = [key for key in self.person.keys if name_of(key) == name]
        if not entries:
            known = ", ".join(map(name_of, self.person.keys)) or "no key"
            raise Refused(f"the roster does not list the {name} for {self.person.id}; it lists: {known}")
        return self._require_counting(name, entries)

    def signing_in(self) -> SigstoreSigningKey:
        """Every identity of theirs that counts today; which one it is, signing in tells."""
        # Importing the sigstore library takes half a second, which only those wait for who need it.
        from baton.proof.sigstore_key import SigstoreSigningKey  # noqa: PLC0415

        identities = [key for key in self.person.keys if isinstance(key, SigstoreIdentity)]
        if not identities:
            raise Refused(f"the roster lists no Sigstore identity for {self.person.id}")
        self._require_counting("Sigstore identity", identities)
        return SigstoreSigningKey(tuple(key for key in identities if key.covers(self.today)), self.sigstore)

    def _ssh(self, credential: SshKey) -> SshSigningKey:
        if key_of_line(credential.public_key) in self._agent:
            return SshSigningKey(credential)
        folder = Path.home() / ".ssh"
        if (file := key_file(credential, folder)) is not None:
            return SshSigningKey(credential, file)
        raise Missing(f"the {name_of(credential)} is neither in the SSH agent nor in {folder}")

    @cached_property
    def _agent(self) -> frozenset[bytes]:
        return agent_keys()

    def _openpgp(self, credential: OpenPgpKey) -> OpenPgpSigningKey:
        if (found := find_signing_part(credential)) is not None:
            return found
        raise Missing(f"gpg has no secret part of the {name_of(credential)} that can sign")

    def _require_counting(self, name: str, entries: Sequence[Credential]) -> Credential:
        if (counting := next((key for key in entries if key.covers(self.today)), None)) is not None:
            return counting
        spans = ", and ".join(key.span for key in entries)
        raise Refused(f"the {name} of {self.person.id} counts {spans}; today is {self.today}")
