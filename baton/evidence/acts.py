"""What people said, read back from the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from baton.model.acts import ACTS, Replan
from baton.model.envelope import read_envelope
from baton.model.errors import Invalid
from baton.model.statement import act_of, facts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from baton.model.acts import Act, Heard
    from baton.model.base import Digest

_KINDS = {kind.kind: kind for kind in ACTS}


def act_in(heard: Heard, read: Callable[[Digest], bytes]) -> Act | None:
    """The act behind a link of the chain: from its envelope, or as it was said without one.

    Args:
        heard: the link.
        read: the content of a digest.

    Returns:
        The act, or None of one that was refused because it could not be proven, nor its envelope kept, at that time.

    Raises:
        Invalid: what is there is no act; or as ``read`` does.
    """
    if heard.envelope is not None:
        return act_of(read_envelope(read(heard.envelope)).payload)
    if not heard.unsigned:
        return None
    kind = _KINDS.get(heard.kind)
    if kind is None:
        raise Invalid(f"{heard.kind!r} is nothing that people can say; known: {', '.join(_KINDS)}")
    try:
        return kind.model_validate_json(heard.unsigned)
    except ValidationError as error:
        raise Invalid(f"this is no {kind.noun}: {facts_of(error)}") from error


def plans_followed(chain: Iterable[Heard], read: Callable[[Digest], bytes], *, plan: Digest) -> tuple[Digest, ...]:
    """The digests of the plans that a release followed, the first one first.

    Args:
        chain: every act that it heard.
        read: the content of a digest.
        plan: the plan that it follows now.
    """
    links = tuple(chain)
    if not links:
        return (plan,)
    chosen = (act_in(heard, read) for heard in links if heard.accepted and heard.kind == Replan.kind)
    return (links[0].previous, *(act.plan for act in chosen if isinstance(act, Replan)))


def envelope_path(digest: Digest) -> str:
    """Where the signed statement of that digest is in the folder."""
    return f"envelopes/{digest.removeprefix('sha256:')}.json"
