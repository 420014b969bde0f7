"""Fetching back over HTTP what the public sees, and comparing it."""

from __future__ import annotations

from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx

from baton.model.errors import Conflict, Failed, Unavailable
from baton.store.files import os_problem
from baton.targets.parallel import for_each

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from baton.model.manifest import Artifact
    from baton.store import Progress

_AT_ONCE = 8
_REDIRECTS = 5
_TIMEOUT = httpx.Timeout(60, connect=10)
_LATER = frozenset({404, 408, 410, 425, 429})
"""Answers that may be another one in a moment: a mirror or cache that has not heard of the file yet, or is busy."""


def fetch_and_compare(folder: str, files: Sequence[Artifact], *, progress: Progress | None = None) -> int:
    """Fetch every file from below an address, in constant memory, and compare size and digest.

    Args:
        folder: the address of the folder, with a ``/`` at its end.
        files: the files it has to hold.
        progress: told the bytes so far, as in :class:`TargetAdapter`.

    Returns:
        How many files were found right.

    Raises:
        Conflict: a file differs; the message names it, what was expected and what came.
        Unavailable: a file is not there yet, or the server does not answer.
        Failed: the server refuses, or redirects to another host or too often.
    """
    with _client() as client:

        def check(file: Artifact, tell: Progress) -> None:
            _check(client, httpx.URL(folder + quote(file.name)), file, tell)

        for_each(files, check, at_once=_AT_ONCE, progress=progress)
    return len(files)


def fetch_file(folder: str, name: str, to: Path, *, progress: Progress | None = None) -> None:
    """Fetch one file from below an address into a file, in constant memory, whatever it holds.

    Args:
        folder: the address of the folder, with a ``/`` at its end.
        name: the file's name there.
        to: where to write it.
        progress: told the bytes so far.

    Raises:
        Unavailable, Failed: as :func:`fetch_and_compare`; or it can't be written.
    """
    tell = progress or (lambda _: None)
    url = httpx.URL(folder + quote(name))
    with _client() as client, _answer(client, url) as response:
        try:
            with to.open("wb") as file:
                for chunk in response.iter_raw():
                    file.write(chunk)
                    tell(file.tell())
        except OSError as error:
            raise os_problem(error, f"could not write {to}") from error


def _client() -> httpx.Client:
    return httpx.Client(timeout=_TIMEOUT, headers={"Accept-Encoding": "identity"})


def _check(client: httpx.Client, url: httpx.URL, file: Artifact, tell: Progress) -> None:
    hasher, size = sha256(), 0
    with _answer(client, url) as response:
        # Raw: what lies on the server counts, also where a server takes .gz for a transfer encoding.
        for chunk in response.iter_raw():
            hasher.update(chunk)
            size += len(chunk)
            if size > file.size:
                raise Conflict(f"{url} is longer than the {file.size} bytes of {file.digest}")
            tell(size)
    came = "sha256:" + hasher.hexdigest()
    if came != file.digest:
        raise Conflict(f"{url} gives {came} ({size} bytes); expected {file.digest} ({file.size} bytes)")


@contextmanager
def _answer(client: httpx.Client, url: httpx.URL) -> Iterator[httpx.Response]:
    """The good answer to a GET, at the end of redirects within the same host."""
    at = url
    try:
        for _ in range(_REDIRECTS + 1):
            with client.stream("GET", at) as response:
                if not response.has_redirect_location:
                    _require_ok(response)
                    yield response
                    return
                at = _next(url, response)
    except httpx.TransportError as error:
        raise Unavailable(f"{url} could not be fetched: {type(error).__name__}: {error}") from error
    raise Failed(f"{url} redirects more than {_REDIRECTS} times")


def _next(url: httpx.URL, response: httpx.Response) -> httpx.URL:
    try:
        to = response.url.join(response.headers["Location"])
    except httpx.InvalidURL as error:
        raise Failed(f"{url} redirects to what is no address: {error}") from error
    if to.host != url.host or (url.scheme == "https" and to.scheme != "https"):
        raise Failed(
            f"{url} redirects to {to.copy_with(query=None)}; expected the file, or a redirect within {url.host}"
        )
    return to


def _require_ok(response: httpx.Response) -> None:
    status = f"{response.url} answers {response.status_code} {response.reason_phrase}; expected 200"
    if response.status_code in _LATER or response.is_server_error:
        raise Unavailable(status)
    if response.status_code != httpx.codes.OK:
        raise Failed(status)
