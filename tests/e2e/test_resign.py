"""New signatures for what is public: found by its version, compared before anything is signed, put beside the files."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from baton.model.plan import Plan
from baton.model.status import Phase
from baton.trust.identities import TrustedIdentities
from tests.conftest import executable
from tests.e2e.conftest import Baton, tiny_project
from tests.proof.conftest import Gnupg

if TYPE_CHECKING:
    from collections.abc import Callable

    from baton.model.status import ReleaseStatus
    from baton.sandbox.embedded import EmbeddedWorld

pytestmark = pytest.mark.e2e

RELEASE_TOML = """\
[project]
name = "tiny"
title = "Tiny"
repository = "."
sandbox = true
sboms = false

[streams."*"]
status = "bugfix"

[[roster]]
id = "ada"
name = "Ada"
roles = ["release-manager"]

[[roster]]
id = "grace"
name = "Grace"
roles = ["release-manager"]

[[roster]]
id = "katherine"
name = "Katherine"
roles = ["macos-expert"]

[[steps]]
name = "text"
queue = "build"
files = ["tiny.txt"]
builder = { kind = "command", commands = [["python3", "build.py"]] }

[signing]
sigstore = "machine"
gpg = "team"

[[gates]]
name = "commit"
before = "build"
needs = { release-manager = 1 }

[[gates]]
name = "publish"
before = "publish"
needs = { release-manager = 1 }
starter-counts = false

[[targets]]
kind = "sandbox"
name = "downloads"

