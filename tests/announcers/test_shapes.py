"""Each chat service takes what it is sent, and shows people the words as they were written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.announcers import open_announcer
from baton.announcers.shapes import discord, matrix, mattermost, slack, zulip
from baton.model.announcing import Shape, WebhookAnnouncer
from baton.model.version import ReleaseId
from tests.announcers import services
from tests.announcers.conftest import LINK, message
from tests.announcers.services import ACCESS_TOKEN, BOT, CHANNEL, ROOM, Heard, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from baton.announcers import Message
    from baton.announcers.post import Call
    from tests.announcers.conftest import Service

URL = httpx.URL("https://chat.example.org")
CLIENT = httpx.Client()

SHAPES: dict[Shape, tuple[Callable[[Message], Call], Callable[[Heard], str]]] = {
    Shape.SLACK: (lambda said: slack(said, URL), services.slack),
    Shape.DISCORD: (lambda said: discord(said, URL), services.discord),
    Shape.MATTERMOST: (lambda said: mattermost(said, URL), services.mattermost),
    Shape.ZULIP: (lambda said: zulip(said, URL, BOT, CHANNEL), services.zulip),
    Shape.MATRIX: (lambda said: matrix(said, URL, ACCESS_TOKEN, ROOM), services.matrix),
}
each_shape = pytest.mark.parametrize("shape", SHAPES)

PIECES = [
    *"\\`*_~|[]()<>&#@!-:\n \r\0\u202e\ud800é🎈",
    "https://example.org/a_b*c",
    "@everyone",
    "@**all**",
    "@*team*",
    "_@channel",
    "git@host",
    "<!channel>",
    "<@1234>",
    "&lt;",
    "](https://evil.example)",
    "- x",
    "x",
]
odd_texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=10), max_size=60).map("".join)


def shown(shape: Shape, said: Message) -> str:
    """What people read, if the service takes it."""
    call, judge = SHAPES[shape][0](said), SHAPES[shape][1]
    request = CLIENT.build_request(
        call.method, call.address, json=call.json, data=call.form, headers=dict(call.headers)
    )
    return judge(Heard(request.method, request.url.raw_path.decode(), dict(request.headers), request.read()))


@each_shape
@given(text=odd_texts)
def test_odd_words_are_taken_and_shown_as_they_are(shape: Shape, text: str) -> None:
    said = message(text)
    assert shown(shape, said) == said.whole.replace(services.UNSEEN, "")


@each_shape
def test_plain_words_stay_themselves(shape: Shape) -> None:
    text = "hello 1.0.0 waits for a sign-off: gate publish. Type: baton sign-off hello 1.0.0 publish"
    assert shown(shape, message(text)) == f"{text}\n{LINK}"


@each_shape
@pytest.mark.parametrize("text", ["", " \n", "\0", "\u202e"])
def test_where_nothing_is_left_to_say_the_event_is_named(shape: Shape, text: str) -> None:
    assert shown(shape, message(text, link="")) == "hello 1.0.0: released"


@pytest.mark.parametrize("letter", ["x", "*", "🎈", "<", "https://example.org/_ "])
def test_what_is_too_long_for_discord_is_cut_and_keeps_its_link(letter: str) -> None:
    text = (letter * 2000)[:2000]
    read = shown(Shape.DISCORD, message(text, link=LINK * 3))
    assert read.endswith(f"…\n{LINK * 3}")
    assert text.startswith(read.partition("…")[0])
    sent = discord(message(text, link=LINK * 3), URL).json
    assert sent is not None
    assert len(sent["content"].encode("utf-16-le")) // 2 > 1990, "no more is cut than has to be"


def test_a_link_too_long_for_discord_does_not_cost_the_words() -> None:
    assert shown(Shape.DISCORD, message("x" * 1500, link="https://example.org/" + "y" * 3000)) == "x" * 1500


def test_a_long_release_has_a_topic_that_zulip_takes() -> None:
    release = ReleaseId(project="p" * 64, version="1.0.0")
    said = message()
    call = zulip(type(said)(said.event, release, said.run, said.occasion, "x", ""), URL, BOT, CHANNEL)
    assert call.form is not None
    assert call.form["topic"] == "p" * 59 + "…"


def test_a_room_keeps_to_its_place_in_the_path() -> None:
    call = matrix(message(), httpx.URL("https://example.org/base/?x=1#y"), ACCESS_TOKEN, "!a/../b?c#d:e")
    path = call.address.raw_path.decode()
    assert path.startswith("/base/_matrix/client/v3/rooms/%21a%2F..%2Fb%3Fc%23d%3Ae/send/m.room.message/")


def test_discord_keeps_the_thread_of_its_address() -> None:
    call = discord(message(), httpx.URL("https://discord.com/api/webhooks/1/x?thread_id=2"))
    assert dict(call.address.params) == {"thread_id": "2", "wait": "true"}


@each_shape
def test_a_service_hears_its_own_language(shape: Shape, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def answer(heard: Heard) -> Reply:
        read.append(SHAPES[shape][1](heard))
        return Reply()

    service.answer = answer
    monkeypatch.setenv("CHAT_URL", service.url)
    monkeypatch.setenv("CHAT_TOKEN", {Shape.ZULIP: BOT}.get(shape, ACCESS_TOKEN))
    place = {Shape.ZULIP: CHANNEL, Shape.MATRIX: ROOM}.get(shape)
    announcer = WebhookAnnouncer(
        name="chat", shape=shape, url_from="CHAT_URL", token_from="CHAT_TOKEN" if place else None, to=place
    )
    open_announcer(announcer).tell(message("*two*\nlines & <more>"))
    assert read == [f"*two*\nlines & <more>\n{LINK}"]


def test_matrix_takes_a_message_once_however_often_it_is_sent() -> None:
    def transaction(said: Message) -> str:
        return matrix(said, URL, ACCESS_TOKEN, ROOM).address.path.rpartition("/")[2]

    assert transaction(message()) == transaction(message())
    others = {transaction(message("other")), transaction(message(occasion="8")), transaction(message(link=""))}
    assert len(others | {transaction(message())}) == 4
