"""Finding what was published: a folder tree of releases, one folder for each version, or the web page of one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

from packaging.version import InvalidVersion
from packaging.version import Version as _Pep440
from pydantic import ValidationError

from baton.model.errors import Invalid, Missing
from baton.model.evidence import INDEX
from baton.model.manifest import Manifest
from baton.trust.digests import Digests, KnownDigest
from baton.trust.download import download, listed_folders
from baton.trust.subjects import find_subjects, version_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baton.trust.subjects import Subject

_RECORD = "manifest.json"
_AT_ONCE = 8


def find_published(root: Path, digests: Digests | None = None, ignored: Sequence[str] = ()) -> tuple[Subject, ...]:
    """Every published file below a folder, with the signatures beside it.

    A file's version is the one that its name tells, else that of the folder it is in. The evidence of releases, which
    proves itself otherwise, is left out.

    Args:
        root: ``VERSION/FILES``, as CPython has it, ``PROJECT/VERSION/FILES``, as Baton publishes it, or one version.
        digests: what the files have to be; then they need not be there themselves, and no others are looked at.
        ignored: patterns of paths below the folder, or of file names, that are left out: ``*.html``, ``doc/*``.

    Returns:
        The files, each named by its path below the folder.

    Raises:
        Missing: there is no such folder, or nothing in it.
        Invalid: as :func:`baton.trust.subjects.find_subjects`.
    """
    if not root.is_dir():
        raise Missing(f"{root} is no folder; name the one that holds the releases")
    whole = root.resolve()
    evidence = {index.parent for index in whole.rglob(INDEX)}
    named = [(_place(subject, whole), subject) for subject in find_subjects([whole], digests)]
    return tuple(
        replace(subject, name=place.as_posix(), version=subject.version or _version(place, whole.name))
        for place, subject in named
        if not _is_ignored(place, ignored) and evidence.isdisjoint((whole / place).parents)
    )


def fetch_published(address: str, folder: Path) -> Digests | None:
    """Fetch a release, or several, as :func:`find_published` reads them.

    Args:
        address: of a web server's listing, of one release's files or of folders that are called by versions; or of the
            ``manifest.json`` in a release's published evidence, for a server that lists nothing.
        folder: an empty folder.

    Returns:
        What the files have to be, where the address says that.

    Raises:
        Invalid: it is no such address, or what is there is neither.
        Missing, Unavailable, Failed: as :func:`baton.trust.download.download`.
    """
    if _last(address) == _RECORD:
        return _fetch_recorded(address, folder)
    releases = [below for below in listed_folders(address) if _is_version(_last(below))] or [address]
    for release in releases:
        place = folder / (_last(release) or "release")
        place.mkdir()
        download(release, place)
    return None


def _fetch_recorded(address: str, folder: Path) -> Digests:
    """Every file of a manifest that lies where Baton publishes it: ``PROJECT/evidence/VERSION/manifest.json``."""
    with TemporaryDirectory(prefix="baton-manifest-") as record:
        content = download(address, Path(record)).read_bytes()
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        raise Invalid(f"{address} is no manifest of a release: {error.errors()[0]['msg']}") from error
    place = folder / manifest.version
    place.mkdir()
    files = [urljoin(address, f"../../{manifest.version}/{quote(file.name)}") for file in manifest.files]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda file: download(file, place), files))
    known = (KnownDigest(name=file.name, digest=file.digest, version=manifest.version) for file in manifest.files)
    return Digests(tuple(known))


def _place(subject: Subject, root: Path) -> PurePosixPath:
    beside = subject.signatures[0].with_name(subject.name) if subject.signatures else subject.path
    try:
        return PurePosixPath((beside or Path(subject.name)).relative_to(root).as_posix())
    except ValueError:  # a link that leads elsewhere
        return PurePosixPath(subject.name)


def _version(place: PurePosixPath, root: str) -> str | None:
    folders = [*reversed(place.parent.parts), root]
    return version_in(place.name) or next((folder for folder in folders if _is_version(folder)), None)


def _is_version(name: str) -> bool:
    try:
        return len(_Pep440(name).release) > 1
    except InvalidVersion:
        return False


def _is_ignored(place: PurePosixPath, patterns: Sequence[str]) -> bool:
    return any(fnmatch(place.as_posix(), pattern) or fnmatch(place.name, pattern) for pattern in patterns)


def _last(address: str) -> str:
    return urlsplit(address).path.rstrip("/").rsplit("/", 1)[-1]
