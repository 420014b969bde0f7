"""The blocks that are marked ``console run``, run for real, each page in the situation that its text describes."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sysconfig
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext
from temporalio import activity
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from baton.model.status import Beginning
from baton.sandbox.sigstore import ISSUER, machine_identity
from baton.sandbox.sigstore.server import local_sigstore
from baton.sandbox.state import State
from baton.sandbox.team_key import TeamKey
from baton.targets import sandbox_folder
from baton.trust.identities import TrustedIdentities
from tests.conftest import PATIENCE
from tests.deploy.conftest import set_up_namespace
from tests.docs.pages import ROOT, Block, blocks
from workflows.release import ReleaseWorkflow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from temporalio.testing import WorkflowEnvironment

    from baton.model.plan import Plan

RUNS: dict[str, list[Block]] = defaultdict(list)
for _block in blocks("console"):
    if _block.runs:
        RUNS[str(_block.page)].append(_block)

NAMESPACE = "operated"


def run_page(page: str, folder: Path, **environment: str) -> list[subprocess.CompletedProcess[str]]:
    """Run every marked block of a page, in order, in a folder; each must succeed."""
    path = [sysconfig.get_path("scripts"), os.environ["PATH"]]
    done = []
    for block in RUNS[page]:
        done.append(
            subprocess.run(
                ["bash", "-euo", "pipefail", "-c", block.script],
                cwd=folder,
                env={"PATH": os.pathsep.join(path), **environment},
                capture_output=True,
                text=True,
                check=False,
            )
        )
        assert done[-1].returncode == 0, f"{block}: {done[-1].stdout}{done[-1].stderr}"
    return done


def test_every_page_with_blocks_to_run_has_a_test_that_runs_them() -> None:
    assert set(RUNS) == {"docs/keys.md", "docs/operate.md", "docs/verify.md"}


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """A checkout to operate from, with ``docker compose`` as its plugin alone."""
    for name in ("docker-compose.yml", "Dockerfile"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "deploy/temporal", tmp_path / "deploy/temporal")
    shutil.copy(ROOT / "deploy/known_hosts", tmp_path / "deploy")
    docker = tmp_path / "bin/docker"
    docker.parent.mkdir()
    docker.write_text('#!/bin/sh\nshift\nexec docker-compose "$@"\n')
    docker.chmod(0o755)
    return tmp_path


@pytest.fixture
async def stuck_release(temporal: WorkflowEnvironment, plan: Plan) -> AsyncIterator[str]:
    """hello 1.0.0, whose first piece of work fails and is tried again; gives the address of its server."""
    address = temporal.client.service_client.config.target_host
    made = set_up_namespace(NAMESPACE, temporal)
    assert made.returncode == 0, made.stderr
    client = await Client.connect(address, namespace=NAMESPACE, data_converter=pydantic_data_converter)
    failed = asyncio.Event()

    @activity.defn(name="keep_plan")
    async def keep_plan(_: Any) -> None:
        failed.set()
        raise OSError("the host has a bad quarter of an hour")

    async with Worker(client, task_queue="release", workflows=[ReleaseWorkflow], activities=[keep_plan]):
        release = await client.start_workflow(
            "Release",
            Beginning(plan=plan),
            id=plan.release.workflow_id,
            task_queue=plan.queue,
            request_eager_start=False,
        )
        await asyncio.wait_for(failed.wait(), PATIENCE)
        yield address
        await release.terminate()


async def test_operating_as_the_page_says(installation: Path, stuck_release: str) -> None:
    done = await asyncio.to_thread(
        run_page,
        "docs/operate.md",
        installation,
        PATH=os.pathsep.join([str(installation / "bin"), sysconfig.get_path("scripts"), os.environ["PATH"]]),
        TEMPORAL_ADDRESS=stuck_release,
        TEMPORAL_NAMESPACE=NAMESPACE,
    )

    told = "".join(step.stdout for step in done)
    assert "BatonWaitingFor" in told
    assert "keep_plan" in told
    secrets = installation / "deploy/secrets"
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert len((secrets / "postgres_password").read_text().strip()) > 30


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Path]:
    """What ``baton demo --state world`` leaves, as far as it is published."""
    state = State.at(tmp_path / "world")
    state.prepare()
    file = sandbox_folder(state.target) / "hello/1.0.0/hello-1.0.0.tar.gz"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"hello")
    team = TeamKey(state)
    with local_sigstore(state.sigstore) as sigstore:
        config = ClientTrustConfig.from_json(sigstore.trust_config.read_text())
        token = IdentityToken(sigstore.tokens.for_machine("signing-worker"))
        with SigningContext.from_trust_config(config).signer(token) as signer:
            bundle = signer.sign_artifact(file.read_bytes())
    file.with_name(f"{file.name}.sigstore.json").write_text(bundle.to_json())
    try:
        key = team.make()
        machine = {
            "kind": "sigstore",
            "identity": machine_identity("signing-worker"),
            "issuer": ISSUER,
            "who": "machine",
        }
        armoured = key.file.read_text()
        team_key = {"kind": "openpgp", "fingerprint": key.fingerprint, "public_key": armoured, "who": "machine"}
        trusted = TrustedIdentities.model_validate(
            {
                "project": "hello",
                "sigstore": "sandbox",
                "issued": "2026-11-22",
                "streams": [{"name": "1", "trusted": [machine, team_key]}],
            }
        )
        (state.folder / "trusted-identities.json").write_text(trusted.model_dump_json(by_alias=True, exclude_none=True))
        subprocess.run(["gpg", "--homedir", team.home(), "--armor", "--detach-sign", file], check=True)
        yield state.folder
    finally:
        team.end_agent()


@pytest.fixture
def gnupg_home() -> Iterator[Path]:
    # Not in pytest's folder: its path is too long for the agent's sockets.
    home = Path(tempfile.mkdtemp(prefix="g-"))
    try:
        yield home
    finally:
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True)
        shutil.rmtree(home, ignore_errors=True)


def test_verifying_as_the_page_says(world: Path, gnupg_home: Path) -> None:
    [done] = run_page("docs/verify.md", world, HOME=str(gnupg_home), GNUPGHOME=str(gnupg_home))

    assert "OK: 1 file" in done.stdout + done.stderr
    assert "OK: hello-1.0.0.tar.gz" in done.stdout + done.stderr
    assert "Good signature" in done.stderr


def test_a_changed_file_does_not_verify_as_the_page_says(world: Path, gnupg_home: Path) -> None:
    (world / "target/public/hello/1.0.0/hello-1.0.0.tar.gz").write_bytes(b"changed")

    with pytest.raises(AssertionError, match="FAILED"):
        run_page("docs/verify.md", world, HOME=str(gnupg_home), GNUPGHOME=str(gnupg_home))


def test_keeping_the_teams_key_as_the_page_says(gnupg_home: Path) -> None:
    (gnupg_home / "own").write_text("correct horse\n")
    (gnupg_home / "gnupg").mkdir(mode=0o700)
    # The fewest rounds that there may be between a passphrase and its key: seconds, not most of a minute.
    (gnupg_home / "gnupg/gpg-agent.conf").write_text("s2k-count 65536\n")
    try:
        run_page("docs/keys.md", gnupg_home, HOME=str(gnupg_home), BATON_KEYS_PASSPHRASE_FILE=str(gnupg_home / "own"))

        held = subprocess.run(
            ["gpg", "--homedir", gnupg_home / "worker", "--list-secret-keys", "--with-colons"],
            capture_output=True,
            text=True,
            check=True,
        )
        secrets = [line.split(":") for line in held.stdout.splitlines() if line[:3] in {"sec", "ssb"}]
        assert [(fields[0], fields[14]) for fields in secrets] == [("sec", "#"), ("ssb", "+")]
        assert (gnupg_home / "keys/public/.well-known/openpgpkey/policy").exists()
        assert len(list((gnupg_home / "keys/worker").iterdir())) == 1
    finally:
        for name in ("gnupg", "worker"):
            subprocess.run(["gpgconf", "--homedir", gnupg_home / name, "--kill", "all"], check=False)
