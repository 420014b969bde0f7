"""Whole worlds: the real server, Sigstore instance, gpg, workers and command line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.service import RPCError

from baton.cli.connect import connect
from baton.cli.names import parse_release
from baton.model.plan import Plan
from baton.model.status import Beginning, ReleaseStatus
from baton.sandbox.embedded import EmbeddedWorld
from baton.sandbox.world import read_world
from tests.conftest import PATIENCE, executable, own_ports
from workflows.release import ReleaseWorkflow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from temporalio.client import WorkflowHandle

    from baton.sandbox.world import World


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder with a short path, since gpg-agent's sockets have to fit in it."""
    with tempfile.TemporaryDirectory(prefix="bt-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def small_world(folder: Path) -> Iterator[EmbeddedWorld]:
    """A world with one worker for each duty."""
    with EmbeddedWorld.start(own_ports(folder / "w"), queues=("release", "build", "sign", "publish")) as world:
        yield world


class Baton:
    """The command line, as somebody types it in another terminal."""

    def __init__(self, state: Path, person: str = "ada") -> None:
        self._state = state
        self._environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(state),
            "BATON_STATE": str(state),
            "BATON_PERSON": person,
        }

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [executable("baton"), *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """Type a command, and again while no worker answers yet, as its message says."""
        deadline = time.monotonic() + PATIENCE
        done = self._run(*arguments)
        while code == 0 and "does not answer" in done.stderr and time.monotonic() < deadline:
            done = self._run(*arguments)
        assert done.returncode == code, f"baton {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout if code == 0 else done.stderr

    def status(self, release: str) -> ReleaseStatus | None:
        """The status, or None while the worker that would answer is dead."""
        done = self._run("status", release, "--json")
        if "does not answer" in done.stderr:
            return None
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        return ReleaseStatus.model_validate({name: answer[name] for name in ReleaseStatus.model_fields})

    async def until(
        self, release: str, condition: Callable[[ReleaseStatus], bool], *, within: float = PATIENCE
    ) -> ReleaseStatus:
        """Ask for the status until it fulfils a condition, whatever is down meanwhile."""
        world = read_world(self._state)
        client = await connect(address=world.temporal_address, codec_keys=world.codec_keys)
        handle = client.get_workflow_handle(parse_release(release).workflow_id)
        async with asyncio.timeout(within):
            while True:
                with contextlib.suppress(RPCError):
                    status = await handle.query(ReleaseWorkflow.status, rpc_timeout=timedelta(seconds=5))
                    if condition(status):
                        return status
                await asyncio.sleep(0.3)


@pytest.fixture(scope="module")
def baton(small_world: EmbeddedWorld) -> Baton:
    return Baton(small_world.facts.state)


BUILD = """
import os, pathlib, sys
needs = os.environ.get("NEEDS")
if needs and not pathlib.Path(needs).exists():
    sys.exit(f"the tool {needs} is not installed")
out = pathlib.Path("dist")
out.mkdir()
(out / "tiny.txt").write_text("tiny\\n")
"""


def tiny_project(folder: Path) -> tuple[Path, str]:
    """A git repository with one commit, whose build writes one file if the tool that it needs is there."""
    repository = folder / "tiny"
    repository.mkdir()
    (repository / "build.py").write_text(BUILD)
    git = ["git", "-C", str(repository), "-c", "user.name=Tiny", "-c", "user.email=tiny@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Tiny"]):
        subprocess.run([*git, *command], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    return repository, commit


def tiny_plan(
    world: World, project: tuple[Path, str], version: str = "1.0", *, needs: Path | None = None, **changes: Any
) -> Plan:
    """The smallest plan that has everything: a build, a check, both signatures, a gate, a target, a tag."""
    repository, commit = project
    environment = {"NEEDS": str(needs)} if needs else {}
    build = {"kind": "command", "commands": [["python", "build.py"]], "environment": environment}
    return Plan.model_validate(
        {
            "release": {"project": "tiny", "version": version},
            "title": "Tiny",
            "stream": {"name": "*", "status": "bugfix"},
            "release_kind": "final",
            "sandbox": True,
            "unsigned_acts": True,
            "started_by": "ada",
            "source": {"repository": str(repository), "commit": commit, "tag": f"v{version}"},
            "steps": [{"name": "text", "builder": build, "queue": "build", "files": ["tiny.txt"]}],
            "checks": [{"name": "reads", "commands": [["python", "-c", "pass"]], "queue": "build"}],
            "signers": [
                {
                    "kind": "sigstore",
                    "instance": "sandbox",
                    "identity": {"identity": world.identity, "issuer": world.issuer},
                },
                {
                    "kind": "gpg",
                    "key": {"fingerprint": world.gpg_fingerprint, "public_key": world.gpg_public_key.read_text()},
                },
            ],
            "gates": [{"name": "publish", "before": "publish", "needs": {"release-manager": 1}}],
            "targets": [{"kind": "sandbox", "name": "downloads"}],
            "announcers": [{"kind": "log", "name": "log"}],
            "roster": {"people": [{"id": "ada", "name": "Ada", "roles": ["release-manager"]}]},
            **changes,
        }
    )


async def start(
    world: EmbeddedWorld, plan: Plan, *, task_timeout: timedelta | None = None
) -> WorkflowHandle[Any, ReleaseStatus]:
    """Start a release.

    Args:
        world: where.
        plan: what it does.
        task_timeout: after how long the server takes a worker with a piece of the runbook for dead, if not as always.
    """
    client = await connect(address=world.facts.temporal_address, codec_keys=world.facts.codec_keys)
    return await client.start_workflow(
        ReleaseWorkflow.run,
        Beginning(plan=plan),
        id=plan.release.workflow_id,
        task_queue=plan.queue,
        task_timeout=task_timeout,
    )
