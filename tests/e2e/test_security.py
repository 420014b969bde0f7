"""A security fix in six streams, shipped by one person in one terminal; and nothing to be seen of it before."""

from __future__ import annotations

import shutil
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from baton.evidence.joint import JointResult, verify_joint
from baton.evidence.result import Verdict
from baton.sandbox.embedded import EmbeddedWorld
from baton.store.closed import opening
from baton.targets import sandbox_folder
from tests.conftest import PATIENCE, own_ports
from tests.e2e.lantern import Desk, lantern
from tests.e2e.public_side import PublicSide
from tests.e2e.traces import traces
from tests.proof.conftest import make_ssh_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.e2e.conftest import Baton

pytestmark = pytest.mark.e2e

SIX = ("1.0.1", "2.0.1", "3.0.1", "4.0.1", "5.0.1", "6.0.1")
FILES = {version: 4 if version < "4" else 8 for version in SIX}
"""Security-only streams have a source archive and the documentation, the others two more; and each file its SBOM."""

ADVISORY, TITLE, AGREED, MESSAGE = SECRETS = (
    "GHSA-2026-advisory", "Lantern cve-2026-title", "cve-2026-agreed", "Show one line, whatever the name is",
)  # fmt: skip
"""What a security release is about; the last is what the commits with the fix say."""


@pytest.fixture(scope="module")
def small_world(folder: Path) -> Iterator[EmbeddedWorld]:
    """The world with one worker for each duty, as people have it for an embargo: nobody reads it without the key."""
    queues = ("release", "build", "sign", "publish")
    with EmbeddedWorld.start(own_ports(folder / "w"), queues=queues, encrypted=True) as world:
        yield world


@pytest.fixture(scope="module")
def desk(folder: Path, baton: Baton) -> Desk:
    keys = {person: make_ssh_key(folder / person) for person in ("ada", "grace")}
    desk = lantern(folder, baton, queue="build", keys=keys)
    rules = desk.folder / "release.toml"
    under_embargo = f'title = "{TITLE}"\nembargo = true'
    rules.write_text(rules.read_text(encoding="utf-8").replace('title = "Lantern"', under_embargo), encoding="utf-8")
    return desk


def until(desk: Desk, name: str, is_so: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Ask for the status until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not is_so(status := desk.status(name)):
        assert time.monotonic() < deadline, status
        time.sleep(1)
    return status


def test_six_streams_become_public_together_by_one_sign_off_and_nothing_before(
    desk: Desk, small_world: EmbeddedWorld
) -> None:
    published = sandbox_folder(small_world.facts.public_root)
    with PublicSide(small_world, "lantern", SIX) as public:
        before = public.glance()
        name = desk.start(*SIX, advisory=ADVISORY)
        ready = until(desk, name, lambda status: status["gate"])
        assert {stream["state"] for stream in ready["streams"]} == {"ready"}
        assert {version: release["manifest"]["files"] for version, release in ready["releases"].items()} == FILES

        # Each of them is taken: alone, and in another security release.
        assert "is released with" in desk.start(SIX[0], code=4)
        release = ["start", SIX[0], f"--project={desk.folder}", f"--commit={desk.commits[SIX[0]]}", "--yes"]
        assert "is released with" in desk.baton(*release, code=4)
        # Whoever looks finds a stream by its version, although its workflow's id tells none.
        assert f"security/{name}/1" in desk.baton("status", f"lantern/{SIX[0]}")
        assert f"baton security sign-off {name}" in desk.baton("list")

        assert_tells_nothing(small_world, desk)
        assert list(published.rglob("*")) == []

        public.about = "open"
        assert "gate joint has 1 of 1 sign-offs" in desk.baton(
            "security", "sign-off", "--yes", f"--reason={AGREED}", f"--key={desk.folder.parent / 'ada'}"
        )
        released = until(desk, name, lambda status: status["phase"] == "released")
    after = public.glance()

    assert len(public.when("closed")) > len(SIX)
    for glance in public.when("closed"):
        assert (glance.public, glance.absent, glance.entries) == (frozenset(), frozenset(SIX), before.entries)
    assert after.public == frozenset(SIX)
    assert after.entries - before.entries >= sum(FILES.values())
    for version in SIX:
        assert len(list((published / "lantern" / version).glob("lantern-*.asc"))) == FILES[version]
    assert {release["phase"] for release in released["releases"].values()} == {"released"}

    advisory = desk.baton("security", "advisory", name)
    for stream in released["streams"]:
        assert (
            f"| {stream['version']} | `{desk.commits[stream['version']]}` | <{small_world.facts.public_url}" in advisory
        )
    assert f"| `lantern-{SIX[0]}.tar.gz` |" in advisory
    evidence = desk.folder.parent / "evidence"
    desk.baton("security", "evidence", name, f"--to={evidence}")
    assert_proves_what_people_agreed_to(evidence, partial(verify_joint, trust_config=small_world.facts.trust_config))
    assert_tells_nothing(small_world, desk)


def assert_tells_nothing(world: EmbeddedWorld, desk: Desk) -> None:
    """Nobody reads what it is about; and which versions and commits, only who gets into the store and the staging."""
    for closed in (world.state.store, world.state.target / "staging"):
        assert closed.is_dir()
        assert opening(closed) is None
    assert traces(world, *SECRETS) == []
    identified = traces(world, *SIX, *desk.commits.values())
    assert [trace for trace in identified if not trace.startswith(("store record", "a name in "))] == []


def assert_proves_what_people_agreed_to(evidence: Path, verify: Callable[[Path], JointResult]) -> None:
    found = verify(evidence)
    assert (found.failures, found.verdict) == ((), Verdict.VERIFIED)

    # Of one stream that is not there the others still tell; of what nobody signed, nothing.
    shutil.rmtree(evidence / "streams" / SIX[0])
    assert verify(evidence).failures == (f"{SIX[0]}: people agreed to it, but its evidence is not there",)
    for version in SIX[2:]:
        shutil.rmtree(evidence / "streams" / version)
    gate = (evidence / "gate.json").read_bytes()
    (evidence / "gate.json").write_bytes(gate.replace(b'"by":"ada"', b'"by":"grace"'))
    assert any("is in truth ada's sign-off" in failure for failure in verify(evidence).failures)
    (evidence / "gate.json").write_bytes(gate)
    joint = (evidence / "joint.json").read_bytes()
    (evidence / "joint.json").write_bytes(joint.replace(ADVISORY.encode(), b"GHSA-2"))
    assert any("does not count" in failure for failure in verify(evidence).failures)
