"""A GnuPG home in which a key is kept and changed: gpg run so that no passphrase shows and nothing is asked twice.

python-gnupg can neither answer gpg's questions nor change expiry dates, so gpg is run directly here. What it says comes
by its status lines (GnuPG's doc/DETAILS, "Format of the --status-fd output"), its questions by ``--command-fd``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from itertools import repeat
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

from baton.model.errors import Failed, Invalid, Missing, Refused
from baton.signers.key_parts import Key
from baton.trust.gnupg_home import open_home, temporary_home

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pydantic import SecretStr

_QUESTION = re.compile(rb"^\[GNUPG:\] GET_(?:BOOL|LINE|HIDDEN) (\S+)", re.MULTILINE)
_PROBLEM = re.compile(r"^\[GNUPG:\] (?:ERROR|FAILURE) \S+ (\d+)", re.MULTILINE)
_CODE = 0xFFFF
_BAD_PASSPHRASE = 11
"""The numbers of errors are those of libgpg-error."""

PASSPHRASE_QUESTION = "passphrase.enter"  # noqa: S105  # the question's name
_AGENT_SETTINGS = "gpg-agent.conf"


class KeyHome:
    """A home with secret keys.

    Args:
        folder: the home.
        passphrase: of the secret keys; None, the agent asks for it with the pinentry program that it is set up with.

    Attributes:
        folder: the home, absolute.
        passphrase: as given.

    Raises:
        Missing: there is no such folder, or gpg is not installed.
        Invalid: its path is too long for the agent's sockets, or gpg can't be given the passphrase.
    """

    def __init__(self, folder: Path, passphrase: SecretStr | None) -> None:
        self._gpg = open_home(folder)
        self.folder = folder.absolute()
        self.passphrase = passphrase
        self._line = None if passphrase is None else _line(passphrase)

    def run(self, *arguments: str | Path, content: bytes | None = None) -> bytes:
        """Run a command that asks nothing but the passphrase, and return what it prints.

        Args:
            arguments: of gpg.
            content: what it reads on standard input; only for commands that need no passphrase.

        Raises:
            Refused: the passphrase is wrong.
            Failed: gpg could not do it; the message has its words.
        """
        given = content
        options = ["--batch"]
        if content is None and self._line is not None:
            options += ["--pinentry-mode", "loopback", "--passphrase-fd", "0"]
            given = self._line + b"\n"
        command = [*self._command(2), *options, *arguments]
        done = subprocess.run(command, input=given or b"", capture_output=True, env=_environment(), check=False)
        if done.returncode != 0:
            raise _why_not(done.stderr)
        return done.stdout

    def answer(self, answers: Mapping[str, Sequence[str]], *arguments: str) -> None:
        """Run a command that asks questions, and answer them.

        Args:
            answers: to each question, by gpg's name for it, one after the other.
            arguments: of gpg.

        Raises:
            Refused: the passphrase is wrong.
            Failed: gpg asks something else, or could not do it.
        """
        replies: dict[str, Iterator[bytes]] = {
            name: iter([reply.encode() for reply in given]) for name, given in answers.items()
        }
        options = []
        if self._line is not None:
            options = ["--pinentry-mode", "loopback"]
            replies.setdefault(PASSPHRASE_QUESTION, repeat(self._line))
        with TemporaryFile() as said:
            command = [*self._command(1), "--command-fd", "0", *options, *arguments]
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, env=_environment()
            )
            with process:
                assert process.stdin is not None  # noqa: S101  # both are pipes
                assert process.stdout is not None  # noqa: S101
                status = _converse(process.stdin, process.stdout, replies)
            if process.returncode != 0 or _PROBLEM.search(status.decode(errors="replace")):
                said.seek(0)
                raise _why_not(status + said.read())

    def keys(self) -> tuple[Key, ...]:
        """The keys of which the home has a secret part."""
        return tuple(Key.of(listed) for listed in self._gpg.list_keys(secret=True))

    def key(self, fingerprint: str | None = None) -> Key:
        """The key with this fingerprint; without one, the only key.

        Raises:
            Missing: the home does not have it.
            Invalid: it has several, and none was named.
        """
        keys = self.keys()
        if fingerprint is None:
            if len(keys) > 1:
                names = ", ".join(key.primary.fingerprint for key in keys)
                raise Invalid(f"{self.folder} has several keys, {names}: say which one with --key FINGERPRINT")
            if not keys:
                raise Missing(f"{self.folder} has no secret key: make one with `baton keys init`")
            return keys[0]
        found = next((key for key in keys if key.primary.fingerprint == fingerprint), None)
        if found is None:
            raise Missing(f"{self.folder} has no secret key {fingerprint}")
        return found

    def forget_passphrases(self) -> None:
        """Let the agent ask again: a wrong passphrase would pass while it has the right one."""
        self._control("--reload", "gpg-agent")

    def end_agent(self) -> None:
        """End the agent, and with it what it remembers."""
        self._control("--kill", "all")

    def _control(self, *arguments: str) -> None:
        subprocess.run(["gpgconf", "--homedir", self.folder, *arguments], capture_output=True, check=False)

    def _command(self, status: int) -> list[str | Path]:
        return ["gpg", "--homedir", self.folder, "--no-tty", "--status-fd", str(status), "--no-auto-check-trustdb"]


@contextmanager
def open_key_home(folder: Path, passphrase: SecretStr | None) -> Iterator[KeyHome]:
    """A home to change keys in; afterwards no agent is left that knows a passphrase.

    Raises:
        Missing: there is no such folder, or gpg is not installed.
        Invalid: its path is too long, or gpg can't be given the passphrase.
    """
    home = KeyHome(folder, passphrase)
    home.forget_passphrases()
    try:
        yield home
    finally:
        home.end_agent()


@contextmanager
def scratch_key_home(like: KeyHome, passphrase: SecretStr | None) -> Iterator[KeyHome]:
    """An empty home, removed in the end, whose agent is set up as that of another home."""
    with temporary_home() as folder:
        settings = like.folder / _AGENT_SETTINGS
        if settings.is_file():
            shutil.copy(settings, folder)
        yield KeyHome(folder, passphrase)


def _line(passphrase: SecretStr) -> bytes:
    secret = passphrase.get_secret_value()
    if not secret or any(character in secret for character in "\n\r\0"):
        raise Invalid("the passphrase is empty, or holds a line end or a null character, which gpg can't be given")
    return secret.encode()


def _converse(asks: IO[bytes], told: IO[bytes], replies: Mapping[str, Iterator[bytes]]) -> bytes:
    """Answer until gpg ends; what is not expected is answered with the end of the conversation, which undoes all."""
    status = b""
    for line in told:
        status += line
        if question := _QUESTION.match(line):
            name = question[1].decode()
            reply = next(replies.get(name, iter(())), None)
            if reply is None:
                status += f"unexpected question {name}\n".encode()
                asks.close()
                break
            asks.write(reply + b"\n")
            asks.flush()
    return status + told.read()


def _environment() -> dict[str, str]:
    """Gpg's words in English, for the message of an error."""
    return {**os.environ, "LC_ALL": "C"}


def _why_not(said: bytes) -> Refused | Failed:
    text = said.decode(errors="replace")
    # Not every command gives the number as well.
    if "Bad passphrase" in text or any(int(code) & _CODE == _BAD_PASSPHRASE for code in _PROBLEM.findall(text)):
        return Refused("gpg refuses the passphrase of this key")
    words = "; ".join(line for line in text.split("\n") if line and not line.startswith("[GNUPG:]"))
    return Failed(f"gpg could not do it: {words[-400:]}")


def require_gpg_home(folder: Path) -> None:
    """Make a home that only its owner can read, or make sure of one that is there.

    Raises:
        Refused: others can read it.
        Missing: it can't be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = folder.stat().st_mode & 0o777
    except OSError as error:
        raise Missing(f"can't make the GnuPG home {folder}: {error.strerror}") from error
    if mode & 0o077:
        raise Refused(f"the GnuPG home {folder} has mode {mode:04o}; expected 0700: `chmod 700 {folder}`")
