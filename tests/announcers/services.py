"""Chat services as their documentation describes them: each judges a request, and says what people would read."""

from __future__ import annotations

import base64
import html
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

UNSEEN = "\u200b"
BOT = "baton-bot@example.zulipchat.com:T0P-s3cret"
ACCESS_TOKEN = "T0P-s3cret_syt"  # noqa: S105  # made up here
ROOM = "!release:example.org"
CHANNEL = "releases & more"

ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&'+,;=%-]+")


@dataclass(frozen=True)
class Heard:
    """A request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/json"
        said = json.loads(self.body)
        assert isinstance(said, dict)
        return said


@dataclass(frozen=True)
class Reply:
    """What the service answers."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def slack(heard: Heard) -> str:
    """https://docs.slack.dev/messaging/formatting-message-text."""
    assert heard.method == "POST"
    said = heard.json
    assert set(said) == {"text", "mrkdwn"}, "invalid_payload"
    text = said["text"]
    assert text, "no_text"
    assert said["mrkdwn"] is False, "formatting counts"
    assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", text), "a control sequence"
    assert len(text) <= 40_000
    return html.unescape(text)


def discord(heard: Heard) -> str:
    """https://docs.discord.com/developers/resources/webhook#execute-webhook."""
    assert heard.method == "POST"
    assert parse_qs(urlsplit(heard.path).query)["wait"] == ["true"], "what is not kept would go unnoticed"
    said = heard.json
    assert said["allowed_mentions"] == {"parse": []}, "everybody may be called"
    assert 1 <= len(said["content"].encode("utf-16-le")) // 2 <= 2000, "BASE_TYPE_BAD_LENGTH"
    return markdown(said["content"], r"[^0-9A-Za-z\s]", "`*_~|[<\\")


def mattermost(heard: Heard) -> str:
    """https://developers.mattermost.com/integrate/webhooks/incoming."""
    assert heard.method == "POST"
    text = heard.json["text"]
    assert 0 < len(text) <= 16_383
    for field_ in re.split(r"[^\w:.@-]", text):
        for word in [field_.lstrip(":.-_"), *re.split(r"[:.-]", field_)]:
            assert not re.match(r"@[A-Za-z0-9]", word.lstrip("_")), "a mention"
    return markdown(text, r"[\\`*{}\[\]()#+\-.!_>~|]", "`*_~|[\\")


def markdown(text: str, escapable: str, special: str) -> str:
    """What is shown of text in which nothing may be formatted."""
    shown, at = "", 0
    while at < len(text):
        if (address := ADDRESS.match(text, at)) is not None:
            shown, at = shown + address[0], address.end()
        elif text[at] == "\\" and re.match(escapable, text[at + 1 : at + 2]):
            shown, at = shown + text[at + 1], at + 2
        else:
            starts = at == 0 or text[at - 1] == "\n"
            assert text[at] not in special, f"formatting: {text[at:]}"
            assert not (starts and text[at] in "#>-"), "a block"
            shown, at = shown + text[at], at + 1
    return shown.replace(UNSEEN, "")


def zulip(heard: Heard) -> str:
    """https://zulip.com/api/send-message; what is a mention, from zerver/lib/mention.py."""
    assert (heard.method, urlsplit(heard.path).path) == ("POST", "/api/v1/messages")
    assert heard.headers["authorization"] == f"Basic {base64.b64encode(BOT.encode()).decode()}", "UNAUTHORIZED"
    assert heard.headers["content-type"] == "application/x-www-form-urlencoded"
    said = {
        key: value
        for key, (value,) in parse_qs(heard.body.decode(), keep_blank_values=True, strict_parsing=True).items()
    }
    assert set(said) == {"type", "to", "topic", "content"}
    assert (said["type"], said["to"]) == ("stream", CHANNEL)
    assert 0 < len(said["topic"]) <= 60
    assert said["content"].strip(), "Message must not be empty"
    assert "\0" not in said["content"], "Message must not contain null bytes"
    assert len(said["content"].encode()) <= 10_000
    assert not re.search(r"(?<![^\s'\"(,:<])@(\*\*[^*]+\*\*|\*[^*]+\*)", said["content"]), "a mention"
    assert not re.search(r"\]\(", said["content"]), "a masked link"
    return said["content"].replace(UNSEEN, "")


def matrix(heard: Heard) -> str:
    """https://spec.matrix.org/latest/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid."""
    assert heard.method == "PUT"
    found = re.fullmatch(r"/_matrix/client/v3/rooms/([^/?]+)/send/m\.room\.message/([0-9a-f]{32})", heard.path)
    assert found is not None, "M_UNRECOGNIZED"
    assert unquote(found[1]) == ROOM
    assert heard.headers["authorization"] == f"Bearer {ACCESS_TOKEN}", "M_UNKNOWN_TOKEN"
    said = heard.json
    assert set(said) == {"msgtype", "body", "m.mentions"}
    assert said["msgtype"] == "m.text", "nobody hears it"
    assert said["m.mentions"] == {}
    assert len(heard.body) < 60_000, "M_TOO_LARGE"
    assert isinstance(said["body"], str)
    return said["body"]
