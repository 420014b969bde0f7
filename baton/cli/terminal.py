"""Talking to the caller: data on standard output, all else on standard error, questions only on a terminal."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from baton.cli.exits import ExitCode

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import RenderableType

_PIPE_WIDTH = 120
"""Columns of a page that goes to a file or another program; COLUMNS says otherwise."""


_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
"""Control sequences (ECMA-48, section 5.4), such as the colours in a compiler's messages."""


def page() -> Console:
    """Where pages go: standard output."""
    return _console(stderr=False)


def show(body: RenderableType) -> None:
    """Print a page on standard output; to a file or another program without the blanks that fill a terminal's lines."""
    console = page()
    if console.is_terminal:
        console.print(body)
        return
    with console.capture() as captured:
        console.print(body)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def notes() -> Console:
    """Where everything goes that is not data: standard error."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _PIPE_WIDTH
    return console


def print_json(kind: str, document: BaseModel | dict[str, Any]) -> None:
    """Print a command's answer as its one JSON document.

    Args:
        kind: the document's kind, which with the version makes its ``schema`` key: ``urn:baton:KIND:v1``.
        document: the fields.
    """
    fields = document if isinstance(document, dict) else document.model_dump(mode="json", by_alias=True)
    json.dump({"schema": f"urn:baton:{kind}:v1", **fields}, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def confirm(question: str, *, yes: bool, typed: str | None = None) -> None:
    """Ask before something that matters; return only if the answer is yes.

    Args:
        question: what is about to happen.
        yes: whether ``--yes`` was given, which answers at once.
        typed: a word to type out instead of a plain yes, for what can't be taken back.

    Raises:
        typer.Exit: the answer was no, or nothing could be asked because this is no terminal (exit code 2).
    """
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        typer.echo(f"baton: {question} There is no terminal to answer on: pass --yes to go ahead.", err=True)
        raise typer.Exit(ExitCode.USAGE)
    if typed is None:
        agreed = typer.confirm(question, err=True)
    else:
        agreed = typer.prompt(f"{question} Type {typed} to go ahead", default="", show_default=False, err=True) == typed
    if not agreed:
        typer.echo("Nothing was done.", err=True)
        raise typer.Exit(ExitCode.FAILED)


def plain(text: str) -> str:
    """Words from elsewhere without control sequences, which could make a terminal show something else."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}"
        for letter in _ESCAPES.sub("", text)
    )
