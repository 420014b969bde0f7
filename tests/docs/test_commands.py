"""Every command that the documentation shows is one that the program accepts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import typer

import worker
from baton.cli.main import app
from tests.deploy.conftest import tool
from tests.docs.pages import PROMPT, ROOT, blocks, commands

if TYPE_CHECKING:
    from collections.abc import Iterator

SHELL = {"cd", "chmod", "git", "mkdir", "sh", "ssh-keygen", "touch"}
"""What is so common that it needs no checking where it is not run."""


def _shown() -> Iterator[Any]:
    """Each command of the blocks that are not run for real."""
    for block in blocks("console"):
        for line in () if block.runs else block.script.splitlines():
            for words in commands(line):
                yield pytest.param(words, id=f"{block}: {' '.join(words)}")


def test_every_line_of_a_console_block_is_a_command_or_what_it_prints() -> None:
    for block in blocks("console"):
        assert block.text.startswith(PROMPT), block


@pytest.mark.parametrize("words", list(_shown()))
def test_the_program_accepts_what_is_shown(words: list[str]) -> None:
    match words:
        case ["baton" | ".venv/bin/baton", *arguments]:
            _baton(arguments)
        case ["python", "worker.py", *arguments]:
            assert worker.arguments(arguments).queue
        case ["python" | "python3", "-m" | "-c", *_] | ["pip", *_]:
            pass
        case ["temporal", *arguments]:
            _by_help(("temporal",), arguments)
        case ["docker", "compose", *arguments]:
            _by_help(("docker-compose",), _after_files(_until_service(arguments)))
        case ["sigstore", *arguments]:
            _by_help(("sigstore",), arguments)
        case ["gpg", *arguments]:
            known = _output("gpg", "--dump-options").split()
            assert set(_flags(arguments)) <= set(known)
        case ["make", target, *_]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        case [program, *_]:
            assert program in SHELL, f"nothing here knows whether {program} accepts this"


def _baton(arguments: list[str]) -> None:
    """Parse a command line without doing what it says."""
    group = typer.main.get_group(app)
    if arguments[0].startswith("-"):
        return
    with group.make_context("baton", arguments, resilient_parsing=True) as context:
        name, command, rest = group.resolve_command(context, arguments)
        assert command is not None
        with command.make_context(name, rest, parent=context):
            pass


def _by_help(program: tuple[str, ...], arguments: list[str]) -> None:
    """Check subcommands and options against what the program's own help says of them."""
    words, path = list(arguments), list(program)
    while words and re.fullmatch(r"[a-z][a-z-]*", words[0]) and _is_command((*path, words[0])):
        path.append(words.pop(0))
    known = "".join(_output(*path[: length + 1], "--help") for length in range(len(path)))
    for flag in _flags(arguments):
        assert re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", known), f"{' '.join(path)} has no {flag}"


def _flags(arguments: list[str]) -> list[str]:
    return [word.partition("=")[0] for word in arguments if re.match(r"--?[a-zA-Z]", word)]


def _until_service(arguments: list[str]) -> list[str]:
    """A compose command without what is run in the container; the service is one of the compose files'."""
    files = (ROOT / "docker-compose.yml", ROOT / "deploy" / "embargo.yml")
    services = [name for file in files for name in re.findall(r"^  ([a-z-]+):$", file.read_text(), re.MULTILINE)]
    for at, word in enumerate(arguments):
        if word in services:
            return arguments[:at]
    assert arguments[0] not in {"run", "exec"}, "the compose file has no such service"
    return arguments


def _after_files(arguments: list[str]) -> list[str]:
    """A compose command without the files that it reads, which have to be there."""
    if arguments[:1] != ["--file"]:
        return arguments
    assert (ROOT / arguments[1]).is_file(), f"there is no {arguments[1]}"
    return _after_files(arguments[2:])


@cache
def _is_command(words: tuple[str, ...]) -> bool:
    """Whether the last word is a command that the help of those before lists."""
    return bool(re.search(rf"(?m)^\s+{{?(\S+,)*{words[-1]}\b", _output(*words[:-1], "--help")))


@cache
def _output(program: str, *arguments: str) -> str:
    found = tool(program) if program != "gpg" else shutil.which("gpg")
    assert found is not None
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "COLUMNS": "200"}
    done = subprocess.run([found, *arguments], env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
