"""The parts of a bundle are tied to each other: none can be changed, removed or swapped."""

from __future__ import annotations

import base64
import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from rfc3161_client import decode_timestamp_response
from sigstore.errors import Error
from sigstore.models import Bundle
from sigstore.verify import policy

from baton.sandbox.sigstore import ISSUER, machine_identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sigstore.verify import Verifier

    from baton.sandbox.sigstore.server import LocalSigstore

Document = dict[str, Any]
Path = tuple[str | int, ...]

POLICY = policy.Identity(identity=machine_identity("release-worker"), issuer=ISSUER)
MATERIAL = "verificationMaterial"
ENTRY: Path = (MATERIAL, "tlogEntries", 0)
PROOF: Path = (*ENTRY, "inclusionProof")
CHECKPOINT: Path = (*PROOF, "checkpoint", "envelope")
TIMESTAMPS: Path = (MATERIAL, "timestampVerificationData", "rfc3161Timestamps")

BYTES: list[Path] = [
    ("messageSignature", "signature"),
    ("messageSignature", "messageDigest", "digest"),
    (MATERIAL, "certificate", "rawBytes"),
    (*ENTRY, "canonicalizedBody"),
    (*PROOF, "hashes", 0),
    (*PROOF, "rootHash"),
]
NUMBERS: list[Path] = [(*PROOF, "logIndex"), (*PROOF, "treeSize")]
PARTS: list[Path] = [(MATERIAL, "certificate"), (MATERIAL, "tlogEntries"), PROOF, ("messageSignature",)]


@pytest.fixture(scope="module")
def documents(instance: LocalSigstore, sign: Callable[..., Bundle]) -> dict[int, list[Document]]:
    """Two bundles of each log version, in a log with other entries before them."""

    def bundles(version: int) -> list[Document]:
        token = instance.tokens.for_machine("release-worker")
        return [json.loads(sign(instance.trust_config, token, b"data %d" % n, version).to_json()) for n in range(5)][3:]

    return {version: bundles(version) for version in (1, 2)}


def verify(verifier: Verifier, document: Document, data: bytes = b"data 3") -> None:
    verifier.verify_artifact(data, Bundle.from_json(json.dumps(document)), POLICY)


def rejected(verifier: Verifier, document: Document) -> bool:
    try:
        verify(verifier, document)
    except (Error, ValueError):  # the client lets its parsers' ValueError through
        return True
    return False


def at(document: Document, path: Path) -> Any:
    value: Any = document
    for key in path:
        value = value[key]
    return value


def changed(document: Document, path: Path, value: Any) -> Document:
    copied = copy.deepcopy(document)
    at(copied, path[:-1])[path[-1]] = value
    return copied


