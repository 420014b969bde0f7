"""The sigstore library's signing clients, with what they lack.

That is: time limits, connections that threads share, and no log entry without a timestamp. The library offers no way
to set any; its clients are put together here as ``SigningContext.from_trust_config`` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

import requests
from requests.adapters import HTTPAdapter
from sigstore._internal.timestamp import TimestampAuthorityClient, TimestampError
from sigstore.sign import SigningContext

from baton.model.errors import BatonError, Failed, Refused, Unavailable

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse
    from sigstore.models import ClientTrustConfig

_TIMEOUT = (10.0, 60.0)
"""Seconds to connect, and to wait for an answer: a log answers when the entry is in it, which takes it a while."""

_CONNECTIONS = 128
"""How many idle connections to one service are kept: one for each thread that a batch may sign in."""

_BUSY = frozenset({408, 425, 429})
_SERVER_ERROR = 500


@dataclass(frozen=True)
class SigningServices:
    """What the library signs with, at the services of a trust configuration."""

    context: SigningContext
    _clients: tuple[tuple[_Client, _Connections], ...]

    @classmethod
    def of(cls, config: ClientTrustConfig) -> SigningServices:
        """The clients of these services; nothing is connected yet."""
        signing = config.signing_config
        fulcio, log = signing.get_fulcio(), signing.get_tlogs()[0]
        authorities = [_RequiredTimestamps(tsa.url) for tsa in signing.get_tsas()]
        _Connections(fulcio.url).use_in(fulcio.session)
        context = SigningContext(
            fulcio=fulcio, rekor=log, trusted_root=config.trusted_root, tsa_clients=list(authorities)
        )
        # Both kinds of log have an address and a session, which their common base does not tell.
        clients = (cast("_Client", log), *authorities)
        return cls(context, tuple((client, _Connections(client.url)) for client in clients))

    def prepare_thread(self) -> None:
        """Give this thread's sessions their time limit and the connections that all threads share.

        The library makes a session for each thread and client, out of reach for anyone else.
        """
        for client, connections in self._clients:
            connections.use_in(client._session)  # noqa: SLF001  # there is no other way to it


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


class _Client(Protocol):
    """A client of the library that keeps a session for each thread."""

    url: str

    @property
    def _session(self) -> requests.Session: ...


class _TimeLimit(HTTPAdapter):
    """Ends every request in time, also one whose caller set no limit."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]  # sessions name the options
        return super().send(request, **options | {"timeout": options.get("timeout") or _TIMEOUT})


class _Connections:
    """The connections to one service, which may be used from several threads at once.

    Proxies and certificate authorities are taken from the environment once; a session on its own looks for them, and
    for passwords in ``~/.netrc``, at every request, which takes a tenth of the time that a signature does.

    Args:
        url: of the service.
    """

    def __init__(self, url: str) -> None:
        self._adapter = _TimeLimit(pool_maxsize=_CONNECTIONS)
        self._environment = requests.Session().merge_environment_settings(url, {}, None, None, None)

    def use_in(self, session: requests.Session) -> None:
        """Let a session send its requests over these connections."""
        if session.adapters.get("https://") is self._adapter:
            return
        session.mount("https://", self._adapter)
        session.mount("http://", self._adapter)
        session.proxies = self._environment["proxies"]
        session.verify = self._environment["verify"]
        session.trust_env = False


class _RequiredTimestamps(TimestampAuthorityClient):
    """A timestamp client that fails; the library's is only warned about, after which the log entry is useless."""

    def request_timestamp(self, signature: bytes) -> TimeStampResponse:
        try:
            return super().request_timestamp(signature)
        except TimestampError as error:
            raise Unavailable(f"the timestamp authority {self.url} gave no timestamp: {error}") from error


def _answer(error: BaseException | None) -> requests.Response | None:
    """The answer that an error, or one that it came of, was about."""
    while error is not None:
        if isinstance(error, requests.HTTPError) and error.response is not None:
            return error.response
        error = error.__cause__ or error.__context__
    return None
