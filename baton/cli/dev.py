"""``baton dev``: a whole local world in the foreground."""

from pathlib import Path
from typing import Annotated

import typer

WorldState = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="DIR",
        envvar="BATON_STATE",
        show_envvar=True,
        show_default="a folder of the user's own",
        help="The folder that holds all of it: releases, keys, published files.",
    ),
]


FakeCi = Annotated[
    bool,
    typer.Option(
        "--fake-ci",
        help="Have simulators of GitHub Actions and Azure Pipelines build the example for macOS and Windows, "
        "in place of workers.",
    ),
]


def dev(
    *,
    state: WorldState = None,
    queue: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[=DUTY]",
            help="One more task queue that gets a worker, as a release.toml needs it. DUTY is build, release, sign or "
            "publish; by default what the name says, or build. May be repeated.",
        ),
    ] = None,
    fake_ci: FakeCi = False,
    encrypted: Annotated[
        bool,
        typer.Option(
            "--encrypted",
            help="Encrypt what passes through Temporal, as for a release under embargo. A world stays so once it is.",
        ),
    ] = False,
) -> None:
    """Run a whole local world in the foreground, until Ctrl-C.

    It has a Temporal server with its Web UI, a Sigstore instance, a throw-away team key, a store, a folder that is
    served as the public sees it, and a worker for every task queue of the example. All of it is in one folder and
    comes up again from there, however it ended; releases under way go on. Other commands find it with --sandbox.

    Examples:
      baton dev
      baton dev --state ./world --queue build-linux --queue notary=sign
      baton dev --fake-ci
      baton dev --state ./secret-world --encrypted
    """
    # What it takes imports slowly, and `--help` must not wait for it.
    from baton.cli.dev_run import run_world  # noqa: PLC0415

    run_world(state, queue or [], fake_ci=fake_ci, encrypted=encrypted)
