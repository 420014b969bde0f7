"""Which line of a TOML document a key stands on: wanted only when something is wrong with it."""

from __future__ import annotations

import tomllib
from collections import Counter
from typing import TYPE_CHECKING

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.project.problem import Place

_LANGUAGE = Language(tree_sitter_toml.language())
_KEYS = ("bare_key", "quoted_key", "dotted_key")


class Lines:
    """The lines of every key and array element of one well-formed TOML document, counted from one."""

    def __init__(self, document: bytes) -> None:
        self._lines: dict[Place, int] = {}
        self._lengths: Counter[Place] = Counter()
        for node in Parser(_LANGUAGE).parse(document).root_node.named_children:
            self._read(node)

    def of(self, place: Place) -> int | None:
        """The line of the place, or of the closest thing around it that the document has; None for the document."""
        for length in range(len(place), 0, -1):
            if (line := self._lines.get(place[:length])) is not None:
                return line
        return None

    def _read(self, node: Node) -> None:
        match node.type:
            case "pair":
                self._read_pairs(node, ())
            case "table" | "table_array_element":
                table = self._header(node)
                for child in node.named_children:
                    self._read_pairs(child, table)

    def _header(self, node: Node) -> Place:
        """Enter a ``[table]`` or ``[[table]]``: names within an array of tables mean its last element."""
        *outer, last = next(_names(child) for child in node.named_children if child.type in _KEYS)
        place: Place = ()
        for name in outer:
            place = self._last((*place, name))
            self._mark(place, node)
        place = (*place, last)
        self._mark(place, node)
        if node.type == "table_array_element":
            self._lengths[place] += 1
        place = self._last(place)
        self._mark(place, node)
        return place

    def _last(self, place: Place) -> Place:
        return (*place, self._lengths[place] - 1) if place in self._lengths else place

    def _read_pairs(self, node: Node, table: Place) -> None:
        """Mark a pair and everything inside its value; without recursion, since values nest as deep as they like."""
        waiting = [(node, table)]
        while waiting:
            node, place = waiting.pop()
            if node.type == "pair":
                # A remark after the value belongs to the pair, too.
                key, value, *_ = (child for child in node.named_children if child.type != "comment")
                for name in _names(key):
                    place = (*place, name)
                    self._mark(place, key)
                waiting.append((value, place))
            elif node.type == "inline_table":
                waiting.extend((child, place) for child in node.named_children)
            elif node.type == "array":
                elements = (child for child in node.named_children if child.type != "comment")
                for index, element in enumerate(elements):
                    self._mark((*place, index), element)
                    waiting.append((element, (*place, index)))

    def _mark(self, place: Place, node: Node) -> None:
        self._lines.setdefault(place, node.start_point.row + 1)


def _names(key: Node) -> list[str]:
    return list(_parts(key))


def _parts(key: Node) -> Iterator[str]:
    """The names in a key from left to right; a dotted key nests to the left, one level for each dot."""
    waiting = [key]
    while waiting:
        node = waiting.pop()
        if node.type == "dotted_key":
            waiting.extend(reversed(node.named_children))
        else:
            yield _unquoted(node)


def _unquoted(key: Node) -> str:
    text = (key.text or b"").decode()
    return next(iter(tomllib.loads(f"{text} = 0"))) if key.type == "quoted_key" else text
