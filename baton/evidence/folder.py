"""The folder: written from the store, and read back with nothing in it believed before its digest is compared."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import rfc8785

from baton.evidence.acts import envelope_path
from baton.evidence.result import bad, good
from baton.model.acts import Heard
from baton.model.base import Value, counted, digest_of
from baton.model.errors import BatonError, Conflict, Invalid
from baton.model.evidence import INDEX, Evidence, Record
from baton.model.manifest import ArtifactSet, Manifest
from baton.model.plan import Plan
from baton.model.statement import facts_of
from baton.store.files import open_regular, os_problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from baton.evidence.result import Check
    from baton.model.base import Digest
    from baton.store import Store

LARGEST = 64 * 1024**2
"""In bytes; a document of the evidence is a few kilobytes long, a manifest of ten thousand files a few million."""

SIGNATURES = tuple(f"{INDEX}{suffix}" for suffix in (".sigstore.json", ".sigstore", ".asc"))
"""What may lie beside the list: the signatures of it."""

_PERHAPS = ("manifest.json", "joint.json")
"""Documents that a release has at one time and not at another, when it is planned anew."""

FOLDERS = ("acts", "attestations", "built", "envelopes", "plans", "signatures")
"""Where documents of a kind are."""

_Kind = TypeVar("_Kind", bound=Value)


class Unreadable(Invalid):
    """A document of the evidence is not there, or not what it has to be: the evidence is at fault, not this machine."""


@dataclass(frozen=True)
class Folder:
    """The evidence of one release, read, its documents as the list names them.

    Attributes:
        path: where it lies.
        index: the list of everything; ``listed`` are its bytes, which are signed.
        documents: the listed documents that are there with the right digest.
        signatures: the signatures of the list, by file name.
    """

    path: Path
    index: Evidence
    listed: bytes
    documents: Mapping[str, bytes]
    signatures: Mapping[str, bytes]

    def read(self, digest: Digest) -> bytes:
        """The signed statement of that digest.

        Raises:
            Unreadable: the evidence does not have it.
        """
        name = envelope_path(digest)
        if name not in self.documents or digest_of(self.documents[name]) != digest:
            raise Unreadable(f"the evidence lacks the envelope {digest}; expected it in {name}")
        return self.documents[name]

    def parsed(self, name: str, kind: type[_Kind]) -> _Kind:
        """A document as the value that it holds, in the one form that the value has.

        Raises:
            Unreadable: there is no such document, it holds something else, or has another form.
        """
        if name not in self.documents:
            raise Unreadable(f"the evidence lacks {name}")
        return parse_document(name, self.documents[name], kind)

    @property
    def record(self) -> Record:
        """What the release told of itself; raises as :meth:`parsed`, like all that follow."""
        return self.parsed("record.json", Record)

    @property
    def plan(self) -> Plan:
        """The plan that the release followed to the end."""
        return self.parsed("plan.json", Plan)

    @property
    def manifest(self) -> Manifest | None:
        """The manifest, or None if it was not made yet."""
        return None if self.index.manifest is None else self.parsed("manifest.json", Manifest)

    @property
    def chain(self) -> tuple[Heard, ...]:
        """Every act that was heard, in order."""
        return tuple(self.parsed(name, Heard) for name in self._links)

    @property
    def links(self) -> tuple[Digest, ...]:
        """The digests of these, as the next one has to name them."""
        return tuple(map(self.digest, self._links))

    @property
    def _links(self) -> list[str]:
        return sorted(name for name in self.documents if name.startswith("acts/"))

    def digest(self, name: str) -> Digest:
        """The digest of a document that is there."""
        return digest_of(self.documents[name])

    def plan_of(self, digest: Digest) -> Plan:
        """A plan that the release followed."""
        if digest == self.index.plan:
            return self.plan
        name = f"plans/{digest.removeprefix('sha256:')}.json"
        plan = self.parsed(name, Plan)
        if self.digest(name) != digest:
            raise Unreadable(f"{name} is plan {self.digest(name)}; expected {digest}")
        return plan

    def artifacts(self, name: str) -> ArtifactSet:
        """A list of files: what a step made, or what a signer signed."""
        return self.parsed(name, ArtifactSet)


def read_folder(path: Path) -> tuple[Folder, list[Check]]:
    """Read a folder of evidence, and compare every document with the list.

    Raises:
        Missing: there is no list.
        Invalid: it is none, or not in its one form.
    """
    listed = _content(path / INDEX)
    index = parse_document(INDEX, listed, Evidence)
    documents, checks = {}, []
    for document in index.documents:
        try:
            content = _content(path / document.name)
        except BatonError as error:
            checks.append(bad(document.name, error))
            continue
        came = digest_of(content)
        if (came, len(content)) == (document.digest, document.size):
            documents[document.name] = content
        else:
            expected = f"{document.digest} ({document.size} bytes)"
            checks.append(bad(document.name, f"is {came} ({len(content)} bytes); the list has {expected}"))
    checks += list(_others(path, index))
    signatures = {name: _content(path / name) for name in SIGNATURES if (path / name).exists()}
    if not checks:
        checks.append(good("documents", f"{counted(len(documents), 'document')}, each with the digest in {INDEX}"))
    return Folder(path, index, listed, documents, signatures), checks


def export(store: Store, evidence: Digest, to: Path) -> Path:
    """Write the evidence of a finished release into a folder; harmless if it is there already.

    Args:
        store: has all of it.
        evidence: the set that holds the list and its signatures, as the release's status names it.
        to: the folder.

    Raises:
        Conflict: something else is in the folder.
        BatonError: as the store's methods do.
    """
    to.mkdir(parents=True, exist_ok=True)
    for signed in store.read_set(evidence).artifacts:
        store.fetch(signed.digest, to / signed.name)
    for document in parse_document(INDEX, _content(to / INDEX), Evidence).documents:
        (to / document.name).parent.mkdir(exist_ok=True)
        store.fetch(document.digest, to / document.name)
    return to


def write(documents: Mapping[str, bytes], to: Path) -> Path:
    """Write evidence that was just gathered into a folder, in place of what was gathered there before.

    Raises:
        Conflict: something else is in the folder, or evidence that somebody signed.
        Failed, Unavailable: it can't be written.
    """
    try:
        if to.is_dir() and any(to.iterdir()) and not (to / INDEX).is_file():
            raise Conflict(f"{to} is there already, and holds no evidence: name another folder")
        if signed := [name for name in SIGNATURES if (to / name).exists()]:
            raise Conflict(f"{to} holds evidence that was signed ({signed[0]}): name another folder")
        for folder in FOLDERS:
            shutil.rmtree(to / folder, ignore_errors=True)
        for name in _PERHAPS:
            (to / name).unlink(missing_ok=True)
        for name, content in documents.items():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            (to / name).write_bytes(content)
    except OSError as error:
        raise os_problem(error, f"could not write {to}") from error
    return to


def parse_document(name: str, content: bytes, kind: type[_Kind]) -> _Kind:
    """A document as the value that it holds.

    Its bytes have to be canonical JSON, but need not be those that this version of Baton would write: a document of an
    older one, which lacks what was added since, keeps its digest.

    Raises:
        Unreadable: it holds something else, more than this version knows, or has another form.
    """
    try:
        value = kind.model_validate_json(content)
        canonical = rfc8785.dumps(json.loads(content))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{name} is not what it has to be: {facts_of(error)}") from error
    if canonical != content:
        raise Unreadable(f"{name} is not in canonical JSON (RFC 8785)")
    return value


def _content(path: Path) -> bytes:
    with open_regular(path) as file:
        try:
            content = file.read(LARGEST + 1)
        except OSError as error:
            raise os_problem(error, f"could not read {path}") from error
    if len(content) > LARGEST:
        raise Invalid(f"{path} is longer than the {LARGEST:,} bytes that a document of the evidence may have")
    return content


def _others(path: Path, index: Evidence) -> Iterator[Check]:
    listed = {document.name for document in index.documents} | {INDEX, *SIGNATURES}
    for found in sorted(path.rglob("*")):
        name = found.relative_to(path).as_posix()
        if name not in listed and (found.is_symlink() or not found.is_dir()):
            yield bad(name, f"is not in {INDEX}: nobody vouches for it")
