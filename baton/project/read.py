"""Reading a `release.toml`, and saying of one that can't be used everything that is wrong with it."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from baton.model.errors import Missing
from baton.project import certificate_files, key_files, parts
from baton.project.explain import faults_of
from baton.project.fields import is_url
from baton.project.problem import InvalidProject, Problem
from baton.project.rules import faults_in
from baton.project.schema import ReleaseFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from baton.model.roster import Roster
    from baton.project.problem import Fault, Place

FILE_NAME = "release.toml"

LARGEST = 256 * 1024
"""In bytes; a project with a hundred steps has a tenth of it."""

MOST_PROBLEMS = 100
"""How many problems are told at once."""


@dataclass(frozen=True)
class Project:
    """A project whose `release.toml` is valid.

    Attributes:
        file: where it was read from, as the caller named it.
        settings: what it says.
        public_keys: the armoured OpenPGP public keys that it names, by their path as written there.
        certificates: the certificates in PEM form that it names, by the path of their file as written there.
    """

    file: Path
    settings: ReleaseFile
    public_keys: Mapping[str, str]
    certificates: Mapping[str, str]

    @property
    def name(self) -> str:
        """The project's name."""
        return self.settings.project.name

    @property
    def repository(self) -> str:
        """The git URL, or the absolute path, of the project's source."""
        return self.address_of(self.settings.project.repository)

    def address_of(self, repository: str) -> str:
        """A repository as git takes it, from anywhere on this machine."""
        return repository if is_url(repository) else str((self.file.parent / repository).resolve())

    @property
    def roster(self) -> Roster:
        """Who may act in the project's releases."""
        return parts.roster(self.settings.roster, self.public_keys)


def read_project(path: Path) -> Project:
    """Read a project's `release.toml`.

    Args:
        path: the file, or the folder that holds it under its usual name.

    Raises:
        Missing: there is no such file, or it can't be read.
        InvalidProject: the file can't be used; the error lists everything that is wrong with it.
    """
    return project_of(*_opened(path))


def project_of(file: Path, document: bytes) -> Project:
    """The project that a `release.toml` describes, which may not have been written yet.

    Args:
        file: where the document is or will be; its paths are relative to the folder of that.
        document: what it holds.

    Raises:
        InvalidProject: the document can't be used; the error lists everything that is wrong with it.
    """
    values = parsed(document, file)
    try:
        settings = ReleaseFile.model_validate(values)
    except ValidationError as error:
        raise invalid(file, document, faults_of(error, values)) from error
    public_keys, unreadable = key_files.read_all(settings, file.parent)
    certificates, unusable = certificate_files.read_all(settings, file.parent)
    if faults := [*faults_in(settings), *unreadable, *unusable]:
        raise invalid(file, document, faults)
    return Project(file=file, settings=settings, public_keys=public_keys, certificates=certificates)


def _opened(path: Path) -> tuple[Path, bytes]:
    """The file that is meant, and what it holds."""
    file = path
    try:
        file = path / FILE_NAME if path.is_dir() else path
        with file.open("rb") as stream:
            document = stream.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise Missing(f"{file}: no such file; name the project's {FILE_NAME} or its folder") from error
    except OSError as error:
        raise Missing(f"{file}: can't be read: {error.strerror}") from error
    except ValueError as error:
        raise Missing(f"{str(file)!r}: can't be read: no system call takes that path") from error
    if len(document) > LARGEST:
        raise InvalidProject(
            [Problem(str(file), None, "", f"larger than {LARGEST:,} bytes; it can't be a {FILE_NAME}")]
        )
    return file, document


def parsed(document: bytes, file: Path) -> dict[str, Any]:
    """The values of a TOML document, its arrays as tuples.

    Raises:
        InvalidProject: it is no TOML.
    """
    try:
        values: dict[str, Any] = _frozen(tomllib.loads(document.decode()))
    except UnicodeDecodeError as error:
        line = document.count(b"\n", 0, error.start) + 1
        problem = Problem(str(file), line, "", "TOML is text in UTF-8, and this line is not")
        raise InvalidProject([problem]) from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidProject([_syntax_problem(file, str(error))]) from error
    except ValueError as error:  # an integer with thousands of digits
        raise InvalidProject([Problem(str(file), None, "", f"not a TOML document: {error}")]) from error
    except RecursionError as error:
        raise InvalidProject([Problem(str(file), None, "", "nested too deeply to be read")]) from error
    return values


def _syntax_problem(file: Path, message: str) -> Problem:
    found = re.fullmatch(r"(?s)(.*) \(at line (\d+), column (\d+)\)", message)
    if found is None:
        return Problem(str(file), None, "", f"not a TOML document: {message}")
    fact, line, column = found.groups()
    return Problem(str(file), int(line), "", f"not TOML: {fact[:1].lower()}{fact[1:]} (column {column})")


def _frozen(value: Any) -> Any:
    """The value with its arrays as tuples, which is what the frozen tables hold."""
    match value:
        case dict():
            return {key: _frozen(inner) for key, inner in value.items()}
        case list():
            return tuple(_frozen(inner) for inner in value)
        case _:
            return value


def invalid(file: Path, document: bytes, faults: Iterable[Fault]) -> InvalidProject:
    """The error that tells what is wrong with a well-formed TOML document, and where."""
    # A second parser, loaded only for whoever has to be told.
    from baton.project.locate import Lines  # noqa: PLC0415

    lines = Lines(document)
    remaining = iter(dict.fromkeys(faults))
    problems = [
        Problem(str(file), lines.of(fault.place), spelled(fault.place), fault.fact)
        for fault in islice(remaining, MOST_PROBLEMS)
    ]
    if more := sum(1 for _ in remaining):
        problems.append(Problem(str(file), None, "", f"and {more} more problems"))
    return InvalidProject(problems)


def spelled(place: Place) -> str:
    """A place as TOML spells it: ``steps[1].queue``, ``streams."3.13".status``."""
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        name = part if re.fullmatch(r"[A-Za-z0-9_-]{1,80}", part) else json.dumps(part[:80])
        text += f".{name}" if text else name
    return text
