"""Baton releases itself: a second real project, unlike the example in every setting, rehearsed in a local world."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import baton
from baton.model.status import Phase
from baton.sandbox.embedded import EmbeddedWorld
from tests.conftest import executable, own_ports
from tests.e2e.conftest import Baton

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
QUEUES = ("baton=release", "linux", "linux-small", "notary=sign", "site=publish")
RELEASE = f"baton/{baton.__version__}"


@pytest.fixture(scope="module")
def world(folder: Path) -> Iterator[EmbeddedWorld]:
    with EmbeddedWorld.start(own_ports(folder / "w"), queues=QUEUES) as world:
        yield world


@pytest.fixture
def checkout(folder: Path) -> Path:
    """This very source as a commit of its own, whether or not the working tree is clean."""
    copy = folder / "baton"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(copy)], check=True)
    listed = ["git", "-C", str(ROOT), "ls-files", "-z", "--modified"]
    modified = subprocess.run(listed, check=True, capture_output=True, text=True)
    for name in filter(None, modified.stdout.split("\0")):
        if (ROOT / name).is_file():
            shutil.copy2(ROOT / name, copy / name)
    git = ["git", "-C", str(copy), "-c", "user.name=Test", "-c", "user.email=test@example.org"]
    subprocess.run([*git, "commit", "--quiet", "--all", "--allow-empty", "-m", "As it is"], check=True)
    return copy


async def test_baton_releases_itself(world: EmbeddedWorld, checkout: Path) -> None:
    maya, ines, tomasz = (Baton(world.facts.state, person) for person in ("maya", "ines", "tomasz"))
    maya("start", baton.__version__, "-C", str(checkout), "--yes")
    status = await maya.until(RELEASE, lambda status: any(waiting.what == "commit" for waiting in status.waiting))
    assert "maya" not in status.waiting[0].people
    assert "asks for somebody else's agreement" in maya("sign-off", RELEASE, "commit", "--unsigned", "--yes", code=1)
    for person in (ines, tomasz):
        person("sign-off", RELEASE, "commit", "--unsigned", "--yes")
    status = await maya.until(RELEASE, lambda status: bool(status.waiting) and status.phase is not Phase.PREPARE)
    assert [waiting.what for waiting in status.waiting] == ["files"], status.waiting
    assert status.manifest is not None
    names = {file.name for file in status.manifest.preview}
    assert f"baton_release-{baton.__version__}.tar.gz" in names
    assert f"baton_release-{baton.__version__}-py3-none-any.whl.spdx.json" in names
    for person in (ines, tomasz):
        person("sign-off", RELEASE, "files", "--unsigned", "--yes")
    status = await maya.until(RELEASE, lambda status: status.phase is Phase.RELEASED)
    published = world.facts.public_root / "public" / "baton" / baton.__version__
    assert not list(published.glob("*.asc"))
    wheel = published / f"baton_release-{baton.__version__}-py3-none-any.whl"
    verified = subprocess.run(
        [
            executable("sigstore"), "--trust-config", str(world.facts.trust_config), "verify", "identity",
            "--cert-identity", world.facts.identity, "--cert-oidc-issuer", world.facts.issuer,
"--bundle", f"{wheel}.sigstore",
            str(wheel),
        ],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert verified.returncode == 0, verified.stderr
    assert json.loads(maya("status", RELEASE, "--json"))["phase"] == "released"
