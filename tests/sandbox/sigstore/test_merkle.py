"""The log's proofs hold up under the real client's verification, for every size and place."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore.errors import VerificationError
from sigstore.models import TransparencyLogEntry
from sigstore_models.common.v1 import LogId
from sigstore_models.rekor import v1

from baton.sandbox.sigstore.merkle import MerkleTree, leaf_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZES = range(1, 71)


def tree_of(entries: Sequence[bytes]) -> MerkleTree:
    tree = MerkleTree()
    for entry in entries:
        tree.append(leaf_hash(entry))
    return tree


def claim(entry: bytes, index: int, size: int, root: bytes, path: Sequence[bytes]) -> TransparencyLogEntry:
    proof = v1.InclusionProof(
        log_index=str(index),  # type: ignore[arg-type]  # the model takes protobuf's JSON: numbers as text, bytes as base64
        tree_size=str(size),  # type: ignore[arg-type]
        root_hash=base64.b64encode(root),
        hashes=[base64.b64encode(node) for node in path],
        checkpoint=v1.Checkpoint(envelope="not looked at"),
    )
    return TransparencyLogEntry(
        v1.TransparencyLogEntry(
            log_index=str(index),  # type: ignore[arg-type]
            log_id=LogId(key_id=b""),
            kind_version=v1.KindVersion(kind="hashedrekord", version="0.0.2"),
            inclusion_proof=proof,
            canonicalized_body=base64.b64encode(entry),
        )
    )


@pytest.mark.parametrize("size", SIZES)
def test_every_entry_of_a_log_is_proven(size: int) -> None:
    entries = [b"entry %d" % index for index in range(size)]
    tree = tree_of(entries)
    for index, entry in enumerate(entries):
        verify_merkle_inclusion(claim(entry, index, size, tree.root(), tree.inclusion_path(index)))


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=70), st.data())
def test_an_earlier_log_is_proven_from_a_later_one(entries: list[bytes], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(entries)))
    index = data.draw(st.integers(0, size - 1))
    later, earlier = tree_of(entries), tree_of(entries[:size])
    assert later.root(size) == earlier.root()
    assert later.inclusion_path(index, size) == earlier.inclusion_path(index)
    verify_merkle_inclusion(claim(entries[index], index, size, later.root(size), later.inclusion_path(index, size)))


@given(st.lists(st.binary(max_size=8), min_size=2, max_size=70, unique=True), st.data())
def test_the_proof_of_one_entry_proves_no_other(entries: list[bytes], data: st.DataObject) -> None:
    tree = tree_of(entries)
    index, other = data.draw(st.lists(st.integers(0, len(entries) - 1), min_size=2, max_size=2, unique=True))
    proof = tree.inclusion_path(index)
    with pytest.raises(VerificationError):
        verify_merkle_inclusion(claim(entries[other], index, len(entries), tree.root(), proof))


def test_the_root_of_an_empty_log_is_the_hash_of_nothing() -> None:
    assert MerkleTree().root() == hashlib.sha256(b"").digest()


def test_there_is_no_proof_of_what_is_not_there() -> None:
    with pytest.raises(IndexError):
        tree_of([b"one"]).inclusion_path(1)
    with pytest.raises(IndexError):
        tree_of([b"one"]).inclusion_path(0, 2)
