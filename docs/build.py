"""Make the manual from the Markdown pages: ``python docs/build.py VERSION FOLDER``.

Every page under `docs/` and the README become HTML, packed into ``FOLDER/baton-VERSION-manual.tar.xz``. The same
source gives the same bytes: entries are sorted and carry the time of ``SOURCE_DATE_EPOCH``. A link that leads nowhere
stops the build; links to other files of the repository lead to it, at the release's tag.
"""  # noqa: INP001  # scripts beside the documents that they make, no package

from __future__ import annotations

import copy
import html
import io
import itertools
import os
import re
import sys
import tarfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[1]
PICTURES = (".png", ".svg")

FRAME = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
pre {{ background: #f4f4f4; padding: .75rem; overflow: auto; }}
table {{ border-collapse: collapse; }} th, td {{ border: 1px solid #ccc; padding: .25rem .5rem; text-align: left; }}
img {{ max-width: 100%; }}
</style>
<nav><a href="{home}">Baton {version}</a></nav>
{body}
</html>
"""


class BrokenLink(Exception):
    """A page links to what isn't there."""


@dataclass(frozen=True)
class Page:
    """A Markdown page of the repository.

    Attributes:
        path: relative to the repository.
        tokens: its parsed text.
        anchors: what links with a `#` can name in it.
    """

    path: Path
    tokens: list[Token]
    anchors: frozenset[str]

    @property
    def title(self) -> str:
        """The text of its first heading."""
        return next((self.tokens[at + 1].content for at, token in enumerate(self.tokens) if token.tag == "h1"), "Baton")

    @property
    def made(self) -> Path:
        """Where the page goes in the manual."""
        return Path("index.html") if self.path == Path("README.md") else self.path.with_suffix(".html")


class Manual:
    """All pages, linked to each other."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
        paths = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
        self._pages = {page.path: page for page in (self._read(path) for path in paths)}
        self._source = f"{_repository()}/blob/{_tag(version)}"

    def files(self) -> dict[str, bytes]:
        """Every file of the manual by its path.

        Raises:
            BrokenLink: some page links to what isn't there.
        """
        pictures = (path for path in (ROOT / "docs").rglob("*") if path.suffix in PICTURES)
        files = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in pictures}
        for page in self._pages.values():
            files[page.made.as_posix()] = self._render(page).encode()
        return dict(sorted(files.items()))

    def _read(self, path: Path) -> Page:
        tokens = self._markdown.parse(path.read_text(encoding="utf-8"))
        anchors = []
        for at, token in enumerate(tokens):
            if token.type == "heading_open":
                anchor = _anchor(tokens[at + 1].content)
                token.attrSet("id", anchor)
                anchors.append(anchor)
        return Page(path.relative_to(ROOT), tokens, frozenset(anchors))

    def _render(self, page: Page) -> str:
        tokens = copy.deepcopy(page.tokens)
        inline = (part for block in tokens for part in block.children or [])
        for token, attribute in itertools.product(inline, ("href", "src")):
            if (link := token.attrGet(attribute)) is not None:
                token.attrSet(attribute, self._link(page, str(link)))
        body = self._markdown.renderer.render(tokens, self._markdown.options, {})
        home = "../" * (len(page.made.parts) - 1) + "index.html"
        return FRAME.format(title=html.escape(page.title), home=home, version=self._version, body=body)

    def _link(self, page: Page, link: str) -> str:
        parts = urlsplit(link)
        if parts.scheme:
            return link
        meant = page.path if not parts.path else _normal(page.path.parent / unquote(parts.path))
        target = self._pages.get(meant)
        if target is None:
            if ".." in meant.parts or not (ROOT / meant).exists():
                raise BrokenLink(f"{page.path} links to {link}, but the repository has no {meant}")
            carried = meant.suffix in PICTURES and meant.parts[0] == "docs"
            return link if carried else f"{self._source}/{meant.as_posix()}"
        if parts.fragment and parts.fragment not in target.anchors:
            raise BrokenLink(f"{page.path} links to {link}, but {meant} has no heading #{parts.fragment}")
        relative = os.path.relpath(target.made, page.made.parent)
        return Path(relative).as_posix() + (f"#{parts.fragment}" if parts.fragment else "")


def _normal(path: Path) -> Path:
    return Path(os.path.normpath(path))


def _anchor(heading: str) -> str:
    """The name that GitHub gives a heading: lower case, hyphens for spaces, no other punctuation."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _repository() -> str:
    return str(_settings()["repository"]).removesuffix(".git")


def _tag(version: str) -> str:
    return str(_settings()["tag"]).replace("{version}", version)


def _settings() -> dict[str, object]:
    project: dict[str, object] = tomllib.loads((ROOT / "release.toml").read_text(encoding="utf-8"))["project"]
    return project


def pack(files: dict[str, bytes], folder: str, archive: Path) -> None:
    """Write the files into a tar archive, all of one owner, mode and time."""
    moment = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    with tarfile.open(archive, "w:xz", format=tarfile.PAX_FORMAT) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mtime, entry.mode = len(content), moment, 0o644
            tar.addfile(entry, io.BytesIO(content))


def main(version: str, output: str) -> None:
    """Make the manual of a version in a folder."""
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    name = f"baton-{version}-manual"
    pack(Manual(version).files(), name, folder / f"{name}.tar.xz")


if __name__ == "__main__":
    main(*sys.argv[1:])
