"""What an inspection found, as facts; the verdict follows from them."""

from __future__ import annotations

from dataclasses import dataclass

from baton.model.errors import Invalid

_SHOWN = 10


@dataclass(frozen=True)
class Finding:
    """Something about one file that keeps it from being released.

    Attributes:
        file: the file's name.
        problem: what was found, and what was expected.
        member: the name of what is meant inside the archive, or nothing for the file itself.
    """

    file: str
    problem: str
    member: str = ""

    def __str__(self) -> str:
        # Names in archives are whatever someone wrote there: shown escaped, and not at any length.
        inside = f", member {self.member[:200]!r}" if self.member else ""
        return f"{self.file}{inside}: {self.problem}"


@dataclass(frozen=True)
class Inspection:
    """The facts about a set of files.

    Attributes:
        files: how many files there are.
        archives: how many of them are archives.
        findings: everything that is wrong.
    """

    files: int
    archives: int
    findings: tuple[Finding, ...]

    def __bool__(self) -> bool:
        return not self.findings

    def __str__(self) -> str:
        if not self.findings:
            return f"{self.files} files as expected, {self.archives} of them archives that are safe to open"
        more = len(self.findings) - _SHOWN
        shown = [str(finding) for finding in self.findings[:_SHOWN]] + ([f"and {more} more"] if more > 0 else [])
        return "; ".join(shown)

    def require(self) -> None:
        """Refuse the files if anything is wrong with them.

        Raises:
            Invalid: so it is; the message names files, members and problems.
        """
        if self.findings:
            raise Invalid(str(self))
