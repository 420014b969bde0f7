"""A message as each chat service takes it: word for word, addressed to nobody but the channel itself.

What a text says may come from far away, such as a build's last line. No service is to read mentions or masked links out
of it, nor formatting; but for Zulip, which has no way to say that a star is a star.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from baton.announcers.post import Call

if TYPE_CHECKING:
    import httpx

    from baton.announcers.message import Message

DISCORD_LIMIT = 2000
ZULIP_TOPIC_LIMIT = 60

_UNSEEN = "\u200b"
"""A zero-width space: where a service knows no other way, it keeps a mention or link from being one."""

_MARKDOWN = re.compile(
    # Left alone, or they would lead elsewhere; without the characters of RFC 3986 that can end or open formatting.
    r"(?P<address>https?://[A-Za-z0-9._~:/?#@!$&'+,;=%-]+)"
    r"|[\\`*_~|\[]|^[#>-]",
    re.MULTILINE,
)


def baton(message: Message, address: httpx.URL) -> Call:
    """Baton's own: ``text``, which most chats are content with, and what else a program may want to know."""
    return Call(
        address,
        json={
            "text": message.words,
            "release": str(message.release),
            "event": message.event.value,
            "link": message.address,
        },
    )


def slack(message: Message, address: httpx.URL) -> Call:
    """An incoming webhook of Slack, https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks.

    ``&``, ``<`` and ``>`` are control characters in every text, https://docs.slack.dev/messaging/formatting-message-text;
    without ``mrkdwn`` nothing else is.
    """
    text = message.whole.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Call(address, json={"text": text, "mrkdwn": False})


def discord(message: Message, address: httpx.URL) -> Call:
    """A webhook of Discord, https://docs.discord.com/developers/resources/webhook#execute-webhook.

    Without ``wait`` a message that is not kept is answered like one that is.
    """
    content = _fitting(message.words, message.address)
    return Call(
        address.copy_merge_params({"wait": "true"}), json={"content": content, "allowed_mentions": {"parse": []}}
    )


def mattermost(message: Message, address: httpx.URL) -> Call:
    """An incoming webhook of Mattermost, https://developers.mattermost.com/integrate/webhooks/incoming."""
    # A word that begins with "@" calls a person, and @channel everybody; nothing in the request can prevent it.
    text = re.sub(r"(?<![^\W_])@", f"@{_UNSEEN}", message.whole)
    return Call(address, json={"text": _as_markdown(text)})


def zulip(message: Message, address: httpx.URL, token: str, to: str) -> Call:
    """A message to a channel of Zulip, with one topic for each release, https://zulip.com/api/send-message.

    Chosen over Zulip's webhook for Slack's shape, which has the key in its address and rewrites the text.

    Args:
        message: what to tell.
        address: the organization's address.
        token: ``BOT_EMAIL:API_KEY``.
        to: the channel.
    """
    topic = str(message.release)
    return Call(
        _below(address, "/api/v1/messages"),
        form={
            "type": "stream",
            "to": to,
            "topic": topic if len(topic) <= ZULIP_TOPIC_LIMIT else f"{topic[: ZULIP_TOPIC_LIMIT - 1]}…",
            # Backslashes escape nothing here. A mention is "@", perhaps "_", and stars; a masked link has "](" in it.
            "content": re.sub(r"@(?=_?\*)|\](?=\()", rf"\g<0>{_UNSEEN}", message.whole),
        },
        headers={"Authorization": f"Basic {base64.b64encode(token.encode()).decode()}"},
    )


def matrix(message: Message, address: httpx.URL, token: str, to: str) -> Call:
    """A message to a room of Matrix.

    See https://spec.matrix.org/latest/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid. A homeserver
    takes a transaction id once, so that a repeated attempt adds nothing. The text is an ``m.text``, since an
    ``m.notice`` rings for nobody; empty ``m.mentions`` say that no name in it calls its bearer.

    Args:
        message: what to tell.
        address: the homeserver's address.
        token: an access token of the account that speaks; it has to be in the room.
        to: the room's id.
    """
    return Call(
        _below(address, f"/_matrix/client/v3/rooms/{quote(to, safe='')}/send/m.room.message/{message.id}"),
        json={"msgtype": "m.text", "body": message.whole, "m.mentions": {}},
        method="PUT",
        headers={"Authorization": f"Bearer {token}"},
    )


def _below(address: httpx.URL, path: str) -> httpx.URL:
    base = address.raw_path.partition(b"?")[0].decode("ascii").rstrip("/")
    return address.copy_with(raw_path=f"{base}{path}".encode("ascii"), fragment=None)


def _as_markdown(text: str) -> str:
    return _MARKDOWN.sub(lambda found: found[0] if found["address"] else f"\\{found[0]}", text)


def _fitting(words: str, link: str) -> str:
    """Words and link for Discord, the words cut where all would be too long; a link that fills the half is left out."""
    end = f"\n{link}" if 0 < len(link) <= DISCORD_LIMIT // 2 else ""
    shown = _for_discord(words)
    while (excess := _length(shown + end) - DISCORD_LIMIT) > 0:
        # A character takes at most two places, so that this never cuts too much.
        words = words[: -max(1, excess // 2)]
        shown = f"{_for_discord(words)}…"
    return shown + end


def _for_discord(text: str) -> str:
    """Markdown, and "<", which begins Discord's own forms for people, channels and times."""
    return _as_markdown(text).replace("<", "\\<")


def _length(text: str) -> int:
    """In UTF-16 code units: the longer of the two ways in which a service may count."""
    return len(text.encode("utf-16-le")) // 2
