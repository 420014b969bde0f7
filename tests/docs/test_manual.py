"""The script that makes the manual, run as a release runs it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def build(root: Path, output: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "docs/build.py", "1.2.3", str(output)],
        cwd=root,
        env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "baton"
    (root / "docs" / "adr").mkdir(parents=True)
    shutil.copy(ROOT / "docs" / "build.py", root / "docs")
    shutil.copy(ROOT / "release.toml", root)
    (root / "README.md").write_text(
        "# Spam\n\n![Shot](docs/shot.png) [Verify](docs/verify.md#by-hand), [licence](LICENSE)\n", encoding="utf-8"
    )
    (root / "LICENSE").write_text("x", encoding="utf-8")
    (root / "docs" / "shot.png").write_bytes(b"PNG")
    (root / "docs" / "verify.md").write_text("# Verify\n\n## By hand\n\n[why](adr/0001.md)\n", encoding="utf-8")
    (root / "docs" / "adr" / "0001.md").write_text("# Why\n\n[back](../../README.md)\n", encoding="utf-8")
    return root


def manual(root: Path, output: Path) -> dict[str, str]:
    done = build(root, output)
    assert done.returncode == 0, done.stderr
    with tarfile.open(output / "baton-1.2.3-manual.tar.xz") as tar:
        return {
            # Pictures are no text, and nothing here looks into them.
            member.name.removeprefix("baton-1.2.3-manual/"): tar.extractfile(member).read().decode(errors="replace")  # type: ignore[union-attr]  # every member is a file
            for member in tar
        }


def test_this_repository_has_a_manual_without_broken_links(tmp_path: Path) -> None:
    pages = manual(ROOT, tmp_path)

    assert {"index.html", "docs/release-toml.html"} <= set(pages)
    assert "<h1" in pages["docs/release-toml.html"]


def test_links_lead_to_pages_pictures_and_the_tagged_source(repository: Path, tmp_path: Path) -> None:
    pages = manual(repository, tmp_path)

    assert set(pages) == {"index.html", "docs/verify.html", "docs/adr/0001.html", "docs/shot.png"}
    body = pages["index.html"].partition("</nav>")[2]
    assert re.findall(r'(?:href|src)="([^"]+)"', body) == [
        "docs/shot.png",
        "docs/verify.html#by-hand",
        "https://github.com/baton-release/baton/blob/baton-1.2.3/LICENSE",
    ]
    assert 'href="../../index.html">back' in pages["docs/adr/0001.html"]
    assert 'id="by-hand"' in pages["docs/verify.html"]


@pytest.mark.parametrize("link", ["nonesuch.md", "docs/verify.md#nonesuch", "../outside.txt"])
def test_a_link_that_leads_nowhere_stops_the_build(repository: Path, tmp_path: Path, link: str) -> None:
    (tmp_path / "outside.txt").write_text("not of this repository", encoding="utf-8")
    (repository / "README.md").write_text(f"# Spam\n\n[there]({link})\n", encoding="utf-8")

    done = build(repository, tmp_path / "made")

    assert done.returncode != 0
    assert f"README.md links to {link}" in done.stderr


def test_the_same_source_gives_the_same_bytes(repository: Path, tmp_path: Path) -> None:
    manual(repository, tmp_path / "one")
    os.utime(repository / "docs" / "verify.md", (0, 0))
    manual(repository, tmp_path / "two")

    one, two = (tmp_path / folder / "baton-1.2.3-manual.tar.xz" for folder in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
