"""Where a trusted-identities document is read from: a file that somebody names, Baton itself, or what was fetched.

The one that comes with Baton and the one that was fetched are the project's own: the first by Baton's release, the
second because it was adopted as :mod:`baton.trust.succession` says. Of the two the newer counts.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import platformdirs
from pydantic import ValidationError

from baton.model.errors import Invalid, Missing, Refused
from baton.store.files import os_problem
from baton.trust.identities import TrustedIdentities

if TYPE_CHECKING:
    from datetime import date
    from importlib.resources.abc import Traversable

LARGEST_DOCUMENT = 4 * 1024**2
"""Bytes; CPython's has about 6 KB."""


@dataclass(frozen=True)
class Sourced:
    """A document, and why it is trusted.

    Attributes:
        source: in words, for people.
    """

    document: TrustedIdentities
    source: str


def load_identities(path: Path) -> TrustedIdentities:
    """Read a document from a file. Nothing is said of who made it: whoever names the file trusts it.

    Raises:
        Missing: there is no such file.
        Invalid: it is not a trusted-identities document; the message says where.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_DOCUMENT + 1)
    except OSError as error:
        raise Missing(f"can't read the trusted identities {path}: {error.strerror}") from error
    return parse_identities(content, str(path))


def parse_identities(content: bytes, source: str) -> TrustedIdentities:
    """Read a document.

    Args:
        content: its JSON.
        source: what it is called in messages.

    Raises:
        Invalid: it is not a trusted-identities document; the message says where.
    """
    if len(content) > LARGEST_DOCUMENT:
        raise Invalid(f"{source} is no trusted-identities document: it has more than {LARGEST_DOCUMENT} bytes")
    try:
        return TrustedIdentities.model_validate_json(content)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"]) or "the document"
        raise Invalid(
            f"{source} is not a urn:baton:trusted-identities:v1 document: {where}: {problem['msg']}, "
            f"found {str(problem['input'])[:80]!r} ({error.error_count()} problem(s) in all)"
        ) from error


def shipped_identities(project: str) -> TrustedIdentities:
    """The document that comes with Baton for a project.

    Raises:
        Missing: none comes with Baton; the message names those that do.
    """
    known = _shipped()
    if project not in known:
        raise Missing(
            f"no trusted identities of {project} come with Baton, only those of: {', '.join(known)}; "
            "give the project's own document with --identities FILE"
        )
    return parse_identities(known[project].read_bytes(), f"the shipped identities of {project}")


def project_identities(project: str, today: date) -> Sourced:
    """The newest document of a project that is at hand, as :func:`held_identities` finds it, for use.

    Raises:
        Missing, Invalid: as there.
        Refused: it has expired.
    """
    newest = held_identities(project)
    require_unexpired(newest.document, today)
    return newest


def held_identities(project: str) -> Sourced:
    """The newest document of a project that is at hand: the one that was fetched, or the one that comes with Baton.

    Raises:
        Missing: there is neither; the message names the projects that there are.
        Invalid: the one that was fetched has been damaged.
    """
    fetched, shipped = _fetched(), _shipped()
    if project not in {*fetched, *shipped}:
        raise Missing(
            f"no trusted identities of {project} are known here, only those of: "
            f"{', '.join(sorted({*fetched, *shipped}))}; give the project's own document with --identities FILE"
        )
    held = [Sourced(shipped_identities(project), "shipped with Baton")] if project in shipped else []
    if project in fetched:
        held.append(Sourced(load_identities(fetched[project]), "fetched from the project"))
    return max(held, key=lambda one: one.document.serial)


def require_unexpired(document: TrustedIdentities, today: date) -> None:
    """Refuse a document that a newer one should have taken the place of.

    Raises:
        Refused: its last day is over.
    """
    if document.expires is not None and document.expires < today:
        raise Refused(
            f"the trusted identities of {document.project} number {document.serial} expired on {document.expires}: "
            f"fetch newer ones with `baton identities fetch {document.project}`, or name a file with --identities FILE"
        )


def keep_identities(document: TrustedIdentities, file: Path) -> Path:
    """Keep a document that was adopted, for :func:`project_identities` to find.

    Args:
        document: what the file holds.
        file: the document as it was published.

    Returns:
        Where it is kept now.

    Raises:
        Failed, Unavailable: it can't be written.
    """
    folder = _folder()
    kept = folder / f"{document.project}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder) as made:
            # Renamed into place: what counts is never half a document.
            shutil.copyfile(file, Path(made, kept.name)).replace(kept)
    except OSError as error:
        raise os_problem(error, f"can't keep the trusted identities in {folder}") from error
    return kept


def identities_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the document."""
    schema = TrustedIdentities.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:baton:trusted-identities:v1",
        **schema,
    }


def published_schema() -> str:
    """The schema as ``docs/trusted-identities.schema.json`` holds it."""
    return json.dumps(identities_schema(), indent=2, ensure_ascii=False) + "\n"


def _folder() -> Path:
    return platformdirs.user_data_path("baton") / "identities"


def _fetched() -> dict[str, Path]:
    return {path.name.removesuffix(".json"): path for path in sorted(_folder().glob("*.json"))}


def _shipped() -> dict[str, Traversable]:
    entries = sorted((files("baton.trust") / "data").iterdir(), key=lambda entry: entry.name)
    return {entry.name.removesuffix(".json"): entry for entry in entries if entry.name.endswith(".json")}


if __name__ == "__main__":
    print(published_schema(), end="")  # noqa: T201  # the module run by itself is what writes the published file
