"""The command for lists of trusted identities: keeping them new, and looking at one before it is published."""

# ruff: noqa: PLC0415  # why: the package's docstring
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from baton.cli import arguments as a


class Action(StrEnum):
    """What to do with a list."""

    CHECK = "check"
    FETCH = "fetch"
    SCHEMA = "schema"


def identities(
    action: Annotated[Action, typer.Argument(help="What to do.", show_default=False)],
    which: Annotated[
        str | None, typer.Argument(metavar="FILE|PROJECT|URL", help="A file to check; a project or address to fetch.")
    ] = None,
    *,
    trusting: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The list that is trusted now; the new one has to follow from it."),
    ] = None,
    published: Annotated[
        list[str] | None,
        typer.Option(metavar="VERSION", help="Check: a published version; may be repeated. Else any may be."),
    ] = None,
    trust_config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Another Sigstore instance's client trust configuration.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not refresh Sigstore's trust root; take the one at hand.")
    ] = False,
    as_json: a.Json = False,
) -> None:
    """Fetch a project's newer list of trusted identities, or check one before it is published.

    `fetch` takes a newer list only if somebody signed it whom the trusted one names as a signer of lists, its serial
    number is higher, and it has not expired; `baton verify --project` uses it from then on. `check` says what is wrong
    with a file, who signed it, and which published files it would make stop verifying. `schema` prints the JSON Schema.

    Examples:
      baton identities fetch hello
      baton identities fetch https://hello.example/identities.json --trusting identities.json
      baton identities check new.json --trusting identities.json
      baton identities schema > trusted-identities.schema.json
    """
    from baton.cli.identities import Means, check_list, fetch_list, show_schema

    if (which is None) != (action is Action.SCHEMA):
        raise typer.BadParameter("name the FILE to check, or the PROJECT or URL to fetch; schema takes neither")
    means = Means(trusting=trusting, trust_config=trust_config, offline=offline, as_json=as_json)
    match action:
        case Action.CHECK:
            raise typer.Exit(check_list(Path(which or ""), published, means))
        case Action.FETCH:
            fetch_list(which or "", means)
        case Action.SCHEMA:
            show_schema()
