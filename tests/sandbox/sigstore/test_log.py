"""What a log on disk survives, and what it refuses."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from baton.model.errors import Invalid
from baton.sandbox.sigstore.log import TransparencyLog
from baton.sandbox.sigstore.merkle import MerkleTree, leaf_hash

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "logs" / "rekor.log"
    with TransparencyLog(file) as log:
        for number in range(3):
            log.append(b"entry %d" % number)
    return file


def test_it_goes_on_where_it_ended(file: Path) -> None:
    with TransparencyLog(file) as log:
        before = log.head()
        assert before.size == 3
        assert log.append(b"entry 3").index == 3
    with TransparencyLog(file) as log:
        assert log.head().size == 4
        assert log.head().root != before.root


def test_a_torn_last_line_is_cut_off_and_never_served(file: Path) -> None:
    whole = file.read_bytes()
    with TransparencyLog(file) as log:
        log.append(b"entry 3")
    last_line = file.read_bytes()[len(whole) :]
    for length in range(1, len(last_line)):
        file.write_bytes(whole + last_line[:length])
        with TransparencyLog(file) as log:
            assert log.head().size == 3
            assert file.read_bytes() == whole
    with TransparencyLog(file) as log:
        assert log.append(b"another entry").index == 3
    with TransparencyLog(file) as log:
        assert log.head().size == 4


@pytest.mark.parametrize("line", [0, 1, 2])
def test_any_other_damage_is_refused_and_left_as_it_is(file: Path, line: int) -> None:
    lines = file.read_bytes().splitlines(keepends=True)
    lines[line] = lines[line].replace(b" ", b" QUFB", 1)
    damaged = b"".join(lines)
    file.write_bytes(damaged)
    with pytest.raises(Invalid, match=f"line {line + 1}: not an entry"):
        TransparencyLog(file)
    assert file.read_bytes() == damaged


@pytest.mark.parametrize("damage", [b"\n", b"no hash\n", b"00 !!\n"])
def test_what_never_was_an_entry_is_refused(file: Path, damage: bytes) -> None:
    file.write_bytes(damage + file.read_bytes())
    with pytest.raises(Invalid, match="line 1: not an entry"):
        TransparencyLog(file)


@pytest.mark.parametrize("fault", ["fsync", "pwrite"])
def test_an_entry_that_could_not_be_written_is_not_in_the_log(
    file: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    def full_disk(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    whole_pwrite = os.pwrite

    def half(descriptor: int, line: bytes, offset: int) -> int:
        return whole_pwrite(descriptor, line[: len(line) // 2], offset)

    whole = file.read_bytes()
    with TransparencyLog(file) as log:
        before = log.head()
        with monkeypatch.context() as broken:
            broken.setattr(os, fault, {"fsync": full_disk, "pwrite": half}[fault])
            with pytest.raises(OSError, match="No space left"):
                log.append(b"lost")
        assert log.head() == before
        assert file.read_bytes() == whole
        assert log.append(b"kept").index == 3


def test_a_closed_log_takes_nothing(file: Path) -> None:
    with TransparencyLog(file) as log:
        pass
    with pytest.raises(OSError, match="Bad file descriptor"):
        log.append(b"too late")


def test_entries_added_at_once_get_different_places_in_one_history(tmp_path: Path) -> None:
    entries = [b"entry %d" % number for number in range(200)]
    with TransparencyLog(tmp_path / "log") as log, ThreadPoolExecutor(8) as pool:
        proofs = list(pool.map(log.append, entries))
    assert sorted(proof.index for proof in proofs) == list(range(200))

    history = MerkleTree()
    for entry, proof in sorted(zip(entries, proofs, strict=True), key=lambda pair: pair[1].index):
        assert history.append(leaf_hash(entry)) == proof.index
        assert (history.size, history.root()) == (proof.head.size, proof.head.root)
    with TransparencyLog(tmp_path / "log") as log:
        assert log.head().root == history.root()
