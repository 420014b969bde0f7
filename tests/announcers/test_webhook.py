"""Telling by HTTP, without telling anyone the address or the token."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import httpx
import pytest
from pydantic import ValidationError

from baton.announcers import Busy, open_announcer
from baton.model.announcing import Event, Shape, WebhookAnnouncer
from baton.model.errors import BatonError, Failed, Invalid, Missing, Unavailable
from tests.announcers.conftest import LINK, SECRET, everything_about, message
from tests.announcers.services import Reply

if TYPE_CHECKING:
    from tests.announcers.conftest import Service

VARIABLE = "CHAT_WEBHOOK"
TOKEN = "CHAT_TOKEN"  # noqa: S105  # a variable's name
BATON = WebhookAnnouncer(name="chat", url_from=VARIABLE)
MATRIX = WebhookAnnouncer(name="room", shape=Shape.MATRIX, url_from=VARIABLE, token_from=TOKEN, to="!room:example.org")
ZULIP = WebhookAnnouncer(name="devs", shape=Shape.ZULIP, url_from=VARIABLE, token_from=TOKEN, to="releases")


@pytest.fixture
def chat(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setenv(VARIABLE, f"{service.url}/hooks/{SECRET}?key={SECRET}")
    monkeypatch.setenv(TOKEN, SECRET)
    return service


def refusal(announcer: WebhookAnnouncer, kind: type[BatonError] = BatonError) -> BatonError:
    """The error of telling, which shows nothing secret."""
    with pytest.raises(kind) as raised:
        open_announcer(announcer).tell(message())
    assert SECRET not in everything_about(raised.value)
    return raised.value


def test_batons_own_shape_is_json(chat: Service) -> None:
    open_announcer(BATON).tell(message())
    (heard,) = chat.heard
    assert heard.path == f"/hooks/{SECRET}?key={SECRET}"
    assert heard.json == {
        "text": "hello 1.0.0 is out",
        "release": "hello 1.0.0",
        "event": "released",
        "link": LINK,
    }


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, Unavailable), (503, Unavailable), (429, Unavailable), (400, Failed), (404, Failed), (302, Failed)],
)
@pytest.mark.parametrize("announcer", [BATON, MATRIX])
def test_a_refusal_says_whether_another_try_may_help_but_nothing_secret(
    chat: Service,
    caplog: pytest.LogCaptureFixture,
    announcer: WebhookAnnouncer,
    status: int,
    error: type[BatonError],
) -> None:
    chat.answer = lambda _: Reply(status, SECRET.encode(), {"Location": f"{chat.url}/{SECRET}"})
    with caplog.at_level(logging.DEBUG, logger=""):
        assert f"{VARIABLE} answers {status};" in str(refusal(announcer, error))
    assert SECRET not in caplog.text
    assert len(chat.heard) == 1, "a redirect is not followed"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"errcode": "M_FORBIDDEN", "error": "not in the room"}', "403 (M_FORBIDDEN);"),
        (b'{"result": "error", "code": "STREAM_DOES_NOT_EXIST"}', "403 (STREAM_DOES_NOT_EXIST);"),
        (b'{"code": 50035, "message": "Invalid Form Body"}', "403 (50035);"),
        (b'{"id": "web.incoming_webhook.invalid.app_error"}', "403 (web.incoming_webhook.invalid.app_error);"),
        (b"no_service", "403 (no_service);"),
        (b"<html>", "403;"),
        (b"\xff", "403;"),
        (b"[" * 4000, "403;"),
        (json.dumps({"code": "s3cret"}).encode(), "403;"),
        (b"hooks", "403;"),
    ],
)
def test_a_refusal_has_the_services_own_name_for_it_unless_that_may_be_secret(
    chat: Service, body: bytes, told: str
) -> None:
    chat.answer = lambda _: Reply(403, body)
    assert f"answers {told}" in str(refusal(BATON, Failed))


def test_an_answer_without_end_is_not_waited_for(chat: Service) -> None:
    chat.answer = lambda _: Reply(403, b"x" * 10_000_000, {"Content-Length": str(10**12)})
    # Who waited for it would find that it never comes, and take that for a service that can't be reached.
    assert "answers 403;" in str(refusal(BATON, Failed))


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [("3", 3), ("0.5", 0.5), ("28.7068", 28.7068), ("86400", 60), ("inf", 60)],
)
def test_a_busy_service_is_left_alone_as_long_as_it_asks_within_bounds(
    chat: Service, asked: str, seconds: float
) -> None:
    chat.answer = lambda _: Reply(429, b"", {"Retry-After": asked})
    error = refusal(BATON, Busy)
    assert isinstance(error, Busy)
    assert error.seconds == seconds


def test_a_busy_service_may_name_the_time_instead(chat: Service) -> None:
    chat.answer = lambda _: Reply(
        503, b"", {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)}
    )
    error = refusal(BATON, Busy)
    assert isinstance(error, Busy)
    assert 0 < error.seconds <= 30


@pytest.mark.parametrize("asked", ["", "soon", "nan", "-1", "0", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_pause_that_makes_no_sense_is_no_pause(chat: Service, asked: str) -> None:
    chat.answer = lambda _: Reply(429, b"", {"Retry-After": asked})
    assert type(refusal(BATON)) is Unavailable


def test_nothing_secret_is_in_a_log_line_when_all_is_well(chat: Service, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger=""):
        open_announcer(MATRIX).tell(message())
        httpx.post(f"{chat.url}/something-else", content=b"")
    assert SECRET not in caplog.text
    assert "something-else" in caplog.text, "only the webhook's own requests go unlogged"


def test_nobody_listening_is_worth_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:1/hooks/{SECRET}")
    assert f"{VARIABLE} could not be reached: ConnectError" in str(refusal(BATON, Unavailable))


@pytest.mark.parametrize("value", [None, "", "  "])
@pytest.mark.parametrize("variable", [VARIABLE, TOKEN])
def test_a_missing_variable_is_named(
    chat: Service, monkeypatch: pytest.MonkeyPatch, variable: str, value: str | None
) -> None:
    monkeypatch.delenv(variable)
    if value is not None:
        monkeypatch.setenv(variable, value)
    assert variable in str(refusal(MATRIX, Missing))
    assert not chat.heard


@pytest.mark.parametrize("value", [f"{SECRET}\nX-Header: 1", f"{SECRET}é", f"{SECRET}\x7f"])
def test_a_token_that_is_none_is_not_sent(chat: Service, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(TOKEN, value)
    assert TOKEN in str(refusal(MATRIX, Invalid))
    assert not chat.heard


def test_a_zulip_key_without_its_bot_is_not_sent(chat: Service) -> None:
    assert f"{TOKEN} does not hold BOT_EMAIL:API_KEY" in str(refusal(ZULIP, Invalid))
    assert not chat.heard


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
    assert f"{VARIABLE} does not hold" in str(refusal(BATON, Invalid))


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"shape": "slack", "token_from": "T"}, "token_from: .*no use"),
        ({"shape": "zulip", "token_from": "T"}, "to: required"),
        ({"shape": "matrix", "to": "!x:y"}, "token_from: required"),
        ({"shape": "matrix", "to": "#x:y", "token_from": "T"}, "room's id"),
        ({"shape": "irc"}, "Input should be 'baton'"),
        ({"url_from": "https://chat.example.org"}, "url_from"),
    ],
)
def test_a_webhook_that_can_not_work_is_no_part_of_a_plan(change: dict[str, str], fact: str) -> None:
    with pytest.raises(ValidationError, match=fact):
        WebhookAnnouncer.model_validate({"name": "chat", "url_from": "U"} | change)


def test_a_plan_from_before_shapes_means_batons_own() -> None:
    old = {"kind": "webhook", "name": "chat", "url_from": "U", "on": ["waiting"]}
    assert WebhookAnnouncer.model_validate(old) == WebhookAnnouncer(name="chat", url_from="U", on=(Event.WAITING,))
