"""The fenced blocks of the documentation, and the commands in them."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))

PROMPT = "$ "
_SEPARATORS = frozenset({"&&", "||", "|", ";", "&"})
_REDIRECTIONS = frozenset({"<", ">", ">>", "2>", ">&"})


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: the file, relative to the repository.
        line: of the fence, counted from 1.
        info: what stands behind the fence: ``console``, or ``console run`` where the commands are run for real.
    """

    page: Path
    line: int
    info: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def runs(self) -> bool:
        """Whether the commands are run for real."""
        return self.info.split()[1:] == ["run"]

    @property
    def script(self) -> str:
        """What a shell is given: the lines behind the prompt."""
        return "\n".join(line.removeprefix(PROMPT) for line in self.text.splitlines() if line.startswith(PROMPT))


def blocks(language: str) -> Iterator[Block]:
    """Every fenced block of a language, in the order of the pages."""
    for path in PAGES:
        for token in MarkdownIt("commonmark").parse(path.read_text(encoding="utf-8")):
            if token.type == "fence" and token.info.split()[:1] == [language]:
                assert token.map is not None
                yield Block(path.relative_to(ROOT), token.map[0] + 1, token.info, token.content)


def commands(line: str) -> Iterator[list[str]]:
    """The programs of a shell line with their arguments, without assignments and redirections."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    skip = False
    for word in lexer:
        if word in _SEPARATORS:
            yield words
            words = []
        elif skip:
            skip = False
        elif word in _REDIRECTIONS:
            skip = True
        elif words or "=" not in word:
            words.append(word)
    yield words
