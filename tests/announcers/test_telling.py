"""A channel that fails says so in words for people, and holds nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.telling import TellActivities
from baton.model import work
from baton.model.announcing import EmailAnnouncer, Event, MailSecurity, Shape, WebhookAnnouncer
from baton.model.errors import Failed, Missing, Refused
from baton.settings import WorkerSettings
from tests.activities.agreed import World
from tests.announcers.conftest import RELEASE, SECRET, everything_about
from tests.announcers.services import Reply

if TYPE_CHECKING:
    from pathlib import Path

    from baton.model.announcing import Announcer
    from tests.announcers.conftest import Service

ROOM = WebhookAnnouncer(
    name="room",
    shape=Shape.MATRIX,
    url_from="CHAT_URL",
    token_from="CHAT_TOKEN",  # noqa: S106  # a variable's name
    to="!room:example.org",
)
REMINDER = work.Tell(
    release=work.ReleaseRef(release=RELEASE, run="run-1", plan="sha256:" + "e" * 64, sandbox=False),
    announcer=ROOM,
    event=Event.REMINDER,
    text="hello 1.0.0 has waited for 2 hours",
)


RULES = """
[[announcers]]
kind = "webhook"
name = "room"
shape = "matrix"
url-from = "CHAT_URL"
token-from = "CHAT_TOKEN"
to = "!room:example.org"

[[announcers]]
kind = "email"
name = "list"
host = "localhost"
security = "none-on-loopback"
sender = "baton@example.org"
recipients = ["team@example.org"]
"""
MAIL = EmailAnnouncer(
    name="list",
    host="localhost",
    port=25,
    security=MailSecurity.NONE_ON_LOOPBACK,
    sender="baton@example.org",
    recipients=("team@example.org",),
)


@pytest.fixture
def chat(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    rules = World.make(tmp_path).rules
    rules.write_text(rules.read_text() + RULES)
    monkeypatch.setenv("BATON_PROJECTS", str(rules))
    monkeypatch.setenv("CHAT_URL", service.url)
    monkeypatch.setenv("CHAT_TOKEN", SECRET)
    return service


def tell(activity_id: str = "7", what: work.Tell = REMINDER) -> work.Told:
    environment = ActivityEnvironment()
    environment.info = environment.default_info()
    environment.info = type(environment.info)(**{**vars(environment.info), "activity_id": activity_id})
    told = environment.run(TellActivities(WorkerSettings()).tell, what)
    assert isinstance(told, work.Told)
    return told


def test_every_try_of_one_telling_is_one_message(chat: Service) -> None:
    assert tell("7") == tell("7") == tell("8") == work.Told(sent=True)
    first, again, later = [heard.path for heard in chat.heard]
    assert first == again != later


def test_a_channel_that_refuses_is_a_failure_that_no_retry_repeats(chat: Service) -> None:
    chat.answer = lambda _: Reply(403, b'{"errcode": "M_FORBIDDEN"}')
    with pytest.raises(Failed, match=r"CHAT_URL answers 403 \(M_FORBIDDEN\)") as raised:
        tell()
    assert raised.value.permanent
    assert SECRET not in everything_about(raised.value)


def test_a_channel_that_is_busy_names_the_time_of_the_next_try(chat: Service) -> None:
    chat.answer = lambda _: Reply(429, b'{"errcode": "M_LIMIT_EXCEEDED"}', {"Retry-After": "17"})
    with pytest.raises(ApplicationError, match=r"answers 429 \(M_LIMIT_EXCEEDED\)") as raised:
        tell()
    assert raised.value.next_retry_delay == timedelta(seconds=17)
    assert (raised.value.type, raised.value.non_retryable) == ("Unavailable", False)
    assert SECRET not in everything_about(raised.value)


@pytest.mark.parametrize(
    "forged",
    [
        ROOM.model_copy(update={"url_from": "GITHUB_TOKEN_URL"}),
        ROOM.model_copy(update={"token_from": "SMTP_PASSWORD"}),
        ROOM.model_copy(update={"to": "!everyone:example.org"}),
        MAIL.model_copy(update={"host": "::1"}),
        MAIL.model_copy(update={"recipients": ("everyone@example.org",)}),
        MAIL.model_copy(update={"sender": "security@example.org"}),
        MAIL.model_copy(update={"username_from": "CHAT_URL", "password_from": "CHAT_TOKEN"}),
    ],
    ids=["address", "token", "room", "server", "recipients", "sender", "credentials"],
)
def test_nobody_is_told_by_other_ways_than_the_workers_own_rules_name(chat: Service, forged: Announcer) -> None:
    with pytest.raises(Refused, match="is none of this worker's own release"):
        tell(what=REMINDER.model_copy(update={"announcer": forged}))
    assert chat.heard == []


def test_a_worker_without_rules_tells_nobody(chat: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BATON_PROJECTS")
    with pytest.raises(Missing, match=r"name the project's release\.toml in BATON_PROJECTS"):
        tell()
    assert chat.heard == []


def test_a_rehearsal_tells_the_log_alone(chat: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_SANDBOX", "/sandbox")
    with pytest.raises(Refused, match="a rehearsal is told to the log alone"):
        tell()
    assert chat.heard == []
