"""People's keys, made by the programs that keep them, and a home of their own for each test."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from baton.model.acts import SignOff
from baton.model.roster import OpenPgpKey, Person, Roster, SshKey
from baton.model.signing import SigstoreInstance
from baton.model.statement import statement_of
from baton.proof import Sigstore
from baton.sandbox.sigstore.server import LocalSigstore, local_sigstore
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.model.roster import Credential

NOW = datetime.now(UTC).replace(microsecond=0)


def statement(at: datetime = NOW, **changes: object) -> bytes:
    """What Ada says."""
    act = {
        "release": {"project": "hello", "version": "1.0.0"},
        "run": "first",
        "subject": "sha256:" + "d" * 64,
        "by": "ada",
        "role": "release-manager",
        "at": at,
        "nonce": "0" * 32,
        "gate": "publish",
        "attempt": 1,
    }
    return statement_of(SignOff.model_validate({**act, **changes}))


def roster(**people: tuple[Credential, ...] | Credential) -> Roster:
    """People by their ids, with their keys."""
    return Roster(
        people=tuple(
            Person(id=name, name=name, roles=("release-manager",), keys=keys if isinstance(keys, tuple) else (keys,))
            for name, keys in people.items()
        )
    )


def person(people: Roster, name: str = "ada") -> Person:
    found = people.find(name)
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody's keys but those of the test."""
    (tmp_path / ".ssh").mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GNUPGHOME", str(tmp_path / ".gnupg"))
    for name in ("SSH_AUTH_SOCK", "SSH_ASKPASS", "BATON_IDENTITY_TOKEN_FILE", "BATON_IDENTITY_TOKEN_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def make_ssh_key(file: Path, kind: str = "ed25519", bits: str = "256", passphrase: str = "") -> SshKey:
    """A new key pair in a file, and the roster's entry of it."""
    command = ["ssh-keygen", "-q", "-t", kind, "-b", bits, "-N", passphrase, "-C", "", "-f", str(file)]
    subprocess.run(command, check=True, timeout=PATIENCE)
    return SshKey(public_key=Path(f"{file}.pub").read_text(encoding="utf-8").strip())


@contextmanager
def ssh_agent(*files: Path) -> Iterator[str]:
    """An agent that holds the keys of these files; gives its socket."""
    with tempfile.TemporaryDirectory(prefix="a-") as folder:
        socket = Path(folder) / "s"
        with subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL) as agent:
            try:
                deadline = time.monotonic() + PATIENCE
                while not socket.exists():
                    assert time.monotonic() < deadline
                    time.sleep(0.005)
                environment = {**os.environ, "SSH_AUTH_SOCK": str(socket)}
                subprocess.run(["ssh-add", "-q", *files], env=environment, check=True, timeout=PATIENCE)
                yield str(socket)
            finally:
                agent.terminate()


class Gnupg:
    """A GnuPG home with keys."""

    long_ago = ("--faked-system-time", "20200105T120000!")
    """Options that make gpg think it is noon of 5 January 2020."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *arguments: str | Path, passphrase: str = "", stdin: bytes = b"") -> bytes:
        loopback = ["--pinentry-mode", "loopback", "--passphrase", passphrase]
        command = ["gpg", "--batch", "--quiet", "--homedir", self.home, *loopback, *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, check=True, timeout=PATIENCE).stdout

    def make(self, user: str, *options: str, usage: str = "sign", expires: str = "0") -> str:
        self.run(*options, "--quick-generate-key", user, "ed25519", usage, expires)
        return self.fingerprints(user)[0]

    def add_subkey(self, primary: str, *options: str, expires: str = "0") -> str:
        self.run(*options, "--quick-add-key", primary, "ed25519", "sign", expires)
        return self.fingerprints(primary)[-1]

    def fingerprints(self, key: str) -> list[str]:
        listing = self.run("--list-keys", "--with-colons", key).decode().split("\n")
        return [line.split(":")[9] for line in listing if line.startswith("fpr:")]

    def revoke(self, primary: str) -> None:
        certificate = (self.home / "openpgp-revocs.d" / f"{primary}.rev").read_bytes()
        self.run("--import", stdin=certificate.replace(b":-----BEGIN", b"-----BEGIN"))

    def forget_passphrases(self) -> None:
        """End the agent; the next one reads its settings, and asks again."""
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "gpg-agent"], check=True, timeout=PATIENCE)

    def listed(self, primary: str, **window: Any) -> OpenPgpKey:
        """The roster's entry of a key as it is now."""
        block = self.run("--armor", "--export", primary).decode()
        return OpenPgpKey(fingerprint=primary, public_key=block, **window)

    def sign(self, key: str, message: bytes, *options: str) -> bytes:
        return self.run(*options, "--armor", "--local-user", f"{key}!", "--output", "-", "--detach-sign", stdin=message)


@pytest.fixture(scope="session")
def gnupg() -> Iterator[Gnupg]:
    # Not in pytest's folder: its path is too long for the agent's sockets.
    home = Path(tempfile.mkdtemp(prefix="g-"))
    # The fewest rounds that there may be between a passphrase and its key.
    (home / "gpg-agent.conf").write_text("s2k-count 65536\n")
    try:
        yield Gnupg(home)
    finally:
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True, timeout=PATIENCE)
        # The agent removes its sockets at the same time.
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSigstore]:
    with local_sigstore(tmp_path_factory.mktemp("sigstore")) as running:
        yield running


@pytest.fixture(scope="session")
def sigstore(instance: LocalSigstore) -> Sigstore:
    return Sigstore(SigstoreInstance.SANDBOX, instance.trust_config)


NO_SIGSTORE = Sigstore(SigstoreInstance.SANDBOX)
"""For what never needs one: using it fails."""
