from __future__ import annotations

import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from baton.inspection import inspect_archive
from baton.model.plan import ArchiveLimits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Inspect = Callable[..., list[str] | None]


@pytest.fixture
def inspect(tmp_path: Path) -> Inspect:
    """The problems of a file with this name and content, as people read them; None if it is no archive."""

    def inspect(name: str, content: bytes, **limits: int) -> list[str] | None:
        path = tmp_path / name
        path.write_bytes(content)
        findings = inspect_archive(path, ArchiveLimits(**limits))
        return None if findings is None else [str(finding) for finding in findings]

    return inspect


@pytest.fixture(scope="session")
def make_tar() -> Callable[..., bytes]:
    """A tar file of members: a name with its content (None for a folder), or a whole TarInfo."""

    def make(*members: tuple[str, bytes | None] | tarfile.TarInfo, mode: str = "w") -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]  # any mode
            for member in members:
                if isinstance(member, tarfile.TarInfo):
                    archive.addfile(member)
                    continue
                name, content = member
                info = tarfile.TarInfo(name)
                info.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
                info.size = len(content or b"")
                archive.addfile(info, io.BytesIO(content or b""))
        return buffer.getvalue()

    return make


@pytest.fixture(scope="session")
def make_zip() -> Callable[..., bytes]:
    """A zip file of members: name, content, and the Unix mode if it matters."""

    def make(*members: tuple[str, bytes] | tuple[str, bytes, int]) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content, *mode in members:
                info = zipfile.ZipInfo("x")
                info.filename = name
                info.compress_type = zipfile.ZIP_DEFLATED
                info.create_system = 3
                info.external_attr = (mode[0] if mode else 0o100644) << 16
                archive.writestr(info, content)
        return buffer.getvalue()

    return make
