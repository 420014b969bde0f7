"""Where a secret can be read in what a world leaves behind: by whoever has its files, without any key."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from baton.sandbox.embedded import EmbeddedWorld

_PAGE = 64
"""Bytes on each side of a find that are told."""


def traces(world: EmbeddedWorld, *words: str) -> list[str]:
    """Every place in which one of the words stands, as it is or in base64 at any offset; with what is around it.

    Looked through are Temporal's raw database, everything that any process of the world wrote into a log, the store's
    own records, and the names of all files. What files in the store, in workspaces and in staging hold is not: these
    are closed, which :func:`baton.store.closed.opening` tells.
    """
    state = world.state
    found = []
    for place, content in (
        *_contents("database", state.folder.glob(f"{state.database.name}*")),
        *_contents("log", state.logs.iterdir()),
        *_contents("store record", (state.store / "names").rglob("*")),
        *_names("store", state.store),
        *_names("target", state.target),
    ):
        for word in words:
            for form in forms(word):
                at = content.find(form)
                if at >= 0:
                    found.append(f"{place} has {word!r}: {content[max(0, at - _PAGE) : at + len(form) + _PAGE]!r}")
    return found


def _contents(place: str, files: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    yield from ((f"{place} {file.name}", file.read_bytes()) for file in sorted(files) if file.is_file())


def _names(place: str, folder: Path) -> Iterator[tuple[str, bytes]]:
    yield from ((f"a name in {place}", str(path.relative_to(folder)).encode()) for path in folder.rglob("*"))


def forms(word: str) -> Iterator[bytes]:
    """The word, and its base64 wherever in the encoded text it begins, but for letters that are partly another's."""
    yield word.encode()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + word.encode()).rstrip(b"=")
        first = -(-offset * 8 // 6)
        last = len(encoded) if (offset + len(word.encode())) % 3 == 0 else len(encoded) - 1
        yield encoded[first:last]
