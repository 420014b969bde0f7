"""``baton evidence``: getting the record of a release, and verifying it, as people and scripts do."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from baton.cli.main import run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.evidence.conftest import Told


def verify(told: Told, folder: Path, *options: str) -> int:
    return run(["evidence", "verify", str(folder), "--trust-config", str(told.trust_config), *options])


def test_verifying_says_what_it_found_and_ends_with_0(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(told, told.folder) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "gate publish good attempt 1, asked about sha256:" in said
    assert "OK: the evidence of a signed rehearsal of hello 1.0.0, run" in said
    assert "16 acts heard, 6 of them refused; signed by https://sandbox.baton.invalid/machines/signer" in said


def test_what_fails_is_told_and_ends_with_1(told: Told, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copy / "manifest.json").unlink()
    assert verify(told, copy, "--json") == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["ok"], document["verdict"]) == (
        "urn:baton:evidence-verification:v1",
        False,
        "failed",
    )
    assert document["failures"] == [f"manifest.json: {copy}/manifest.json is not there"]


def test_a_wrong_call_ends_with_2_and_a_folder_without_evidence_with_1(tmp_path: Path) -> None:
    assert run(["evidence", "verify"]) == 2
    assert run(["evidence", "verify", str(tmp_path)]) == 1


def test_of_a_release_under_way_it_is_what_is_known_so_far(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    assert not list(told.so_far.glob("evidence.json.*"))
    assert verify(told, told.so_far) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "FAILED" not in said
    assert "SO FAR: what is here of hello 1.0.0" in said
    assert "Written while the release was in phase stage" in (told.so_far / "index.html").read_text()


async def test_of_a_finished_release_it_is_the_signed_one(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", told.address)
    monkeypatch.setenv("BATON_STORE", told.settings.store)
    asked = ["evidence", "hello/1.0.0", "--to", str(tmp_path / "evidence")]
    assert await asyncio.to_thread(run, asked) == 0
    assert told.verify(tmp_path / "evidence")
    assert await asyncio.to_thread(run, asked) == 0
    (tmp_path / "evidence" / "plan.json").unlink()
    (tmp_path / "evidence" / "plan.json").write_text("mine")
    assert await asyncio.to_thread(run, asked) == 4
