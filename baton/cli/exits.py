"""How a command ends: one number for each thing that a script may want to tell apart."""

from __future__ import annotations

from enum import IntEnum

from baton.model.errors import BatonError, Conflict, Invalid, Refused


class ExitCode(IntEnum):
    """The exit codes of every command; stable, and listed in ``baton --help`` and ``docs/cli.md``."""

    OK = 0
    FAILED = 1
    USAGE = 2
    WAITING = 3
    CONFLICT = 4
    INTERRUPTED = 130


class AlreadyStarted(Refused):
    """The release runs already, or was finished before: the same release can't be made twice."""


class InSecurityRelease(AlreadyStarted):
    """A security release of several streams has the version."""


class WrongCall(Invalid):
    """What was typed is not of the form that the command takes."""


def exit_code_of(error: BatonError) -> ExitCode:
    """The exit code that tells a script about this error."""
    match error:
        case WrongCall():
            return ExitCode.USAGE
        case AlreadyStarted() | Conflict():
            return ExitCode.CONFLICT
        case _:
            return ExitCode.FAILED
