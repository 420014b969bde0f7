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
    "  baton policy audit /srv/www -C .",
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


def audit(
    where: Annotated[str, typer.Argument(metavar="DIR|URL", help="What was published: releases in folders, or one.")],
    *,
    project: Annotated[
        Path | None,
        typer.Option(
            "--project", "-C", metavar="DIR", help="The folder with release.toml.", show_default="this folder"
        ),
    ] = None,
    identities: Annotated[
        str | None,
        typer.Option(metavar="FILE|NAME", help="Go by a list alone: a file, or the project whose list is at hand."),
    ] = None,
    digests: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What the files have to be; they need not be here. JSON or sha256sum's."),
    ] = None,
    released: Annotated[
        date | None,
        typer.Option(
            metavar="DAY", parser=_day, help="The day of the releases.", show_default="that of their first signature"
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN", help="Files to leave out, like 'doc/*'; may be repeated.")
    ] = None,
    gpg_key: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A signer's exported OpenPGP key; may be repeated.")
    ] = None,
    trust_config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Another Sigstore instance's client trust configuration.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not refresh Sigstore's trust root; take the one at hand.")
    ] = False,
    as_json: a.Json = False,
) -> None:
    """Report every published file that is signed otherwise than the policy says.

    Looks at each file below a folder, or at an address, with the signatures beside it: one that is missing, one of a
    kind that the stream does not have, one by somebody whose signature does not count for the stream on that day, one
    that has expired, was revoked, or does not fit. Ends with 1 if there is any.

    Examples:
      baton policy audit /srv/www -C examples/cpython
      baton policy audit https://www.python.org/ftp/python/3.14.0/ --identities cpython
      baton policy audit bundles --identities cpython --digests digests.json --offline
    """
    from baton.cli.policy_audit import Means, show_audit

    if project is not None and identities is not None:
        raise typer.BadParameter("say what is expected by --project or by --identities, not by both")
    means = Means(
        folder=project,
        identities=identities,
        digests=digests,
        keys=tuple(gpg_key or ()),
        ignored=tuple(ignore or ()),
        released=released,
        trust_config=trust_config,
        offline=offline,
    )
    raise typer.Exit(show_audit(where, means, as_json=as_json))


for _command in (plan, audit):
    _told = inspect.getdoc(_command) or ""
    policy.command(_command.__name__, help=help_text(_told), epilog=examples(_told))(_command)
