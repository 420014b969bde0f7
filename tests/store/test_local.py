"""What only a store in a folder can show: damage on disk, dead writers, several processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from baton.model.base import digest_of
from baton.model.errors import Conflict, Failed, Invalid, Missing
from baton.store import LocalStore, open_store

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"release" * 1000
DIGEST = digest_of(CONTENT)

PUT_AND_STOP_HALFWAY = """
import signal, sys
from pathlib import Path
from baton.store import open_store

def tell(done):
    if done > 2_000_000:
        print("halfway", flush=True)
        signal.pause()

open_store(sys.argv[1]).put_file(Path(sys.argv[2]), progress=tell)
"""

REMEMBER = """
import sys
from baton.model.errors import Conflict
from baton.store import open_store

store = open_store(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for round in range(50):
    try:
        store.remember(f"race/{round}", sys.argv[2])
        print(round)
    except Conflict:
        pass
"""


@pytest.fixture
def folder(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def kept(store: LocalStore, digest: str) -> Path:
    return store.root / "content" / digest[7:9] / digest[7:]


def spoil(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


@pytest.mark.parametrize("damaged", [CONTENT[:-1], b"X" + CONTENT[1:], b""], ids=["truncated", "bit rot", "emptied"])
def test_damaged_content_is_named_never_served_and_healed(folder: LocalStore, tmp_path: Path, damaged: bytes) -> None:
    folder.put_bytes(CONTENT)
    spoil(kept(folder, DIGEST), damaged)

    both = f"{DIGEST}.*damaged.*{digest_of(damaged)}"
    with pytest.raises(Conflict, match=both):
        folder.read(DIGEST)
    with pytest.raises(Conflict, match=both):
        folder.fetch(DIGEST, tmp_path / "fetched")
    assert {path.name for path in tmp_path.iterdir()} == {"store"}

    (tmp_path / "right").write_bytes(CONTENT)
    folder.put_file(tmp_path / "right")
    assert folder.read(DIGEST) == CONTENT


def test_a_damaged_name_is_named_and_can_be_forgotten(folder: LocalStore) -> None:
    folder.remember("run/1", DIGEST)
    (record,) = (path for path in (folder.root / "names").rglob("*") if path.is_file())
    spoil(record, record.read_bytes()[:40])
    with pytest.raises(Conflict, match="record of the name run/1 is damaged"):
        folder.recall("run/1")
    with pytest.raises(Conflict, match="damaged"):
        folder.remember("run/1", DIGEST)
    folder.forget("run/1")
    folder.remember("run/1", DIGEST)


def test_the_record_of_another_name_is_not_believed(folder: LocalStore) -> None:
    folder.remember("run/1", DIGEST)
    (record,) = (path for path in (folder.root / "names").rglob("*") if path.is_file())
    text = record.read_text()
    folder.remember("run/2", digest_of(b"2"))
    (other,) = (path for path in (folder.root / "names").rglob("*") if path.is_file() and path != record)
    spoil(other, text.encode())
    with pytest.raises(Conflict, match="record of the name run/2 is damaged"):
        folder.recall("run/2")


def test_content_is_kept_read_only_for_its_owner_alone_and_nothing_else_is_left(
    folder: LocalStore, tmp_path: Path
) -> None:
    folder.put_bytes(CONTENT)
    folder.remember("run/1", DIGEST)
    folder.fetch(DIGEST, tmp_path / "fetched")
    files = [path for path in folder.root.rglob("*") if path.is_file()]
    assert len(files) == 2
    assert {path.stat().st_mode & 0o777 for path in files} == {0o400}
    assert folder.root.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "fetched").stat().st_ino != kept(folder, DIGEST).stat().st_ino
    assert {path.name for path in tmp_path.iterdir()} == {"store", "fetched"}


def test_who_opens_the_store_to_a_group_opens_what_is_written_from_then_on(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o750)
    shared = LocalStore(tmp_path / "shared")
    shared.put_bytes(CONTENT)
    assert kept(shared, DIGEST).stat().st_mode & 0o777 == 0o440


def test_a_writer_killed_halfway_leaves_nothing_half_there(folder: LocalStore, tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(os.urandom(4_000_000))
    command = [sys.executable, "-c", PUT_AND_STOP_HALFWAY, str(folder.root), str(big)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "halfway\n"
        writer.send_signal(signal.SIGKILL)

    assert not list((folder.root / "content").iterdir())
    (part,) = (folder.root / "incoming").iterdir()
    assert part.stat().st_size > 0

    artifact = LocalStore(folder.root).put_file(big)
    assert folder.read(artifact.digest) == big.read_bytes()
    assert part.exists(), "a writer that may still be at work keeps its file"

    day_before_yesterday = time.time() - 2 * 24 * 3600
    os.utime(part, (day_before_yesterday, day_before_yesterday))
    LocalStore(folder.root)
    assert not part.exists()


def test_of_several_processes_that_remember_at_once_one_wins(folder: LocalStore) -> None:
    digests = [digest_of(str(number).encode()) for number in range(3)]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", REMEMBER, str(folder.root), digest],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for digest in digests
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    won = {digest: writer.communicate()[0].split() for digest, writer in zip(digests, writers, strict=True)}

    assert sorted(number for numbers in won.values() for number in numbers) == sorted(map(str, range(50)))
    for digest, numbers in won.items():
        assert all(folder.recall(f"race/{number}") == digest for number in numbers)


def test_the_address_of_a_folder_is_a_path_or_a_file_url(tmp_path: Path) -> None:
    digest = open_store(str(tmp_path / "my store")).put_bytes(CONTENT)
    assert open_store((tmp_path / "my store").as_uri()).read(digest) == CONTENT


@pytest.mark.parametrize("uri", ["", "https://example.org/store", "file://elsewhere/store", "file:///store?x"])
def test_other_addresses_are_refused(uri: str) -> None:
    with pytest.raises(Invalid, match=r"expected a folder path, file:///folder or s3://bucket/prefix"):
        open_store(uri)


def test_a_store_that_cannot_be_a_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Failed, match="could not open the store"):
        open_store(str(tmp_path / "file"))


def test_fetching_into_no_folder_says_so(folder: LocalStore, tmp_path: Path) -> None:
    folder.put_bytes(CONTENT)
    with pytest.raises(Missing, match="nowhere is not there: make the folder"):
        folder.fetch(DIGEST, tmp_path / "nowhere" / "file")
