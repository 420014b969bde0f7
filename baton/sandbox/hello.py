"""``examples/hello`` as a git repository, the same commit on every machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from baton.git import git
from baton.model.errors import Missing

if TYPE_CHECKING:
    from baton.model.base import Commit

_WHEN = "Hello's maintainers <hello@example.invalid> 1760000000 +0000"
"""Who made the one commit, and when: 2025-10-09, in the form of git-fast-import(1)."""

_MADE_BY_BUILDS = {"__pycache__", "build", "dist"}

_HIDDEN = {".gitignore"}
"""The hidden files that belong to the project; others are somebody's tools'."""


def make_repository(examples: Path | None, destination: Path) -> Commit:
    """Make a bare repository whose branch ``main`` holds the example, or bring the one that is there up to date.

    The commit's id depends on the example's files alone. Tags that were pushed to the repository stay.

    Args:
        examples: the folder that has ``hello`` in it; None finds the one of this checkout or installation.
        destination: the repository's folder.

    Returns:
        The whole id of the commit.

    Raises:
        Missing: there is no example, or no git.
        Failed: git could not write the repository.
    """
    project = find_example("hello", examples)
    destination.mkdir(parents=True, exist_ok=True)
    git("init", "--quiet", "--bare", "--initial-branch=main", "--object-format=sha1", "--template=", folder=destination)
    git("fast-import", "--quiet", "--force", folder=destination, stdin=_history(project))
    return git("rev-parse", "--verify", "refs/heads/main", folder=destination)


def find_example(name: str, examples: Path | None = None) -> Path:
    """The folder of an example project.

    Args:
        name: the project's.
        examples: the folder that has it in it; None finds the one of this checkout or installation.

    Raises:
        Missing: it is not there.
    """
    checkout = Path(__file__).parents[2] / "examples"
    installed = Path(__file__).parent / "examples"
    places = [examples] if examples else [checkout, installed]
    for place in places:
        if (place / name / "release.toml").is_file():
            return place / name
    raise Missing(f"the example project {name} is in none of: {', '.join(map(str, places))}")


def _history(project: Path) -> bytes:
    """A stream for git-fast-import(1) with one commit of the project's files."""
    message = b"Say hello\n"
    stream = b"commit refs/heads/main\ncommitter %s\ndata %d\n%s" % (_WHEN.encode(), len(message), message)
    for path in files_of(project):
        content = path.read_bytes()
        name = path.relative_to(project).as_posix().encode()
        stream += b"M 100644 inline %s\ndata %d\n%s\n" % (name, len(content), content)
    return stream


def files_of(project: Path) -> list[Path]:
    """The files that belong to an example project, and nothing that builds or tools put beside them."""
    return sorted(
        path for path in project.rglob("*") if path.is_file() and all(map(_belongs, path.relative_to(project).parts))
    )


def _belongs(part: str) -> bool:
    return part not in _MADE_BY_BUILDS and (not part.startswith(".") or part in _HIDDEN)
