"""The source of a release: prepared and tagged before anything is built, its tag pushed once everything is public."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.builders.checkout import unbundle
from baton.git import git
from baton.model.errors import BatonError, Conflict, Failed, Invalid, Missing, Refused
from baton.model.work import Source
from baton.remote import Remote

if TYPE_CHECKING:
    from pathlib import Path

    from baton.builders.port import Cancelled, Progress
    from baton.builders.workspace import Workspace
    from baton.model.base import Commit
    from baton.model.plan import SourcePlan

TIMEOUT = 3600
"""Seconds that preparing or pushing may take in all."""

_NAME, _ADDRESS = "Baton", "baton@release.invalid"
"""Who makes tags, and commits of the preparation: the same everywhere, so that ids are the same. RFC 2606 keeps
``.invalid`` from ever being someone's."""


def prepare(plan: SourcePlan, workspace: Workspace, *, progress: Progress, cancelled: Cancelled) -> Source:
    """Clone the repository, run the project's preparation on the commit, tag the outcome, keep both as a git bundle.

    Doing it again gives the same commit and tag, byte for byte, as long as the project's own commands do the same.

    Args:
        plan: where from and how.
        workspace: where to do it, and the store for the bundle.
        progress: told the last lines of what commands say.
        cancelled: asked whether to stop.

    Raises:
        Missing: the repository, the commit or a program is not there.
        Unavailable: the repository can't be reached just now.
        FailedWithLog: a preparation command failed.
        Failed: the repository refuses, or the preparation left changes that it did not commit.
        Refused: the address is none, or the preparation left the plan's commit.
        Invalid: the tag is no name that git accepts.
        Conflict: the tag is in the repository already, on another commit.
        Stopped: the caller wished it.
    """
    with workspace.bench("prepare", timeout=TIMEOUT, progress=progress, cancelled=cancelled) as bench:
        _require_tag_name(plan.tag, bench.folder)
        clone = bench.folder / "clone"
        Remote(plan.repository, bench).clone(clone)
        _check_out(plan, clone)
        epoch = _time_of(plan.commit, clone)
        bench.run(plan.prepare, clone, _identity(epoch) | {"SOURCE_DATE_EPOCH": str(epoch)})
        commit = _outcome(plan, clone)
        _tag(plan.tag, commit, clone)
        bundle = bench.folder / "source.bundle"
        # One thread, as several would pack the same objects in another order each time.
        bench.git("-c", "pack.threads=1", "bundle", "create", str(bundle), f"refs/tags/{plan.tag}", folder=clone)
        return Source(
            repository=plan.repository,
            commit=commit,
            tag=plan.tag,
            bundle=workspace.store.put_file(bundle).digest,
            epoch=_time_of(commit, clone),
        )


def push_tag(source: Source, workspace: Workspace, *, progress: Progress, cancelled: Cancelled) -> None:
    """Push the prepared tag, unless the repository has it already on the same commit.

    Raises:
        Conflict: the repository has the tag on another commit; the message names both.
        Unavailable: the repository can't be reached just now.
        Failed: the repository refuses.
        Missing: there is no such repository, or the store has lost the source.
        Refused: the address is none, or the bundle is not of the source.
        Stopped: the caller wished it.
    """
    with workspace.bench("push-tag", timeout=TIMEOUT, progress=progress, cancelled=cancelled) as bench:
        remote = Remote(source.repository, bench)
        if _has(remote, source):
            return
        repository = unbundle(source, bench)
        try:
            remote.push(source.tag, repository)
        except BatonError:
            # The answer may have been lost, or someone was faster: only the repository knows.
            if not _has(remote, source):
                raise


def offer(source: Source, branch: str, workspace: Workspace, *, progress: Progress, cancelled: Cancelled) -> None:
    """Put the prepared commit on a branch of the repository, unless it is there already.

    Raises:
        Conflict: the repository has the branch on another commit; the message names both.
        BatonError: the same as of :func:`push_tag`.
    """
    with workspace.bench("offer", timeout=TIMEOUT, progress=progress, cancelled=cancelled) as bench:
        remote = Remote(source.repository, bench)
        if _offers(remote, source, branch):
            return
        repository = unbundle(source, bench)
        try:
            remote.push_branch(branch, source.commit, repository)
        except BatonError:
            # The answer may have been lost: only the repository knows.
            if not _offers(remote, source, branch):
                raise


