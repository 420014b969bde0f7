from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from baton.builders.command import LocalBuilder
from baton.builders.workspace import Workspace
from baton.git import git
from baton.model.base import digest_of
from baton.model.building import CommandBuilder, Step
from baton.model.version import ReleaseId
from baton.model.work import BuildStep, Built, ReleaseRef, Source
from baton.store import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Build = Callable[..., Built]

EPOCH = 1_700_000_000
WHEN = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.invalid",
    "GIT_AUTHOR_DATE": f"{EPOCH} +0000",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.invalid",
    "GIT_COMMITTER_DATE": f"{EPOCH} +0000",
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


@pytest.fixture
def workspace(tmp_path: Path, store: Store) -> Workspace:
    return Workspace(root=tmp_path / "work", store=store)


@pytest.fixture
def make_source(tmp_path: Path, store: Store) -> Callable[[Mapping[str, str]], Source]:
    """Makes the prepared source of a project with these files."""

    def make(files: Mapping[str, str]) -> Source:
        origin = Path(tempfile.mkdtemp(dir=tmp_path))
        for name, content in {"README": "hello\n", **files}.items():
            (origin / name).parent.mkdir(parents=True, exist_ok=True)
            (origin / name).write_text(content)
        git("init", "--quiet", "--initial-branch=main", folder=origin)
        git("add", "--all", folder=origin)
        git("commit", "--quiet", "--message", "First", folder=origin, environment=WHEN)
        git("tag", "--annotate", "--message", "1.0.0", "1.0.0", folder=origin, environment=WHEN)
        bundle = origin / "source.bundle"
        git("bundle", "create", "--quiet", str(bundle), "refs/tags/1.0.0", folder=origin)
        commit = git("rev-parse", "HEAD", folder=origin)
        return Source(
            repository=str(origin), commit=commit, tag="1.0.0", bundle=store.put_file(bundle).digest, epoch=EPOCH
        )

    return make


@pytest.fixture
def source(make_source: Callable[[Mapping[str, str]], Source]) -> Source:
    return make_source({})


class Caller:
    """Someone who follows a build, and may wish it stopped."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.enough = threading.Event()

    def progress(self, tail: str) -> None:
        self.heard.append(tail)

    def cancelled(self) -> bool:
        return self.enough.is_set()


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.fixture
def build(workspace: Workspace, source: Source, caller: Caller) -> Build:
    """Builds with these commands on this machine."""

    def build(*commands: tuple[str, ...], of: Source = source, timeout: int = 60, **settings: Any) -> Built:
        step = Step(
            name="build-it",
            builder=CommandBuilder(commands=commands, **settings),
            queue="build",
            files=("it",),
            timeout=timeout,
        )
        release = ReleaseRef(
            release=ReleaseId(project="hello", version="1.0.0"), run="run-1", plan=digest_of(b"plan"), sandbox=True
        )
        return LocalBuilder(workspace).build(
            BuildStep(release=release, step=step, source=of, attempt=1),
            progress=caller.progress,
            cancelled=caller.cancelled,
        )

    return build
