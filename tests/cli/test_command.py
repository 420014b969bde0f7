"""The command itself: help, completion, exit codes, and what it does when nothing is there to talk to."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from baton.cli import overview
from baton.cli.group import ENTRIES, examples, help_text
from baton.model.status import Phase
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from tests.cli.conftest import Team

ROOT = Path(__file__).parents[2]
STARTER = str(ROOT / "starter.py")
NAMES = [entry.name for entry in ENTRIES]
OURS = [entry.name for entry in ENTRIES if entry.module.startswith("baton.cli.commands.")]
MANUAL = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def baton(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a process of its own."""
    return subprocess.run(
        [sys.executable, STARTER, *arguments],
        env={**os.environ, "COLUMNS": "100", **environment},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
    )


def section(name: str) -> str:
    """What the manual says of a command."""
    return MANUAL.partition(f"\n## `baton {name}`\n")[2].partition("\n## ")[0]


async def help_of(team: Team, name: str) -> str:
    shown = await team.baton(name, "--help")
    assert shown.code == 0
    return shown.out


def test_every_command_is_mounted_and_in_the_manual() -> None:
    overview_page = baton("--help").stdout

    for name in NAMES:
        assert re.search(rf"^  {name} ", overview_page, re.MULTILINE), name
        assert section(name), name
        assert f"(#baton-{name})" in MANUAL


async def test_every_command_has_examples_and_every_option_is_in_the_manual(team: Team) -> None:
    for name in NAMES:
        text = await help_of(team, name)

        assert f"Examples:\n    baton {name}" in text
        for option in re.findall(r"^  (?:-\w, )?(--[a-z-]+)", text, re.MULTILINE):
            assert option in section(name) or option in MANUAL.partition("\n## `baton list`")[0], f"{name} {option}"


def test_the_manual_and_the_help_agree_on_exit_codes() -> None:
    told = dict(re.findall(r"^  +(\d)  (.+)$", baton("--help").stdout, re.MULTILINE))
    written = dict(re.findall(r"^\| (\d) \| (.+?) \|$", MANUAL, re.MULTILINE))

    assert sorted(told) == sorted(written) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("name", ["", *OURS])
def test_help_loads_neither_temporal_nor_the_model(name: str) -> None:
    """They take most of a second to import; a timing would say it less reliably than their absence."""
    script = (
        "import sys; from baton.cli.main import run; code = run(sys.argv[1:]);"
        "print(code, sorted({'temporalio', 'baton.model.base', 'rich'} & set(sys.modules)))"
    )

    shown = subprocess.run(
        [sys.executable, "-c", script, *([name] if name else []), "--help"], capture_output=True, text=True, check=True
    )

    assert shown.stdout.splitlines()[-1] == "0 []"


def test_completion_knows_commands_and_options() -> None:
    def complete(*words: str) -> list[str]:
        line = {"_BATON_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
        return baton(**line).stdout.split()

    assert complete("baton", "s") == ["status", "start", "sign-off", "sign", "security", "schema"]
    assert complete("baton", "status", "--exit") == ["--exit-code"]
    assert complete("baton", "decide", "hello/1.0.0", "windows", "re") == ["retry"]


def test_the_version_is_the_packages() -> None:
    assert re.fullmatch(r"baton \d+\.\d+\.\d+\n", baton("--version").stdout)


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (["statsu"], "No such command 'statsu'. Did you mean 'status'"),
        (["status"], "Missing argument 'RELEASE'"),
        (["status", "hello/1.0.0", "--wach"], "No such option: --wach"),
        (["status", "hello/1.0.0", "--watch", "--json"], "--watch shows a page; leave out --json"),
        (["log", "hello/1.0.0", "windows", "--json"], "a step's log is text; leave out --json"),
        (["decide", "hello/1.0.0", "windows", "again"], "again"),
        ([], "Usage: baton"),
    ],
)
async def test_a_wrong_call_says_what_is_wrong_and_ends_with_2(team: Team, arguments: list[str], fact: str) -> None:
    wrong = await team.baton(*arguments)

    assert wrong.code == 2
    assert fact in wrong.err + wrong.out


