"""The simulator as a process of its own, as the sandbox starts it."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from baton.builders.azure_pipelines import AzurePipelines
from baton.model.outside import OutsideOrder, RunState
from baton.model.outside_azure import AzureBuilder
from tests.builders.azure_world import BUILD, TOKEN, ended, project_with, stage, until
from tests.conftest import PATIENCE, own_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

SLOW = "import pathlib, time; time.sleep(0 if pathlib.Path('{flag}').exists() else 10)"


def _serving(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/_sandbox").status_code == 404
    except httpx.TransportError:
        return False


@contextmanager
def simulator(config: Path, state: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "baton.sandbox.fake_ci.azure", str(config), str(state), str(port)]
    with subprocess.Popen(command) as process:
        try:
            deadline = time.monotonic() + PATIENCE
            while not _serving(port):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield process
        finally:
            process.terminate()


def test_a_simulator_that_was_killed_goes_on_with_its_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TOKEN", TOKEN)
    flag = tmp_path / "flag"
    project, commit = project_with(tmp_path, (stage("Build", BUILD), stage("Slow", SLOW.format(flag=flag))))
    config = tmp_path / "azure.json"
    config.write_text(project.model_dump_json())
    port = own_port()
    address = f"http://127.0.0.1:{port}"
    settings: dict[str, Any] = {"organization": f"{address}/example", "project": "our project", "pipeline": 21}
    builder = {"credential": {"kind": "pat", "token_from": "AZURE_TOKEN"}, "artifacts": ["windows"], **settings}
    azure = AzurePipelines(AzureBuilder.model_validate(builder))
    order = OutsideOrder(key="order-of-one", version="1.0.0", tag="v1", commit=commit, asked=datetime.now(UTC))

    with simulator(config, tmp_path / "state", port) as process:
        httpx.post(f"{address}/_sandbox/faults", json={"fault": "HELD"}).raise_for_status()
        run = azure.dispatch(order)
        assert azure.look(run).state is RunState.QUEUED
        httpx.post(f"{address}/_sandbox/runs/{run.id}/release").raise_for_status()
        until(lambda: azure.look(run), lambda report: report.stage == "Slow")
        process.kill()
        process.wait()

    flag.touch()
    with simulator(config, tmp_path / "state", port):
        assert azure.dispatch(order).id == run.id
        assert ended(lambda: azure.look(run)).state is RunState.SUCCEEDED