[evidence]
publish = true
"""
RELEASE, ANEW = "tiny/1.0", "resign/tiny/1.0"


@dataclass(frozen=True)
class Site:
    """A version that is public, and the people who released it."""

    world: EmbeddedWorld
    project: Path
    ada: Baton
    grace: Baton
    katherine: Baton

    @property
    def public(self) -> Path:
        return self.world.facts.public_root / "public/tiny/1.0"

    def shown(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.public.iterdir())}

    def resign(self, *options: str, code: int = 0) -> str:
        return self.ada("resign", "1.0", "-C", str(self.project), "--yes", *options, code=code)

    async def until_waiting(self, what: str) -> ReleaseStatus:
        return await self.ada.until(ANEW, lambda status: any(waiting.what == what for waiting in status.waiting))

    async def until_done(self) -> ReleaseStatus:
        return await self.ada.until(ANEW, lambda status: status.phase is Phase.RELEASED)


@pytest.fixture(scope="module")
async def site(small_world: EmbeddedWorld, folder: Path) -> Site:
    project, _ = tiny_project(folder)
    (project / "release.toml").write_text(RELEASE_TOML)
    ada, grace, katherine = (Baton(small_world.facts.state, person) for person in ("ada", "grace", "katherine"))
    ada("start", "1.0", "-C", str(project), "--yes")
    for person, gate in ((ada, "commit"), (grace, "publish")):
        await ada.until(RELEASE, _waits_for(gate))
        person("sign-off", RELEASE, gate, "--yes")
    await ada.until(RELEASE, lambda status: status.phase is Phase.RELEASED)
    return Site(small_world, project, ada, grace, katherine)


def _waits_for(what: str) -> Callable[[ReleaseStatus], bool]:
    return lambda status: any(waiting.what == what for waiting in status.waiting)


async def test_old_signatures_are_kept_under_dated_names_and_strangers_accept_the_new_ones(site: Site) -> None:
    before = site.shown()
    assert "baton status resign/tiny/1.0" in site.resign("--dated", "2026-11-23")
    status = await site.until_waiting("publish")
    assert site.shown() == before
    assert status.release.typed == ANEW
    # The same version can't be signed anew twice at once, and it takes the right person.
    assert "runs already" in site.resign(code=4)
    assert "katherine holds: macos-expert" in site.katherine(
        "sign-off", ANEW, "publish", "--role", "release-manager", "--yes", code=1
    )
    assert "somebody else's agreement" in site.ada("sign-off", ANEW, "publish", "--yes", code=1)
    assert ANEW in site.grace("list", "--mine")
    site.grace("sign-off", ANEW, "publish", "--yes")
    status = await site.until_done()
    after = site.shown()
    assert after == {
        **before,
        "tiny.txt.sigstore.json": after["tiny.txt.sigstore.json"],
        "tiny.txt.asc": after["tiny.txt.asc"],
        "tiny.txt.sigstore.2026-11-23.json": before["tiny.txt.sigstore.json"],
        "tiny.txt.2026-11-23.asc": before["tiny.txt.asc"],
    }
    assert after["tiny.txt.sigstore.json"] != before["tiny.txt.sigstore.json"]
    _accepted_by_strangers(site)
    _evidence_holds(site)


def _accepted_by_strangers(site: Site) -> None:
    facts, public = site.world.facts, site.public
    command = [
        executable("sigstore"), "--trust-config", str(facts.trust_config), "verify", "identity",
        "--cert-identity", facts.identity, "--cert-oidc-issuer", facts.issuer,
        "--bundle", str(public / "tiny.txt.sigstore.json"), str(public / "tiny.txt"),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    with tempfile.TemporaryDirectory(prefix="g-") as home:
        stranger = Gnupg(Path(home))
        stranger.run("--import", facts.gpg_public_key)
        stranger.run("--verify", public / "tiny.txt.asc", public / "tiny.txt")
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True, timeout=10)
    plan = Plan.model_validate_json((public.parent / "evidence/1.0/plan.json").read_bytes())
    trusted = site.project.parent / "identities.json"
    trusted.write_text(TrustedIdentities.of_plan(plan, issued=datetime.now(UTC).date()).model_dump_json(by_alias=True))
    given = ("--identities", str(trusted), "--gpg-key", str(facts.gpg_public_key), "--version", "1.0")
    said = site.ada("verify", str(public), *given, "--trust-config", str(facts.trust_config), "--json")
    assert json.loads(said)["ok"]


def _evidence_holds(site: Site) -> None:
    """It lies beside that of the release; a rehearsal that takes people at their word proves nothing else."""
    [evidence] = (site.world.facts.public_root / "public/tiny/evidence").glob("1.0-resigned-2026-11-23-*")
    trust = ("--trust-config", str(site.world.facts.trust_config))
    site.ada("evidence", "verify", str(evidence), *trust, "--json", code=1)
    said = site.ada._run("evidence", "verify", str(evidence), *trust, "--json").stdout
    assert json.loads(said)["verdict"] == "rehearsal", said


async def test_one_kind_is_replaced_and_a_killed_worker_loses_nothing(site: Site) -> None:
    before = site.shown()
    site.resign("--only", "sigstore", "--replace")
    await site.until_waiting("publish")
    await asyncio.to_thread(site.world.kill, "publish")
    site.grace("sign-off", ANEW, "publish", "--yes")
    await site.ada.until(ANEW, lambda status: status.phase is Phase.PUBLISH)
    assert site.shown() == before
    await asyncio.to_thread(site.world.restart, "publish")
    await site.until_done()
    after = site.shown()
    assert {name for name in after if after[name] != before.get(name)} == {"tiny.txt.sigstore.json"}
    assert after.keys() == before.keys()


async def test_a_file_that_was_changed_where_it_is_public_is_found_before_anything_is_signed(site: Site) -> None:
    file, signed = site.public / "tiny.txt", site.world.state.sigstore / "logs/rekor.log"
    entries, content = signed.read_bytes(), file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(b"evil\n")
    site.resign("--dated", "2026-11-24")
    status = await site.until_waiting("stock-downloads")
    [step] = [step for step in status.steps if step.name == "stock-downloads"]
    assert hashlib.sha256(b"evil\n").hexdigest() in step.detail
    assert signed.read_bytes() == entries
    file.write_bytes(content)
    site.ada("cancel", ANEW, "--reason", "look first", "--yes")
    await site.ada.until(ANEW, lambda status: status.phase is Phase.CANCELLED)


async def test_a_list_is_agreed_to_before_it_is_signed(site: Site, tmp_path: Path) -> None:
    listed = tmp_path / "SHA256SUMS"
    listed.write_text(f"{hashlib.sha256((site.public / 'tiny.txt').read_bytes()).hexdigest()}  tiny.txt\n")
    signed = site.world.state.sigstore / "logs/rekor.log"
    entries = signed.read_bytes()
    site.resign("--digests", str(listed), "--dated", "2026-11-25")
    await site.until_waiting("publish-files")
    assert signed.read_bytes() == entries
    site.grace("sign-off", ANEW, "publish-files", "--yes")
    await site.until_waiting("publish")
    site.grace("sign-off", ANEW, "publish", "--yes")
    await site.until_done()
    assert (site.public / "tiny.txt.2026-11-25.asc").exists()