@pytest.mark.parametrize(
    "arguments",
    [["list"], ["status", "hello/1.0.0"], ["log", "hello/1.0.0"], ["cancel", "hello/1.0.0", "--as", "ada", "--yes"]],
)
async def test_with_no_server_one_line_says_so(
    team: Team, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")

    unreachable = await team.baton(*arguments, "--json")

    assert (unreachable.code, unreachable.out) == (1, "")
    assert unreachable.err == (
        "baton: no Temporal server answers at 127.0.0.1:1: Connection refused. "
        "Start one with `baton dev`, or name yours in TEMPORAL_ADDRESS or a Temporal profile\n"
    )


async def test_with_no_local_world_one_line_says_how_to_get_one(team: Team, tmp_path: Path) -> None:
    missing = await team.baton("list", "--state", str(tmp_path / "nowhere"))

    assert missing.code == 1
    assert "start one with `baton dev`" in missing.err
    assert not (tmp_path / "nowhere").exists()


async def test_a_profile_that_is_not_there_is_named(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_PROFILE", "nowhere")

    refused = await team.baton("list")

    assert refused.code == 1
    assert "Temporal's configuration can't be used: Profile 'nowhere' not found" in refused.err


async def test_a_defect_is_one_line_and_a_traceback_only_on_demand(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(*_: object, **__: object) -> None:
        raise RuntimeError("something nobody thought of")

    monkeypatch.setattr(overview, "show_list", defect)

    told = await team.baton("list")
    monkeypatch.setenv("BATON_DEBUG", "1")
    shown = await team.baton("list")

    assert told.code == shown.code == 1
    assert told.err == (
        "baton: unexpected RuntimeError: something nobody thought of. "
        "This is a defect in Baton; BATON_DEBUG=1 shows where\n"
    )
    assert "Traceback" in shown.err


async def test_as_a_process_it_prints_json_alone_and_ends_with_its_exit_code(team: Team) -> None:
    async with team.working():
        await team.start()
        await team.until_waiting("publish")

        status = await asyncio.to_thread(baton, "status", team.name, "--json", "--exit-code")

        assert (status.returncode, status.stderr) == (3, "")
        assert json.loads(status.stdout)["phase"] == "stage"


@pytest.mark.usefixtures("team")
async def test_a_reader_that_goes_away_is_no_failure_to_complain_about() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, STARTER, "list"], stdout=gone, stderr=subprocess.PIPE, check=False
        )

    assert b"Traceback" not in done.stderr
    assert b"unexpected" not in done.stderr


@pytest.mark.parametrize(("answer", "code", "phase"), [("1.0.0", 0, Phase.RELEASED), ("yes", 1, Phase.STAGE)])
async def test_on_a_terminal_what_becomes_public_takes_the_version_typed_out(
    team: Team, answer: str, code: int, phase: Phase
) -> None:
    async with team.working():
        await team.start()
        await team.until_waiting("publish")

        typed = await asyncio.to_thread(
            at_a_terminal, "sign-off", team.name, "publish", "--as", "ada", at="to go ahead: ", answer=answer
        )

        assert typed == code
        await team.until(lambda status: status.phase is phase)


def at_a_terminal(*arguments: str, at: str, answer: str) -> int:
    """Run the command at a terminal, wait for its question, answer it, and return the exit code."""
    ours, its = pty.openpty()
    process = subprocess.Popen([sys.executable, STARTER, *arguments], stdin=its, stdout=its, stderr=its)
    os.close(its)
    seen = b""
    try:
        while at.encode() not in seen:
            readable, _, _ = select.select([ours], [], [], PATIENCE)
            assert readable, f"{at!r} was never asked: {seen.decode()}"
            seen += os.read(ours, 4096)
        os.write(ours, f"{answer}\n".encode())
        return process.wait(timeout=PATIENCE)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


DOCSTRING = """Do something.

More about it.

Args:
    what: the thing.

Examples:
  baton do it
  baton do it again

Raises:
    Missing: never.
"""


def test_a_docstring_becomes_help_without_its_technical_sections() -> None:
    assert help_text(DOCSTRING) == "Do something.\n\nMore about it."
    assert examples(DOCSTRING) == "\b\nExamples:\n  baton do it\n  baton do it again"
    assert examples("Do something.") is None
