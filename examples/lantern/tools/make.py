"""Make one of the files that a release ships: `python tools/make.py source|docs|windows|macos`.

Nothing but Python is needed, and the same commit makes the same bytes everywhere.
"""

import gzip
import io
import os
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
VERSION = (ROOT / "VERSION").read_text(encoding="ascii").strip()
EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "1760000000"))
SOURCES = ("VERSION", "lantern.py", "tools/make.py")


def source() -> None:
    """The source archive."""
    folder, packed = f"lantern-{VERSION}", io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in SOURCES:
            content = (ROOT / name).read_bytes()
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mtime = len(content), EPOCH
            archive.addfile(entry, io.BytesIO(content))
    (DIST / f"{folder}.tar.gz").write_bytes(gzip.compress(packed.getvalue(), mtime=EPOCH))


def docs() -> None:
    """The documentation, as one page in an archive."""
    page = f"<!doctype html><title>Lantern {VERSION}</title><p>Say who you are, and it lights up.</p>\n"
    _zip(f"lantern-{VERSION}-docs.zip", {"index.html": page})


def windows() -> None:
    """What Windows users download."""
    _zip(f"lantern-{VERSION}-windows.zip", {"lantern.py": _program(), "lantern.bat": "@python lantern.py %*\r\n"})


def macos() -> None:
    """What macOS users download."""
    _zip(f"lantern-{VERSION}-macos.zip", {"lantern.py": _program(), "lantern.command": "python3 lantern.py\n"})


def _program() -> str:
    return (ROOT / "lantern.py").read_text(encoding="utf-8")


def _zip(name: str, files: dict[str, str]) -> None:
    with zipfile.ZipFile(DIST / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for inside, text in files.items():
            archive.writestr(zipfile.ZipInfo(inside, (2026, 1, 1, 0, 0, 0)), text)


if __name__ == "__main__":
    DIST.mkdir(exist_ok=True)
    {"source": source, "docs": docs, "windows": windows, "macos": macos}[sys.argv[1]]()
