"""A list of known digests, in place of the files themselves."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from baton.model.base import Digest, Value
from baton.model.errors import Invalid, Missing
from baton.model.version import Version

if TYPE_CHECKING:
    from pathlib import Path

_CHECKSUM = re.compile(r"([0-9a-f]{64}) [ *]([^/\n]+)")
"""A line of ``sha256sum``."""


class KnownDigest(Value):
    """What a file has to be: its name, its digest, and the version it belongs to if that is known."""

    name: str
    digest: Digest
    version: Version | None = None


@dataclass(frozen=True)
class Digests:
    """What a digests file says."""

    known: tuple[KnownDigest, ...]

    def find(self, name: str, *, version: str | None, folder: str) -> KnownDigest | None:
        """The entry of that name; of several, the one of that version, or of the version that the folder is called.

        Raises:
            Invalid: several entries have the name, and none is told apart.
        """
        named = self._by_name.get(name, [])
        if len(named) > 1:
            named = [entry for entry in named if entry.version == (version or folder)]
            if len(named) != 1:
                raise Invalid(f"the digests file knows several files {name}: say which version is meant")
        return named[0] if named else None

    @cached_property
    def _by_name(self) -> dict[str, list[KnownDigest]]:
        entries: dict[str, list[KnownDigest]] = {}
        for entry in self.known:
            entries.setdefault(entry.name, []).append(entry)
        return entries


def load_digests(path: Path) -> Digests:
    """Read a digests file.

    It is what ``sha256sum`` writes, or JSON: ``{"VERSION": {"FILE": {"sha256": "HEX", …}, …}, …}``.

    Raises:
        Missing: it can't be read.
        Invalid: it has neither form; the message says where.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Missing(f"can't read the digests file {path}: {error}") from error
    try:
        entries = _of_json(json.loads(text)) if text.lstrip().startswith("{") else _of_lines(text)
        known = TypeAdapter(tuple[KnownDigest, ...]).validate_python(entries)
    except ValidationError as error:
        raise Invalid(
            f"{path} is no digests file: {error.errors()[0]['msg']}: {error.errors()[0]['input']!r}"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid(
            f"{path} is no digests file ({type(error).__name__}: {error}); expected lines of sha256sum, or JSON "
            '{"VERSION": {"FILE": {"sha256": "HEX"}}}'
        ) from error
    if not known:
        raise Invalid(f"{path} lists no digests")
    return Digests(known)


def _of_json(document: Any) -> list[dict[str, str]]:
    return [
        {"name": name, "digest": f"sha256:{entry['sha256']}", "version": version}
        for version, files in document.items()
        for name, entry in files.items()
    ]


def _of_lines(text: str) -> list[dict[str, str]]:
    entries = []
    for number, line in enumerate(text.splitlines(), start=1):
        match = _CHECKSUM.fullmatch(line)
        if match is None:
            raise ValueError(f"line {number}: {line[:100]!r}")
        entries.append({"name": match[2], "digest": f"sha256:{match[1]}"})
    return entries
