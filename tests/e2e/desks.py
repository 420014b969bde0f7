"""People at machines of their own, each with a home folder and a key in it, and workers with environments of theirs."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import worker
from baton.proof.ssh_key import SshSigningKey
from tests.conftest import PATIENCE, executable
from tests.e2e.conftest import Baton
from tests.proof.conftest import Gnupg, make_ssh_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

BARE = {"PATH": "/usr/bin:/bin"}


class Desk(Baton):
    """Somebody's own machine: nothing on it but their home folder, and where Temporal is."""

    def __init__(self, home: Path, person: str, **environment: str) -> None:
        self.home = home
        self.person = person
        self._environment = {**BARE, "HOME": str(home), "BATON_PERSON": person, **environment}

    def temporal(self, *arguments: str, stdin: str = "") -> str:
        """What the real ``temporal`` command line says here."""
        command = [executable("temporal"), *arguments, "--address", self._environment["TEMPORAL_ADDRESS"]]
        done = subprocess.run(
            command, env=self._environment, input=stdin, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout


def with_ssh_key(home: Path) -> SshSigningKey:
    """A new home folder with a key where OpenSSH looks for it."""
    (home / ".ssh").mkdir(mode=0o700, parents=True)
    file = home / ".ssh/id_ed25519"
    return SshSigningKey(make_ssh_key(file), file)


@contextlib.contextmanager
def gnupg_home() -> Iterator[Gnupg]:
    """A GnuPG home with a path that is short enough for its agent's sockets, as pytest's folders are not."""
    home = Path(tempfile.mkdtemp(prefix="g-"))
    try:
        yield Gnupg(home)
    finally:
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True, timeout=PATIENCE)
        # The agent removes its sockets at the same time.
        shutil.rmtree(home, ignore_errors=True)


@contextlib.asynccontextmanager
async def serving(folder: Path, workers: Mapping[str, Mapping[str, str]]) -> AsyncIterator[None]:
    """Runs ``worker.py`` for each queue with an environment of its own until they poll, and ends them afterwards."""
    processes = []
    try:
        for queue, environment in workers.items():
            home = folder / queue
            home.mkdir(parents=True)
            log = (home / "log").open("wb")
            processes.append(
                await asyncio.create_subprocess_exec(
                    sys.executable,
                    worker.__file__,
                    f"--queue={queue}",
                    f"--ready-file={home / 'ready'}",
                    env={**BARE, "HOME": str(home), "BATON_WORKSPACE": str(home / "work"), **environment},
                    stdout=log,
                    stderr=log,
                )
            )
        async with asyncio.timeout(PATIENCE):
            while not all((folder / queue / "ready").exists() for queue in workers):
                await asyncio.sleep(0.05)
        yield
    finally:
        for process in processes:
            process.terminate()
        await asyncio.gather(*(process.wait() for process in processes))
