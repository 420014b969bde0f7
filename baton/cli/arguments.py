"""Arguments and options that several commands share: the same words mean the same thing everywhere."""

from pathlib import Path
from typing import Annotated

import typer

Release = Annotated[
    str, typer.Argument(metavar="RELEASE", help="PROJECT/VERSION, such as hello/1.0.0, or a workflow id.")
]
NewVersion = Annotated[str, typer.Argument(metavar="VERSION", help="The version to release, such as 1.0.0.")]
Project = Annotated[
    Path,
    typer.Option("--project", "-C", metavar="DIR", help="The folder with release.toml.", show_default="this folder"),
]
Commit = Annotated[
    str | None,
    typer.Option(
        metavar="REF", help="What to release: a commit, branch or tag of the checkout.", show_default="its HEAD"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, and nothing else, on standard output.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
Person = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="PERSON",
        envvar="BATON_PERSON",
        show_envvar=True,
        help="Who you are on the roster. By default found by git's user.email or user.name.",
    ),
]
Role = Annotated[
    str | None, typer.Option(metavar="ROLE", help="The role you act in. Needed when several of yours would do.")
]
Reason = Annotated[str, typer.Option("--reason", "-m", metavar="TEXT", help="Why, for the release's log.")]
Signal = Annotated[
    bool,
    typer.Option("--signal", help="Leave the message for when a worker is up, instead of waiting for an answer."),
]
Print = Annotated[
    bool,
    typer.Option("--print", help="Print the JSON message to send from the Web UI or the temporal CLI; send nothing."),
]
Sandbox = Annotated[
    bool,
    typer.Option("--sandbox", help="Use the local world of `baton dev`."),
]
State = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="DIR",
        envvar="BATON_STATE",
        show_envvar=True,
        help="The local world's state folder; implies --sandbox.",
    ),
]
