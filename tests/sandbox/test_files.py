"""The sandbox's file server: what is in the folder, and nothing else."""

from __future__ import annotations

import http.client
import re
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
import uvicorn

from baton.sandbox.files import file_server
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A served folder between things that must not be served."""
    tmp_path = tmp_path_factory.mktemp("world")
    served = tmp_path / "public"
    release = served / "hello" / "1.0"
    release.mkdir(parents=True)
    (release / "hello-1.0.tar.gz").write_bytes(b"0123456789")
    (release / "<b>&\"'.txt").write_bytes(b"odd")
    (served / ".hidden").mkdir()
    (served / ".hidden" / "file").write_bytes(b"secret")
    (tmp_path / "staging").mkdir()
    (tmp_path / "staging" / "file").write_bytes(b"secret")
    (served / "link").symlink_to(tmp_path / "staging")
    (served / "file-link").symlink_to(tmp_path / "staging" / "file")
    (served / "loop").symlink_to("loop")
    return served


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, int]]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(file_server(folder), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield listener.getsockname()
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[tuple[str, int]]:
    with serving(folder) as address:
        yield address


def answer(address: tuple[str, int], path: str, method: str = "GET") -> tuple[int, bytes]:
    """What comes for a path exactly as written, as no browser would send it."""
    connection = http.client.HTTPConnection(*address, timeout=PATIENCE)
    try:
        connection.putrequest(method, path)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_a_file_is_served_whole_and_in_ranges(address: tuple[str, int]) -> None:
    url = f"http://{address[0]}:{address[1]}/hello/1.0/hello-1.0.tar.gz"
    assert httpx.get(url).content == b"0123456789"
    assert httpx.get(url, headers={"Range": "bytes=2-4"}).content == b"234"
    head = httpx.head(url)
    assert head.headers["Content-Length"] == "10"
    assert not head.content
    assert head.headers["X-Content-Type-Options"] == "nosniff"


def test_folders_are_listed_with_links_that_work_and_names_escaped(address: tuple[str, int]) -> None:
    root = f"http://{address[0]}:{address[1]}"
    top = httpx.get(f"{root}/")
    assert 'href="./hello/"' in top.text
    listing = httpx.get(f"{root}/hello/1.0", follow_redirects=True)
    assert listing.url.path == "/hello/1.0/"
    assert "hello-1.0.tar.gz" in listing.text
    assert "<b>" not in listing.text
    assert "&lt;b&gt;" in listing.text
    links = re.findall(r'href="([^"]+)"', listing.text)
    assert {httpx.get(listing.url.join(link)).content for link in links} >= {b"0123456789", b"odd"}


def test_hidden_names_and_links_are_not_listed(address: tuple[str, int]) -> None:
    _, listing = answer(address, "/")
    for name in (b"hidden", b"link", b"loop"):
        assert name not in listing


@pytest.mark.parametrize(
    "path",
    [
        "/../staging/file",
        "/%2e%2e/staging/file",
        "/..%2fstaging%2ffile",
        "/hello/../../staging/file",
        "//staging/file",
        "/hello//1.0/",
        "/./hello/",
        "/.hidden/file",
        "/%2ehidden/file",
        "/link/file",
        "/link/",
        "/file-link",
        "/loop",
        "/hello/1.0/hello-1.0.tar.gz/",
        "/hello/1.0/%00",
        "/" + "x" * 5000,
        "/absent",
        "//example.org/%2e%2e",
    ],
)
def test_nothing_else_is_served(address: tuple[str, int], path: str) -> None:
    status, content = answer(address, path)
    assert status == 404
    assert b"secret" not in content


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_it_is_read_only(address: tuple[str, int], method: str) -> None:
    assert answer(address, "/hello/1.0/hello-1.0.tar.gz", method)[0] == 405


def test_a_folder_that_comes_later_is_served_then(tmp_path: Path) -> None:
    with serving(tmp_path / "later") as address:
        assert answer(address, "/")[0] == 404
        (tmp_path / "later").mkdir()
        assert answer(address, "/")[0] == 200
