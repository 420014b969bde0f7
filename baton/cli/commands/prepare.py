"""Commands for before a release: looking for trouble, and at what it would do."""

# ruff: noqa: PLC0415  # why: the package's docstring
from pathlib import Path

import typer

from baton.cli import arguments as a


def check(
    *,
    project: a.Project = Path(),
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Find everything that would stop a release, before it starts.

    Looks at release.toml, the roster's keys, the tools and the names of credentials on this machine, and whether
    every queue has a live worker. Ends with 1 if a release could not be made; a warning is no reason.

    Examples:
      baton check
      baton check -C examples/hello --json
    """
    from baton.cli.checking import show_check

    raise typer.Exit(show_check(project, sandbox=sandbox, state=state, as_json=as_json))


def plan(
    version: a.NewVersion,
    *,
    project: a.Project = Path(),
    commit: a.Commit = None,
    person: a.Person = None,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Show what a release would do; nothing is started.

    The plan's digest is what `baton start` would start, by the same person, from the same commit and release.toml.

    Examples:
      baton plan 3.14.1
      baton plan 1.0.0 -C examples/hello --as ada --json
    """
    from baton.cli.planning import Wish, show_plan

    wish = Wish(folder=project, version=version, commit=commit, person=person)
    show_plan(wish, sandbox=sandbox, state=state, as_json=as_json)


def schema() -> None:
    """Print the JSON Schema of release.toml, for editors and for tools that write such files.

    Examples:
      baton schema > release.schema.json
    """
    from baton.project.json_schema import published

    typer.echo(published(), nl=False)
