"""Really does what a run of an outside CI system does: a fresh checkout, the commands, the files that they leave."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from baton.builders.environment import clean_environment
from baton.builders.port import Stopped
from baton.builders.process import Watch, run
from baton.git import git
from baton.model.base import Commit, Value
from baton.model.building import Command
from baton.model.errors import BatonError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TIMEOUT = 3600
"""Seconds that all commands of an execution may take."""


class Recipe(Value):
    """What a run does, in place of a workflow or pipeline file.

    Attributes:
        commands: run in order in a checkout of the commit; each must exit with 0. ``SOURCE_DATE_EPOCH`` is the
            commit's time.
        artifacts: the name of each artifact that the run leaves, and the folder in the checkout that is in it.
        environment: added to a small fixed environment.
    """

    commands: tuple[Command, ...] = Field(min_length=1)
    artifacts: dict[str, str]
    environment: dict[str, str] = Field(default_factory=dict)


class Ending(StrEnum):
    """How an execution ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass
class Execution:
    """A recipe that is being carried out in a thread of its own.

    Attributes:
        recipe: what is done.
        repository: a local git repository.
        commit: what is checked out of it.
        folder: gets ``log.txt`` and, once it has ended well, a folder ``artifacts/NAME`` for each artifact.
        inputs: added to the environment, in the form that the system gives them to commands.
        ended: called once at the end, from the thread.
    """

    recipe: Recipe
    repository: Path
    commit: Commit
    folder: Path
    inputs: Mapping[str, str]
    ended: Callable[[Ending], None]
    _cancel: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        # What a killed process left running may still write here, into a work folder of its own.
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log.write_bytes(b"")
        self._thread = threading.Thread(target=self._run, name=f"fake-ci-{self.folder.name}", daemon=True)
        self._thread.start()

    @property
    def log(self) -> Path:
        """What the commands said so far."""
        return self.folder / "log.txt"

    def cancel(self) -> None:
        """Stop the commands; :attr:`ended` is called soon."""
        self._cancel.set()

    def join(self) -> None:
        """Wait until the execution has ended."""
        self._thread.join()

    def _run(self) -> None:
        try:
            with tempfile.TemporaryDirectory(dir=self.folder, prefix="work-", ignore_cleanup_errors=True) as work:
                self._build(Path(work))
            ending = Ending.SUCCEEDED
        except Stopped:
            ending = Ending.CANCELLED
        except (BatonError, OSError) as error:
            with self.log.open("a", encoding="utf-8") as log:
                log.write(f"{error}\n")
            ending = Ending.FAILED
        self.ended(ending)

    def _build(self, work: Path) -> None:
        places = {name: work / name for name in ("home", "temporary", "cache")}
        for place in places.values():
            place.mkdir()
        checkout = work / "checkout"
        git("clone", "--quiet", "--no-checkout", "--template=", "--", str(self.repository), str(checkout), folder=work)
        git("checkout", "--quiet", "--detach", self.commit, folder=checkout)
        epoch = git("show", "--no-patch", "--format=%ct", self.commit, folder=checkout)
        environment = {
            **clean_environment(**places),
            "CI": "true",
            "SOURCE_DATE_EPOCH": epoch,
            **self.recipe.environment,
            **self.inputs,
        }
        watch = Watch(
            deadline=time.monotonic() + _TIMEOUT,
            timeout=_TIMEOUT,
            progress=lambda _: None,
            cancelled=self._cancel.is_set,
        )
        for command in self.recipe.commands:
            run(command, folder=checkout, environment=environment, log=self.log, watch=watch)
        for name, made in self.recipe.artifacts.items():
            shutil.copytree(checkout / made, self.folder / "artifacts" / name, symlinks=True, dirs_exist_ok=True)
