"""A transparency log on disk, and the signed checkpoints that commit to it."""

from __future__ import annotations

import base64
import binascii
import errno
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from baton.model.errors import Invalid
from baton.sandbox.sigstore.files import PRIVATE, private_folder, sync_folder
from baton.sandbox.sigstore.merkle import MerkleTree, leaf_hash

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_CLOSED: Final = -1


@dataclass(frozen=True)
class TreeHead:
    """A log at one moment: how many entries it had, and the Merkle root over them."""

    size: int
    root: bytes


@dataclass(frozen=True)
class Inclusion:
    """The proof that an entry is in the log.

    Attributes:
        index: the entry's, counted from 0.
        leaf: the entry's Merkle leaf hash.
        head: the log it is proven to be in.
        path: the hashes that lead from the leaf to the root.
    """

    index: int
    leaf: bytes
    head: TreeHead
    path: tuple[bytes, ...]


class TransparencyLog:
    """Entries in a file, one to a line: the hexadecimal leaf hash, a space, the entry in base64.

    An entry is on disk before its proof is given out. A crash can therefore only tear a last line that nobody has
    seen; it is cut off when the log is opened again. Any other damage is refused.

    Args:
        file: made if it is not there.

    Raises:
        Invalid: a line other than a torn last one is not an entry.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._tree = MerkleTree()
        self._lock = threading.Lock()
        private_folder(file.parent)
        self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT, PRIVATE)
        try:
            self._end = self._load()
            os.ftruncate(self._descriptor, self._end)
            sync_folder(file.parent)
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            os.close(self._descriptor)
            # A request that comes too late must not write to whatever gets the number next.
            self._descriptor = _CLOSED

    def append(self, entry: bytes) -> Inclusion:
        """Adds an entry and proves it; safe to call from several threads.

        Raises:
            OSError: it could not be written; the log is as it was.
        """
        leaf = leaf_hash(entry)
        line = b"%s %s\n" % (leaf.hex().encode(), base64.b64encode(entry))
        with self._lock:
            self._write(line)
            index = self._tree.append(leaf)
            return Inclusion(index, leaf, self._head(), self._tree.inclusion_path(index))

    def head(self) -> TreeHead:
        """The log as it is now."""
        with self._lock:
            return self._head()

    def _head(self) -> TreeHead:
        return TreeHead(self._tree.size, self._tree.root())

    def _load(self) -> int:
        """Reads the entries, and returns where the last whole one ends."""
        end = 0
        with self._file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith(b"\n"):
                    break
                self._tree.append(self._checked_leaf(line, number))
                end += len(line)
        return end

    def _checked_leaf(self, line: bytes, number: int) -> bytes:
        stated, _, encoded = line.rstrip(b"\n").partition(b" ")
        try:
            leaf = leaf_hash(base64.b64decode(encoded, validate=True))
        except binascii.Error as error:
            raise self._damaged(number) from error
        if leaf.hex().encode() != stated:
            raise self._damaged(number)
        return leaf

    def _damaged(self, number: int) -> Invalid:
        return Invalid(
            f"{self._file}, line {number}: not an entry with its hash, so the log can't be trusted any more; "
            "restore the file, or remove the state folder to start a new instance (nothing signed before will verify)"
        )

    def _write(self, line: bytes) -> None:
        try:
            written = os.pwrite(self._descriptor, line, self._end)
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, self._end)
            raise
        if written != len(line):
            os.ftruncate(self._descriptor, self._end)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._file))
        self._end += len(line)


def checkpoint(origin: str, head: TreeHead) -> bytes:
    """The text that a log signs: its name, size and root (C2SP ``tlog-checkpoint``)."""
    return f"{origin}\n{head.size}\n{base64.b64encode(head.root).decode()}\n".encode()


def signed_note(text: bytes, *, name: str, key_id: bytes, signature: bytes) -> str:
    """A signed text as logs publish it (C2SP ``signed-note``).

    Args:
        text: what was signed, up to and including its last newline.
        name: the signer's.
        key_id: the signer's, of which the note carries the first four bytes as a hint.
        signature: over the text.
    """
    return f"{text.decode()}\n\N{EM DASH} {name} {base64.b64encode(key_id[:4] + signature).decode()}\n"
