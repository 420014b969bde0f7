"""``baton demo`` as people and scripts run it: a whole release with everything real."""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from baton.sandbox.world import read_world
from tests.conftest import PATIENCE, own_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

STARTER = Path(__file__).parents[2] / "starter.py"
KEYS = {
    *("release", "workflow_id", "status", "manifest_digest", "published", "published_url", "trust_config", "identity"),
    *("issuer", "gpg_fingerprint", "gpg_public_key", "evidence", "temporal_address", "ui_url", "files"),
}
FILE_KEYS = {"name", "sha256", "size", "sigstore_bundle", "signature"}


def demo(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, str(STARTER), "demo", "--state", str(folder), *options]
    return subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def left_of(folder: Path) -> list[str]:
    """The command lines of what still runs on this state."""
    running = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
    return [" ".join(line) for line in running if any(str(folder) in word for word in line)]


@dataclass(frozen=True)
class Ran:
    folder: Path
    outcome: dict[str, Any]


@pytest.fixture(scope="module")
def ran() -> Iterator[Ran]:
    """A demonstration that a script has run to its end."""
    folder = Path(tempfile.mkdtemp(prefix="baton-demo-"))
    own_ports(folder)
    done = demo(folder, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    yield Ran(folder, json.loads(done.stdout))
    shutil.rmtree(folder)


def test_its_json_says_everything_a_script_needs(ran: Ran) -> None:
    assert ran.outcome.keys() >= KEYS
    assert ran.outcome["status"] == "released"
    assert ran.outcome["workflow_id"] == "release/hello/1.0.0"
    assert all(file.keys() == FILE_KEYS for file in ran.outcome["files"])


def test_the_published_files_are_what_it_says(ran: Ran) -> None:
    published = Path(ran.outcome["published"])
    for file in ran.outcome["files"]:
        content = (published / file["name"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["size"], file["sha256"])


def test_the_evidence_has_the_manifest_that_was_signed_off(ran: Ran) -> None:
    evidence = Path(ran.outcome["evidence"])
    names = {path.name for path in evidence.iterdir()}
    assert names >= {"evidence.json", "evidence.json.sigstore.json", "evidence.json.asc", "index.html", "record.json"}
    manifest = (evidence / "manifest.json").read_bytes()
    assert f"sha256:{hashlib.sha256(manifest).hexdigest()}" == ran.outcome["manifest_digest"]


def test_the_real_sigstore_client_accepts_its_bundles(ran: Ran) -> None:
    out = ran.outcome
    for file in out["files"][:2]:
        subprocess.run(
            [
                *(sys.executable, "-m", "sigstore", "--trust-config", out["trust_config"], "verify", "identity"),
                *("--cert-identity", out["identity"], "--cert-oidc-issuer", out["issuer"]),
                *("--bundle", file["sigstore_bundle"], str(Path(out["published"]) / file["name"])),
            ],
            check=True,
            capture_output=True,
        )


def test_gpg_accepts_every_signature_of_the_team_key(ran: Ran, tmp_path: Path) -> None:
    out = ran.outcome
    keyring = tmp_path / "team.gpg"
    subprocess.run(["gpg", "--dearmor", "--output", keyring, out["gpg_public_key"]], check=True)
    for file in out["files"]:
        signed = Path(out["published"]) / file["name"]
        told = subprocess.run(
            ["gpgv", "--status-fd=1", "--keyring", keyring, file["signature"], signed],
            check=True,
            capture_output=True,
            text=True,
        )
        assert f" {out['gpg_fingerprint']}\n" in told.stdout.partition("VALIDSIG")[2]


def test_it_leaves_nothing_running(ran: Ran) -> None:
    assert left_of(ran.folder) == []


def test_run_again_it_reports_the_release_that_is_there_and_commands_that_work(ran: Ran) -> None:
    again = demo(ran.folder, "--yes")
    assert again.returncode == 0, again.stderr
    assert "was released before" in again.stderr
    assert ran.outcome["manifest_digest"] in again.stdout
    by_hand = again.stdout.partition("Verify all of it again")[2].partition("Try next")[0]
    commands = [line.strip() for line in by_hand.splitlines() if line.startswith("  ")]
    assert [Path(shlex.split(command)[0]).name.split(".")[0] for command in commands] == [
        *("baton", Path(sys.executable).name.split(".")[0], "gpg", "gpgv")
    ]
    for command in commands:
        subprocess.run(["/bin/sh", "-c", command], check=True, capture_output=True)
    assert left_of(ran.folder) == []


def test_what_was_changed_after_it_was_published_is_found_out(ran: Ran) -> None:
    changed = Path(ran.outcome["published"]) / ran.outcome["files"][0]["name"]
    whole = changed.read_bytes()
    changed.chmod(0o644)
    changed.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    try:
        found = demo(ran.folder, "--yes", "--json")
    finally:
        changed.write_bytes(whole)
    assert (found.returncode, found.stdout) == (1, "")
    assert changed.name in found.stderr
    assert left_of(ran.folder) == []


def test_a_world_that_is_kept_goes_on_is_used_again_and_ends_when_it_is_told_to(ran: Ran) -> None:
    kept = demo(ran.folder, "--yes", "--json", "--keep")
    assert kept.returncode == 0, kept.stderr
    world = psutil.Process(read_world(ran.folder).pids["world"])
    try:
        assert httpx.get(json.loads(kept.stdout)["published_url"]).is_success
        again = demo(ran.folder, "--yes", "--json")
        assert json.loads(again.stdout) == json.loads(kept.stdout)
        assert world.is_running()
    finally:
        world.terminate()
        world.wait(timeout=PATIENCE)
    assert left_of(ran.folder) == []


def test_without_a_terminal_it_does_not_begin_what_it_would_have_to_ask_about(tmp_path: Path) -> None:
    asked = demo(tmp_path / "world")
    assert (asked.returncode, asked.stdout) == (2, "")
    assert "--yes" in asked.stderr
    assert not (tmp_path / "world").exists()
