"""Finding what there is to verify: files, and the signatures that lie beside them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion
from packaging.version import Version as _Pep440

from baton.model.attesting import PROVENANCE_SUFFIX, RELEASE_SUFFIX
from baton.model.errors import Missing
from baton.trust.result import SignatureKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from baton.model.base import Digest
    from baton.trust.digests import Digests

SUFFIXES = {
    ".sigstore.json": SignatureKind.SIGSTORE,
    ".sigstore": SignatureKind.SIGSTORE,
    ".asc": SignatureKind.OPENPGP,
}
"""What is appended to a file's name for its signature."""

STATEMENTS = (PROVENANCE_SUFFIX, RELEASE_SUFFIX)
"""What is appended to a file's name for what a machine states about it."""

_PARTS_OF_SIGNATURES = (".sig", ".crt")
"""Sigstore's older form in two files, beside which there is a bundle."""

_KEPT = re.compile(r"\.[0-9]{4}-[0-9]{2}-[0-9]{2}(\.[1-9][0-9]?)?(?=\.(json|sigstore|asc)$)")
"""What the name of a signature has that was kept when its file was signed anew; see :mod:`baton.model.resigning`."""

_VERSION = re.compile(r"(?<![0-9.])[0-9]+(?:\.[0-9]+)+(?:(?:a|b|rc)[0-9]+)?(?:\.post[0-9]+)?")


@dataclass(frozen=True)
class Subject:
    """One thing to verify.

    Attributes:
        path: the file; None when only its digest is at hand.
        digest: what the file has to be, if that is known.
        version: which version it belongs to, if that is known.
    """

    name: str
    path: Path | None
    digest: Digest | None
    version: str | None
    signatures: tuple[Path, ...]


def find_subjects(
    paths: Iterable[Path], digests: Digests | None = None, *, version: str | None = None
) -> tuple[Subject, ...]:
    """The files that these paths name, with the signatures beside them, each once.

    A folder stands for every file below it, but those whose name begins with a dot; a signature stands for its file.
    With digests, only the files that they list are meant, and none of them has to be there.

    Args:
        paths: files, signatures and folders.
        digests: what the files have to be.
        version: which version is meant, where digests of several have the same name.

    Raises:
        Missing: a path is not there, or there is nothing below it.
        Invalid: the digests do not say which of several files of one name is meant.
    """
    subjects = [_subject(path, digests, version) for path in find_files(paths)]
    found = tuple(subject for subject in subjects if subject is not None)
    if not found:
        listed = " that the digests file lists" if digests else ""
        raise Missing(f"there is no file{listed} in {', '.join(map(str, paths))}")
    return found


def find_files(paths: Iterable[Path]) -> list[Path]:
    """The files that these paths name, each once; they need not be there. The paths are as for :func:`find_subjects`.

    Raises:
        Missing: a path is not there.
    """
    return list(dict.fromkeys(_signed_file(path) for path in _files(paths)))


def version_in(name: str) -> str | None:
    """The version that a file's name tells, such as 3.13.9 of ``python-3.13.9-amd64.exe``, or None."""
    match = _VERSION.search(name)
    if match is None:
        return None
    try:
        return str(_Pep440(match[0]))
    except InvalidVersion:
        return None


def kind_of(signature: Path) -> SignatureKind:
    """Which sort of signature this is, by its name; what is called otherwise is taken for a Sigstore bundle."""
    return next((kind for suffix, kind in SUFFIXES.items() if signature.name.endswith(suffix)), SignatureKind.SIGSTORE)


def signed_name(name: str) -> str:
    """The name of the file that a signature, or a statement, of this name belongs to."""
    suffix = next((suffix for suffix in (*STATEMENTS, *SUFFIXES) if name.endswith(suffix)), "")
    return name.removesuffix(suffix) or name


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            below = sorted(entry for entry in path.rglob("*") if entry.is_file())
            yield from (entry for entry in below if not _hidden(entry.relative_to(path)))
        elif path.is_file():
            yield path
        else:
            raise Missing(f"{path} is not there")


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _signed_file(path: Path) -> Path:
    """The file that a signature belongs to, also one that was kept and is not verified; any other file is itself."""
    signed = path.with_name(signed_name(path.name))
    renewed = path.with_name(signed_name(_KEPT.sub("", path.name)))
    if renewed != signed and renewed.is_file() and (signed == path or not signed.is_file()):
        return renewed
    if signed != path:
        return signed
    for part in _PARTS_OF_SIGNATURES:
        whole = path.with_suffix("") if path.suffix == part else path
        if whole != path and whole.is_file():
            return whole
    return path


def _subject(path: Path, digests: Digests | None, version: str | None) -> Subject | None:
    known = digests.find(path.name, version=version, folder=path.parent.name) if digests else None
    if digests is not None and known is None:
        return None
    candidates = [path.with_name(path.name + suffix) for suffix in SUFFIXES]
    return Subject(
        name=path.name,
        # Who asks for a link means what it leads to.
        path=path.resolve() if path.is_file() else None,
        digest=known.digest if known else None,
        version=known.version if known else None,
        signatures=tuple(candidate for candidate in candidates if candidate.is_file()),
    )
