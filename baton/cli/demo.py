"""``baton demo``: a whole release, end to end, with nothing set up."""

from typing import Annotated

import typer

from baton.cli.arguments import Json
from baton.cli.dev import FakeCi, WorldState


def demo(
    *,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Sign off without asking, as the first person who may.")
    ] = False,
    as_json: Json = False,
    state: WorldState = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the world running in the background, to look around.")
    ] = False,
    fake_ci: FakeCi = False,
) -> None:
    """Release the example project in a local world of its own, and verify what it published.

    Starts the world that `baton dev` runs, releases hello 1.0.0 in it, stops at the publish gate and asks for a
    sign-off, finishes, fetches everything back as a stranger would, and says what to try next. It takes about a
    minute. A release that was begun or finished on the same folder before is taken up where it is.

    Examples:
      baton demo
      baton demo --yes --keep
      baton demo --fake-ci
      baton demo --yes --json --state ./world | jq .files
    """
    # What it takes imports slowly, and `--help` must not wait for it.
    from baton.cli.demo_run import run_demo  # noqa: PLC0415

    run_demo(state, yes=yes, keep=keep, fake_ci=fake_ci, as_json=as_json)
