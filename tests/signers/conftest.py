"""Files to sign, and a GnuPG home to sign them from."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from baton.model.base import digest_of
from baton.model.manifest import Artifact
from baton.sandbox.sigstore.server import LocalSigstore, local_sigstore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.signers.port import File


class Kept(dict[str, bytes]):
    """What a batch hands out: each file's signature by its name, never two."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def __call__(self, artifact: Artifact, signature: bytes) -> None:
        with self._lock:
            assert artifact.name not in self
            self[artifact.name] = signature


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def files(tmp_path: Path) -> list[File]:
    files = []
    for number in range(5):
        path, content = tmp_path / f"hello-1.{number}.tar.gz", b"first\nsecond %d\n" % number
        path.write_bytes(content)
        files.append((Artifact(name=path.name, digest=digest_of(content), size=len(content)), path))
    return files


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSigstore]:
    with local_sigstore(tmp_path_factory.mktemp("sigstore")) as running:
        yield running


class Answering(Protocol):
    """Runs an HTTP service that answers every POST alike, or takes requests and never answers; gives its address."""

    def __call__(self, status: int, text: str = "", *, never: bool = False) -> AbstractContextManager[str]: ...


@contextmanager
def _answering(status: int, text: str = "", *, never: bool = False) -> Iterator[str]:
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if never:
                ended.wait()
                return
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def answering() -> Answering:
    return _answering


class Gnupg:
    """A GnuPG home of its own."""

    long_ago = ("--faked-system-time", "20200105T120000!")
    """Options that make gpg think it is noon of 5 January 2020."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *arguments: str | Path, passphrase: str = "", stdin: bytes = b"") -> bytes:
        loopback = ["--pinentry-mode", "loopback", "--passphrase", passphrase]
        command = ["gpg", "--batch", "--quiet", "--homedir", self.home, *loopback, *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout

    def fingerprints(self, key: str) -> list[str]:
        listing = self.run("--list-keys", "--with-colons", key).decode().split("\n")
        return [line.split(":")[9] for line in listing if line.startswith("fpr:")]

    def make(
        self,
        user: str,
        *options: str,
        usage: str = "sign",
        expires: str = "0",
        passphrase: str = "",
        kind: str = "ed25519",
    ) -> str:
        self.run(*options, "--quick-generate-key", user, kind, usage, expires, passphrase=passphrase)
        return self.fingerprints(user)[0]

    def add_subkey(self, primary: str, *options: str, expires: str = "0") -> str:
        self.run(*options, "--quick-add-key", primary, "ed25519", "sign", expires)
        return self.fingerprints(primary)[-1]

    def revoke(self, primary: str) -> None:
        certificate = (self.home / "openpgp-revocs.d" / f"{primary}.rev").read_bytes()
        self.run("--import", stdin=certificate.replace(b":-----BEGIN", b"-----BEGIN"))

    def public(self, key: str) -> str:
        return self.run("--armor", "--export", key).decode()


@pytest.fixture
def gnupg() -> Iterator[Gnupg]:
    # Not in pytest's folder: its path is too long for the agent's sockets.
    home = Path(tempfile.mkdtemp(prefix="g-"))
    # The fewest rounds that there may be between a passphrase and its key.
    (home / "gpg-agent.conf").write_text("s2k-count 65536\n")
    try:
        yield Gnupg(home)
    finally:
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True)
        # The agent removes its sockets at the same time.
        shutil.rmtree(home, ignore_errors=True)
