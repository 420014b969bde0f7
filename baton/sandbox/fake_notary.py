"""A simulator of Apple's notary service and of the storage that it has files uploaded to.

For development only: its verdicts prove nothing. It refuses a file that contains
:data:`~baton.sandbox.fake_notary_submission.MALWARE`, and accepts all
others. Addresses and answers are those of https://developer.apple.com/documentation/notaryapi.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import threading
import time
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any

import jwt
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from baton.sandbox.fake_ci.serving import served
from baton.sandbox.fake_notary_submission import FakeSubmission, Fault, Team

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from starlette.requests import Request

    Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_LATEST = 100
_LONGEST_TOKEN = 20 * 60
_BUCKET = "notary-submissions-sandbox"


class FakeNotary:
    """What the service has, and what goes wrong.

    Attributes:
        url: the address of its API.
        storage: the address of its storage.
        submissions: all that were opened, the oldest first.
        uploads: how often a file arrived.
        asked: for each kind of request how often it came.
    """

    def __init__(self, team: Team) -> None:
        self.url = self.storage = ""
        self.submissions: list[FakeSubmission] = []
        self.uploads = 0
        self.asked: Counter[str] = Counter()
        self._team = team
        self._faults: Counter[Fault] = Counter()
        self._lock = threading.Lock()

    def add(self, fault: Fault, times: int = 1) -> None:
        """Let something go wrong the next times that it can."""
        with self._lock:
            self._faults[fault] += times

    def forget(self) -> None:
        """Begin anew: nothing was submitted, and nothing goes wrong."""
        with self._lock:
            self._faults.clear()
        self.submissions.clear()
        self.asked.clear()
        self.uploads = 0

    def release(self) -> None:
        """Judge what was held."""
        for submission in self.submissions:
            submission.held = False

    def strikes(self, fault: Fault) -> bool:
        """Whether a fault strikes now; if so, it is used up."""
        with self._lock:
            if not self._faults[fault]:
                return False
            self._faults[fault] -= 1
            return True

    def application(self) -> Starlette:
        """The ASGI application of the service and its storage."""
        base = "/notary/v2/submissions"
        return Starlette(
            routes=[
                Route(base, self._known(self._open), methods=["POST"]),
                Route(base, self._known(self._list)),
                Route(f"{base}/{{id}}", self._known(self._status)),
                Route(f"{base}/{{id}}/logs", self._known(self._log_address)),
                Route("/_logs/{id}", self._log),
                Route(f"/{_BUCKET}/{{key:path}}", self._upload, methods=["PUT"]),
            ],
            exception_handlers={HTTPException: _refuse},
        )

    def _known(self, answer: Handler) -> Handler:
        """An endpoint of the API, for those who are let in."""

        async def respond(request: Request) -> Response:
            self.asked[answer.__name__.strip("_")] += 1
            if self.strikes(Fault.BROKEN):
                return Response("<h1>Service Unavailable</h1>", 503, {"Retry-After": "7"})
            if self.strikes(Fault.UNAUTHORIZED) or not self._admits(request.headers.get("authorization", "")):
                raise HTTPException(401, "NOT_AUTHORIZED: Provide a properly configured and signed bearer token")
            if self.strikes(Fault.AGREEMENT):
                raise HTTPException(
                    403, "FORBIDDEN.REQUIRED_AGREEMENTS_MISSING_OR_EXPIRED: A required agreement is missing"
                )
            if self.strikes(Fault.GARBLED):
                return JSONResponse({"data": {"id": 7}})
            return await answer(request)

        return respond

    def _admits(self, header: str) -> bool:
        token = header.removeprefix("Bearer ")
        try:
            if jwt.get_unverified_header(token).get("kid") != self._team.key_id:
                return False
            claims = jwt.decode(
                token, self._team.key, ["ES256"], audience="appstoreconnect-v1", issuer=self._team.issuer
            )
        except jwt.PyJWTError:
            return False
        return bool(claims["exp"] - time.time() <= _LONGEST_TOKEN)

    async def _open(self, request: Request) -> Response:
        body = await request.json()
        if not re.fullmatch("[0-9a-fA-F]{64}", body.get("sha256", "")) or not body.get("submissionName"):
            raise HTTPException(400, "PARAMETER_ERROR.INVALID: submissionName and sha256 are required")
        made = FakeSubmission(body["submissionName"], body["sha256"], held=self.strikes(Fault.HELD))
        self.submissions.append(made)
        if self.strikes(Fault.ANSWER_LOST):
            raise HTTPException(500, "UNEXPECTED_ERROR: An unexpected error occurred.")
        attributes = {
            "awsAccessKeyId": made.access_key,
            "awsSecretAccessKey": secrets.token_urlsafe(),
            "awsSessionToken": made.session,
            "bucket": _BUCKET,
            "object": f"prod/{made.id}",
        }
        return JSONResponse({"data": {"id": made.id, "type": "newSubmissions", "attributes": attributes}, "meta": {}})

    async def _list(self, _request: Request) -> Response:
        latest = self.submissions[: -_LATEST - 1 : -1]
        return JSONResponse({"data": [_document(submission) for submission in latest], "meta": {}})

    async def _status(self, request: Request) -> Response:
        return JSONResponse({"data": _document(self._find(request)), "meta": {}})

    async def _log_address(self, request: Request) -> Response:
        found = self._find(request)
        if found.status == "In Progress" or self.strikes(Fault.LOG_LATE):
            raise HTTPException(404, "NOT_FOUND: There is no resource of type 'submissionsLog' with that id")
        address = f"{self.storage}/_logs/{found.id}?X-Amz-Signature={found.session}"
        data = {"id": found.id, "type": "submissionsLog", "attributes": {"developerLogUrl": address}}
        return JSONResponse({"data": data, "meta": {}})

    async def _log(self, request: Request) -> Response:
        """The log itself; whoever shows a credential here gives it away, and gets nothing."""
        found = self._find(request)
        if "authorization" in request.headers or request.query_params.get("X-Amz-Signature") != found.session:
            return Response("the signed address, and nothing else, is what counts here", 400)
        bad = found.status == "Invalid"
        issue = {"severity": "error", "path": found.name, "message": "The binary is not signed.", "code": None}
        return JSONResponse(
            {
                "logFormatVersion": 1,
                "jobId": found.id,
                "status": found.status,
                "statusSummary": "Archive contains critical validation errors" if bad else "Ready for distribution",
                "archiveFilename": found.name,
                "sha256": hashlib.sha256(found.content or b"").hexdigest(),
                "issues": [issue] if bad else None,
            }
        )

    async def _upload(self, request: Request) -> Response:
        """Amazon S3's PutObject, for whoever has a submission's credentials; the signature itself is not checked."""
        key = request.path_params["key"]
        found = next((one for one in self.submissions if key == f"prod/{one.id}"), None)
        if found is None or f"Credential={found.access_key}/" not in request.headers.get("authorization", ""):
            return Response("<Error><Code>InvalidAccessKeyId</Code></Error>", 403)
        if request.headers.get("x-amz-security-token") != found.session:
            return Response("<Error><Code>InvalidToken</Code></Error>", 403)
        content = await request.body()
        if self.strikes(Fault.UPLOAD_REFUSED):
            return Response("<Error><Code>AccessDenied</Code></Error>", 403)
        found.content = content
        self.uploads += 1
        if self.strikes(Fault.UPLOAD_LOST):
            return Response("<Error><Code>ExpiredToken</Code></Error>", 400)
        return Response(headers={"ETag": f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'})

    def _find(self, request: Request) -> FakeSubmission:
        found = next((one for one in self.submissions if one.id == request.path_params["id"].lower()), None)
        if found is None:
            raise HTTPException(404, "NOT_FOUND: There is no resource of type 'submissions' with that id")
        return found


@contextlib.contextmanager
def fake_notary(team: Team, *, port: int = 0) -> Iterator[FakeNotary]:
    """Simulate the service, in a thread of this process, for as long as the context lasts.

    Args:
        team: who may submit.
        port: on 127.0.0.1; 0 takes a free one.

    Raises:
        Unavailable: the port is taken.
    """
    notary = FakeNotary(team)
    with served(notary.application(), port=port) as address:
        notary.url, notary.storage = f"{address}/notary/v2", address
        yield notary


def _document(submission: FakeSubmission) -> dict[str, Any]:
    created = submission.created.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    attributes = {"createdDate": created, "name": submission.name, "status": submission.status}
    return {"id": submission.id, "type": "submissions", "attributes": attributes}


async def _refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - the only one that it is registered for
    code, _, detail = error.detail.partition(": ")
    told = {"id": str(uuid.uuid4()), "status": str(error.status_code), "code": code, "title": code, "detail": detail}
    return JSONResponse({"errors": [told]}, status_code=error.status_code)
