"""Looking at all releases: what waits, and for whom."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from baton.cli.list_page import all_page, waiting_page
from baton.cli.listing import waits_for
from baton.cli.person import GitIdentity, find_person
from baton.cli.session import with_releases
from baton.cli.terminal import print_json, show

if TYPE_CHECKING:
    from baton.cli.listing import Item
    from baton.cli.place import Place
    from baton.cli.releases import Releases


def show_list(place: Place, *, everything: bool, mine: bool, person: str | None, as_json: bool) -> None:
    """Show what waits, or every release.

    Args:
        place: where they are.
        everything: also what waits for nobody, and what is over.
        mine: only what one person can bring forward.
        person: who that is; None to find them by git's configuration on each release's roster.
        as_json: as a document and not as a page.

    Raises:
        BatonError: they could not be listed, or a roster does not say who "mine" is.
    """

    async def look(releases: Releases) -> list[Item]:
        items = await releases.ask(await releases.listed(everything=everything))
        if not mine:
            return items
        return [kept for item in items if (kept := waits_for(item, person or await _me(releases, item)))]

    items = with_releases(place, look)
    if as_json:
        print_json("list", {"releases": [item.model_dump(mode="json") for item in items]})
    elif everything:
        show(all_page(items))
    else:
        show(waiting_page(items, now=datetime.now(UTC), command=place.command))


async def _me(releases: Releases, item: Item) -> str:
    plan = await (await releases.open(item.release)).plan()
    return find_person(plan.roster, None, GitIdentity.here()).id
