"""The compose file as Docker Compose itself reads it; no engine is needed for that."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import executable

if TYPE_CHECKING:
    from temporalio.testing import WorkflowEnvironment

ROOT = Path(__file__).parents[2]

Service = dict[str, Any]


def tool(name: str) -> str:
    """A program that a package put beside this interpreter."""
    found = shutil.which(name, path=sysconfig.get_path("scripts"))
    assert found is not None, f"{name} is not installed"
    return found


def run(*command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program with nothing of the tester's own settings in its environment."""
    environment = {"PATH": os.environ["PATH"], **options.pop("env", {})}
    return subprocess.run(command, env=environment, text=True, capture_output=True, check=False, **options)


@pytest.fixture(scope="session")
def compose() -> dict[str, Any]:
    """The compose file, with defaults filled in and everything resolved."""
    done = run(
        tool("docker-compose"), "--env-file", "/dev/null", "--file", str(ROOT / "docker-compose.yml"),
        "config", "--format", "json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    resolved: dict[str, Any] = json.loads(done.stdout)
    return resolved


@pytest.fixture(scope="session")
def services(compose: dict[str, Any]) -> dict[str, Service]:
    return dict(compose["services"])


@pytest.fixture(scope="session")
def workers(services: dict[str, Service]) -> dict[str, Service]:
    """Baton's own services, by the name of the task queue that each serves."""
    return {name.removeprefix("worker-"): service for name, service in services.items() if name.startswith("worker-")}


def set_up_namespace(
    namespace: str, temporal: WorkflowEnvironment, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run what the compose file runs to make the namespace, with the real ``temporal`` CLI on the real server."""
    return run(
        "/bin/sh",
        str(ROOT / "deploy/temporal/namespace.sh"),
        env={
            "PATH": f"{Path(executable('temporal')).parent}{os.pathsep}{os.environ['PATH']}",
            "TEMPORAL_ADDRESS": temporal.client.service_client.config.target_host,
            "TEMPORAL_NAMESPACE": namespace,
            **environment,
        },
    )


@pytest.fixture(scope="session")
def namespace(temporal: WorkflowEnvironment) -> str:
    """A namespace of its own, as the compose file makes it."""
    name = f"team-{uuid.uuid4().hex[:8]}"
    done = set_up_namespace(name, temporal)
    assert done.returncode == 0, done.stderr
    return name
