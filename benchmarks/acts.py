"""How long verifying one act takes, beside the process that would verify it otherwise, in one run.

``python benchmarks/acts.py`` prints the median for each kind of key, in milliseconds: of `baton.proof.prove`, of
``ssh-keygen -Y verify`` or ``gpg --verify`` with everything laid out for it, and their difference. Baton's time for
OpenPGP includes two gpg processes: one brings the roster's key into a keyring of its own, one verifies.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from baton.model.acts import Claim
from baton.model.envelope import read_envelope
from baton.model.roster import OpenPgpKey, Person, Roster, SigstoreIdentity, SshKey
from baton.model.signing import SigstoreInstance
from baton.model.statement import statement_of
from baton.model.version import ReleaseId
from baton.proof import Sigstore, find_key, prove, seal
from baton.proof.ssh import NAMESPACE
from baton.sandbox.sigstore import ISSUER
from baton.sandbox.sigstore.server import local_sigstore

if TYPE_CHECKING:
    from collections.abc import Callable

    from baton.model.envelope import Envelope
    from baton.model.roster import Credential

EMAIL = "ada@example.org"


@dataclass(frozen=True)
class Bench:
    """A home with a key of each kind, and statements signed with them.

    Attributes:
        home: what HOME and GNUPGHOME are set to.
        sigstore: the instance.
    """

    home: Path
    sigstore: Sigstore

    def credentials(self) -> list[tuple[str, Credential]]:
        """Made anew, by their kinds."""
        made: list[tuple[str, Credential]] = []
        (self.home / ".ssh").mkdir(mode=0o700)
        for kind, bits in (("ed25519", "256"), ("ecdsa", "256"), ("rsa", "3072")):
            file = self.home / ".ssh" / kind
            run("ssh-keygen", "-q", "-t", kind, "-b", bits, "-N", "", "-f", file)
            made.append((f"ssh {kind}", SshKey(public_key=Path(f"{file}.pub").read_text().strip())))
        for kind in ("ed25519", "rsa3072"):
            user = f"{kind}@example.org"
            run(
                "gpg",
                "--batch",
                "--pinentry-mode=loopback",
                "--passphrase=",
                "--quick-gen-key",
                user,
                kind,
                "sign",
                "0",
            )
            listing = run("gpg", "--batch", "--with-colons", "--list-keys", user).decode()
            fingerprint = next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:"))
            block = run("gpg", "--batch", "--armor", "--export", user).decode()
            made.append((f"openpgp {kind}", OpenPgpKey(fingerprint=fingerprint, public_key=block)))
        made.append(("sigstore", SigstoreIdentity(identity=EMAIL, issuer=ISSUER)))
        return made

    def ways(self, credential: Credential) -> tuple[Callable[[], object], Callable[[], object] | None]:
        """Baton's way to verify a statement, and the other program's if there is one."""
        ada = Person(id="ada", name="Ada", roles=("release-manager",), keys=(credential,))
        now = datetime.now(UTC)
        act = Claim(
            release=ReleaseId(project="hello", version="1.0.0"),
            run="first",
            subject="sha256:" + "d" * 64,
            by=ada.id,
            role="release-manager",
            at=now,
            nonce="0" * 32,
        )
        key = find_key(ada, None, sigstore=self.sigstore, today=now.date())
        said = read_envelope(seal(statement_of(act), key))
        people = Roster(people=(ada,))

        def ours() -> object:
            return prove(said, ada, datetime.now(UTC), roster=people, sigstore=self.sigstore)

        return ours, self._theirs(credential, said)

    def _theirs(self, credential: Credential, said: Envelope) -> Callable[[], object] | None:
        message, signature, signers = self.home / "message", self.home / "signature", self.home / "signers"
        signed = said.signed_bytes
        message.write_bytes(signed)
        if isinstance(credential, SshKey):
            signature.write_bytes(said.signature)
            signers.write_text(f'ada namespaces="{NAMESPACE}" {credential.public_key}\n')
            verify = ("ssh-keygen", "-Y", "verify", "-f", signers, "-I", "ada", "-n", NAMESPACE, "-s", signature)
            return lambda: run(*verify, stdin=signed)
        if isinstance(credential, OpenPgpKey):
            signature.write_bytes(said.signature)
            return lambda: run("gpg", "--batch", "--verify", signature, message)
        return None


def run(*command: str | Path, stdin: bytes = b"") -> bytes:
    return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout


def median(rounds: int, way: Callable[[], object]) -> float:
    """Milliseconds."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        way()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    table = Table("Key", "Baton, ms", "other process, ms", "beside it, ms", title=f"median of {rounds}")
    with TemporaryDirectory(prefix="b-") as folder, local_sigstore(Path(folder) / "sigstore") as instance:
        home = Path(folder)
        token = home / "token"
        token.write_text(instance.tokens.for_person(EMAIL))
        os.environ |= {"HOME": folder, "GNUPGHOME": str(home), "BATON_IDENTITY_TOKEN_FILE": str(token)}
        bench = Bench(home, Sigstore(SigstoreInstance.SANDBOX, instance.trust_config))
        try:
            for name, credential in bench.credentials():
                way, other = bench.ways(credential)
                ours, theirs = median(rounds, way), median(rounds, other) if other else 0.0
                table.add_row(name, f"{ours:.2f}", f"{theirs:.2f}" if other else "", f"{ours - theirs:+.2f}")
        finally:
            run("gpgconf", "--kill", "all")
    Console().print(table)


if __name__ == "__main__":
    main()
