from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import tracemalloc
import unicodedata
import zipfile
from typing import TYPE_CHECKING

import pytest

from baton.inspection import inspect_archive
from baton.model.errors import Missing
from baton.model.plan import ArchiveLimits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Inspect = Callable[..., list[str] | None]
    Make = Callable[..., bytes]

ORDINARY: list[tuple[str, bytes | None]] = [
    ("hello-1.0.0/", None),
    ("hello-1.0.0/README", b"hello\n"),
    ("hello-1.0.0/src/", None),
    ("hello-1.0.0/src/hello.c", b"int main(void) { return 0; }\n" * 100),
]


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("hello.tar", bytes),
        ("hello.tar.gz", gzip.compress),
        ("hello.tgz", gzip.compress),
        ("hello.tar.xz", lzma.compress),
        ("hello.tar.bz2", bz2.compress),
        ("hello.crate", gzip.compress),
    ],
)
def test_an_ordinary_tar_file_is_fine(inspect: Inspect, make_tar: Make, name: str, pack: Callable[..., bytes]) -> None:
    content = make_tar(
        *ORDINARY,
        link("hello-1.0.0/doc", "README"),
        link("hello-1.0.0/src/README", "../README"),
        link("hello-1.0.0/COPYING", "hello-1.0.0/README", tarfile.LNKTYPE),
        ("hello-1.0.0/" + "long/" * 60 + "name", b""),
    )

    assert inspect(name, pack(content)) == []


@pytest.mark.parametrize("name", ["hello.zip", "hello-1.0.0-py3-none-any.whl", "hello.nupkg"])
def test_an_ordinary_zip_file_is_fine(inspect: Inspect, make_zip: Make, name: str) -> None:
    content = make_zip(
        ("hello/", b"", 0o40755), *ORDINARY[1:2], ("hello-1.0.0/doc", b"README", stat.S_IFLNK | 0o777), ("é.txt", b"")
    )

    assert inspect(name, content) == []


def test_a_compressed_file_that_is_no_archive_is_fine(inspect: Inspect) -> None:
    assert inspect("hello.1.gz", gzip.compress(b".TH HELLO 1\n")) == []


@pytest.mark.parametrize(
    "content", [b"MZ\x90\x00" + bytes(100), b"\xcf\xfa\xed\xfe" + bytes(100), b"", b"plain text\n"]
)
def test_what_is_no_archive_is_left_alone(inspect: Inspect, content: bytes) -> None:
    assert inspect("hello.exe", content) is None


@pytest.mark.parametrize("name", ["hello.zip", "hello.whl", "hello.tar", "hello.tar.gz", "hello.tar.xz", "hello.gz"])
@pytest.mark.parametrize("content", [b"MZ\x90\x00" + bytes(600), b""])
def test_a_name_must_not_promise_what_the_content_is_not(inspect: Inspect, name: str, content: bytes) -> None:
    (problem,) = inspect(name, content) or ["nothing"]

    assert problem.startswith(f"{name}: its name says it is")


def test_an_archive_by_another_name_is_still_inspected(inspect: Inspect, make_zip: Make) -> None:
    assert inspect("hello.msix", make_zip(("../evil", b""))) == [
        "hello.msix, member '../evil': has '..' in its path; expected one that stays inside the archive"
    ]
    (problem,) = inspect("hello.tar.gz", make_zip(("fine", b""))) or []
    assert problem == "hello.tar.gz: its name says it is compressed with gzip, but it is a zip file"


BAD_NAMES = [
    ("/etc/passwd", "absolute path"),
    ("C:/Windows/evil.dll", "absolute path"),
    ("c:evil.dll", "absolute path"),
    ("../evil", r"'..' in its path"),
    ("a/../../evil", r"'..' in its path"),
    ("a/..", r"'..' in its path"),
    ("..\\evil", "backslash"),
    ("\\\\server\\evil", "backslash"),
    ("a\nb", "control characters"),
]


@pytest.mark.parametrize(("name", "problem"), [*BAD_NAMES, ("", "no name")])
def test_a_tar_member_stays_inside(inspect: Inspect, make_tar: Make, name: str, problem: str) -> None:
    (found,) = inspect("hello.tar.gz", gzip.compress(make_tar((name, b"x")))) or []

    assert problem in found
    assert repr(name) in found or not name


