"""Telling people, by log and by webhook, without telling anyone the webhook's address."""

from __future__ import annotations

import json
import logging
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from baton.announcers import open_announcer
from baton.model.announcing import Event, LogAnnouncer, WebhookAnnouncer
from baton.model.errors import BatonError, Failed, Invalid, Missing, Unavailable
from baton.model.version import ReleaseId

if TYPE_CHECKING:
    from collections.abc import Iterator

RELEASE = ReleaseId(project="hello", version="1.0.0")
SECRET = "T0P-s3cret"  # noqa: S105  # made up here
VARIABLE = "CHAT_WEBHOOK"


class Chat(ThreadingHTTPServer):
    """A chat service's webhook: keeps what it is told and answers as it is set to."""

    status = 200
    heard: list[dict[str, Any]]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard = []
        self.url = f"http://127.0.0.1:{self.server_port}/hooks/{SECRET}?key={SECRET}"


class _Handler(BaseHTTPRequestHandler):
    server: Chat

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append({"type": self.headers["Content-Type"], "path": self.path} | json.loads(content))
        self.send_response(self.server.status)
        self.send_header("Location", self.server.url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet: what this server logs is not what is tested."""


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    server = Chat()
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    monkeypatch.setenv(VARIABLE, server.url)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def tell(text: str = "hello 1.0.0 is out") -> None:
    announcer = open_announcer(WebhookAnnouncer(name="chat", url_from=VARIABLE))
    announcer.tell(Event.RELEASED, RELEASE, text, "https://example.org/hello/1.0.0/")


def everything_about(error: BaseException) -> str:
    """All that a log or a failure's details could show of an error and what led to it."""
    chain: BaseException | None = error
    shown = "".join(traceback.format_exception(error))
    while chain is not None:
        shown += repr(chain)
        chain = chain.__cause__ or chain.__context__
    return shown


def test_a_webhook_gets_the_message_as_json(chat: Chat) -> None:
    tell()
    assert chat.heard == [
        {
            "type": "application/json",
            "path": f"/hooks/{SECRET}?key={SECRET}",
            "text": "hello 1.0.0 is out",
            "release": "hello 1.0.0",
            "event": "released",
            "link": "https://example.org/hello/1.0.0/",
        }
    ]


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, Unavailable), (503, Unavailable), (429, Unavailable), (400, Failed), (404, Failed), (302, Failed)],
)
def test_a_refusal_says_whether_another_try_may_help_but_not_the_address(
    chat: Chat, caplog: pytest.LogCaptureFixture, status: int, error: type[BatonError]
) -> None:
    chat.status = status
    with (
        caplog.at_level(logging.DEBUG, logger=""),
        pytest.raises(error, match=f"{VARIABLE} answers {status}") as raised,
    ):
        tell()
    assert SECRET not in everything_about(raised.value) + caplog.text
    assert len(chat.heard) == 1


def test_the_address_is_in_no_log_line_when_all_is_well(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger=""):
        tell()
        httpx.get(f"http://127.0.0.1:{chat.server_port}/something-else")
    assert SECRET not in caplog.text
    assert "something-else" in caplog.text, "only the webhook's own requests go unlogged"


def test_nobody_listening_is_worth_another_try(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:1/hooks/{SECRET}")
    with pytest.raises(Unavailable, match=f"{VARIABLE} could not be reached: ConnectError") as raised:
        tell()
    assert SECRET not in everything_about(raised.value)
    assert not chat.heard


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(Missing, match=VARIABLE):
        tell()


@pytest.mark.parametrize(
    "value",
    [
        f"http://chat.example.org/{SECRET}",
        f"ftp://example.org/{SECRET}",
        f"https:///{SECRET}",
        f"http://[{SECRET}",
        SECRET,
        f"http://127.0.0.1:port/{SECRET}",
    ],
)
def test_an_address_that_would_carry_the_secret_in_the_clear_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(Invalid, match=f"{VARIABLE} does not hold") as raised:
        tell()
    assert SECRET not in everything_about(raised.value)


def test_the_log_gets_one_line(caplog: pytest.LogCaptureFixture) -> None:
    announcer = open_announcer(LogAnnouncer(name="log"))
    with caplog.at_level(logging.INFO):
        announcer.tell(Event.WAITING, RELEASE, "gate publish waits\nfake: line", "https://example.org/r")
    assert caplog.messages == ["hello 1.0.0: [waiting] gate publish waits fake: line https://example.org/r"]
