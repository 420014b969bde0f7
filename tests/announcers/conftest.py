"""A service on loopback that answers as it is set to, and messages to send there."""

from __future__ import annotations

import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from baton.announcers import Message
from baton.model.announcing import Event
from baton.model.version import ReleaseId
from tests.announcers.services import Heard, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RELEASE = ReleaseId(project="hello", version="1.0.0")
LINK = "https://example.org/hello/1.0.0/"
SECRET = "T0P-s3cret"  # noqa: S105  # made up here


def message(text: str = "hello 1.0.0 is out", link: str = LINK, occasion: str = "7") -> Message:
    return Message(event=Event.RELEASED, release=RELEASE, run="run-1", occasion=occasion, text=text, link=link)


def everything_about(error: BaseException) -> str:
    """All that a log or a failure's details could show of an error and what led to it."""
    chain: BaseException | None = error
    shown = "".join(traceback.format_exception(error))
    while chain is not None:
        shown += repr(chain)
        chain = chain.__cause__ or chain.__context__
    return shown


class Service(ThreadingHTTPServer):
    """Keeps what it is told, and answers it."""

    heard: list[Heard]
    answer: Callable[[Heard], Reply]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard = []
        self.answer = lambda _: Reply()
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        heard = Heard(self.command, self.path, headers, body)
        self.server.heard.append(heard)
        reply = self.server.answer(heard)
        self.send_response(reply.status)
        for name, value in ({"Content-Length": str(len(reply.body))} | reply.headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    do_POST = do_PUT = _answer  # noqa: N815  # http.server's names

    def log_message(self, *_: object) -> None:
        """Keep quiet: what this server logs is not what is tested."""


@pytest.fixture
def service() -> Iterator[Service]:
    server = Service()
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
