"""The sigstore library's signing clients, with what they lack: time limits, and no log entry without a timestamp.

The library offers no way to set either; its clients are put together here as ``SigningContext.from_trust_config`` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from sigstore._internal.timestamp import TimestampAuthorityClient, TimestampError
from sigstore.sign import SigningContext

from baton.model.errors import BatonError, Failed, Refused, Unavailable

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse
    from sigstore._internal.rekor import RekorLogSubmitter
    from sigstore.models import ClientTrustConfig

_TIMEOUT = (10.0, 60.0)
"""Seconds to connect, and to wait for an answer: a log answers when the entry is in it, which takes it a while."""

_BUSY = frozenset({408, 425, 429})
_SERVER_ERROR = 500


@dataclass(frozen=True)
class SigningServices:
    """What the library signs with, at the services of a trust configuration."""

    context: SigningContext
    log: RekorLogSubmitter

    @classmethod
    def of(cls, config: ClientTrustConfig) -> SigningServices:
        """The clients of these services; nothing is connected yet."""
        signing = config.signing_config
        fulcio, log = signing.get_fulcio(), signing.get_tlogs()[0]
        _limit_time(fulcio.session)
        context = SigningContext(
            fulcio=fulcio,
            rekor=log,
            trusted_root=config.trusted_root,
            tsa_clients=[_RequiredTimestamps(tsa.url) for tsa in signing.get_tsas()],
        )
        return cls(context, log)

    def limit_time_in_this_thread(self) -> None:
        """Let the log's requests end: its client makes a session for each thread, out of reach for anyone else."""
        _limit_time(self.log._session)  # type: ignore[attr-defined]  # noqa: SLF001  # both its kinds have one


def service_problem(error: Exception) -> BatonError:
    """What a Sigstore service said, in words; the library's own errors often have none.

    The reason is in the answer's text, which the library leaves with the cause of its error.
    """
    answer = _answer(error)
    if answer is not None:
        reason = answer.text.strip()[:500] or "no reason given"
        said = f"{answer.url} answers {answer.status_code} {answer.reason}: {reason}"
        if answer.status_code in _BUSY or answer.status_code >= _SERVER_ERROR:
            return Unavailable(f"Sigstore is busy or broken: {said}")
        return Refused(f"Sigstore refuses to sign: {said}")
    if isinstance(error, requests.RequestException):
        return Unavailable(f"Sigstore does not answer: {type(error).__name__}: {error}")
    return Failed(f"signing with Sigstore failed: {type(error).__name__}: {error}")


class _TimeLimit(HTTPAdapter):
    """Ends every request in time, whatever its caller says."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]  # sessions name the options
        return super().send(request, **options | {"timeout": _TIMEOUT})


class _RequiredTimestamps(TimestampAuthorityClient):
    """A timestamp client that fails; the library's is only warned about, after which the log entry is useless."""

    def request_timestamp(self, signature: bytes) -> TimeStampResponse:
        try:
            return super().request_timestamp(signature)
        except TimestampError as error:
            raise Unavailable(f"the timestamp authority {self.url} gave no timestamp: {error}") from error


def _limit_time(session: requests.Session) -> None:
    if not isinstance(session.get_adapter("https://"), _TimeLimit):
        session.mount("https://", _TimeLimit())
        session.mount("http://", _TimeLimit())


def _answer(error: BaseException | None) -> requests.Response | None:
    """The answer that an error, or one that it came of, was about."""
    while error is not None:
        if isinstance(error, requests.HTTPError) and error.response is not None:
            return error.response
        error = error.__cause__ or error.__context__
    return None
