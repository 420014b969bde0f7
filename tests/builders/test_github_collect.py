from __future__ import annotations

import io
import logging
import zipfile
from typing import TYPE_CHECKING

import httpx
import pytest

from baton.builders.github_api import GitHubApi
from baton.builders.github_http import Reply
from baton.builders.github_log import excerpt
from baton.builders.port import FailedWithLog, Stopped
from baton.model.base import digest_of
from baton.model.errors import BatonError, Conflict, Failed, Missing, Refused, Unavailable
from baton.model.outside import RunState
from baton.model.plan import ArchiveLimits
from baton.sandbox.fake_ci.github import Fault
from tests.builders.github_world import FILES, TOKEN, World, github_world, is_, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from baton.model.outside import OutsideRun
    from baton.sandbox.fake_ci.github_run import FakeRun


@pytest.fixture(scope="module")
def whole_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with github_world(tmp_path_factory.mktemp("github")) as world:
        yield world


@pytest.fixture
def world(whole_world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("GITHUB_TOKEN_FOR_TEST", TOKEN)
    whole_world.simulator.runs.faults.clear()
    yield whole_world
    assert whole_world.simulator.downloads.credentials == 0, "a credential went to the host of the downloads"
    assert not list((whole_world.folder / "scratch").glob("*")), "something was left in the scratch folder"


@pytest.fixture(scope="module")
def good_run(whole_world: World) -> tuple[OutsideRun, FakeRun]:
    """A run that ended well, and how the simulator kept it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_TOKEN_FOR_TEST", TOKEN)
        adapter = whole_world.adapter()
        run = adapter.dispatch(whole_world.order())
        until(adapter, run)
    return run, fake_of(whole_world, run)


@pytest.fixture
def run(world: World, good_run: tuple[OutsideRun, FakeRun]) -> Iterator[OutsideRun]:
    run, fake = good_run
    yield run
    world.simulator.runs._runs[fake.id] = fake


def packed(world: World, run: OutsideRun, content: bytes) -> None:
    """Let the run's artifact be this, as if the workflow had made it."""
    fake = fake_of(world, run)
    artifact = fake.artifacts[0].model_copy(update={"size": len(content), "digest": digest_of(content)})
    artifact = artifact.model_copy(update={"file": "other.zip"})
    (world.folder / "github" / artifact.file).write_bytes(content)
    world.simulator.runs._runs[fake.id] = fake.model_copy(update={"artifacts": (artifact,)})


def fake_of(world: World, run: OutsideRun) -> FakeRun:
    fake = world.simulator.runs.get(int(run.id))
    assert fake is not None
    return fake


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def test_the_files_are_in_the_store_with_the_log_and_the_proven_commit(world: World, run: OutsideRun) -> None:
    adapter = world.adapter()
    collected = adapter.collect(run, FILES, world.intake())
    artifacts = world.store.read_set(collected.artifacts).artifacts
    assert [(each.name, each.size) for each in artifacts] == [("hello.bin", 25600), ("hello.txt", 6000)]
    assert world.store.read(artifacts[1].digest) == b"hello\n" * 1000
    assert collected.commit == world.commit
    assert collected.log is not None
    assert b"building in mode good" in world.store.read(collected.log)
    assert collected.builder == (
        f"GitHub Actions: build.yml of example/hello at {world.commit}, run {run.id}, attempt 1: {run.url}"
    )
    assert adapter.collect(run, FILES, world.intake()) == collected


def test_only_the_step_s_files_are_taken(world: World, run: OutsideRun) -> None:
    adapter = world.adapter()
    collected = adapter.collect(run, ("hello.txt",), world.intake())
    assert [each.name for each in world.store.read_set(collected.artifacts).artifacts] == ["hello.txt"]


def test_a_file_that_was_not_made_is_for_a_person(world: World, run: OutsideRun) -> None:
    adapter = world.adapter()
    with pytest.raises(Failed, match=r"succeeded without making hello\.exe"):
        adapter.collect(run, (*FILES, "hello.exe"), world.intake())
    with pytest.raises(Failed, match="left no artifact 'windows'; it left 'packages'"):
        world.adapter(artifacts=("windows",)).collect(run, FILES, world.intake())


def test_a_failed_run_says_what_the_log_said_last(world: World) -> None:
    adapter = world.adapter("fail")
    run = adapter.dispatch(world.order())
    until(adapter, run)
    with pytest.raises(FailedWithLog, match="the compiler is on fire") as error:
        adapter.collect(run, FILES, world.intake())
    assert str(error.value).startswith(f"run {run.id} ended with failure in build (Run the recipe): {run.url}; it said")
    assert str(error.value).endswith("##[error]Process completed with exit code 1.")
    assert b"the compiler is on fire" in world.store.read(error.value.log)


def test_a_run_that_someone_cancelled_in_github_is_for_a_person(world: World) -> None:
    adapter = world.adapter("wait")
    run = adapter.dispatch(world.order())
    with pytest.raises(Unavailable, match="has not ended"):
        adapter.collect(run, FILES, world.intake())
    world.simulator.runs.cancel(fake_of(world, run))
    until(adapter, run)
    with pytest.raises(Failed, match=r"was cancelled in GitHub.*find out who did"):
        adapter.collect(run, FILES, world.intake())
    again = adapter.retry_failed(run)
    assert until(adapter, again, is_(RunState.RUNNING)).attempt == 2
    adapter.cancel(again)
    assert until(adapter, again).state is RunState.CANCELLED


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault.EXPIRED, Missing, "expired on .*: run the workflow again"),
        (Fault.GONE, Missing, "410"),
        (Fault.TRUNCATED, Unavailable, "the connection failed"),
        (Fault.CUT_SHORT, Unavailable, "broke off after"),
        (Fault.LINK_EXPIRED, Unavailable, "answers 403: its address is asked for again"),
        (Fault.WRONG_DIGEST, Conflict, f"GitHub says sha256:{'0' * 64}"),
        (Fault.NO_DIGEST, Refused, "GitHub names no digest"),
    ],
)
def test_each_trouble_with_an_artifact_says_whether_to_try_again(
    world: World, run: OutsideRun, fault: Fault, kind: type[BatonError], words: str
) -> None:
    adapter = world.adapter()
    world.goes_wrong(fault)
    with pytest.raises(kind, match=words) as error:
        adapter.collect(run, FILES, world.intake())
    assert "sig=" not in f"{error.value!r} {error.value.__cause__!r} {error.value.__context__!r}"
    assert adapter.collect(run, FILES, world.intake()).commit == world.commit


