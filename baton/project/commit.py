"""Which commit a branch, a tag or an id means, in a repository near or far."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from baton.git import remote_environment
from baton.model.errors import Invalid, Missing, Unavailable
from baton.project.fields import is_url

_WHOLE = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ABBREVIATED = re.compile(r"[0-9a-f]{4,63}")
_TIMEOUT = 60


def is_whole(commit: str) -> bool:
    """Whether this is a whole git object id, by SHA-1 or SHA-256, and no abbreviation."""
    return _WHOLE.fullmatch(commit) is not None


def resolve_commit(repository: str, ref: str) -> str:
    """The whole id of the commit that a ref means.

    Args:
        repository: a git URL, or a path.
        ref: a branch, a tag, a full ref, or a commit's id. A repository that is reached by URL does not tell what an
            abbreviated id stands for, and a whole id is taken at its word there: the release's own clone proves it.

    Raises:
        Invalid: the ref can't be one, or means two different commits.
        Missing: the repository has no such commit, there is no folder at the path, or git is not installed.
        Unavailable: the repository could not be reached, or there is none in that place.
    """
    if not ref or ref.startswith("-") or not ref.isprintable() or " " in ref:
        raise Invalid(f"{ref!r} is no branch, tag or commit")
    if is_url(repository) and is_whole(ref):
        return ref
    if not is_url(repository) and not Path(repository).is_dir():
        raise Missing(f"{repository}: no such folder; expected a git repository")
    if (commit := _named(repository, ref)) is not None:
        return commit
    if is_url(repository):
        advice = "; if that is a commit, write all 40 digits of its id" if _ABBREVIATED.fullmatch(ref) else ""
        raise Missing(f"{repository} has no branch or tag {ref}{advice}")
    return _unlisted(repository, ref)


def _named(repository: str, ref: str) -> str | None:
    """The commit of the branch or tag of that name, or None if there is none."""
    done = _git("ls-remote", "--quiet", "--", repository)
    if done.returncode != 0:
        raise Unavailable(f"{repository} can't be reached: {done.stderr.strip()[-500:]}")
    listed: dict[str, str] = {}
    for line in done.stdout.splitlines():
        commit, _, name = line.partition("\t")
        listed[name] = commit
    # An annotated tag is listed twice: by its own id, and with ^{} by that of its commit (git-ls-remote(1)).
    names = (ref, f"refs/heads/{ref}", f"refs/tags/{ref}")
    commits = {name: listed.get(f"{name}^{{}}") or listed[name] for name in names if name in listed}
    if len(set(commits.values())) > 1:
        meant = " and ".join(f"{name} ({commit})" for name, commit in commits.items())
        raise Invalid(f"{ref} means {meant} in {repository}; write the full ref or the commit")
    return next(iter(commits.values()), None)


def _unlisted(repository: str, ref: str) -> str:
    """An id, or anything else that gitrevisions(7) knows, such as ``HEAD~1``."""
    done = _git("-C", repository, "rev-parse", "--quiet", "--verify", "--end-of-options", f"{ref}^{{commit}}")
    if done.returncode != 0:
        words = done.stderr.strip()[-500:] or "name a branch, a tag or a commit that is there"
        raise Missing(f"{repository} has no commit {ref}: {words}")
    return done.stdout.strip()


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git with the user's own credentials; it asks nothing, and gives up on a host that doesn't answer."""
    try:
        return subprocess.run(
            ["git", *arguments],
            env=remote_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_TIMEOUT,
            encoding="utf-8",
            errors="replace",
        )
    except FileNotFoundError as error:
        raise Missing("git is not on the PATH: install git") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"git {arguments[0]} had no answer within {_TIMEOUT} seconds") from error
