"""The command that gives a public release new signatures."""

# ruff: noqa: PLC0415  # why: the package's docstring
from pathlib import Path
from typing import Annotated

import typer

from baton.cli import arguments as a


def resign(
    version: Annotated[
        str, typer.Argument(metavar="VERSION", help="The version that is public: 1.0.0, or hello/1.0.0.")
    ],
    *,
    project: a.Project = Path(),
    digests: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Which files, as sha256sum prints them, where no evidence of the release is at hand or counts.",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help="Make signatures of this kind alone, such as sigstore; may be repeated."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Drop the old signatures, instead of keeping them under dated names.")
    ] = False,
    dated: Annotated[
        str | None,
        typer.Option(
            metavar="DAY[.N]",
            help="What kept signatures have in their names, such as 2026-11-23.2.",
            show_default="today, in UTC",
        ),
    ] = None,
    commit: Annotated[
        str | None,
        typer.Option(
            metavar="REF",
            help="What the release was made from: a commit, branch or tag of the checkout.",
            show_default="what its workflow says, else its tag",
        ),
    ] = None,
    person: a.Person = None,
    yes: a.Yes = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Give a public release new signatures: shows the plan, asks, and starts it.

    Every public file is fetched and compared before anything is signed; the files themselves never change. Which
    files, the signed evidence of the release says, which is found by the version. With --digests a file says it, and
    people agree to exactly that list before it is signed. Signed is by the stream's policy of today.

    It runs as resign/PROJECT/VERSION; every other command takes that name. It can't run twice at the same time: a
    second start is refused with exit code 4.

    Examples:
      baton resign 3.10.14
      baton resign 3.10.14 --only sigstore --replace
      baton resign 3.10.14 --digests SHA256SUMS
      baton sign-off resign/cpython/3.10.14 publish
    """
    from baton.cli.resigning import Again, sign_anew

    again = Again(
        folder=project,
        version=version,
        digests=digests,
        only=tuple(only or ()),
        replace=replace,
        dated=dated,
        commit=commit,
        person=person,
    )
    sign_anew(again, sandbox=sandbox, state=state, yes=yes, as_json=as_json)
