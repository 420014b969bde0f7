"""Whatever the bytes, an inspection ends with a result or one of Baton's errors."""

from __future__ import annotations

import bz2
import gzip
import lzma
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baton.inspection import inspect_archive
from baton.model.plan import ArchiveLimits

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

NAMES = st.sampled_from(["a.tar", "a.tar.gz", "a.tar.xz", "a.tar.bz2", "a.zip", "a.whl", "a.exe", "a.gz"])
BEGINNINGS = st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08\x00", b"\xfd7zXZ\x00", b"BZh9"])
LIMITS = ArchiveLimits(entries=1000, unpacked_bytes=10_000_000)
often = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@often
@given(name=NAMES, beginning=BEGINNINGS, rest=st.binary(max_size=2000))
def test_random_bytes(tmp_path_factory: pytest.TempPathFactory, name: str, beginning: bytes, rest: bytes) -> None:
    path = tmp_path_factory.mktemp("file") / name
    path.write_bytes(beginning + rest)

    inspect_archive(path, LIMITS)


@often
@given(data=st.data())
def test_mutated_archives(
    tmp_path_factory: pytest.TempPathFactory,
    make_tar: Callable[..., bytes],
    make_zip: Callable[..., bytes],
    data: st.DataObject,
) -> None:
    tar = make_tar(("a/", None), ("a/b", b"content" * 50), ("a/" + "c" * 150, b""))
    name, content = data.draw(
        st.sampled_from(
            [
                ("a.tar", tar),
                ("a.tar.gz", gzip.compress(tar)),
                ("a.tar.xz", lzma.compress(tar)),
                ("a.tar.bz2", bz2.compress(tar)),
                ("a.zip", make_zip(("a/b", b"content" * 50), ("c", b""))),
            ]
        )
    )
    mutated = bytearray(content)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(mutated) - 1))
        mutated[at : at + 4] = data.draw(st.binary(min_size=0, max_size=8))
    path = tmp_path_factory.mktemp("file") / name
    path.write_bytes(bytes(mutated))

    inspect_archive(path, LIMITS)


@often
@given(
    header=st.binary(min_size=512, max_size=512),
    kind=st.sampled_from(b"0123456xgLKSDVMN"),
    size=st.binary(min_size=12, max_size=12),
)
def test_tar_headers_with_a_right_checksum(
    tmp_path_factory: pytest.TempPathFactory, header: bytes, kind: int, size: bytes
) -> None:
    block = bytearray(header)
    block[124:136] = size
    block[156] = kind
    block[257:263] = b"ustar\0"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    path = tmp_path_factory.mktemp("file") / "a.tar"
    path.write_bytes(bytes(block) * 2 + bytes(2048))

    inspect_archive(path, LIMITS)
