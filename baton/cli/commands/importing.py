"""Commands that take parts of release.toml from where they are kept."""

# ruff: noqa: PLC0415  # why: the package's docstring
import inspect
from pathlib import Path
from typing import Annotated

import typer

from baton.cli import arguments as a
from baton.cli.group import examples, help_text

imports = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Take parts of release.toml from where they are kept.",
    epilog="\b\nExamples:\n  baton import python-releases python-releases.toml --check",
)


@imports.callback()
def _imports() -> None:
    """Keep the group a group, though it has one command so far."""


def python_releases(
    calendar: Annotated[
        str,
        typer.Argument(metavar="FILE|URL", help="The calendar: python-releases.toml of the repository python/peps."),
    ],
    *,
    project: a.Project = Path(),
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; end with 1 if release.toml is out of date.")
    ] = False,
    yes: a.Yes = False,
) -> None:
    """Take status and dates of CPython's streams from the calendar that its release managers keep.

    Shows what changes in release.toml and asks before it writes. A stream that release.toml lacks is added, unless it
    is at its end of life; comments, order and everything else stay as they are.

    Examples:
      baton import python-releases ../peps/release_management/python-releases.toml -C examples/cpython
      baton import python-releases python-releases.toml --check
    """
    from baton.cli.importing import Manner, import_python_releases

    raise typer.Exit(import_python_releases(project, calendar, Manner(check=check, yes=yes)))


_TOLD = inspect.getdoc(python_releases) or ""
imports.command("python-releases", help=help_text(_TOLD), epilog=examples(_TOLD))(python_releases)
