"""What is in each released file: one SPDX 2.3 document in JSON for each.

An archive's document lists the files in it, any other file's document names the file alone. The same content from the
same source gives the same bytes. Specification: https://spdx.github.io/spdx-spec/v2.3/.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha1, sha256
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING

from pydantic import ValidationError
from spdx_tools.spdx.model.actor import Actor, ActorType
from spdx_tools.spdx.model.checksum import Checksum, ChecksumAlgorithm
from spdx_tools.spdx.model.document import CreationInfo, Document
from spdx_tools.spdx.model.file import File
from spdx_tools.spdx.model.package import Package
from spdx_tools.spdx.model.relationship import Relationship, RelationshipType
from spdx_tools.spdx.model.spdx_no_assertion import SpdxNoAssertion
from spdx_tools.spdx.spdx_element_utils import calculate_package_verification_code
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
from spdx_tools.spdx.writer.json.json_writer import write_document_to_stream

from baton import __version__
from baton.inspection.kinds import HEAD, Packing, packing_of, promises_tar
from baton.model.errors import Invalid
from baton.model.manifest import SBOM_SUFFIX, Artifact, ArtifactSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from baton.model.version import ReleaseId
    from baton.model.work import Source
    from baton.store import Store

LISTED = 5000
"""How many files of an archive are listed at most: the validator needs time that grows with their number squared,
20 seconds for so many."""

_CHUNK = 256 * 1024
_DOCUMENT, _PACKAGE = "SPDXRef-DOCUMENT", "SPDXRef-Package"


@dataclass(frozen=True)
class _Content:
    """A file in an archive, by the digests that SPDX asks for: SHA-1 is mandatory (8.4), SHA-256 is worth something."""

    name: str
    sha1: str
    sha256: str


def describe_files(
    artifacts: Iterable[Artifact], *, release: ReleaseId, source: Source, store: Store, scratch: Path
) -> ArtifactSet:
    """Make a document for each file, but for documents that a build made itself and files that have one of these.

    Args:
        artifacts: all files of the release; their archives have been inspected.
        release: what they belong to.
        source: what they were built from.
        store: where the files are and the documents go.
        scratch: a folder for one file at a time.

    Returns:
        The documents, each named after its file with ``.spdx.json`` behind.

    Raises:
        Missing: the store has lost content.
        Conflict: content in the store is damaged.
        Invalid: an archive can't be read, a name is too long, or the outcome is not valid SPDX.
    """
    files = {artifact.name: artifact for artifact in artifacts}
    documents = []
    scratch.mkdir(parents=True, exist_ok=True)
    for name, artifact in files.items():
        if name.endswith(SBOM_SUFFIX) or f"{name}{SBOM_SUFFIX}" in files:
            continue
        with TemporaryDirectory(dir=scratch) as folder:
            path = Path(folder) / name
            store.fetch(artifact.digest, path)
            document = describe(artifact, path, release=release, source=source)
        documents.append(_document(name, document, store))
    return ArtifactSet.of(documents)


def describe(artifact: Artifact, path: Path, *, release: ReleaseId, source: Source) -> bytes:
    """The SPDX document of one file.

    Args:
        artifact: the file.
        path: where it lies.
        release: what it belongs to.
        source: what it was built from; its time is the document's.

    Raises:
        Invalid: the archive can't be read, or the outcome is not valid SPDX.
    """
    contents = _contents(path)
    files = [_file(number, content) for number, content in enumerate(contents or [], 1)]
    document = Document(
        _creation(artifact, release, source),
        packages=[_package(artifact, files, release, source)],
        files=files,
        relationships=[
            Relationship(_DOCUMENT, RelationshipType.DESCRIBES, _PACKAGE),
            *(Relationship(_PACKAGE, RelationshipType.CONTAINS, file.spdx_id) for file in files),
        ],
    )
    problems = validate_full_spdx_document(document)
    if problems:
        raise Invalid(f"the SPDX document of {artifact.name} is not valid: {problems[0].validation_message}")
    text = io.StringIO()
    write_document_to_stream(document, text, validate=False)
    return text.getvalue().encode() + b"\n"


def _document(name: str, content: bytes, store: Store) -> Artifact:
    digest = store.put_bytes(content)
    try:
        return Artifact(name=f"{name}{SBOM_SUFFIX}", digest=digest, size=len(content))
    except ValidationError as error:
        raise Invalid(f"{name} is too long a name to put {SBOM_SUFFIX} behind: shorten it") from error


def _creation(artifact: Artifact, release: ReleaseId, source: Source) -> CreationInfo:
    return CreationInfo(
        spdx_version="SPDX-2.3",
        spdx_id=_DOCUMENT,
        name=artifact.name,
        document_namespace=f"urn:baton:sbom:{release.project}:{release.version}:{artifact.name}:{artifact.sha256}",
        creators=[Actor(ActorType.TOOL, f"baton-{__version__}")],
        created=datetime.fromtimestamp(source.epoch, UTC).replace(tzinfo=None),  # spdx-tools writes it as UTC
    )


def _package(artifact: Artifact, files: list[File], release: ReleaseId, source: Source) -> Package:
    return Package(
        spdx_id=_PACKAGE,
        name=release.project,
        version=release.version,
        file_name=artifact.name,
        download_location=SpdxNoAssertion(),
        checksums=[Checksum(ChecksumAlgorithm.SHA256, artifact.sha256)],
        files_analyzed=bool(files),
        verification_code=calculate_package_verification_code(files) if files else None,
        source_info=f"Built from commit {source.commit}, tagged {source.tag}.",
        license_concluded=SpdxNoAssertion(),
        license_declared=SpdxNoAssertion(),
        copyright_text=SpdxNoAssertion(),
    )


def _file(number: int, content: _Content) -> File:
    return File(
        name=f"./{content.name}",
        spdx_id=f"SPDXRef-File-{number}",
        checksums=[
            Checksum(ChecksumAlgorithm.SHA1, content.sha1),
            Checksum(ChecksumAlgorithm.SHA256, content.sha256),
        ],
    )


def _contents(path: Path) -> list[_Content] | None:
    """The files in an archive, sorted by name; None for anything else, and for archives with more than is listed."""
    try:
        found = list(islice(_read(path), LISTED + 1))
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        raise Invalid(f"{path.name} can't be read as the archive that it seems to be: {error}") from error
    return sorted(found, key=lambda content: content.name) if 0 < len(found) <= LISTED else None


def _read(path: Path) -> Iterator[_Content]:
    with path.open("rb") as file:
        head = file.read(HEAD)
    if packing_of(head) is Packing.ZIP:
        yield from _read_zip(path)
    elif promises_tar(path.name) or tarfile.is_tarfile(path):
        yield from _read_tar(path)


def _read_zip(path: Path) -> Iterator[_Content]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                with archive.open(info) as file:
                    yield _content(info.filename, file)


def _read_tar(path: Path) -> Iterator[_Content]:
    with tarfile.open(path, "r|*") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isreg() else None
            if file is not None:
                yield _content(member.name, file)


def _content(name: str, file: IO[bytes]) -> _Content:
    first, second = sha1(usedforsecurity=False), sha256()
    while chunk := file.read(_CHUNK):
        first.update(chunk)
        second.update(chunk)
    # JSON can't say bytes that are no UTF-8.
    readable = name.removeprefix("./").encode("utf-8", "backslashreplace").decode()
    return _Content(readable, first.hexdigest(), second.hexdigest())
