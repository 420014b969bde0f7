"""Commands for what a security release leaves behind: the advisory's text, and the evidence."""

# ruff: noqa: PLC0415  # why: the package's docstring
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from baton.cli import arguments as a
from baton.cli.exits import ExitCode


def advisory(
    name: a.Security = None,
    *,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The file to write.", show_default="standard output")
    ] = None,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Write the advisory's part about versions: commits, places, and each file with its digest, as Markdown.

    From the joint manifest and the store, so BATON_STORE has to name the one that the workers use. Before every stream
    is public the text says that it is a draft.

    Examples:
      baton security advisory
      baton security advisory cpython/3f2a --out advisory.md
    """
    from baton.cli.place import find_place
    from baton.cli.security_record import write_advisory

    write_advisory(find_place(sandbox=sandbox, state=state), name, out)


def evidence(
    name: a.Security = None,
    *,
    to: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The folder to write.", show_default="PROJECT-NAME-evidence")
    ] = None,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Write the evidence of a finished security release: what people agreed to, and each stream's own.

    Examples:
      baton security evidence cpython/3f2a --to evidence
    """
    from baton.cli.place import find_place
    from baton.cli.security_record import export_joint

    export_joint(find_place(sandbox=sandbox, state=state), name, to, as_json=as_json)


def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder with the evidence.")],
    *,
    roster: Annotated[
        Path | None, typer.Option(metavar="release.toml", help="Judge by this file's rules, not by the plans'.")
    ] = None,
    trust_config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Another Sigstore instance's client trust configuration.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not refresh Sigstore's trust root; take the one at hand.")
    ] = False,
    as_json: a.Json = False,
) -> None:
    """Verify the evidence of a security release, with the folder alone.

    Verifies each stream's evidence as `baton evidence verify` does, that it is of what people agreed to, and derives
    the joint gate again from their signed statements.

    Examples:
      baton security verify evidence --roster release.toml
    """
    from baton.cli.security_record import show_joint_verification

    if not show_joint_verification(folder, roster=roster, trust_config=trust_config, offline=offline, as_json=as_json):
        raise typer.Exit(ExitCode.FAILED)


COMMANDS: dict[str, Callable[..., None]] = {"advisory": advisory, "evidence": evidence, "verify": verify}
"""By their names, in the order in which help lists them."""
