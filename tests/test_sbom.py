from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from hashlib import sha1, sha256
from typing import TYPE_CHECKING, Any

import pytest
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from baton import sbom
from baton.model.base import digest_of
from baton.model.errors import Invalid
from baton.model.manifest import Artifact
from baton.model.version import ReleaseId
from baton.model.work import Source
from baton.store import Store, open_store

if TYPE_CHECKING:
    from pathlib import Path

RELEASE = ReleaseId(project="hello", version="1.0.0")
SOURCE = Source(
    repository="/srv/git/hello", commit="c" * 40, tag="v1.0.0", bundle=digest_of(b"bundle"), epoch=1_700_000_000
)
FILES = {"hello-1.0.0/README": b"hello\n", "hello-1.0.0/hello.c": b"int main(void) { return 0; }\n"}


def tar(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]  # any mode
        folder = tarfile.TarInfo("hello-1.0.0")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("hello-1.0.0/doc")
        link.type, link.linkname = tarfile.SYMTYPE, "README"
        archive.addfile(link)
    return buffer.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.mkdir("hello-1.0.0")
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


class Describe:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def raw(self, name: str, content: bytes, source: Source = SOURCE) -> bytes:
        path = self.folder / name
        path.write_bytes(content)
        artifact = Artifact(name=name, digest=digest_of(content), size=len(content))
        return sbom.describe(artifact, path, release=RELEASE, source=source)

    def __call__(self, name: str, content: bytes) -> Any:
        return json.loads(self.raw(name, content))


@pytest.fixture
def describe(tmp_path: Path) -> Describe:
    return Describe(tmp_path)


def test_an_executable_is_one_package_with_its_digest(describe: Describe) -> None:
    document = describe("hello.exe", b"MZ")

    (package,) = document["packages"]
    assert document["spdxVersion"] == "SPDX-2.3"
    assert document["creationInfo"]["created"] == "2023-11-14T22:13:20Z"
    assert document["documentNamespace"].endswith(sha256(b"MZ").hexdigest())
    assert (package["name"], package["versionInfo"], package["packageFileName"]) == ("hello", "1.0.0", "hello.exe")
    assert package["checksums"] == [{"algorithm": "SHA256", "checksumValue": sha256(b"MZ").hexdigest()}]
    assert "c" * 40 in package["sourceInfo"]
    assert package["filesAnalyzed"] is False
    assert "files" not in document


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("hello.tar", tar(FILES, "w")),
        ("hello.tar.gz", tar(FILES)),
        ("hello.tar.xz", tar(FILES, "w:xz")),
        ("hello.tar.bz2", tar(FILES, "w:bz2")),
        ("hello.zip", zipped(FILES)),
        ("hello.whl", zipped(FILES)),
    ],
)
def test_an_archive_is_described_with_every_file_in_it(describe: Describe, name: str, content: bytes) -> None:
    document = describe(name, content)

    listed = {
        file["fileName"]: {checksum["algorithm"]: checksum["checksumValue"] for checksum in file["checksums"]}
        for file in document["files"]
    }
    assert listed == {
        f"./{path}": {"SHA1": sha1(data).hexdigest(), "SHA256": sha256(data).hexdigest()}  # noqa: S324  # SPDX asks
        for path, data in FILES.items()
    }
    assert document["packages"][0]["packageVerificationCode"]["packageVerificationCodeValue"]


def test_the_document_is_valid_for_others(describe: Describe, tmp_path: Path) -> None:
    (tmp_path / "out.spdx.json").write_bytes(describe.raw("hello.tar.gz", tar(FILES)))

    assert validate_full_spdx_document(parse_file(str(tmp_path / "out.spdx.json"))) == []


def test_the_same_content_gives_the_same_document(describe: Describe) -> None:
    assert describe.raw("a.zip", zipped(FILES)) == describe.raw("a.zip", zipped(FILES))
    other = SOURCE.model_copy(update={"repository": "ssh://git@example.org/hello"})
    assert describe.raw("a.exe", b"MZ") == describe.raw("a.exe", b"MZ", other)


def test_the_workers_own_paths_are_not_published(describe: Describe, tmp_path: Path) -> None:
    document = describe.raw("hello.tar.gz", tar(FILES))

    assert SOURCE.repository.encode() not in document
    assert str(tmp_path).encode() not in document


def test_a_huge_archive_is_described_without_its_files(describe: Describe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sbom, "LISTED", 1)

    document = describe("hello.tar.gz", tar(FILES))

    assert "files" not in document
    assert document["packages"][0]["filesAnalyzed"] is False


def test_a_compressed_file_is_no_archive(describe: Describe) -> None:
    assert "files" not in describe("hello.1.gz", gzip.compress(b".TH HELLO 1\n"))


def test_a_name_that_is_no_text_can_be_said(describe: Describe) -> None:
    document = describe("hello.tar", tar({"caf\udce9": b"", "b\n": b""}, "w"))

    assert [file["fileName"] for file in document["files"]] == ["./b\n", "./caf\\udce9"]


def test_a_damaged_archive_is_invalid(describe: Describe) -> None:
    for name, content in (("a.tar.gz", tar(FILES)[:60]), ("a.zip", zipped(FILES)[:-30])):
        with pytest.raises(Invalid, match=r"can't be read as the archive"):
            describe(name, content)


def put(store: Store, name: str, content: bytes) -> Artifact:
    return Artifact(name=name, digest=store.put_bytes(content), size=len(content))


def test_every_file_gets_a_document_unless_it_has_one(store: Store, tmp_path: Path) -> None:
    artifacts = [
        put(store, "hello.exe", b"MZ"),
        put(store, "hello.tar.gz", tar(FILES)),
        put(store, "windows.zip", zipped(FILES)),
        put(store, "windows.zip.spdx.json", b"{}"),
    ]

    made = sbom.describe_files(artifacts, release=RELEASE, source=SOURCE, store=store, scratch=tmp_path / "scratch")

    assert [document.name for document in made.artifacts] == ["hello.exe.spdx.json", "hello.tar.gz.spdx.json"]
    for document in made.artifacts:
        content = store.read(document.digest)
        assert len(content) == document.size
        assert json.loads(content)["name"] == document.name.removesuffix(".spdx.json")
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_name_too_long_for_a_document_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"too long a name"):
        sbom.describe_files(
            [put(store, "x" * 195, b"")], release=RELEASE, source=SOURCE, store=store, scratch=tmp_path / "scratch"
        )
