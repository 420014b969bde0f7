"""What every store does, whatever keeps its bytes: the rules are here, the places in their own modules."""

from __future__ import annotations

import io
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO

from pydantic import ValidationError

from baton.model.base import Digest, canonical_json
from baton.model.errors import Conflict, Invalid, Missing, Unavailable
from baton.model.manifest import Artifact, ArtifactSet, SetRef
from baton.store.files import digest_of_file, open_regular, os_problem
from baton.store.keys import hex_of, is_digest, key_of_name

Progress = Callable[[int], None]
"""Told how many bytes of the content have been handled so far; called from the thread that does the work."""

CHUNK = 1024**2
"""How many bytes are in memory at a time, for each file under way."""

PART_PREFIX = ".fetch-"
"""How the name of a file begins that :meth:`Store.fetch` has not finished; no artifact's name begins so."""


class Store(ABC):
    """Content by its digest, and names that stand for one digest for good.

    Every method may be called from any thread and any number of processes at once. Each raises
    :class:`Unavailable` when the place can't be reached and :class:`Failed` when it refuses access.
    """

    def put_file(self, path: Path, *, progress: Progress | None = None) -> Artifact:
        """Keep a file's content under its digest, durably: when this returns, a power cut can't lose it.

        Content that is there already, whole or damaged, is written again, which heals it.

        Args:
            path: a regular file; its name becomes the artifact's.
            progress: told the bytes so far.

        Raises:
            Missing: there is no such file.
            Invalid: it is not a regular file, its name is not one that can be published, or it changed meanwhile.
        """
        with open_regular(path) as source:
            # The name is checked before gigabytes are read.
            _artifact(path.name, digest="sha256:" + "0" * 64, size=0)
            digest, size = self._put(source, progress)
        return _artifact(path.name, digest=digest, size=size)

    def put_bytes(self, content: bytes) -> Digest:
        """Keep a small document; durable like :meth:`put_file`."""
        digest, _ = self._put(io.BytesIO(content), None)
        return digest

    def put_set(self, artifacts: ArtifactSet) -> SetRef:
        """Keep a list of artifacts, in canonical JSON. Their content is put separately."""
        self.put_bytes(canonical_json(artifacts))
        return SetRef.to(artifacts)

    def read_set(self, ref: SetRef | Digest) -> ArtifactSet:
        """The list of artifacts behind a reference.

        Raises:
            Missing: the store has no such content.
            Invalid: the content is no artifact set in canonical JSON, or the reference tells other totals.
        """
        digest = ref.digest if isinstance(ref, SetRef) else ref
        content = self.read(digest)
        try:
            artifacts = ArtifactSet.model_validate_json(content)
        except ValidationError as error:
            raise Invalid(f"{digest} is no artifact set: {error.errors()[0]['msg']}") from error
        if canonical_json(artifacts) != content:
            raise Invalid(f"{digest} is an artifact set, but not in canonical JSON (RFC 8785): put it with put_set")
        if isinstance(ref, SetRef) and ref != SetRef.to(artifacts):
            raise Invalid(f"the reference says {ref}; the artifact set is {SetRef.to(artifacts)}")
        return artifacts

    def read(self, digest: Digest, *, limit: int = 64 * 1024**2) -> bytes:
        """A small document, its digest checked.

        Args:
            digest: which content.
            limit: the most bytes that are taken into memory.

        Raises:
            Missing: the store has no such content.
            Conflict: the content there is damaged; the message names both digests.
            Invalid: the content is longer than the limit.
        """
        content = io.BytesIO()
        for chunk in self._checked(digest):
            if content.tell() + len(chunk) > limit:
                raise Invalid(f"{digest} is longer than the {limit} bytes that a document may have here: fetch it")
            content.write(chunk)
        return content.getvalue()

    def fetch(self, digest: Digest, to: Path, *, progress: Progress | None = None) -> None:
        """Write content to a new file, its digest checked before the file appears under its name.

        The file is always a copy: a link would let whoever may write the file change the store.

        Args:
            digest: which content.
            to: where; its folder exists. A file that is there with this content already is left alone.
            progress: told the bytes so far.

        Raises:
            Missing: the store has no such content, or there is no such folder.
            Conflict: the content in the store is damaged, or the file is there with other content; the message
                names both digests.
        """
        try:
            if os.path.lexists(to):
                _require_same(to, digest)
            else:
                self._fetch(digest, to, progress)
        except FileNotFoundError as error:
            raise Missing(f"{to.parent} is not there: make the folder that {to.name} is fetched into") from error
        except OSError as error:
            raise os_problem(error, f"could not write {to}") from error

    def has(self, digest: Digest) -> bool:
        """Whether there is content under this digest. Nothing is read: only reading finds damage."""
        return self._holds(hex_of(digest))

    def remember(self, name: str, digest: Digest) -> None:
        """Let a name stand for this digest for good. Doing it again is harmless.

        Args:
            name: 1 to 16 segments between ``/``, each of letters, digits and ``. _ + ! -``, such as
                ``run/0191/build/windows/1``.
            digest: what it stands for; the content need not be there yet.

        Raises:
            Conflict: the name stands for another digest; the message names both.
            Invalid: the name or the digest does not have its form.
        """
        hex_of(digest)
        if self._write_record(key_of_name(name), f"{digest} {name}\n".encode()):
            return
        said = self.recall(name)
        if said is None:
            raise Unavailable(f"the name {name} was forgotten while it was being remembered: try again")
        if said != digest:
            raise Conflict(f"{name} stands for {said} already and can't stand for {digest} too")

    def recall(self, name: str) -> Digest | None:
        """The digest that a name stands for, or None.

        Raises:
            Conflict: the record is damaged.
            Invalid: the name does not have its form.
        """
        record = self._read_record(key_of_name(name))
        if record is None:
            return None
        digest, _, rest = record.decode("utf-8", "replace").partition(" ")
        if rest != f"{name}\n" or not is_digest(digest):
            raise Conflict(f"the record of the name {name} is damaged: it says {record[:400]!r}; forget the name")
        return digest

    def forget(self, name: str) -> None:
        """Drop a name; harmless if there is none. The content stays.

        Raises:
            Invalid: the name does not have its form.
        """
        self._drop_record(key_of_name(name))

    @abstractmethod
    def _put(self, source: BinaryIO, progress: Progress | None) -> tuple[Digest, int]:
        """Keep what a seekable stream holds; gives its digest and size. All or nothing, durable."""

    @abstractmethod
    def _chunks(self, hexdigest: str) -> Iterator[bytes]:
        """What is kept under these 64 hexadecimal digits, unchecked; raises Missing."""

    @abstractmethod
    def _holds(self, hexdigest: str) -> bool:
        """Whether anything is kept under these digits."""

    @abstractmethod
    def _where(self, hexdigest: str) -> str:
        """Where that is, for people."""

    @abstractmethod
    def _write_record(self, key: str, record: bytes) -> bool:
        """Write a small record if there is none; False if there is. Only one of several writers gets True."""

    @abstractmethod
    def _read_record(self, key: str) -> bytes | None:
        """The record, or None."""

    @abstractmethod
    def _drop_record(self, key: str) -> None:
        """Remove the record if it is there."""

    def _checked(self, digest: Digest) -> Iterator[bytes]:
        """The content in pieces; the end is reached only if all of it had the digest."""
        hexdigest = hex_of(digest)
        hasher, size = sha256(), 0
        for chunk in self._chunks(hexdigest):
            hasher.update(chunk)
            size += len(chunk)
            yield chunk
        if hasher.hexdigest() != hexdigest:
            raise Conflict(
                f"the content of {digest} in the store is damaged: the {size} bytes at {self._where(hexdigest)} have "
                f"the digest sha256:{hasher.hexdigest()}; put the right content again and it is healed"
            )

    def _fetch(self, digest: Digest, to: Path, progress: Progress | None) -> None:
        with NamedTemporaryFile(dir=to.parent, prefix=PART_PREFIX, delete=False) as file:
            part = Path(file.name)
        # Windows removes no file that is open, so it is opened anew where it is removed afterwards.
        try:
            with part.open("wb") as file:
                for chunk in self._checked(digest):
                    file.write(chunk)
                    if progress is not None:
                        progress(file.tell())
                file.flush()
                os.fsync(file.fileno())
            part.chmod(0o644)
            # A link, not a rename: it fails when someone else has made the file meanwhile.
            with suppress(FileExistsError):
                os.link(part, to)
                return
        finally:
            part.unlink(missing_ok=True)
        _require_same(to, digest)


def _artifact(name: str, *, digest: Digest, size: int) -> Artifact:
    try:
        return Artifact(name=name, digest=digest, size=size)
    except ValidationError as error:
        raise Invalid(
            f"{name!r} can't be an artifact's name; expected at most 200 letters, digits, '.', '_', '+', '-', "
            "beginning with a letter, a digit or '_'"
        ) from error


def _require_same(path: Path, digest: Digest) -> None:
    came, _ = digest_of_file(path)
    if came != digest:
        raise Conflict(f"{path} is there already with {came}; expected {digest}: move it away or fetch elsewhere")
