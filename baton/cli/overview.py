"""Looking at all releases: what waits, and whose turn it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from baton.cli.list_page import all_page, turns_page
from baton.cli.listing import for_me, turn_of
from baton.cli.person import GitIdentity, find_person
from baton.cli.session import with_releases
from baton.cli.terminal import print_json, show
from baton.model.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baton.cli.listing import Item
    from baton.cli.place import Place
    from baton.cli.releases import Releases
    from baton.model.roster import Person, Roster


@dataclass(frozen=True)
class Listed:
    """A release in the list, and who is looking at it.

    Attributes:
        me: that person on the release's own roster; None if they are not on it, or it is not known.
    """

    item: Item
    me: Person | None


@dataclass(frozen=True)
class Choice:
    """Which releases are wanted.

    Attributes:
        everything: also what waits for nobody, and what is over.
        mine: only what one person can bring forward.
        security: only security releases, and those of their streams that no release that goes alone can be.
    """

    everything: bool
    mine: bool
    security: bool = False


def show_list(place: Place, choice: Choice, *, person: str | None, as_json: bool) -> None:
    """Show what waits for me, for my roles and for others; or every release.

    Args:
        place: where they are.
        choice: which of them.
        person: who "I" is; None to find them by git's configuration on each release's roster.
        as_json: as a document and not as a page.

    Raises:
        BatonError: they could not be listed, or no roster says who "mine" is.
    """

    async def look(releases: Releases) -> list[tuple[Item, Roster | None]]:
        found = await releases.listed(everything=choice.everything)
        items = await releases.ask(item for item in found if item.of_security or not choice.security)
        return list(zip(items, await releases.rosters(items), strict=True))

    found = with_releases(place, look)
    listed = _seen_by(found, person, required=choice.mine)
    if choice.mine:
        listed = [Listed(kept, one.me) for one in listed if (kept := for_me(one.item, one.me))]
    if as_json:
        print_json("list", {"releases": [_document(one) for one in listed]})
    elif choice.everything:
        show(all_page([one.item for one in listed]))
    else:
        show(turns_page(listed, now=datetime.now(UTC), command=place.command))


def _seen_by(found: Sequence[tuple[Item, Roster | None]], person: str | None, *, required: bool) -> list[Listed]:
    git, unknown = GitIdentity.here(), []
    listed = []
    for item, roster in found:
        me = None
        if roster is not None:
            try:
                me = find_person(roster, person, git)
            except Refused as error:
                unknown.append(error)
        listed.append(Listed(item, me))
    # Not to be on some project's roster is usual; to be on none may be a mistake in the configuration.
    if required and person is None and unknown and all(one.me is None for one in listed):
        raise unknown[0]
    return listed


def _document(one: Listed) -> dict[str, Any]:
    waits = one.item.waiting or ()
    turns = {f"{waiting.kind}:{waiting.what}": turn_of(waiting, one.me).value for waiting in waits}
    return {**one.item.model_dump(mode="json"), "turn": turns}
