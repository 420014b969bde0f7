from __future__ import annotations

import io
import threading
import uuid
from typing import TYPE_CHECKING, Any

import httpx
import obstore
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from obstore.store import S3Store
from werkzeug.serving import make_server

from baton.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from baton.store import Store


class S3Server:
    """moto's S3 over HTTP, one request at a time, which can be told to behave like a careless server."""

    def __init__(self) -> None:
        self.behave()
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._one_at_a_time = threading.Lock()
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def behave(self) -> None:
        self.ignores_conditions = self.spoils_content = self.refuses = False

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self.refuses:
            start_response("403 Forbidden", [("Content-Length", "0")])
            return []
        if self.ignores_conditions:
            environ.pop("HTTP_IF_NONE_MATCH", None)
        if self.spoils_content and environ["REQUEST_METHOD"] == "PUT":
            content = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            environ["wsgi.input"] = io.BytesIO(b"?" * len(content))
        with self._one_at_a_time:
            return list(self._moto(environ, start_response))

    def make_bucket(self) -> str:
        bucket = f"bucket-{uuid.uuid4().hex[:12]}"
        httpx.put(f"{self.url}/{bucket}").raise_for_status()
        return bucket

    def overwrite(self, bucket: str, key: str, content: bytes) -> None:
        obstore.put(S3Store(bucket), key, content)

    def close(self) -> None:
        self._server.shutdown()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    server = S3Server()
    yield server
    server.close()


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """The server, with this process's environment pointing at it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.url)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "never-in-a-message")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    yield s3_server
    s3_server.behave()


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store of each kind."""
    if request.param == "folder":
        return open_store(str(tmp_path / "store"))
    server: S3Server = request.getfixturevalue("s3")
    return open_store(f"s3://{server.make_bucket()}/some/prefix")
