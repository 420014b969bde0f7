from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from baton.builders.port import Stopped
from baton.model.errors import BatonError, Failed, Missing, Refused, Unavailable
from baton.sandbox.fake_ci.azure_pipeline import Fault
from tests.builders.azure_world import TOKEN, World, azure_world, ended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.model.outside import OutsideRun


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with azure_world(tmp_path_factory.mktemp("azure")) as world:
        yield world


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TOKEN", TOKEN)


@pytest.fixture
def run(world: World) -> OutsideRun:
    """One that has succeeded; all tests share it."""
    azure = world.pipelines()
    found = azure.dispatch(world.order("hello-1.0.0.run-1.windows.1", asked=datetime(2026, 1, 1, tzinfo=UTC)))
    ended(lambda: azure.look(found))
    return found


def test_a_file_that_no_artifact_holds_is_named(world: World, run: OutsideRun) -> None:
    with pytest.raises(Failed, match=r"do not hold hello\.msi"):
        world.pipelines().collect(run, ("hello.exe", "hello.msi"), world.intake)
    with pytest.raises(Missing, match="the run has no artifact 'macos'"):
        world.pipelines(artifacts=["macos"]).collect(run, ("hello.exe",), world.intake)
    with pytest.raises(Refused, match=r"SHA256SUMS of the same run says nothing"):
        world.pipelines().collect(run, ("hello.txt",), world.intake)


def test_the_caller_can_stop_a_download(world: World, run: OutsideRun) -> None:
    with pytest.raises(Stopped, match="stopped on request"):
        world.pipelines().collect(run, ("hello.exe",), world.intake_of(cancelled=True))
    assert list(world.scratch.iterdir()) == []


def test_an_archive_beyond_the_plans_limits_is_not_opened(world: World, run: OutsideRun) -> None:
    with pytest.raises(Refused, match=r"not safe to open: .*more than the 1 entries"):
        world.pipelines().collect(run, ("hello.exe",), world.intake_of(entries=1))


def test_what_is_taken_in_twice_is_the_same_and_the_run_is_kept_once(world: World, run: OutsideRun) -> None:
    azure = world.pipelines(keep_days=400)

    first, second = (azure.collect(run, ("hello.exe",), world.intake) for _ in range(2))

    assert first == second
    assert [(lease["ownerId"], str(lease["validUntil"])[:4]) for lease in world.found(run).leases] == [
        ("baton:hello-1.0.0.run-1.windows.1", f"{datetime.now(UTC) + timedelta(days=400):%Y}")
    ]


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        (Fault.ARTIFACT_GONE, Missing, "the run has no artifact 'windows', or not any more"),
        (Fault.DOWNLOAD_GONE, Missing, "localhost answers 404 .*: Azure DevOps keeps it no longer"),
        (Fault.DOWNLOAD_REFUSED, Unavailable, "localhost answers 403"),
        (Fault.DOWNLOAD_CUT_OFF, Unavailable, "the download of the artifact 'windows' broke off: RemoteProtocolError"),
        (Fault.DOWNLOAD_SHORT, Unavailable, r"came as \d+ bytes that are no whole zip file"),
        (Fault.DOWNLOAD_LINK, Refused, r"windows/.* is a link, or no file; expected a regular file"),
        (Fault.DOWNLOAD_OTHER, Unavailable, r"came as \d+ bytes that are no whole zip file"),
    ],
)
def test_a_download_that_is_not_what_it_should_be_is_never_taken_in(
    world: World, run: OutsideRun, fault: Fault, kind: type[BatonError], says: str
) -> None:
    world.fault(fault)

    with pytest.raises(kind, match=says) as error:
        world.pipelines().collect(run, ("hello.exe",), world.intake)

    assert "sig=" not in str(error.value)
    assert list(world.scratch.iterdir()) == []
    assert world.built(run) == {"hello.exe": b"built of first\nfor v1.0.0, stable"}
