"""Commands about who signs: changing it with notice given, and finding what was published otherwise."""

# ruff: noqa: PLC0415  # why: the package's docstring
import inspect
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from baton.cli import arguments as a
from baton.cli.group import examples, help_text

policy = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Who signs what: plan a change of it, or audit what is published.",
    epilog="\b\nExamples:\n  baton policy plan --machine-from 3.16 --no-gpg-from 3.14\n"
    "  baton policy audit /srv/www/hello -C .",
)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"expected a day such as 2027-01-01, found {text!r}") from error


def plan(
    *,
    machine_from: Annotated[
        str | None, typer.Option(metavar="STREAM", help="The first stream that machines alone sign with Sigstore.")
    ] = None,
    no_gpg_from: Annotated[
        str | None, typer.Option(metavar="STREAM", help="The first stream without OpenPGP signatures.")
    ] = None,
    on: Annotated[
        date | None,
        typer.Option(
            metavar="DAY", parser=_day, help="The first day on which it holds.", show_default="in ninety days"
        ),
    ] = None,
    project: a.Project = Path(),
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the documents go.")] = Path("phase-out"),
    overwrite_other_content: Annotated[
        bool, typer.Option("--overwrite-other-content", help="Also where such files say something else.")
    ] = False,
    as_json: a.Json = False,
) -> None:
    """Write what ends signatures by single people, or by OpenPGP, from a stream on.

    Into DIR go the difference of release.toml, the project's next list of trusted identities, the table of who signs
    what, the announcement, the deprecation, and a check-list for those downstream who pin one identity or key. Nothing
    else is changed. Refused is what would change how a stream verifies that is published already.

    Examples:
      baton policy plan --machine-from 3.16 --no-gpg-from 3.14 -C examples/cpython
      baton policy plan --machine-from 3.16 --on 2027-05-01 --out /tmp/phase-out
    """
    from baton.cli.policy import Wish, write_plan

    if machine_from is None and no_gpg_from is None:
        raise typer.BadParameter("say what ends: --machine-from STREAM, --no-gpg-from STREAM, or both")
    today = datetime.now(UTC).date()
    wish = Wish(machine_from=machine_from, no_gpg_from=no_gpg_from, day=on, today=today)
    write_plan(project, wish, out, overwrite=overwrite_other_content, as_json=as_json)


_TOLD = inspect.getdoc(plan) or ""
policy.command("plan", help=help_text(_TOLD), epilog=examples(_TOLD))(plan)
