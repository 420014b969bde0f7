"""``baton policy plan``: the documents that end a way to sign."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import typer

from baton.cli.terminal import print_json
from baton.policy.change import plan_change
from baton.policy.folder import write
from baton.policy.pages import DIFFERENCE, LIST, PAGES, documents
from baton.policy.phase_out import PhaseOut
from baton.project.read import read_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from baton.policy.change import Change

_NOTICE = timedelta(days=90)
"""How long people have to prepare where no day is named."""


@dataclass(frozen=True)
class Wish:
    """What somebody wants to end.

    Attributes:
        day: the first day; None for the usual notice.
    """

    machine_from: str | None
    no_gpg_from: str | None
    day: date | None
    today: date


def write_plan(folder: Path, wish: Wish, out: Path, *, overwrite: bool, as_json: bool) -> None:
    """Work out a change and write its documents.

    Args:
        folder: has release.toml.
        wish: what is to end.
        out: where the documents go.
        overwrite: also over other content.
        as_json: tell it to a program.

    Raises:
        BatonError: release.toml can't be used, the change is refused, or a document is in the way.
    """
    project = read_project(folder)
    phase_out = PhaseOut(wish.machine_from, wish.no_gpg_from, wish.day or wish.today + _NOTICE)
    change = plan_change(project, phase_out, wish.today)
    made = documents(change)
    write(out, made, overwrite=overwrite)
    if as_json:
        fields = {"machine_from": phase_out.machine_from, "no_gpg_from": phase_out.no_gpg_from}
        written = [{"name": name, "path": str(out / name)} for name in made]
        print_json("policy-plan", {"project": project.name, **fields, "from": str(phase_out.day), "files": written})
        return
    for line in _told(change, out, made):
        typer.echo(line)


def _told(change: Change, out: Path, made: dict[str, bytes]) -> Iterator[str]:
    yield f"{change.project.settings.project.title}: from {change.phase_out.day} on"
    yield from (f"  {out / name}" for name in made)
    file = change.project.file
    if DIFFERENCE in made:
        yield f"Next: apply {DIFFERENCE} in {file.parent} with `patch -p1`, and run `baton check -C {file.parent}`."
    else:
        yield f"{file} says so already."
    if LIST in made:
        yield f"Next: have {LIST} signed, and publish it in the place of number {change.before.serial}."
    yield f"Next: publish {', '.join(PAGES)}."
