"""Keys and signatures for the trust tests, made by gpg itself."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext

from baton.sandbox.sigstore.server import LocalSigstore, local_sigstore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session", autouse=True)
def _own_trust_root_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The sigstore library keeps what it fetched, or came with, in the user's data folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSigstore]:
    with local_sigstore(tmp_path_factory.mktemp("sigstore")) as running:
        yield running


@pytest.fixture(scope="session")
def bundle(sandbox: LocalSigstore) -> Callable[[str, bytes], bytes]:
    """Signs content with an identity token, as the sigstore library does, and gives the bundle."""
    config = ClientTrustConfig.from_json(sandbox.trust_config.read_text())

    def sign(token: str, content: bytes) -> bytes:
        with SigningContext.from_trust_config(config).signer(IdentityToken(token)) as signer:
            return signer.sign_artifact(content).to_json().encode()

    return sign


class Gnupg:
    """A GnuPG home with keys that need no passphrase."""

    long_ago = ("--faked-system-time", "20200105T120000!")
    """Options that make gpg think it is noon of 5 January 2020."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *arguments: str | Path, stdin: bytes = b"") -> bytes:
        loopback = ["--pinentry-mode", "loopback", "--passphrase", ""]
        command = ["gpg", "--batch", "--quiet", "--homedir", self.home, *loopback, *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout

    def fingerprints(self, key: str) -> list[str]:
        listing = self.run("--list-keys", "--with-colons", key).decode("latin-1").split("\n")
        return [line.split(":")[9] for line in listing if line.startswith("fpr:")]

    def make(self, user: str, *options: str, usage: str = "sign", expires: str = "0") -> str:
        self.run(*options, "--quick-generate-key", user, "ed25519", usage, expires)
        return self.fingerprints(user)[0]

    def add_subkey(self, primary: str) -> str:
        self.run("--quick-add-key", primary, "ed25519", "sign", "0")
        return self.fingerprints(primary)[-1]

    def revoke(self, primary: str) -> None:
        certificate = (self.home / "openpgp-revocs.d" / f"{primary}.rev").read_bytes()
        self.run("--import", stdin=certificate.replace(b":-----BEGIN", b"-----BEGIN"))

    def export(self, *keys: str) -> bytes:
        return self.run("--armor", "--export", *keys)

    def sign(self, key: str, file: Path, *options: str, how: str = "--detach-sign") -> bytes:
        return self.run(*options, "--armor", "--local-user", f"{key}!", "--output", "-", how, file)


@pytest.fixture(scope="session")
def gnupg() -> Iterator[Gnupg]:
    # Not in pytest's folder: its path is too long for the agent's sockets.
    home = Path(tempfile.mkdtemp(prefix="g-"))
    try:
        yield Gnupg(home)
    finally:
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True)
        # The agent removes its sockets at the same time.
        shutil.rmtree(home, ignore_errors=True)