def test_a_download_that_anyone_could_read_along_is_refused(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    reply = Reply("GET x", 302, httpx.Headers({"location": "http://example.org/artifact?sig=x"}), b"")
    monkeypatch.setattr("baton.builders.github_api.fetched", lambda *_, **__: reply)
    with pytest.raises(Refused, match=r"redirects to http://example\.org; expected https"):
        GitHubApi(world.builder(api="https://api.github.com")).download_address(1)


def test_the_address_of_a_download_is_in_no_log(
    world: World, run: OutsideRun, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world.adapter().collect(run, FILES, world.intake())
    assert "sig=" not in caplog.text


def test_artifacts_without_digests_are_taken_where_the_plan_accepts_them(world: World, run: OutsideRun) -> None:
    world.goes_wrong(Fault.NO_DIGEST)
    collected = world.adapter(accept_without_digest=True).collect(run, FILES, world.intake())
    assert collected.artifacts.files == 2


def test_what_a_run_made_when_run_again_counts(world: World, run: OutsideRun) -> None:
    adapter = world.adapter()
    fake = fake_of(world, run)
    older = fake.artifacts[0].model_copy(update={"id": 1, "digest": "sha256:" + "1" * 64})
    world.simulator.runs._runs[fake.id] = fake.model_copy(update={"artifacts": (*fake.artifacts, older)})
    assert adapter.collect(run, FILES, world.intake()).artifacts.files == 2


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("hello.txt")
    info.create_system = 3
    info.external_attr = 0o120777 << 16
    return info


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zipped(("../hello.txt", b"x")), r"not safe to open: .*'\.\.' in its path"),
        (zipped(("a/hello.txt", b"x"), ("b/hello.txt", b"y")), r"holds hello\.txt more than once"),
        (zipped((link(), b"hello.bin")), r"hello\.txt, which is a link"),
        (zipped(("hello.txt", bytes(2_000_000))), "not safe to open"),
        (b"PK but no zip file", "not safe to open|is no zip file"),
    ],
)
def test_an_artifact_that_is_not_safe_to_open_is_refused(
    world: World, run: OutsideRun, content: bytes, words: str
) -> None:
    adapter = world.adapter()
    packed(world, run, content)
    with pytest.raises(Refused, match=words):
        adapter.collect(run, ("hello.txt",), world.intake(limits=ArchiveLimits(unpacked_bytes=1_000_000)))


def test_two_artifacts_with_one_file_are_refused(world: World, run: OutsideRun) -> None:
    fake = fake_of(world, run)
    twin = fake.artifacts[0].model_copy(update={"id": fake.artifacts[0].id + 1, "name": "more"})
    world.simulator.runs._runs[fake.id] = fake.model_copy(update={"artifacts": (*fake.artifacts, twin)})
    with pytest.raises(Refused, match=r"two artifacts of the run hold hello\.(bin|txt)"):
        world.adapter(artifacts=("packages", "more")).collect(run, FILES, world.intake())


def test_a_plain_file_is_taken_if_the_step_names_it(world: World, run: OutsideRun) -> None:
    adapter = world.adapter()
    packed(world, run, b"a plain file")
    with pytest.raises(Refused, match="that the step does not name"):
        adapter.collect(run, ("hello.exe",), world.intake())
    fake = fake_of(world, run)
    named = fake.artifacts[0].model_copy(update={"name": "hello.exe"})
    world.simulator.runs._runs[fake.id] = fake.model_copy(update={"artifacts": (named,)})
    collected = world.adapter(artifacts=("hello.exe",)).collect(run, ("hello.exe",), world.intake())
    (artifact,) = world.store.read_set(collected.artifacts).artifacts
    assert (artifact.name, world.store.read(artifact.digest)) == ("hello.exe", b"a plain file")


def test_whoever_stops_it_is_heard(world: World, run: OutsideRun) -> None:
    adapter = world.adapter()
    with pytest.raises(Stopped):
        adapter.collect(run, FILES, world.intake(cancelled=lambda: True))


def test_progress_is_told(world: World, run: OutsideRun) -> None:
    said: list[str] = []
    adapter = world.adapter()
    adapter.collect(run, FILES, world.intake(progress=said.append))
    assert "takes in hello.bin" in said
    assert any(line.startswith("downloads the artifact 'packages': ") for line in said)


def test_the_end_of_a_log_is_its_last_error_and_not_the_cleaning_up(tmp_path: Path) -> None:
    lines = ["cc hello.c", "hello.c:1: error", "##[error]Process completed with exit code 2.", *["Cleaning up"] * 50]
    log = tmp_path / "run.log"
    log.write_text("".join(f"2026-11-22T12:00:00.1234567Z {line}\n" for line in lines))
    assert excerpt(log) == "cc hello.c\nhello.c:1: error\n##[error]Process completed with exit code 2."
