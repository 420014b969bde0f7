from __future__ import annotations

import logging
import shlex
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from baton.model.errors import Invalid, Missing, Unavailable
from baton.sandbox.sigstore import ISSUER, machine_identity
from baton.settings import WorkerSettings
from baton.signers import token_command
from baton.signers.tokens import TokenIdentity, token_source
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import SecretStr

    from baton.sandbox.sigstore.server import LocalSigstore


def run(*words: str | Path) -> SecretStr:
    return token_source(WorkerSettings(identity_token_command=shlex.join(map(str, words))))()


def python(code: str) -> SecretStr:
    return run(sys.executable, "-c", code)


def test_a_command_is_run_again_for_every_token(sandbox: LocalSigstore, tmp_path: Path) -> None:
    file = tmp_path / "a token with 'quotes'"
    source = token_source(WorkerSettings(identity_token_command=shlex.join(["cat", str(file)])))
    for machine in ("first", "second"):
        file.write_text(sandbox.tokens.for_machine(machine) + "\n")
        token = TokenIdentity.of(source())
        assert (token.identity, token.issuer) == (machine_identity(machine), ISSUER)


def test_no_shell_reads_the_command() -> None:
    assert run("printf", "%s", "$HOME;`id`|cat").get_secret_value() == "$HOME;`id`|cat"


def test_what_a_failing_command_says_is_not_repeated(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(Unavailable, match=r"ended with 3 .*run it by hand") as failure:
        python("import sys; print('token-4711'); print('token-4711', file=sys.stderr); sys.exit(3)")
    told = capfd.readouterr()
    assert "4711" not in f"{failure.value}{caplog.text}{told.out}{told.err}"


@pytest.mark.parametrize("code", ["", "print('two'); print('lines')", "import os; os.write(1, b'\\xff')"])
def test_anything_but_one_line_of_text_is_refused(code: str) -> None:
    with pytest.raises(Invalid, match="does not print one line"):
        python(code)


def test_a_command_that_never_stops_printing_is_ended() -> None:
    with pytest.raises(Invalid, match="more than 65536 bytes"):
        run("yes")


@pytest.mark.parametrize("code", ["import signal; signal.pause()", "import os, signal; os.close(1); signal.pause()"])
def test_a_command_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(token_command, "_TIMEOUT", 0.3)
    with pytest.raises(Unavailable, match=r"no identity token within 0\.3 seconds"):
        python(code)


def test_nothing_of_a_command_is_left_running(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    # The child has closed standard output, so that the command is at its end while its child is not.
    child = f"(exec >&- 2>&-; echo $BASHPID > {shlex.quote(str(file))}; exec sleep 300) &"
    until_it_runs = f"until [ -s {shlex.quote(str(file))} ]; do :; done"
    assert run("bash", "-c", f"{child} {until_it_runs}; echo token").get_secret_value() == "token"
    deadline = time.monotonic() + PATIENCE
    while _runs(int(file.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_program_that_is_not_there_is_missing() -> None:
    with pytest.raises(Missing, match="/nowhere/token, which BATON_IDENTITY_TOKEN_COMMAND names, does not run"):
        run("/nowhere/token", "--secret", "4711")


@pytest.mark.parametrize("command", ["", "  ", "cat 'token"])
def test_what_is_no_command_is_refused_at_once(command: str) -> None:
    with pytest.raises(Invalid, match="BATON_IDENTITY_TOKEN_COMMAND"):
        token_source(WorkerSettings(identity_token_command=command))
