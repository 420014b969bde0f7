"""Keys and signatures for the trust tests, made by gpg itself."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


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
        shutil.rmtree(home)