@pytest.mark.parametrize(("name", "problem"), [*BAD_NAMES, ("a\0b", "control characters")])
def test_a_zip_member_stays_inside(inspect: Inspect, make_zip: Make, name: str, problem: str) -> None:
    (found,) = inspect("hello.zip", make_zip((name, b"x"))) or []

    assert problem in found
    assert repr(name) in found


BAD_LINKS = [
    ("a", "/etc/passwd", "absolute path"),
    ("a", "..", "leads out"),
    ("a/b", "../..", "leads out"),
    ("a/b", "c/../../../x", "leads out"),
    # With a/b/d a link to '..', this leads out although it does not look so.
    ("a/b/c", "d/../x", "leads out"),
    ("a", "C:/x", "absolute path"),
    ("a", "..\\..\\x", "expected the path of another member"),
]


@pytest.mark.parametrize(("name", "target", "problem"), BAD_LINKS)
def test_a_link_in_a_tar_file_stays_inside(
    inspect: Inspect, make_tar: Make, name: str, target: str, problem: str
) -> None:
    (found,) = inspect("hello.tar", make_tar(link(name, target))) or []

    assert problem in found


@pytest.mark.parametrize(("name", "target", "problem"), BAD_LINKS)
def test_a_link_in_a_zip_file_stays_inside(
    inspect: Inspect, make_zip: Make, name: str, target: str, problem: str
) -> None:
    (found,) = inspect("hello.zip", make_zip((name, target.encode(), stat.S_IFLNK | 0o777))) or []

    assert problem in found


@pytest.mark.parametrize("target", ["/etc/passwd", "../evil", ""])
def test_a_hard_link_stays_inside(inspect: Inspect, make_tar: Make, target: str) -> None:
    (found,) = inspect("hello.tar", make_tar(link("a", target, tarfile.LNKTYPE))) or []

    assert "links to" in found


def test_nothing_lies_behind_a_link(inspect: Inspect, make_tar: Make) -> None:
    (found,) = inspect("hello.tar", make_tar(("real/", None), link("way", "real"), ("Way/file", b""))) or []

    assert found.startswith("hello.tar, member 'Way/file': lies behind a link")


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"Z"])
def test_devices_and_pipes_are_found_in_tar_files(inspect: Inspect, make_tar: Make, kind: bytes) -> None:
    info = tarfile.TarInfo("dev/null")
    info.type = kind

    (found,) = inspect("hello.tar", make_tar(info)) or []

    assert "device, pipe" in found


