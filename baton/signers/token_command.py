"""An identity token that a command prints, as platforms' own tools do (``gcloud auth print-identity-token``, …)."""

from __future__ import annotations

import os
import selectors
import shlex
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from pydantic import SecretStr

from baton.model.errors import Invalid, Missing, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTING = "BATON_IDENTITY_TOKEN_COMMAND"

_TIMEOUT = 30.0
"""Seconds for the whole command."""
_LONGEST = 64 * 1024


def command_words(text: str) -> tuple[str, ...]:
    """The program and its arguments, split as a POSIX shell does; nothing else of a shell's is done.

    Raises:
        Invalid: a quotation does not end, or there is no program.
    """
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise Invalid(f"{SETTING} can't be split into words: {error}") from None
    if not words:
        raise Invalid(f"{SETTING} is empty; expected a program and its arguments")
    return words


def token_from_command(words: tuple[str, ...]) -> SecretStr:
    """Run the command, and take the one line that it prints.

    What it says on standard error is dropped, since that may hold a token too.

    Raises:
        Missing: there is no such program.
        Unavailable: it fails, or does not end within 30 seconds; trying again may help.
        Invalid: it prints anything but one line of text, or more than 64 KiB.
    """
    program = words[0]
    deadline = time.monotonic() + _TIMEOUT
    with _running(words) as (process, printed):
        output = _read(printed, program, deadline)
        try:
            status = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise _too_slow(program) from None
    if status != 0:
        raise Unavailable(
            f"{program}, which {SETTING} runs, ended with {status} and gave no identity token: "
            "run it by hand to see why"
        )
    return SecretStr(_one_line(output, program))


@contextmanager
def _running(words: tuple[str, ...]) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """The process and its standard output; in the end it is gone, with whatever it has started."""
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise Missing(f"{words[0]}, which {SETTING} names, does not run: {error.strerror}") from None
    assert process.stdout is not None  # noqa: S101  # it is a pipe
    try:
        yield process, process.stdout
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def _read(printed: IO[bytes], program: str, deadline: float) -> bytes:
    output = b""
    with selectors.DefaultSelector() as selector:
        selector.register(printed, selectors.EVENT_READ)
        while len(output) <= _LONGEST:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise _too_slow(program)
            chunk = os.read(printed.fileno(), _LONGEST)
            if not chunk:
                return output
            output += chunk
    raise Invalid(f"{program}, which {SETTING} runs, prints more than {_LONGEST} bytes; expected an identity token")


def _too_slow(program: str) -> Unavailable:
    return Unavailable(f"{program}, which {SETTING} runs, gave no identity token within {_TIMEOUT:g} seconds")


def _one_line(output: bytes, program: str) -> str:
    try:
        lines = output.decode().split()
    except UnicodeDecodeError:
        # The cause would carry the token's bytes.
        lines = []
    if len(lines) != 1:
        raise Invalid(f"{program}, which {SETTING} runs, does not print one line of text; expected an identity token")
    return lines[0]
