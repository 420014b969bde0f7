"""Content larger than memory goes through every store."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.store.conftest import S3Server

MIB = 1024**2
SIZE = 256 * MIB

PUT_AND_FETCH = """
import sys
from pathlib import Path
import psutil
from baton.store import open_store

store, big, again = open_store(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
me, highest = psutil.Process(), 0

def measure(_):
    global highest
    highest = max(highest, me.memory_info().rss)

store.read(store.put_bytes(b"everything is loaded now"))
measure(0)
before = highest
artifact = store.put_file(big, progress=measure)
store.fetch(artifact.digest, again, progress=measure)
assert artifact.size == again.stat().st_size
print(highest - before)
"""


def growth(uri: str, folder: Path) -> int:
    """How many bytes a process grows by while it puts and fetches a file of 256 MiB."""
    with (folder / "big").open("wb") as big:
        big.truncate(SIZE)
    command = [sys.executable, "-c", PUT_AND_FETCH, uri, str(folder / "big"), str(folder / "again")]
    grown = int(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    (folder / "again").unlink()
    return grown


def test_a_folder_takes_a_large_file_in_constant_memory(tmp_path: Path) -> None:
    assert growth(str(tmp_path / "store"), tmp_path) < 16 * MIB


def test_a_bucket_takes_a_large_file_in_the_memory_of_a_few_parts(s3: S3Server, tmp_path: Path) -> None:
    assert growth(f"s3://{s3.make_bucket()}", tmp_path) < 128 * MIB
