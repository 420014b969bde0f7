"""Arguments and options that several commands share: the same words mean the same thing everywhere."""

from pathlib import Path
from typing import Annotated

import typer

Release = Annotated[
    str,
    typer.Argument(
        metavar="RELEASE", help="PROJECT/VERSION, such as hello/1.0.0, or a workflow id, such as resign/hello/1.0.0."
    ),
]
Security = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME",
        help="PROJECT/NAME of the security release, or the beginning of its name.",
        show_default="the only one under way",
    ),
]
StreamVersion = Annotated[str, typer.Argument(metavar="VERSION", help="The stream, by the version that it releases.")]
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
Key = Annotated[
    str | None,
    typer.Option(
        metavar="KEY",
        envvar="BATON_KEY",
        show_envvar=True,
        help="What to sign with: an SSH key file, ssh:SHA256:…, openpgp:FINGERPRINT, or sigstore. By default the first "
        "key that the roster lists for you and that is here.",
    ),
]
Unsigned = Annotated[
    bool,
    typer.Option("--unsigned", help="Sign nothing: a rehearsal may take people at their word."),
]
Gate = Annotated[str, typer.Argument(metavar="GATE", help="The gate, as `baton status` names it.")]
Step = Annotated[str, typer.Argument(metavar="STEP", help="The step, as `baton status` names it.")]
Subject = Annotated[
    str | None, typer.Option(metavar="DIGEST", help="Speak about this plan or manifest and about no other.")
]
Attempt = Annotated[int, typer.Option(metavar="N", min=1, help="The gate's attempt, while no worker is up.")]
Signal = Annotated[
    bool,
    typer.Option("--signal", help="Leave the message for when a worker is up, instead of waiting for an answer."),
]
Print = Annotated[
    bool,
    typer.Option("--print", help="Print the signed JSON to send from the Web UI or the temporal CLI; send nothing."),
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
