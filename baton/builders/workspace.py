"""A clean place on this machine where a project's own commands run."""

from __future__ import annotations

import platform
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from baton.builders.environment import clean_environment
from baton.builders.port import FailedWithLog
from baton.builders.process import Watch, run
from baton.git import local_environment
from baton.model.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from baton.builders.port import Cancelled, Progress
    from baton.model.base import Digest, Name
    from baton.model.building import Command
    from baton.store import Store


_SLACK = 3600
"""Seconds that an attempt may need beside its commands: to fetch the source, and to keep what was made."""


@dataclass(frozen=True)
class Bench:
    """One attempt's own folder, gone when the attempt ends.

    Attributes:
        folder: the folder; checkouts go into it.
        log: the file that collects what the commands say.
        store: where the log is kept.
        environment: what every command finds in its environment.
        watch: who follows the commands, and what ends them early.
    """

    folder: Path
    log: Path
    store: Store
    environment: Mapping[str, str]
    watch: Watch

    def run(self, commands: tuple[Command, ...], checkout: Path, environment: Mapping[str, str]) -> None:
        """Run commands in order in a checkout.

        Args:
            commands: each must exit with 0.
            checkout: where they run.
            environment: added to the bench's; public values.

        Raises:
            FailedWithLog: one failed or ran out of time.
            Missing: a program is not there.
            Stopped: the caller wished it.
        """
        everything = {**self.environment, **environment}
        for command in commands:
            try:
                run(command, folder=checkout, environment=everything, log=self.log, watch=self.watch)
            except Failed as error:
                raise FailedWithLog(str(error), log=self.keep_log()) from error

    def git(self, *arguments: str, folder: Path) -> None:
        """Run git on our own folders, followed and stopped like every command of the bench.

        Raises:
            Failed: git reported an error, or ran out of time.
            Stopped: the caller wished it.
        """
        run(("git", *arguments), folder=folder, environment=local_environment(), log=self.log, watch=self.watch)

    def keep_log(self) -> Digest:
        """Put the log, as it is now, into the store."""
        return self.store.put_file(self.log).digest


@dataclass(frozen=True)
class Workspace:
    """Where attempts get their folders.

    Attributes:
        root: the folder of all of them, which workers on one machine may share.
        store: where logs and results go.
        cache: what tools may keep between attempts; None gives each attempt an empty one. A cache that is kept makes
            builds faster, and lets one build change the next one's result.
    """

    root: Path
    store: Store
    cache: Path | None = None

    @contextmanager
    def bench(self, name: Name, *, timeout: int, progress: Progress, cancelled: Cancelled) -> Iterator[Bench]:
        """A fresh bench for one attempt.

        Args:
            name: what the work is called; the log is named after it.
            timeout: seconds from now until its commands are stopped.
            progress: told the last lines of the log.
            cancelled: asked whether to stop.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        _sweep(self.root)
        watch = Watch(deadline=time.monotonic() + timeout, timeout=timeout, progress=progress, cancelled=cancelled)
        prefix = f"{name}-{int(time.time()) + timeout + _SLACK}-"
        with tempfile.TemporaryDirectory(dir=self.root, prefix=prefix, ignore_cleanup_errors=True) as own:
            folder = Path(own)
            home, temporary, cache = folder / "home", folder / "tmp", self.cache or folder / "cache"
            for place in (home, temporary, cache):
                place.mkdir(parents=True, exist_ok=True)
            log = folder / f"{name}.log"
            log.touch()
            environment = clean_environment(home=home, temporary=temporary, cache=cache)
            yield Bench(folder=folder, log=log, store=self.store, environment=environment, watch=watch)


def machine() -> str:
    """This machine and interpreter in words, for provenance."""
    return (
        f"{platform.node()}: {platform.system()} {platform.release()} {platform.machine()}, "
        f"Python {platform.python_version()}"
    )


def _sweep(root: Path) -> None:
    """Remove folders of attempts that must be over, whose worker was killed before it could."""
    for folder in root.glob("*-*-*"):
        until = folder.name.split("-")[-2]
        if until.isdecimal() and int(until) < time.time():
            shutil.rmtree(folder, ignore_errors=True)