@pytest.mark.parametrize("mode", [stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_devices_and_pipes_are_found_in_zip_files(inspect: Inspect, make_zip: Make, mode: int) -> None:
    (found,) = inspect("hello.zip", make_zip(("pipe", b"", mode | 0o644))) or []

    assert "device, pipe" in found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("README", "README"),
        ("README", "readme"),
        ("a/b", "./a//b"),
        ("STRASSE", "straße"),
        (unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")),
    ],
)
def test_no_two_members_have_names_that_some_system_holds_to_be_the_same(
    inspect: Inspect, make_tar: Make, make_zip: Make, one: str, other: str
) -> None:
    (in_tar,) = inspect("hello.tar", make_tar((one, b""), (other, b""))) or []
    (in_zip,) = inspect("hello.zip", make_zip((one, b""), (other, b""))) or []

    assert "has the name of another member" in in_tar
    assert "has the name of another member" in in_zip


def test_a_folder_may_be_listed_twice_but_not_as_a_file(inspect: Inspect, make_tar: Make) -> None:
    assert inspect("hello.tar", make_tar(("a/", None), ("a/", None))) == []
    assert "name of another member" in (inspect("hello.tar", make_tar(("a/", None), ("A", b""))) or [""])[0]


def test_an_encrypted_member_is_refused(inspect: Inspect, make_zip: Make) -> None:
    content = bytearray(make_zip(("secret", b"x")))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1

    assert inspect("hello.zip", bytes(content)) == ["hello.zip, member 'secret': is encrypted: nobody can check it"]


@pytest.mark.parametrize(("name", "pack"), [("a.tar.gz", gzip.compress), ("a.tar.xz", lzma.compress)])
def test_a_bomb_is_known_by_its_ratio(inspect: Inspect, make_tar: Make, name: str, pack: Callable[..., bytes]) -> None:
    bomb = pack(make_tar(("zeros", bytes(40_000_000))))

    (found,) = inspect(name, bomb) or []

    assert f"unpacks to more than 200 times its {len(bomb)} bytes" in found
    assert "'zeros'" in found


def test_a_bomb_in_a_zip_file_is_known_by_its_ratio(inspect: Inspect, make_zip: Make) -> None:
    (found,) = inspect("a.zip", make_zip(("zeros", bytes(40_000_000)))) or []

    assert "unpacks to more than 200 times" in found


def test_a_single_compressed_file_can_be_a_bomb(inspect: Inspect) -> None:
    (found,) = inspect("zeros.gz", gzip.compress(bytes(40_000_000))) or []

    assert "unpacks to more than 200 times" in found


def test_limits_of_size_and_entries_hold(inspect: Inspect, make_tar: Make, make_zip: Make) -> None:
    members = [(f"{n}", bytes(100)) for n in range(11)]
    for name, content in (("a.tar", make_tar(*members)), ("a.zip", make_zip(*members))):
        assert inspect(name, content, entries=11, unpacked_bytes=100_000) == []
        assert "more than the 10 entries" in (inspect(name, content, entries=10) or [""])[0]
        assert "more than the 1000 bytes" in (inspect(name, content, unpacked_bytes=1000) or [""])[0]


def test_a_size_in_a_zip_directory_is_not_believed(inspect: Inspect, make_zip: Make) -> None:
    content = bytearray(make_zip(("zeros", bytes(1000))))
    size_at = content.index(b"PK\x01\x02") + 24
    content[size_at : size_at + 4] = (10).to_bytes(4, "little")

    (found,) = inspect("a.zip", bytes(content)) or []

    assert found == "a.zip, member 'zeros': unpacks to 1000 bytes; its directory entry says 10"


def test_holes_count_too(inspect: Inspect, make_tar: Make) -> None:
    info = tarfile.TarInfo("holes")
    info.pax_headers = {"GNU.sparse.size": str(10**15), "GNU.sparse.map": "0,0", "GNU.sparse.numblocks": "1"}

    (found,) = inspect("a.tar", make_tar(info)) or []

    assert "unpacks to more than" in found


def huge_header(kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, 500_000_000
    return info


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_is_not_read_into_memory_at_any_length(inspect: Inspect, kind: bytes) -> None:
    content = gzip.compress(huge_header(kind).tobuf() + bytes(100_000))

    tracemalloc.start()
    (found,) = inspect("a.tar.gz", content) or []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert "a header is longer than" in found
    assert peak < 5_000_000


def test_headers_that_never_end_are_found(inspect: Inspect) -> None:
    nested = tarfile.TarInfo("x")
    nested.type, nested.size = tarfile.GNUTYPE_LONGNAME, 0

    (found,) = inspect("a.tar", nested.tobuf() * 10_000) or []

    assert "a header is longer than" in found


def test_global_headers_do_not_pile_up(inspect: Inspect) -> None:
    def with_global(n: int) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", pax_headers={f"k{n}": "v"}) as archive:
            archive.addfile(tarfile.TarInfo(f"{n}"))
        return buffer.getvalue()[: 3 * 512]

    (found,) = inspect("a.tar", b"".join(map(with_global, range(100))) + bytes(1024)) or []

    assert "keywords in its global headers" in found


def test_little_memory_is_needed_for_much_content(inspect: Inspect, make_tar: Make, make_zip: Make) -> None:
    much = bytes(60_000_000)
    archives = {
        "a.tar.gz": gzip.compress(make_tar(("much", much)), 1),
        "a.tar.xz": lzma.compress(make_tar(("much", much)), preset=0),
        "a.zip": make_zip(("much", much)),
    }
    for name, content in archives.items():
        tracemalloc.start()
        assert inspect(name, content, ratio=100_000) == []
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak - len(content) < 5_000_000, name


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("a.tar", bytes),
        ("a.tar.gz", gzip.compress),
        ("a.tar.xz", lzma.compress),
        ("a.tar.bz2", bz2.compress),
    ],
)
def test_a_tar_file_that_was_cut_off_is_found(
    inspect: Inspect, make_tar: Make, name: str, pack: Callable[..., bytes]
) -> None:
    whole = pack(make_tar(*ORDINARY))
    end = whole.rstrip(b"\0") if name == "a.tar" else whole
    for cut in range(0, len(end), 7):
        problems = inspect(name, whole[:cut])
        assert problems, cut
        assert any("cut off" in problem or "its name says" in problem for problem in problems), cut


