"""A fresh checkout of the prepared source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.git import git
from baton.model.errors import Failed, Refused

if TYPE_CHECKING:
    from pathlib import Path

    from baton.builders.workspace import Bench
    from baton.model.work import Source


_SHA1_DIGITS = 40


def check_out(source: Source, bench: Bench) -> Path:
    """Make a checkout of the prepared source, which is proven to be the source's commit.

    Args:
        source: what to check out.
        bench: where; the checkout becomes the folder ``source`` of it.

    Returns:
        The checkout, a git repository whose ``HEAD`` is the commit.

    Raises:
        Missing: the store has no such bundle.
        Refused: the bundle holds another commit, or none.
        Stopped: the caller wished it.
    """
    checkout = unbundle(source, bench)
    bench.git("checkout", "--quiet", "--detach", source.commit, folder=checkout)
    return checkout


def unbundle(source: Source, bench: Bench) -> Path:
    """Make a repository with nothing checked out, whose tag is proven to be on the source's commit.

    Args and errors are those of :func:`check_out`.
    """
    bundle = bench.folder / "source.bundle"
    bench.store.fetch(source.bundle, bundle)
    repository = bench.folder / "source"
    repository.mkdir()
    kind = "sha1" if len(source.commit) == _SHA1_DIGITS else "sha256"
    git("init", "--quiet", "--template=", "--initial-branch=main", f"--object-format={kind}", folder=repository)
    tag = f"refs/tags/{source.tag}"
    try:
        bench.git("fetch", "--quiet", "--no-tags", str(bundle), f"{tag}:{tag}", folder=repository)
        commit = git("rev-parse", "--verify", f"{tag}^{{commit}}", folder=repository)
    except Failed as error:
        raise Refused(
            f"the bundle {source.bundle} does not hold the tag {source.tag} of commit {source.commit}: {error}"
        ) from error
    if commit != source.commit:
        raise Refused(
            f"the tag {source.tag} in the bundle {source.bundle} is commit {commit}; expected {source.commit}: "
            "prepare the source again"
        )
    bundle.unlink()
    return repository
