"""``examples/lantern`` as a git repository with a branch for each of its six streams, the same on every machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.git import git
from baton.sandbox.hello import files_of, find_example

if TYPE_CHECKING:
    from pathlib import Path

    from baton.model.base import Commit

PROJECT = "lantern"

STREAMS = ("1", "2", "3", "4", "5", "6")
"""Every stream; the first three get security fixes only."""

_WHEN = "Lantern's maintainers <lantern@example.invalid> 1760000000 +0000"
"""Who made each commit, and when: 2025-10-09, in the form of git-fast-import(1)."""


def version_of(stream: str) -> str:
    """The version that has the fix in a stream."""
    return f"{stream}.0.1"


def make_lantern(destination: Path) -> dict[str, Commit]:
    """Make a bare repository with a branch for each stream, whose one commit has the fix.

    Args:
        destination: the repository's folder; harmless if it is there.

    Returns:
        The version of each stream with the whole id of its commit, in the order of the streams.

    Raises:
        Missing: there is no example, or no git.
        Failed: git could not write the repository.
    """
    project = find_example(PROJECT)
    destination.mkdir(parents=True, exist_ok=True)
    git("init", "--quiet", "--bare", "--initial-branch=6", "--object-format=sha1", "--template=", folder=destination)
    history = b"".join(_branch(project, stream) for stream in STREAMS)
    git("fast-import", "--quiet", "--force", folder=destination, stdin=history)
    return {
        version_of(each): git("rev-parse", "--verify", f"refs/heads/{each}", folder=destination) for each in STREAMS
    }


def _branch(project: Path, stream: str) -> bytes:
    """A stream for git-fast-import(1) with one commit of the project's files, in the version of a stream."""
    message = b"Show one line, whatever the name is\n"
    told = b"commit refs/heads/%s\ncommitter %s\ndata %d\n%s" % (stream.encode(), _WHEN.encode(), len(message), message)
    for path in files_of(project):
        name = path.relative_to(project).as_posix()
        content = f"{version_of(stream)}\n".encode() if name == "VERSION" else path.read_bytes()
        told += b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(content), content)
    return told
