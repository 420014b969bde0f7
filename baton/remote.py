"""A remote git repository: its address, what it has, and what its refusals mean."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from baton.builders.process import run
from baton.git import remote_environment
from baton.model.errors import BatonError, Failed, Missing, Refused, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from baton.builders.workspace import Bench
    from baton.model.base import Commit

_ADDRESS = re.compile(r"(https?|ssh|git|file)://[^\s-]\S*|[A-Za-z0-9_.]+@[A-Za-z0-9.]\S*:\S+")
"""A URL, or the short form of SSH: see "GIT URLS" in git-clone(1)."""

_USER_INFO = re.compile(r"(https?://)[^/@\s]+@")

_TROUBLE = re.compile(
    r"could not resolve host|temporary failure in name resolution|couldn't connect|connection (refused|timed out|reset"
    r"|closed)|failed to connect|network is unreachable|no route to host|operation timed out|operation too slow"
    r"|returned error: (5\d\d|429|408)|early eof|hung up unexpectedly|rpc failed|ssl_error_syscall|tls connection was"
    r"|empty reply from server",
    re.IGNORECASE,
)
"""What git, curl and ssh say of networks and servers that may be better later."""

_PUSH = ("--no-verify", "--no-signed", "--no-follow-tags", "--recurse-submodules=no")

_NOT_THERE = re.compile(r"repository .* (not found|does not exist)|not appear to be a git repository", re.IGNORECASE)


@dataclass(frozen=True)
class Remote:
    """A repository somewhere else, used with the credentials of the worker's own git.

    Attributes:
        address: a URL or an absolute path.
        bench: where commands run; their output is not kept, as it may say more than a log should.
    """

    address: str
    bench: Bench

    def __post_init__(self) -> None:
        """Refuse an address that is none, or that carries a secret.

        Raises:
            Refused: so it is.
        """
        if not _ADDRESS.fullmatch(self.address) and not PurePath(self.address).is_absolute():
            raise Refused(
                f"the repository {self.address[:80]!r} has no form that is accepted; expected an absolute path, "
                "https://…, ssh://… or user@host:path"
            )
        parts = urlsplit(self.address)
        if parts.password is not None or (parts.scheme in ("http", "https") and parts.username is not None):
            raise Refused(
                f"the repository's address at {parts.hostname} holds credentials, and addresses become public: "
                "take them out and give them to the worker's git, for instance by a credential helper"
            )

    def clone(self, to: Path) -> None:
        """Clone everything that branches and tags reach; nothing is checked out.

        Raises:
            Unavailable: the repository can't be reached just now.
            Missing: there is no such repository.
            Failed: it refuses.
        """
        options = ("--no-checkout", "--no-local", "--template=", "--progress")
        self._git("clone", *options, "--", self.address, str(to), folder=self.bench.folder)

    def commit_of(self, tag: str) -> Commit | None:
        """The commit that a tag of the repository is on, or None if it has no such tag; errors as of :meth:`clone`."""
        said = self._git(
            "ls-remote", "--", self.address, f"refs/tags/{tag}", f"refs/tags/{tag}^{{}}", folder=self.bench.folder
        )
        found = {
            name: commit for commit, name in re.findall(r"^([0-9a-f]{40,64})\t(refs/tags/\S+)$", said, re.MULTILINE)
        }
        # The peeled name, if it is there, is the commit; without one the tag is no object of its own.
        return found.get(f"refs/tags/{tag}^{{}}") or found.get(f"refs/tags/{tag}")

    def head_of(self, branch: str) -> Commit | None:
        """The commit that a branch of the repository is on, or None if it has no such; errors as of :meth:`clone`."""
        ref = f"refs/heads/{branch}"
        said = self._git("ls-remote", "--", self.address, ref, folder=self.bench.folder)
        found = re.search(rf"^([0-9a-f]{{40,64}})\t{re.escape(ref)}$", said, re.MULTILINE)
        return None if found is None else found[1]

    def push_branch(self, branch: str, commit: Commit, repository: Path) -> None:
        """Make a branch on a commit of a repository of ours; errors as of :meth:`clone`, and if there is one."""
        # An empty lease: the branch must not be there.
        lease = f"--force-with-lease=refs/heads/{branch}:"
        self._git("push", *_PUSH, lease, "--", self.address, f"{commit}:refs/heads/{branch}", folder=repository)

    def drop_branch(self, branch: str, commit: Commit, repository: Path) -> None:
        """Remove a branch that is on this commit; errors as of :meth:`clone`, and if it is on another."""
        lease = f"--force-with-lease=refs/heads/{branch}:{commit}"
        self._git("push", *_PUSH, lease, "--", self.address, f":refs/heads/{branch}", folder=repository)

    def push(self, tag: str, repository: Path) -> None:
        """Push a tag of a repository of ours, never over another one; errors as of :meth:`clone`."""
        ref = f"refs/tags/{tag}"
        self._git("push", *_PUSH, "--", self.address, f"{ref}:{ref}", folder=repository)

    def _git(self, *arguments: str, folder: Path) -> str:
        log = self.bench.folder / "remote.log"
        log.unlink(missing_ok=True)
        watch = replace(self.bench.watch, progress=lambda tail: self.bench.watch.progress(_without_secrets(tail)))
        try:
            run(
                ("git", *arguments),
                folder=folder,
                environment=remote_environment(),
                log=log,
                watch=watch,
            )
        except Failed as error:
            raise _meaning(_without_secrets(str(error))) from None  # the cause has what was taken out
        return log.read_text(encoding="utf-8", errors="replace")


def _without_secrets(text: str) -> str:
    return _USER_INFO.sub(r"\1…@", text)


def _meaning(words: str) -> BatonError:
    if _TROUBLE.search(words):
        return Unavailable(words)
    if _NOT_THERE.search(words):
        return Missing(f"{words}\nCheck the address, and that the worker's git may read the repository")
    return Failed(words)
