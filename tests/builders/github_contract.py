"""Holds what is said to GitHub's API and what it answers against a part of its official description."""

from __future__ import annotations

import json
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.responses.exceptions import ResponseNotFound
from openapi_core.testing import MockRequest, MockResponse
from starlette.requests import Request
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

DESCRIPTION = Path(__file__).parent / "contracts" / "github.json"
HOST = "https://api.github.com"


@cache
def description() -> OpenAPI:
    content = json.loads(DESCRIPTION.read_bytes())
    content["servers"] = [{"url": HOST}]
    texts: dict[str, Callable[[bytes], Any]] = {"application/vnd.github.sha": bytes.decode}
    return OpenAPI.from_dict(content, config=Config(extra_media_type_deserializers=texts))


class Contract:
    """Stands around an API and notes whatever is not as the description has it.

    Attributes:
        broken: what was not.
        spoken: the operations that were used, as method and path without numbers.
    """

    def __init__(self) -> None:
        self.broken: list[str] = []
        self.spoken: list[tuple[str, str]] = []

    def around(self, app: ASGIApp) -> ASGIApp:
        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive)
            if not request.url.path.startswith(("/repos/", "/app/")):
                await app(scope, receive, send)
                return
            body = await request.body()
            said: list[Message] = []

            async def once_more() -> Message:
                return {"type": "http.request", "body": body, "more_body": False}

            async def noted(message: Message) -> None:
                said.append(message)

            await app(scope, once_more, noted)
            answer = Response(b"".join(part.get("body", b"") for part in said), said[0]["status"])
            answer.raw_headers = said[0]["headers"]
            self.check(request, body, answer)
            for message in said:
                await send(message)

        return watched

    def check(self, request: Request, body: bytes, answer: Response) -> None:
        self.spoken.append((request.method, request.url.path))
        if answer.headers.get("content-type", "").startswith("text/html"):
            return  # not the API, but something before it that failed
        asked = MockRequest(
            HOST,
            request.method,
            request.url.path,
            args=dict(parse_qsl(urlsplit(str(request.url)).query)),
            headers=dict(request.headers),
            data=body,
            content_type=request.headers.get("content-type", ""),
        )
        answered = MockResponse(
            bytes(answer.body),
            status_code=answer.status_code,
            headers=dict(answer.headers),
            content_type=answer.headers.get("content-type", ""),
        )
        try:
            description().validate_request(asked)
            description().validate_response(asked, answered)
        except ResponseNotFound:
            self._check_refusal(request, answer)
        except OpenAPIError as error:
            facts = [str(each) for each in getattr(error.__cause__, "schema_errors", ())] or [str(error)]
            self.broken.append(f"{request.method} {request.url.path} {answer.status_code}: {' '.join(facts)[:1000]}")

    def _check_refusal(self, request: Request, answer: Response) -> None:
        """Refusals that any operation may answer are not described with each; their form is ``basic-error``."""
        body = json.loads(bytes(answer.body))
        if answer.status_code < HTTPStatus.BAD_REQUEST or not isinstance(body.get("message"), str):
            self.broken.append(f"{request.method} {request.url.path}: undescribed answer {answer.status_code}")
