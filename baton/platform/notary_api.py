"""Apple's notary service over HTTP: what is asked, and what each kind of answer means.

From "Notary API" (https://developer.apple.com/documentation/notaryapi) and "Generating Tokens for API Requests"
(https://developer.apple.com/documentation/appstoreconnectapi/generating-tokens-for-api-requests).
"""

from __future__ import annotations

import functools
import re
import time
from typing import TYPE_CHECKING, TypeVar

import httpx
import jwt
from pydantic import ValidationError

from baton.model.errors import BatonError, Failed, Invalid, Missing, Refused, Unavailable
from baton.platform.notary_answers import Answer, Errors, ListAnswer, LogAnswer, OpenedAnswer, SeenAnswer
from baton.platform.secrets import secret

if TYPE_CHECKING:
    import ssl

    from baton.model.code_signing import Notarization
    from baton.platform.notary_answers import Opened, Seen

_AUDIENCE = "appstoreconnect-v1"

_TOKEN_SECONDS = 600
"""How long a token is good for; the service takes none of more than twenty minutes."""

_TIMEOUT = httpx.Timeout(30, connect=10)
_LARGEST = 16 * 1024**2
"""Bytes of the largest answer that is read; the log of a large package has a few hundred thousand."""

_LATER = frozenset({408, 425, 429})
_LONGEST_WAIT = 3600
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


Told = TypeVar("Told", bound=Answer)


class NotaryApi:
    """Asks the notary service for a team.

    Every method raises:

    - ``Unavailable``: the service can't be reached or is busy. Of :meth:`open` it leaves open whether it did its work.
    - ``Missing``: this worker has no key, or what was asked for is not there.
    - ``Refused``: the service does not accept the key, or a person has to accept an agreement first.
    - ``Failed``: it answers what no retry can mend.
    - ``Invalid``: an answer, or the key, has no form that is understood.

    Args:
        notarization: the plan's part; the key is read anew for each request.
    """

    def __init__(self, notarization: Notarization) -> None:
        self._notarization = notarization

    def open(self, name: str, sha256: str) -> Opened:
        """Open a submission: "Submit Software". The file is to be uploaded then.

        Args:
            name: by which it is found again; the service compares it with nothing.
            sha256: the file's SHA-256 in hexadecimal digits.
        """
        body = {"submissionName": name, "sha256": sha256, "notifications": []}
        return self._ask("POST", "/submissions", OpenedAnswer, body).data

    def recent(self) -> list[Seen]:
        """The team's latest submissions, at most a hundred: "Get Previous Submissions"."""
        return self._ask("GET", "/submissions", ListAnswer).data

    def status(self, submission: str) -> Seen:
        """Where a submission is: "Get Submission Status"."""
        return self._ask("GET", f"/submissions/{submission}", SeenAnswer).data

    def log(self, submission: str) -> bytes:
        """The service's log of a submission that it has judged, as JSON: "Get Submission Log"."""
        address = self._ask("GET", f"/submissions/{submission}/logs", LogAnswer).data.attributes.developer_log_url
        where = f"the log of the submission {submission}"
        # The address is all that it takes: whoever keeps the logs must not see the token.
        status, headers, content = _exchange("GET", address.get_secret_value(), where=where)
        _require_good(status, headers, content, where)
        return content

    def _ask(self, method: str, path: str, answer: type[Told], body: object = None) -> Told:
        where = f"{method} {self._notarization.api}{path}"
        bearer = {"Authorization": f"Bearer {self._token()}"}
        status, headers, content = _exchange(
            method, f"{self._notarization.api}{path}", where=where, headers=bearer, json=body
        )
        _require_good(status, headers, content, where)
        try:
            return answer.model_validate_json(content)
        except ValidationError as error:
            problem = error.errors(include_input=False, include_url=False)[0]
        # Raised out here: the answer may hold credentials.
        raise Invalid(f"{where} answers what is not understood: {'.'.join(map(str, problem['loc']))} {problem['msg']}")

    def _token(self) -> str:
        notarization, now = self._notarization, int(time.time())
        key = secret(notarization.key_from)
        claims = {"iss": notarization.issuer, "iat": now, "exp": now + _TOKEN_SECONDS, "aud": _AUDIENCE}
        try:
            return jwt.encode(
                claims, key.get_secret_value(), algorithm="ES256", headers={"kid": notarization.key_id, "typ": "JWT"}
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            problem = f"{notarization.key_from} does not hold an EC private key in PEM form, as a .p8 file does"
        # Raised out here: the error would carry the key along.
        raise Invalid(problem)


@functools.cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _exchange(
    method: str, url: str, *, where: str, headers: dict[str, str] | None = None, json: object = None
) -> tuple[int, httpx.Headers, bytes]:
    try:
        with httpx.stream(method, url, headers=headers, json=json, timeout=_TIMEOUT, verify=_tls()) as response:
            content = b""
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > _LARGEST:
                    break
            status, answered = response.status_code, response.headers
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        problem = type(error).__name__
    else:
        if len(content) > _LARGEST:
            raise Failed(f"{where} answers with more than {_LARGEST} bytes")
        return status, answered, content
    # Raised out here: the cause would carry the request with its token along.
    raise Unavailable(f"{where}: the connection failed ({problem})")


def _require_good(status: int, headers: httpx.Headers, content: bytes, where: str) -> None:
    if httpx.codes.is_success(status):
        return
    said = f"{where} answers {status}{_words(content)}"
    if status in _LATER or httpx.codes.is_server_error(status):
        raise Unavailable(said, after=_retry_after(headers))
    raise _meaning(status)(f"{said}{_advice(status)}")


def _words(content: bytes) -> str:
    """What the service says of an error: ``ErrorResponse``."""
    try:
        errors = Errors.model_validate_json(content).errors
    except ValidationError:
        return ""
    return "".join(f"; {error.code} {error.title}: {_UNPRINTABLE.sub(' ', error.detail)}" for error in errors)[:600]


def _meaning(status: int) -> type[BatonError]:
    match status:
        case httpx.codes.UNAUTHORIZED | httpx.codes.FORBIDDEN:
            return Refused
        case httpx.codes.NOT_FOUND:
            return Missing
    return Failed


def _advice(status: int) -> str:
    match status:
        case httpx.codes.UNAUTHORIZED:
            return ": look whether key, key id and issuer belong together, the key is not revoked, the clock is right"
        case httpx.codes.FORBIDDEN:
            return ": look whether the key's role suffices, and whether the account holder has an agreement to accept"
    return ""


def _retry_after(headers: httpx.Headers) -> float | None:
    value = headers.get("Retry-After", "")
    return float(min(int(value), _LONGEST_WAIT)) if value.isdecimal() else None
