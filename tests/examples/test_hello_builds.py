from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from baton.builders.check import run_check
from baton.builders.command import LocalBuilder
from baton.builders.workspace import Workspace
from baton.git import git
from baton.model.base import canonical_json, digest_of
from baton.model.building import Check, CommandBuilder, Step
from baton.model.manifest import ArtifactSet, Manifest, ManifestFile, ManifestRef
from baton.model.version import ReleaseId
from baton.model.work import BuildStep, ReleaseRef, RunCheck, Source
from baton.sandbox.hello import make_repository
from baton.store import Store, open_store

if TYPE_CHECKING:
    from pathlib import Path

RELEASE = ReleaseRef(
    release=ReleaseId(project="hello", version="1.0.0"), run="run-1", plan=digest_of(b"plan"), sandbox=True
)
BUILDS = {
    "build-source": ("python", "-m", "build", "--no-isolation"),
    "build-docs": ("python", "tools/build_docs.py"),
    "build-windows": ("python", "tools/build_windows.py"),
    "build-macos": ("python", "tools/build_macos.py"),
}
FILES = [
    "hello-1.0.0-docs.zip",
    "hello-1.0.0-macos-arm64",
    "hello-1.0.0-macos-x86_64",
    "hello-1.0.0-py3-none-any.whl",
    "hello-1.0.0-windows-amd64.exe",
    "hello-1.0.0.tar.gz",
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return open_store(str(tmp_path_factory.mktemp("store")))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, store: Store) -> Source:
    repository = tmp_path_factory.mktemp("git")
    commit = make_repository(None, repository)
    git("update-ref", "refs/tags/1.0.0", commit, folder=repository)
    bundle = tmp_path_factory.mktemp("bundle") / "source.bundle"
    git("bundle", "create", "--quiet", str(bundle), "refs/tags/1.0.0", folder=repository)
    return Source(
        repository=str(repository),
        commit=commit,
        tag="1.0.0",
        bundle=store.put_file(bundle).digest,
        epoch=int(git("show", "--no-patch", "--format=%ct", commit, folder=repository)),
    )


def build_everything(workspace: Workspace, source: Source) -> ArtifactSet:
    def build(name: str) -> ArtifactSet:
        step = Step(name=name, builder=CommandBuilder(commands=(BUILDS[name],)), queue=name, files=("it",))
        work = BuildStep(release=RELEASE, step=step, source=source, attempt=1)
        built = LocalBuilder(workspace).build(work, progress=lambda _: None, cancelled=lambda: False)
        return workspace.store.read_set(built.artifacts)

    with ThreadPoolExecutor(max_workers=2) as builders:
        sets = builders.map(build, BUILDS)
        return ArtifactSet.of([artifact for artifacts in sets for artifact in artifacts.artifacts])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, store: Store, source: Source) -> ArtifactSet:
    return build_everything(Workspace(tmp_path_factory.mktemp("first"), store), source)


@pytest.fixture
def workspace(tmp_path: Path, store: Store) -> Workspace:
    return Workspace(tmp_path / "a" / "longer" / "way" / "to" / "the" / "workspace", store)


def test_every_platform_is_built_here(built: ArtifactSet) -> None:
    assert [artifact.name for artifact in built.artifacts] == FILES


def test_a_rebuild_elsewhere_from_cold_caches_makes_the_same_bytes(
    built: ArtifactSet, workspace: Workspace, source: Source
) -> None:
    assert build_everything(workspace, source) == built


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("python", "tools/check_release.py"), b"the wheel and 3 programs say: Hello, world! This is hello 1.0.0."),
        (("python", "-m", "unittest", "discover", "tests"), b"OK"),
    ],
)
def test_its_own_checks_pass(
    built: ArtifactSet, command: tuple[str, ...], says: bytes, workspace: Workspace, source: Source
) -> None:
    manifest = Manifest(
        project="hello",
        version="1.0.0",
        plan=RELEASE.plan,
        commit=source.commit,
        files=tuple(ManifestFile(**artifact.model_dump(), step="build-it") for artifact in built.artifacts),
    )
    workspace.store.put_bytes(canonical_json(manifest))
    check = Check(name="look", commands=(command,), queue="build")
    work = RunCheck(release=RELEASE, check=check, source=source, manifest=ManifestRef.to(manifest), attempt=1)

    checked = run_check(work, workspace, progress=lambda _: None, cancelled=lambda: False)

    assert says in workspace.store.read(checked.log)
