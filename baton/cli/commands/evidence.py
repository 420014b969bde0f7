"""Commands for the record that a release leaves behind: getting it, and verifying it."""

# ruff: noqa: PLC0415  # why: the package's docstring
import inspect
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from baton.cli import arguments as a
from baton.cli.exits import ExitCode
from baton.cli.group import examples, help_text

_EXAMPLES = """\b
Examples:
  baton evidence hello/1.0.0 --to evidence
  baton evidence verify evidence
  baton evidence verify evidence --roster release.toml"""


class _Group(TyperGroup):
    """`baton evidence RELEASE` is `baton evidence export RELEASE`: a release has a / in it, and no command has."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the command that is meant from what was typed."""
        typed: list[str] = super().parse_args(ctx, ["export", *args] if args and "/" in args[0] else args)
        return typed


evidence = typer.Typer(
    cls=_Group,
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog=_EXAMPLES,
    help="The record of a release, which anyone can check without Temporal and without Baton's servers: who agreed to "
    "what, with which key, who decided what, what was built and signed. Its index.html is for people.",
)


def export(
    release: a.Release,
    *,
    to: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The folder to write.", show_default="PROJECT-VERSION-evidence")
    ] = None,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Write the evidence of a release into a folder.

    Of a finished release it is the signed one, from the artifact store, so BATON_STORE has to name the one that the
    workers use. Of a release under way it is what is known so far, which nobody has signed.

    Examples:
      baton evidence hello/1.0.0
      baton evidence hello/1.0.0 --to evidence
    """
    from baton.cli.evidence import export_evidence
    from baton.cli.place import find_place

    export_evidence(find_place(sandbox=sandbox, state=state), release, to, as_json=as_json)


def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder with the evidence.")],
    *,
    roster: Annotated[
        Path | None,
        typer.Option(metavar="release.toml", help="Judge by this file's roster, gates and signers, not by the plan's."),
    ] = None,
    trust_config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Another Sigstore instance's client trust configuration.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not refresh Sigstore's trust root; take the one at hand.")
    ] = False,
    as_json: a.Json = False,
) -> None:
    """Verify the evidence of a release, with the folder alone.

    Compares every digest, follows the chain of acts, proves each act again by its signature and the roster as it was,
    derives each gate and decision again from them, and verifies the signatures of the whole. Ends with 0 only if all of
    it holds, the release was finished, and everything that counted is signed: a rehearsal that took people at their
    word proves nothing, and what was written under way nobody vouches for.

    Without --roster the plan in the evidence says who may act and sign: compare its digest with what you know.

    Examples:
      baton evidence verify evidence
      baton evidence verify evidence --roster release.toml
      baton evidence verify evidence --offline --json
    """
    from baton.cli.evidence import show_verification
    from baton.evidence.verify import verify_evidence

    result = verify_evidence(folder, roster=roster, trust_config=trust_config, offline=offline)
    show_verification(result, as_json=as_json)
    if not result:
        raise typer.Exit(ExitCode.FAILED)


for _function in (export, verify):
    _told = inspect.getdoc(_function) or ""
    evidence.command(help=help_text(_told), epilog=examples(_told))(_function)
