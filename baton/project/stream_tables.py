"""Changing what a `release.toml` says of its streams, and not one byte besides."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

from baton.model.errors import Refused
from baton.model.version import StreamStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from baton.model.version import Stream

_LANGUAGE = Language(tree_sitter_toml.language())


@dataclass(frozen=True)
class _Edit:
    """Bytes that take the place of others; of none, where both ends are equal."""

    start: int
    end: int
    text: str


def with_streams(document: bytes, streams: Iterable[Stream]) -> bytes:
    """A `release.toml` whose streams are as given.

    Status and dates of the streams that it has are changed where they differ; a stream that it lacks is added after
    the last, unless that is at its end of life. Everything else stays as it is: comments, order, other keys and
    streams.

    Args:
        document: a valid `release.toml`.
        streams: what is to be said of each; a date that is None stays as the document has it.

    Raises:
        Refused: a stream stands in the document in another form than as a table under its own header.
    """
    tables = _tables(document)
    said: dict[str, Any] = tomllib.loads(document.decode())["streams"]
    newline = "\r\n" if b"\r\n" in document else "\n"
    edits: list[_Edit] = []
    added = ""
    for stream in streams:
        if stream.name in said:
            edits += _changes(stream, said[stream.name], tables.get(("streams", stream.name)), document)
        elif stream.status is not StreamStatus.END_OF_LIFE:
            lines = (f"{key} = {value}" for key, value in _wanted(stream).items())
            added += "\n".join(("\n", f'[streams."{stream.name}"]', *lines))
    if added:
        edits.append(_Edit(end := _end_of_streams(tables, document), end, added))
    return _edited(document, edits, newline)


def with_stream_tables(document: bytes, added: Mapping[str, str]) -> bytes:
    """A `release.toml` with more tables of its streams, each after the last that the stream has.

    Args:
        document: a valid `release.toml`.
        added: by the stream's name, the tables as TOML, its lines as on Unix.

    Raises:
        Refused: a stream has no table under a header of its own.
    """
    newline = "\r\n" if b"\r\n" in document else "\n"
    nodes = [(_path(node.named_children[0]), node) for node in _nodes(document)]
    edits = []
    for stream, text in added.items():
        own = [node for path, node in nodes if path[:2] == ("streams", stream)]
        if not own:
            raise Refused(f'stream {stream} can\'t be changed: write it as a table under a header [streams."{stream}"]')
        edits.append(_Edit(end := _end_of(max(own, key=_start), document), end, f"\n\n{text}"))
    return _edited(document, edits, newline)


def _edited(document: bytes, edits: Iterable[_Edit], newline: str) -> bytes:
    made, position = b"", 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        made += document[position : edit.start] + edit.text.replace("\n", newline).encode()
        position = edit.end
    return made + document[position:]


def _wanted(stream: Stream) -> dict[str, str]:
    """What the stream's table has to say, as TOML."""
    dates = {"first-release": stream.first_release, "end-of-life": stream.end_of_life}
    return {"status": f'"{stream.status}"', **{key: f"{day}" for key, day in dates.items() if day is not None}}


def _changes(stream: Stream, said: dict[str, Any], table: Node | None, document: bytes) -> Iterator[_Edit]:
    """What makes a stream's table say what is wanted."""
    wanted = _wanted(stream)
    differing = {key for key, text in wanted.items() if said.get(key) != tomllib.loads(f"x = {text}")["x"]}
    if not differing:
        return
    values = {} if table is None else _values(table)
    if not all(key in values for key in wanted if key in said):
        header = f'[streams."{stream.name}"]'
        raise Refused(f"stream {stream.name} can't be changed: write it as a table under a header {header}")
    after = 0
    for key, text in wanted.items():
        if (value := values.get(key)) is None:
            yield _Edit(after, after, f"\n{key} = {text}")
            continue
        after = _line_end(document, value.end_byte)
        if key in differing:
            yield _Edit(value.start_byte, value.end_byte, text)


def _tables(document: bytes) -> dict[tuple[str, ...], Node]:
    """The document's tables by their paths."""
    return {_path(node.named_children[0]): node for node in _nodes(document) if node.type == "table"}


def _nodes(document: bytes) -> list[Node]:
    """The document's tables, also those that are elements of arrays, in its order."""
    nodes = Parser(_LANGUAGE).parse(document).root_node.named_children
    return [node for node in nodes if node.type in ("table", "table_array_element")]


def _path(key: Node) -> tuple[str, ...]:
    """The names in a key; TOML's own reader takes them apart."""
    path: list[str] = []
    inner: dict[str, Any] = tomllib.loads(f"[{(key.text or b'').decode()}]")
    while inner:
        ((name, inner),) = inner.items()
        path.append(name)
    return tuple(path)


def _pairs(table: Node) -> list[Node]:
    return [child for child in table.named_children if child.type == "pair"]


def _values(table: Node) -> dict[str, Node]:
    """Where the values of a table's own keys are. A pair is a key, its value, and perhaps a comment."""
    return {
        path[0]: pair.named_children[1] for pair in _pairs(table) if len(path := _path(pair.named_children[0])) == 1
    }


def _end_of_streams(tables: dict[tuple[str, ...], Node], document: bytes) -> int:
    """Where the last table that is about a stream ends.

    Raises:
        Refused: no stream is written as a table.
    """
    last = max((node for path, node in tables.items() if path[0] == "streams"), key=_start, default=None)
    if last is None:
        raise Refused('no stream can be added after the others: none is written as a table such as [streams."3.14"]')
    return _end_of(last, document)


def _end_of(table: Node, document: bytes) -> int:
    """Where a table ends, with the comments that follow it without an empty line."""
    pairs = _pairs(table)
    end = _line_end(document, (pairs[-1].named_children[1] if pairs else table.named_children[0]).end_byte)
    while document[end:].lstrip(b"\r").startswith(b"\n#"):
        end = _line_end(document, document.index(b"\n", end) + 1)
    return end


def _start(node: Node) -> int:
    return node.start_byte


def _line_end(document: bytes, position: int) -> int:
    """Where the line of a position ends, before the bytes that end it."""
    end = document.find(b"\n", position)
    if end < 0:
        return len(document)
    return end - document[position:end].endswith(b"\r")