def test_a_zip_file_that_was_cut_off_is_found(inspect: Inspect, make_zip: Make) -> None:
    whole = make_zip(*ORDINARY[1:2], ("b", b"more"))
    for cut in range(len(whole)):
        assert inspect("a.zip", whole[:cut]), cut


def test_a_tar_file_without_its_end_is_found(inspect: Inspect, make_tar: Make) -> None:
    whole = make_tar(("a", b"x" * 512), ("b", b"y" * 512))

    for blocks in (2, 4):
        (found,) = inspect("a.tar", whole[: blocks * 512]) or []
        assert "is cut off" in found


def test_what_hides_behind_the_end_is_found(inspect: Inspect, make_tar: Make) -> None:
    (found,) = inspect("a.tar", make_tar(("a", b"")) + make_tar(("../evil", b""))) or []

    assert "not the end of a tar file" in found


def test_what_hides_behind_a_damaged_header_is_found(inspect: Inspect, make_tar: Make) -> None:
    content = bytearray(make_tar(("a", b""), ("b", b"")))
    content[512 + 148] ^= 1

    assert "is cut off or damaged" in (inspect("a.tar", bytes(content)) or [""])[0]


def test_a_wrong_checksum_is_found(inspect: Inspect, make_tar: Make, make_zip: Make) -> None:
    packed = bytearray(gzip.compress(make_tar(*ORDINARY)))
    packed[-8] ^= 1
    assert "CRC" in (inspect("a.tar.gz", bytes(packed)) or [""])[0]

    zipped = bytearray(make_zip(("a", b"x")))
    zipped[zipped.index(b"PK\x01\x02") + 16] ^= 1
    zipped[14] ^= 1
    (found,) = inspect("a.zip", bytes(zipped)) or []
    assert found.startswith("a.zip, member 'a': is cut off or damaged: Bad CRC-32")


def test_another_name_in_the_local_header_is_found(inspect: Inspect, make_zip: Make) -> None:
    content = make_zip(("aaaa", b"x")).replace(b"aaaa", b"bbbb", 1)

    assert "is cut off or damaged" in (inspect("a.zip", content) or [""])[0]


def test_an_archive_that_holds_nothing_is_found(inspect: Inspect, make_tar: Make, make_zip: Make) -> None:
    assert inspect("a.tar.gz", gzip.compress(make_tar())) == ["a.tar.gz: holds nothing"]
    assert inspect("a.zip", make_zip()) == ["a.zip: holds nothing"]


def test_zstandard_can_not_be_inspected_and_so_not_be_released(inspect: Inspect) -> None:
    assert "can't look" in (inspect("a.tar.zst", b"\x28\xb5\x2f\xfd" + bytes(100)) or [""])[0]


def test_a_file_that_is_not_there_is_no_finding(tmp_path: Path) -> None:
    with pytest.raises(Missing):
        inspect_archive(tmp_path / "a.zip", ArchiveLimits())


def test_there_are_never_more_findings_than_anyone_reads(inspect: Inspect, make_zip: Make) -> None:
    problems = inspect("a.zip", make_zip(*[(f"../{n}", b"") for n in range(100)]))

    assert len(problems or []) == 20


def test_zip64_is_fine(inspect: Inspect) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, archive.open("big", "w", force_zip64=True) as member:
        member.write(b"not so big")

    assert inspect("a.zip", buffer.getvalue()) == []
