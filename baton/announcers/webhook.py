"""A message by HTTP: to a chat service's webhook or API, or to whatever reads Baton's own JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, assert_never

import httpx

from baton.announcers import shapes
from baton.announcers.port import AnnouncerAdapter, Busy
from baton.announcers.post import post
from baton.announcers.secrets import secret, web_address
from baton.model.announcing import Shape
from baton.model.errors import Failed, Invalid, Unavailable

if TYPE_CHECKING:
    from baton.announcers.message import Message
    from baton.announcers.post import Answer, Call
    from baton.model.announcing import WebhookAnnouncer

_LATER = frozenset({408, 425, 429})
_LONGEST_PAUSE = 60.0

_CODE = re.compile(r"[A-Za-z][A-Za-z_.]{2,63}|[0-9]{3,6}")
"""A service's own name for a refusal, such as ``M_FORBIDDEN``, ``no_service`` or ``50035``."""


class WebhookAdapter(AnnouncerAdapter):
    """Sends what the service takes; see :mod:`baton.announcers.shapes`.

    Neither the address nor the token appears in an error or a log line.
    """

    def __init__(self, announcer: WebhookAnnouncer) -> None:
        """Take note of where address and token are; they are read when there is something to tell."""
        self._announcer = announcer

    def tell(self, message: Message) -> None:
        """See :meth:`AnnouncerAdapter.tell`."""
        url_from, token_from = self._announcer.url_from, self._announcer.token_from
        address = web_address(url_from, "the webhook's address")
        token = "" if token_from is None else secret(token_from, "the webhook's token")
        answer = post(self._call(message, address, token))
        if isinstance(answer, str):
            raise Unavailable(f"the webhook in {url_from} could not be reached: {answer}")
        if httpx.codes.is_success(answer.status):
            return
        code = _code_of(answer, f"{address} {token}")
        told = f"the webhook in {url_from} answers {answer.status}{code}; expected 2xx"
        if httpx.codes.is_server_error(answer.status) or answer.status in _LATER:
            raise _later(told, answer.retry_after)
        held = url_from if token_from is None else f"{url_from} and {token_from}"
        raise Failed(f"{told}: look whether what {held} holds is still right")

    def _call(self, message: Message, address: httpx.URL, token: str) -> Call:
        to = self._announcer.to or ""
        match self._announcer.shape:
            case Shape.BATON:
                return shapes.baton(message, address)
            case Shape.SLACK:
                return shapes.slack(message, address)
            case Shape.DISCORD:
                return shapes.discord(message, address)
            case Shape.MATTERMOST:
                return shapes.mattermost(message, address)
            case Shape.ZULIP:
                if ":" not in token:
                    raise Invalid(
                        f"the environment variable {self._announcer.token_from} does not hold BOT_EMAIL:API_KEY, as "
                        "Zulip shows them at the bot (Settings, Bots)"
                    )
                return shapes.zulip(message, address, token, to)
            case Shape.MATRIX:
                return shapes.matrix(message, address, token, to)
        assert_never(self._announcer.shape)


def _later(told: str, retry_after: float | None) -> Unavailable:
    if retry_after is None or not retry_after > 0:
        return Unavailable(told)
    return Busy(told, min(retry_after, _LONGEST_PAUSE))


def _code_of(answer: Answer, hidden: str) -> str:
    """The service's own name for a refusal, in brackets; nothing that could be a piece of the secret sent there."""
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        said = answer.body.decode("ascii", errors="replace").strip()
    if isinstance(said, dict):
        said = next((str(said[key]) for key in ("errcode", "code", "id") if key in said), "")
    code = str(said)
    return f" ({code})" if _CODE.fullmatch(code) and code.lower() not in hidden.lower() else ""
