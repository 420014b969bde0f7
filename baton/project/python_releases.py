"""The calendar of CPython's releases: what it says of each stream.

The calendar is `release_management/python-releases.toml` of the repository python/peps, where release managers keep it
with the PEPs of their schedules. Its form is not promised to anyone, so that only what is needed is read, and that with
suspicion: `[metadata."3.14"]` with `status`, `first-release` and `end-of-life`.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from baton.model.errors import Failed, Invalid, Missing, Unavailable
from baton.model.version import Stream, StreamStatus
from baton.project.explain import near, show
from baton.project.problem import Fault
from baton.project.read import invalid, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 4 * 1024**2
"""In bytes; the calendar of thirty years has a fiftieth of it."""

_ADDRESS = re.compile(r"(https://|http://(127\.0\.0\.1|localhost)[:/])\S+")
_STREAM = re.compile(r"[0-9]+\.[0-9]+")
_TIMEOUT = httpx.Timeout(30, connect=10)
_STATUSES = [str(status) for status in StreamStatus]
_DATES = ("first-release", "end-of-life")


def read_calendar(where: str) -> tuple[Stream, ...]:
    """Read the streams of a calendar, in its order.

    Args:
        where: a file, or an address that begins with ``https://``; with ``http://`` only on this machine.

    Raises:
        Missing: there is no such file or page, or it can't be read.
        InvalidProject: it is no such calendar; the error lists everything that is wrong with it.
        Invalid: it is an address of another kind, or more than :data:`LARGEST` bytes.
        Unavailable: the server does not answer.
        Failed: the server refuses.
    """
    document = _fetched(where) if "://" in where else _opened(Path(where))
    if len(document) > LARGEST:
        raise Invalid(f"{where}: larger than {LARGEST:,} bytes; it can't be the calendar of CPython's releases")
    file = Path(where.rpartition("/")[2]) if "://" in where else Path(where)
    values = parsed(document, file)
    streams = values.get("metadata")
    if not isinstance(streams, dict) or not streams:
        fault = Fault((), 'no calendar of CPython\'s releases: it has no table such as [metadata."3.14"]')
        raise invalid(file, document, [fault])
    if faults := [fault for name, table in streams.items() for fault in _faults(name, table)]:
        raise invalid(file, document, faults)
    return tuple(
        Stream(
            name=name,
            status=StreamStatus(table["status"]),
            first_release=table["first-release"],
            end_of_life=table["end-of-life"],
        )
        for name, table in streams.items()
    )


def _faults(name: str, table: Any) -> Iterator[Fault]:
    place = ("metadata", name)
    if not _STREAM.fullmatch(name):
        yield Fault(place, f'found "{name}"; accepted: a stream such as "3.14"')
    if not isinstance(table, dict):
        yield Fault(place, f"found {show(table)}; accepted: a table")
        return
    status = table.get("status")
    if status not in _STATUSES:
        accepted = ", ".join(f'"{word}"' for word in _STATUSES)
        hint = near(status, _STATUSES) if isinstance(status, str) else ""
        yield Fault((*place, "status"), f"{_found(status)}; accepted: {accepted}{hint}")
    for key in _DATES:
        # A datetime is a date to Python, and a moment to TOML.
        if type(table.get(key)) is not date:
            yield Fault((*place, key), f"{_found(table.get(key))}; accepted: a date without quotes, such as 2026-10-01")


def _found(value: Any) -> str:
    return "missing" if value is None else f"found {show(value)}"


def _opened(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise Missing(f"{file}: no such file; name the calendar's file or its address") from error
    except OSError as error:
        raise Missing(f"{file}: can't be read: {error.strerror}") from error
    except ValueError as error:
        raise Missing(f"{str(file)!r}: can't be read: no system call takes that path") from error


def _fetched(address: str) -> bytes:
    """The calendar from a web server; at most one byte more than it may have."""
    if not _ADDRESS.fullmatch(address):
        raise Invalid(f"{address} is no address to trust; expected https://HOST/PATH")
    document = b""
    try:
        with httpx.stream("GET", address, timeout=_TIMEOUT) as answer:
            if answer.status_code == httpx.codes.NOT_FOUND:
                raise Missing(f"{address} is not there (404)")
            if answer.status_code != httpx.codes.OK:
                raise Failed(f"{address} answers {answer.status_code} {answer.reason_phrase}; expected 200")
            for chunk in answer.iter_bytes():
                document += chunk
                if len(document) > LARGEST:
                    break
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise Unavailable(f"{address} could not be fetched: {type(error).__name__}: {error}") from error
    return document
