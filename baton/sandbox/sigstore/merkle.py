"""The Merkle tree of a transparency log (RFC 9162 section 2.1, the same tree as RFC 6962's)."""

from __future__ import annotations

import hashlib


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry. Its prefix keeps an entry from passing for an inner node."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class MerkleTree:
    """An append-only tree that remembers every complete subtree, so adding and proving take logarithmic time.

    It is not safe to append from several threads at once.
    """

    def __init__(self) -> None:
        # _levels[h][i] is the hash of the complete subtree over the entries i * 2^h up to (i + 1) * 2^h.
        self._levels: list[list[bytes]] = [[]]

    @property
    def size(self) -> int:
        """How many entries there are."""
        return len(self._levels[0])

    def append(self, leaf: bytes) -> int:
        """Adds an entry by its :func:`leaf_hash` and returns its index, counted from 0."""
        index = self.size
        self._levels[0].append(leaf)
        height = 0
        while len(self._levels[height]) % 2 == 0:
            if height + 1 == len(self._levels):
                self._levels.append([])
            self._levels[height + 1].append(node_hash(*self._levels[height][-2:]))
            height += 1
        return index

    def root(self, size: int | None = None) -> bytes:
        """The root hash over the first ``size`` entries; over all of them by default.

        Raises:
            IndexError: there are fewer entries.
        """
        size = self.size if size is None else size
        return self._hash(0, size) if size else hashlib.sha256().digest()

    def inclusion_path(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """The hashes, from the leaf up, that prove the entry to be among the first ``size`` (RFC 9162 section 2.1.3).

        Raises:
            IndexError: there is no such entry among them.
        """
        size = self.size if size is None else size
        if not 0 <= index < size <= self.size:
            raise IndexError(f"no entry {index} in a tree of {size} out of {self.size}")
        path: list[bytes] = []
        first, end = 0, size
        while end - first > 1:
            middle = first + _split(end - first)
            if index < middle:
                path.append(self._hash(middle, end))
                end = middle
            else:
                path.append(self._hash(first, middle))
                first = middle
        return tuple(reversed(path))

    def _hash(self, first: int, end: int) -> bytes:
        """The hash over the entries from ``first`` up to, not including, ``end``."""
        width = end - first
        if width.bit_count() == 1 and first % width == 0:
            return self._levels[width.bit_length() - 1][first // width]
        middle = first + _split(width)
        return node_hash(self._hash(first, middle), self._hash(middle, end))


def _split(width: int) -> int:
    """The largest power of two smaller than ``width``: how many entries the left subtree has."""
    return 1 << (width - 1).bit_length() - 1
