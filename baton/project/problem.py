"""What is wrong with a `release.toml`, or with a release that someone wants to plan from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from baton.model.errors import Invalid, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

Place: TypeAlias = tuple[str | int, ...]
"""Where something stands in a TOML document: keys, and positions in arrays counted from zero."""


@dataclass(frozen=True)
class Fault:
    """A fact about one place of the document that makes it unfit."""

    place: Place
    fact: str


@dataclass(frozen=True)
class Problem:
    """A fault as people read it: ``release.toml:14: steps[1].quue: unknown key; did you mean "queue"?``.

    Attributes:
        file: the file as the caller named it.
        line: counted from one; None where the document as a whole is meant.
        key: the place in TOML's own spelling; empty where no key is meant.
        fact: what was found, and what is accepted.
    """

    file: str
    line: int | None
    key: str
    fact: str

    def __str__(self) -> str:
        line = "" if self.line is None else f":{self.line}"
        key = f" {self.key}:" if self.key else ""
        return f"{self.file}{line}:{key} {self.fact}"


class InvalidProject(Invalid):
    """A `release.toml` that can't be used; its text has one problem a line.

    Attributes:
        problems: everything that is wrong, in the order of the file.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line is None, problem.line or 0)))
        super().__init__("\n".join(map(str, self.problems)))


class CannotPlan(Refused):
    """A release that can't be planned from this project; its text has one reason a line.

    Attributes:
        reasons: everything that stands against it.
    """

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("\n".join(self.reasons))
