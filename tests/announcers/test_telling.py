"""A channel that fails says so in words for people, and holds nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.telling import TellActivities
from baton.model import work
from baton.model.announcing import Event, Shape, WebhookAnnouncer
from baton.model.errors import Failed
from tests.announcers.conftest import RELEASE, SECRET, everything_about
from tests.announcers.services import Reply

if TYPE_CHECKING:
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


@pytest.fixture
def chat(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setenv("CHAT_URL", service.url)
    monkeypatch.setenv("CHAT_TOKEN", SECRET)
    return service


def tell(activity_id: str = "7") -> work.Told:
    environment = ActivityEnvironment()
    environment.info = environment.default_info()
    environment.info = type(environment.info)(**{**vars(environment.info), "activity_id": activity_id})
    told = environment.run(TellActivities().tell, REMINDER)
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
