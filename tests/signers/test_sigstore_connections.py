"""How a batch reaches the services: many requests at once, over few connections, by way of the environment's proxy."""

from __future__ import annotations

import http.client
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from baton.model.base import digest_of
from baton.model.errors import Unavailable
from baton.model.manifest import Artifact
from baton.model.roster import SigstoreIdentity
from baton.model.signing import SigstoreInstance, SigstoreSigner
from baton.sandbox.sigstore import ISSUER, machine_identity
from baton.settings import WorkerSettings
from baton.signers import open_signer, sigstore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from baton.sandbox.sigstore.server import LocalSigstore
    from baton.signers.port import File
    from tests.signers.conftest import Kept

SIGNER = SigstoreSigner(
    instance=SigstoreInstance.SANDBOX,
    identity=SigstoreIdentity(identity=machine_identity("signer"), issuer=ISSUER),
)
WITHIN = 30.0


@pytest.fixture
def settings(sandbox: LocalSigstore, tmp_path: Path) -> WorkerSettings:
    token = tmp_path / "token"
    token.write_text(sandbox.tokens.for_machine("signer"))
    return WorkerSettings(sigstore_trust_config=sandbox.trust_config, identity_token_file=token)


def many(number: int) -> list[File]:
    contents = [b"%d" % n for n in range(number)]
    return [(Artifact(name=f"f{c.decode()}", digest=digest_of(c), size=len(c)), Path("/nowhere")) for c in contents]


class Service(ThreadingHTTPServer):
    """Answers POST requests, and keeps who connected, and what kind of credential came with each request."""

    request_queue_size = 256

    def __init__(self, answer: Callable[[BaseHTTPRequestHandler, bytes], tuple[int, bytes]]) -> None:
        counted = self
        self.connections: list[str] = []
        self.credentials: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                counted.connections.append(self.client_address[0])

            def do_POST(self) -> None:
                counted.credentials.append((self.headers["Authorization"] or "none").partition(" ")[0])
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, content = answer(self, body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"


@contextmanager
def running(service: Service) -> Iterator[Service]:
    # A kept connection has a thread of its own, which waits for more; nobody waits for that.
    service.block_on_close = False
    thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield service
    finally:
        service.shutdown()
        thread.join()
        service.server_close()


def forward(asked: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
    """What a proxy does with a request whose target is a whole address (RFC 9112, section 3.2.2)."""
    target = urlsplit(asked.path)
    connection = http.client.HTTPConnection(target.netloc)
    kept = {name: value for name, value in asked.headers.items() if name not in {"Connection", "Host"}}
    connection.request("POST", target.path, body, kept)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


def test_a_hundred_files_wait_for_the_log_at_the_same_time(
    settings: WorkerSettings, kept: Kept, tmp_path: Path
) -> None:
    files = many(100)
    all_here = threading.Barrier(len(files))

    def answer_when_all_are_here(_: BaseHTTPRequestHandler, __: bytes) -> tuple[int, bytes]:
        all_here.wait(WITHIN)
        return 503, b"all at once"

    with running(Service(answer_when_all_are_here)) as log:
        assert settings.sigstore_trust_config is not None
        config = json.loads(settings.sigstore_trust_config.read_text())
        for entry in config["signingConfig"]["rekorTlogUrls"]:
            entry["url"] = log.url
        (tmp_path / "config.json").write_text(json.dumps(config))
        elsewhere = settings.model_copy(update={"sigstore_trust_config": tmp_path / "config.json"})
        with pytest.raises(Unavailable, match="all at once"):
            open_signer(SIGNER, elsewhere).sign(files, kept)
    assert not all_here.broken


def test_a_batch_goes_through_the_environments_proxy_over_few_connections(
    settings: WorkerSettings, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sigstore, "_THREADS", 2)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with running(Service(forward)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        open_signer(SIGNER, settings).sign(many(12), kept)
    assert len(kept) == 12
    assert len(proxy.credentials) == 1 + 2 * 12
    assert len(proxy.connections) <= 1 + 2 * 2


def test_only_the_certificate_authority_is_given_a_credential_and_a_netrc_file_is_left_alone(
    settings: WorkerSettings, kept: Kept, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with running(Service(forward)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        open_signer(SIGNER, settings).sign(many(1), kept)
    assert set(proxy.credentials) == {"Bearer", "none"}
