"""The log of a release, and the logs of its steps."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.text import Text

from baton.cli.layout import columns
from baton.cli.names import parse_release
from baton.cli.said_page import acts_table
from baton.cli.session import with_releases
from baton.cli.terminal import plain, print_json, show
from baton.model.errors import Missing
from baton.store import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from baton.cli.place import Place
    from baton.cli.releases import Releases
    from baton.model.acts import Heard
    from baton.model.base import Digest
    from baton.model.status import Entry, ReleaseStatus


def show_journal(place: Place, text: str, *, as_json: bool) -> None:
    """Show who did what in a release, and when.

    Args:
        place: where it is.
        text: the release as it was typed.
        as_json: as a document and not as a page.

    Raises:
        BatonError: there is no such release, or it does not answer.
    """
    release = parse_release(text)

    async def look(releases: Releases) -> list[Entry]:
        return await (await releases.open(release)).journal()

    entries = with_releases(place, look)
    if as_json:
        print_json(
            "log", {"release": release.workflow_id, "entries": [entry.model_dump(mode="json") for entry in entries]}
        )
    else:
        show(journal_page(entries))


def journal_page(entries: Sequence[Entry]) -> Table:
    """Render a log, a line for each entry; times in UTC (RFC 3339)."""
    table = columns()
    for entry in entries:
        table.add_row(Text(f"{entry.at:%Y-%m-%d %H:%M:%SZ}", "dim"), Text(entry.who, "bold"), Text(plain(entry.what)))
    return table


def show_acts(place: Place, text: str, *, as_json: bool) -> None:
    """Show everything that people said to a release, accepted or refused, with what proves it.

    Args:
        place: where it is.
        text: the release as it was typed.
        as_json: as a document and not as a page.

    Raises:
        BatonError: there is no such release, or it does not answer.
    """
    release = parse_release(text)

    async def look(releases: Releases) -> list[Heard]:
        return await (await releases.open(release)).acts()

    acts = with_releases(place, look)
    if as_json:
        print_json("acts", {"release": release.workflow_id, "acts": [act.model_dump(mode="json") for act in acts]})
    elif acts:
        show(acts_table(acts))
    else:
        show(Text("Nobody has said anything yet.", "dim"))


def show_step_log(place: Place, text: str, step: str) -> None:
    """Print the log of a step's last attempt, from the store, as the step wrote it but for control sequences.

    Args:
        place: where the release and the store are.
        text: the release as it was typed.
        step: the step's name.

    Raises:
        BatonError: there is no such release or step, it has no log, or the store can't be read.
    """
    release = parse_release(text)

    async def look(releases: Releases) -> ReleaseStatus:
        return await (await releases.open(release)).status()

    digest = log_of(with_releases(place, look), step)
    content = open_store(place.store).read(digest).decode("utf-8", "replace")
    sys.stdout.write(plain(content.replace("\r\n", "\n").replace("\t", "        ")))


def log_of(status: ReleaseStatus, name: str) -> Digest:
    """The digest of a step's log.

    Raises:
        Missing: there is no such step, or it has no log.
    """
    step = next((step for step in status.steps if step.name == name), None)
    if step is None:
        raise Missing(f"{status.release} has no step {name}; steps: {', '.join(step.name for step in status.steps)}")
    if step.log is None:
        raise Missing(f"step {name} of {status.release} has no log to show: it is {step.state}")
    return step.log
