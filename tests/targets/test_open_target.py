"""From a plan's target to the place, as the worker's settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from baton.model.errors import Refused
from baton.model.plan import DirectoryTarget, SandboxTarget
from baton.settings import WorkerSettings
from baton.targets import open_target, sandbox_folder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.targets.conftest import World


def test_a_directory_target_is_published_to_its_own_path(world: World) -> None:
    target = open_target(DirectoryTarget(name="www", path=str(world.served), url=world.web.url), WorkerSettings())
    target.stage(world.release, world.files, world.store)
    target.promote(world.release, world.files)
    assert target.check_public(world.release, world.files) == 3


def test_the_sandbox_target_is_published_below_the_workers_public_root(world: World, tmp_path: Path) -> None:
    settings = WorkerSettings(public_root=tmp_path / "sandbox", public_url="http://127.0.0.1:1")
    target = open_target(SandboxTarget(name="www"), settings)
    target.stage(world.release, world.files, world.store)
    served = sandbox_folder(tmp_path / "sandbox")
    assert list(served.iterdir()) == []
    assert target.promote(world.release, world.files) == "http://127.0.0.1:1/hello/1.0.0/"
    assert {path.name for path in (served / "hello" / "1.0.0").iterdir()} == set(world.contents)


@pytest.mark.parametrize("given", [{}, {"public_root": "/srv"}, {"public_url": "http://127.0.0.1"}])
def test_the_sandbox_target_is_refused_by_every_other_worker(given: dict[str, str]) -> None:
    with pytest.raises(Refused, match="BATON_PUBLIC_ROOT"):
        open_target(SandboxTarget(name="www"), WorkerSettings.model_validate(given))
