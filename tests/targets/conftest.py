from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

import pytest

from baton.model.version import ReleaseId
from baton.store import LocalStore
from baton.targets.directory import DirectoryAdapter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from baton.model.manifest import Artifact


class WebServer(ThreadingHTTPServer):
    """Serves a folder, and for some paths answers something else; notes which paths were asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
        self.instead: dict[str, tuple[int, bytes, dict[str, str]]] = {}
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def answer(self, path: str, content: bytes = b"", *, status: int = 200, **headers: str) -> None:
        """Say this from now on; an ``_`` in a header's name stands for ``-``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.instead[path] = (status, content, {"Content-Length": str(len(content))} | named)


class _Handler(SimpleHTTPRequestHandler):
    server: WebServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.path not in self.server.instead:
            super().do_GET()
            return
        status, content, headers = self.server.instead[self.path]
        self.send_response(status)
        for header in headers.items():
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep quiet: what this server logs is not what is tested."""


class World(NamedTuple):
    """A release of three files in a store, and a folder that a web server shows."""

    release: ReleaseId
    contents: dict[str, bytes]
    files: list[Artifact]
    store: LocalStore
    served: Path
    web: WebServer
    target: DirectoryAdapter

    @property
    def staged(self) -> Path:
        return self.target.staging / "hello" / "1.0.0"

    @property
    def public(self) -> Path:
        return self.served / "hello" / "1.0.0"

    def shown(self) -> dict[str, bytes]:
        """Everything below the served folder."""
        return {
            str(path.relative_to(self.served)): path.read_bytes() for path in self.served.rglob("*") if path.is_file()
        }


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    contents = {"hello-1.0.0.tar.gz": b"source" * 500_000, "hello.exe": b"MZ", "hello.exe.asc": b"signature"}
    store = LocalStore(tmp_path / "store")
    made = tmp_path / "made"
    made.mkdir()
    for name, content in contents.items():
        (made / name).write_bytes(content)
    files = [store.put_file(made / name) for name in sorted(contents)]

    served = tmp_path / "www"
    served.mkdir()
    web = WebServer(served)
    thread = threading.Thread(target=web.serve_forever, args=[0.01])
    thread.start()
    target = DirectoryAdapter(served, f"{web.url}/")
    yield World(ReleaseId(project="hello", version="1.0.0"), contents, files, store, served, web, target)
    web.shutdown()
    thread.join()
    web.server_close()
