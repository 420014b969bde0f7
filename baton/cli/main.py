"""The operators' command line: ``baton …`` and ``python starter.py …`` are the same thing."""

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, NoReturn

import typer

import baton
from baton.cli.exits import ExitCode, exit_code_of
from baton.cli.group import CommandGroup
from baton.model.errors import BatonError

_EPILOG = """\b
Exit codes:
  0  done, or nothing is wrong
  1  it failed, or was refused; the reason is on standard error
  2  the command was called wrongly, or would have had to ask and there was no terminal
  3  a release waits for a person (with `status --exit-code`)
  4  it exists already: the release runs, or was released before

\b
Where:
  Temporal's own settings say which server: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, profiles, mTLS, API keys.
  --sandbox means the local world of `baton dev` instead.

Data goes to standard output, everything else to standard error. NO_COLOR is honoured."""

app = typer.Typer(
    cls=CommandGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 110},
    epilog=_EPILOG,
)


def _print_version(asked: bool) -> None:  # noqa: FBT001  # Typer calls it with the flag's value
    if asked:
        typer.echo(f"baton {baton.__version__}")
        raise typer.Exit


@app.callback()
def _baton(
    *,
    version: Annotated[  # its callback does the work
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Releases that belong to a team: anyone on the roster can start, sign off and finish one, from any machine."""


def run(arguments: Sequence[str]) -> int:
    """Run one command to its end.

    Args:
        arguments: what was typed after the program's name.

    Returns:
        The exit code; whatever went wrong is on standard error by then, without a traceback.
    """
    # Libraries that warn would speak in between the lines of a page.
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="%(name)s: %(message)s")
    try:
        app(list(arguments), prog_name="baton")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.OK
    except BatonError as error:
        typer.echo(f"baton: {error}", err=True)
        return exit_code_of(error)
    except Exception as error:  # noqa: BLE001  # the last line of defence: people get a sentence, never a traceback
        _report_defect(error)
        return ExitCode.FAILED
    return ExitCode.OK


def _report_defect(error: Exception) -> None:
    if os.environ.get("BATON_DEBUG"):
        traceback.print_exception(error)
    typer.echo(
        f"baton: unexpected {type(error).__name__}: {error}. This is a defect in Baton; BATON_DEBUG=1 shows where",
        err=True,
    )


def main() -> NoReturn:
    """Run the command that was typed, and end the process.

    The process ends without the interpreter's tear-down: Temporal's core crashes in it now and then, after success
    (https://github.com/temporalio/sdk-python/issues/300), which would spoil the exit code.
    """
    code = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        # The reader of a pipe may be gone.
        with suppress(OSError):
            stream.flush()
    os._exit(code)
