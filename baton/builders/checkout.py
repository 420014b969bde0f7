"""A fresh checkout of the prepared source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.git import git
from baton.model.errors import Failed, Refused

if TYPE_CHECKING:
    from pathlib import Path

    from baton.builders.workspace import Bench
    from baton.model.work import Source


def check_out(source: Source, bench: Bench) -> Path:
    """Make a checkout of the tag that the source's bundle holds, and prove that it is the source's commit.

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
    bundle = bench.folder / "source.bundle"
    bench.store.fetch(source.bundle, bundle)
    checkout = bench.folder / "source"
    checkout.mkdir()
    git("init", "--quiet", "--template=", "--initial-branch=main", folder=checkout)
    tag = f"refs/tags/{source.tag}"
    try:
        bench.git("fetch", "--quiet", "--no-tags", str(bundle), f"{tag}:{tag}", folder=checkout)
        bench.git("checkout", "--quiet", "--detach", tag, folder=checkout)
    except Failed as error:
        raise Refused(
            f"the bundle {source.bundle} does not hold the tag {source.tag} of commit {source.commit}: {error}"
        ) from error
    head = git("rev-parse", "--verify", "HEAD", folder=checkout)
    if head != source.commit:
        raise Refused(
            f"the tag {source.tag} in the bundle {source.bundle} is commit {head}; expected {source.commit}: "
            "prepare the source again"
        )
    bundle.unlink()
    return checkout
