"""Fetching what is published, with the signatures beside it, to verify it here."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote

import httpx

from baton.model.errors import Failed, Invalid, Missing, Unavailable
from baton.trust.subjects import STATEMENTS, SUFFIXES, signed_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_AT_ONCE = 8
_REDIRECTS = 5
_TIMEOUT = httpx.Timeout(60, connect=10)
_LARGEST_LISTING = 4 * 1024**2
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")
"""A published file's name; links to anything else in a listing lead to folders, sorting or elsewhere."""


def download(address: str, folder: Path, *, tell: Callable[[str], None] = lambda _name: None) -> Path:
    """Fetch a file with its signatures, or every file of a web folder, into a local folder.

    Where it comes from proves nothing, and need not: the signatures do.

    Args:
        address: ``https://…`` or ``http://…``; one that ends with ``/``, or redirects to one that does, is a folder,
            whose files are those that its listing links to. Of a signature's address the signed file is fetched too.
            A file's signatures lie beside the address itself, wherever that redirects to.
        folder: an empty folder.
        tell: told each name when its fetching begins; called from several threads.

    Returns:
        Where the file lies now that the address names; of a web folder, the local one.

    Raises:
        Invalid: it is no such address, or its listing links to no file.
        Missing: there is nothing at the address.
        Unavailable: the server does not answer, or is busy.
        Failed: the server refuses, or redirects too often.
    """
    with _client() as client:
        base = _parsed(address)
        with _answer(client, base) as found:
            if found is None:
                raise Missing(f"{address} is not there (404)")
            if listed := found.url.path.endswith("/"):
                base, names = found.url, _listed(found)
                result = folder
            else:
                name = _file_name(base)
                result = folder / name
                names = [beside for beside in _signed_and_signatures(name) if beside != name]
                tell(name)
                _save(found, result)

        def fetch(name: str) -> None:
            with _answer(client, base.join(f"./{name}")) as answer:
                if answer is not None:
                    tell(name)
                    _save(answer, folder / name)
                elif listed:
                    raise Missing(f"{base} lists {name}, but it is not there (404)")

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(fetch, names))
    return result


def listed_folders(address: str) -> tuple[str, ...]:
    """The addresses of the folders right below a web folder that its listing links to; none if it has none.

    Args:
        address: of the web folder.

    Raises:
        Invalid, Missing, Unavailable, Failed: as :func:`download`; but it need not list any file.
    """
    with _client() as client, _answer(client, _parsed(address)) as page:
        if page is None:
            raise Missing(f"{address} is not there (404)")
        if not page.url.path.endswith("/"):
            return ()
        names = (name.removesuffix("/") for name in _linked(page) if name.endswith("/"))
        return tuple(str(page.url.join(f"./{name}/")) for name in names if _NAME.fullmatch(name))


def _client() -> httpx.Client:
    return httpx.Client(
        timeout=_TIMEOUT, headers={"Accept-Encoding": "identity"}, follow_redirects=True, max_redirects=_REDIRECTS
    )


class _Links(HTMLParser):
    """Where a page's links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


def _listed(page: httpx.Response) -> list[str]:
    """The files right below a folder that its listing links to."""
    files = [name for name in _linked(page) if _NAME.fullmatch(name)]
    if not files:
        raise Invalid(
            f"{page.url} lists no files: expected a web server's listing of a folder, or name one of the files"
        )
    return files


def _linked(page: httpx.Response) -> list[str]:
    """What a page links to, as it says it, each once."""
    text = b""
    for chunk in page.iter_raw():
        text += chunk
        if len(text) > _LARGEST_LISTING:
            raise Invalid(f"{page.url} is longer than a listing of files: name one of the files")
    links = _Links()
    links.feed(text.decode("utf-8", "replace"))
    return list(dict.fromkeys(unquote(link.removeprefix("./")) for link in links.found))


def _signed_and_signatures(name: str) -> list[str]:
    """The names under which a file and what lies beside it may be found, by the name of any one of them."""
    signed = signed_name(name)
    return [signed, *(signed + suffix for suffix in (*SUFFIXES, *STATEMENTS))]


def _file_name(url: httpx.URL) -> str:
    name = unquote(url.path.rsplit("/", 1)[-1])
    if not _NAME.fullmatch(name):
        raise Invalid(f"{url} does not end with a file's name")
    return name


def _parsed(address: str) -> httpx.URL:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise Invalid(f"{address} is no address: {error}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise Invalid(f"{address} is no address; expected https://HOST/PATH")
    return url


@contextmanager
def _answer(client: httpx.Client, url: httpx.URL) -> Iterator[httpx.Response | None]:
    """The good answer to a GET; None if there is nothing there."""
    try:
        with client.stream("GET", url) as response:
            if response.status_code == httpx.codes.NOT_FOUND:
                yield None
                return
            if response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS:
                raise Unavailable(f"{response.url} answers {response.status_code} {response.reason_phrase}")
            if response.status_code != httpx.codes.OK:
                raise Failed(f"{response.url} answers {response.status_code} {response.reason_phrase}; expected 200")
            yield response
    except httpx.TooManyRedirects as error:
        raise Failed(f"{url} redirects more than {_REDIRECTS} times") from error
    except httpx.TransportError as error:
        raise Unavailable(f"{url} could not be fetched: {type(error).__name__}: {error}") from error


def _save(answer: httpx.Response, path: Path) -> None:
    # Raw: what lies on the server is what was signed, also where a server takes .gz for a transfer encoding.
    with path.open("xb") as file:
        for chunk in answer.iter_raw():
            file.write(chunk)