def withdraw(source: Source, branch: str, workspace: Workspace, *, progress: Progress, cancelled: Cancelled) -> bool:
    """Remove the branch, if it is on the prepared commit; whether it was.

    Raises:
        BatonError: the same as of :func:`push_tag`.
    """
    with workspace.bench("withdraw", timeout=TIMEOUT, progress=progress, cancelled=cancelled) as bench:
        remote = Remote(source.repository, bench)
        if remote.head_of(branch) != source.commit:
            return False
        remote.drop_branch(branch, source.commit, unbundle(source, bench))
        return True


def _offers(remote: Remote, source: Source, branch: str) -> bool:
    there = remote.head_of(branch)
    if there is not None and there != source.commit:
        raise Conflict(
            f"{source.repository} has the branch {branch} on commit {there}; expected {source.commit} or no such "
            "branch: find out what it is for, and remove it if nobody needs it"
        )
    return there is not None


def _has(remote: Remote, source: Source) -> bool:
    there = remote.commit_of(source.tag)
    if there is not None and there != source.commit:
        raise Conflict(
            f"{source.repository} has the tag {source.tag} on commit {there} already; expected {source.commit}: "
            "find out who pushed it before anything else"
        )
    return there is not None


def _require_tag_name(tag: str, folder: Path) -> None:
    try:
        git("check-ref-format", f"refs/tags/{tag}", folder=folder)
    except Failed as error:
        raise Invalid(f"{tag!r} is no name for a tag: see git-check-ref-format(1)") from error


def _check_out(plan: SourcePlan, clone: Path) -> None:
    try:
        git("cat-file", "-e", f"{plan.commit}^{{commit}}", folder=clone)
    except Failed as error:
        # Servers give out commits of forks and pull requests too, by their id: only what a branch or tag has counts.
        raise Missing(
            f"no branch or tag of {plan.repository} has the commit {plan.commit}: push it, or correct the commit"
        ) from error
    git("checkout", "--quiet", "--detach", plan.commit, folder=clone)


def _outcome(plan: SourcePlan, clone: Path) -> Commit:
    """The commit that the preparation led to."""
    changed = git("status", "--porcelain", "--untracked-files=no", folder=clone)
    if changed:
        raise Failed(
            f"the preparation changed files without committing them, and what is not committed is not released: "
            f"{changed[:500]}"
        )
    commit = git("rev-parse", "--verify", "HEAD", folder=clone)
    try:
        git("merge-base", "--is-ancestor", plan.commit, commit, folder=clone)
    except Failed as error:
        raise Refused(f"the preparation ended on commit {commit}, which is not made on top of {plan.commit}") from error
    return commit


def _tag(tag: str, commit: Commit, clone: Path) -> None:
    """Make an annotated tag, or take the one that is there if it is on the commit."""
    try:
        existing = git("rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}", folder=clone)
    except Failed:
        environment = _identity(_time_of(commit, clone))
        git("tag", "--annotate", "--no-sign", "--message", tag, tag, commit, folder=clone, environment=environment)
        return
    if existing != commit:
        raise Conflict(
            f"the repository has the tag {tag} on commit {existing} already; expected {commit}: "
            "release the next version, or correct the commit"
        )


def _time_of(commit: Commit, clone: Path) -> int:
    return int(git("show", "--no-patch", "--format=%ct", commit, folder=clone))


def _identity(epoch: int) -> dict[str, str]:
    date = f"{epoch} +0000"
    return {
        "GIT_AUTHOR_NAME": _NAME,
        "GIT_AUTHOR_EMAIL": _ADDRESS,
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_NAME": _NAME,
        "GIT_COMMITTER_EMAIL": _ADDRESS,
        "GIT_COMMITTER_DATE": date,
    }