def flips(encoded: str, count: int = 12) -> Iterator[str]:
    """The same bytes with one bit flipped, at places spread over the whole."""
    raw = base64.b64decode(encoded)
    for place in range(0, len(raw), max(1, len(raw) // count)):
        altered = bytearray(raw)
        altered[place] ^= 1
        yield base64.b64encode(altered).decode()


@pytest.mark.parametrize("version", [1, 2])
def test_untouched_it_verifies(verifier: Verifier, documents: dict[int, list[Document]], version: int) -> None:
    verify(verifier, documents[version][0])


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("path", BYTES, ids=lambda path: str(path[-1]))
def test_a_flipped_bit_anywhere_is_rejected(
    verifier: Verifier, documents: dict[int, list[Document]], version: int, path: Path
) -> None:
    document = documents[version][0]
    accepted = [flip for flip in flips(at(document, path)) if not rejected(verifier, changed(document, path, flip))]
    assert accepted == []


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("path", NUMBERS, ids=lambda path: str(path[-1]))
@pytest.mark.parametrize("step", [-1, 1])
def test_another_place_in_the_log_is_rejected(
    verifier: Verifier, documents: dict[int, list[Document]], version: int, path: Path, step: int
) -> None:
    document = documents[version][0]
    assert rejected(verifier, changed(document, path, str(int(at(document, path)) + step)))


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("line", range(3), ids=["origin", "size", "root"])
def test_a_changed_line_of_the_checkpoint_is_rejected(
    verifier: Verifier, documents: dict[int, list[Document]], version: int, line: int
) -> None:
    document = documents[version][0]
    lines = str(at(document, CHECKPOINT)).split("\n")
    lines[line] = "1" + lines[line]
    assert rejected(verifier, changed(document, CHECKPOINT, "\n".join(lines)))


@pytest.mark.parametrize("version", [1, 2])
def test_a_changed_signature_of_the_checkpoint_is_rejected(
    verifier: Verifier, documents: dict[int, list[Document]], version: int
) -> None:
    document = documents[version][0]
    rest, signature = str(at(document, CHECKPOINT)).rstrip("\n").rsplit(" ", 1)
    altered = (changed(document, CHECKPOINT, f"{rest} {flip}\n") for flip in flips(signature))
    assert all(rejected(verifier, document) for document in altered)


@pytest.mark.parametrize("part", ["digest", "time", "signature"])
def test_a_changed_timestamp_is_rejected(verifier: Verifier, documents: dict[int, list[Document]], part: str) -> None:
    path: Path = (*TIMESTAMPS, 0, "signedTimestamp")
    document = documents[2][0]
    response = bytearray(base64.b64decode(at(document, path)))
    info = decode_timestamp_response(bytes(response)).tst_info
    place = {
        "digest": response.index(info.message_imprint.message),
        "time": response.index(info.gen_time.strftime("%Y%m%d%H%M%SZ").encode()) + 13,
        "signature": len(response) - 1,
    }[part]
    response[place] ^= 1
    assert rejected(verifier, changed(document, path, base64.b64encode(response).decode()))


@pytest.mark.parametrize("seconds", [-1, 1, 3600])
def test_another_time_of_logging_is_rejected(
    verifier: Verifier, documents: dict[int, list[Document]], seconds: int
) -> None:
    path: Path = (*ENTRY, "integratedTime")
    document = documents[1][0]
    assert rejected(verifier, changed(document, path, str(int(at(document, path)) + seconds)))


def test_a_changed_entry_timestamp_is_rejected(verifier: Verifier, documents: dict[int, list[Document]]) -> None:
    path: Path = (*ENTRY, "inclusionPromise", "signedEntryTimestamp")
    document = documents[1][0]
    accepted = [flip for flip in flips(at(document, path)) if not rejected(verifier, changed(document, path, flip))]
    assert accepted == []


@pytest.mark.parametrize("path", [*PARTS, TIMESTAMPS], ids=lambda path: str(path[-1]))
def test_a_removed_part_is_rejected(verifier: Verifier, documents: dict[int, list[Document]], path: Path) -> None:
    document = copy.deepcopy(documents[2][0])
    del at(document, path[:-1])[path[-1]]
    assert rejected(verifier, document)
    assert rejected(verifier, changed(documents[2][0], path, []))


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("path", PARTS, ids=lambda path: str(path[-1]))
def test_a_part_of_another_bundle_is_rejected(
    verifier: Verifier, documents: dict[int, list[Document]], version: int, path: Path
) -> None:
    first, second = documents[version]
    assert rejected(verifier, changed(first, path, at(second, path)))


def test_the_timestamp_of_another_bundle_is_rejected(verifier: Verifier, documents: dict[int, list[Document]]) -> None:
    first, second = documents[2]
    assert rejected(verifier, changed(first, TIMESTAMPS, at(second, TIMESTAMPS)))


def test_the_entry_of_the_other_log_is_rejected(verifier: Verifier, documents: dict[int, list[Document]]) -> None:
    assert rejected(verifier, changed(documents[2][0], ENTRY, at(documents[1][0], ENTRY)))
