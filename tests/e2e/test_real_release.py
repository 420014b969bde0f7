"""A real release, in which nothing is a sandbox's: people prove what they say, and workers believe nobody else."""

from __future__ import annotations

import asyncio
import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from baton.model import work
from baton.model.acts import Answer, SignOff
from baton.model.statement import statement_of
from baton.model.status import Beginning, Phase, ReleaseStatus
from baton.project.read import read_project
from baton.project.resolve import resolve
from baton.proof import seal
from tests.conftest import PATIENCE
from tests.e2e.desks import Desk, gnupg_home
from tests.e2e.forger import Forgery
from tests.e2e.real import Real, real_world
from tests.proof.conftest import Gnupg
from workflows.release import ReleaseWorkflow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from temporalio.api.workflow.v1 import PendingActivityInfo
    from temporalio.testing import WorkflowEnvironment

    from baton.model.plan import Plan

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
async def real(folder: Path, temporal: WorkflowEnvironment) -> AsyncIterator[Real]:
    with gnupg_home() as gnupg:
        async with real_world(folder, gnupg, temporal.client) as world:
            yield world


async def test_a_real_release_is_made_by_people_who_prove_what_they_say(real: Real) -> None:
    def say(desk: Desk, *words: str, code: int = 0) -> Any:
        return asyncio.to_thread(desk, *words, code=code)

    await say(real.ada, "start", "1.0", "-C", str(real.project), "--yes")
    status = await real.until_waiting("1.0", "commit")
    assert status.waiting[0].people == ("grace", "katherine")

    # Neither their word nor a stranger's key is enough, whatever they are sent with.
    said = await say(real.katherine, "sign-off", "tiny/1.0", "commit", "--unsigned", "--yes", code=1)
    assert "takes signed acts only" in said
    agreed = sign_off(status, "commit", by="katherine")
    for message, why in (
        (agreed.model_dump(mode="json"), "accepts only acts that are proven by a signature"),
        (json.loads(seal(statement_of(agreed), real.mallory)), "which the roster lists for nobody"),
    ):
        answer = await real.release("1.0").execute_update("sign_off", message, result_type=Answer)
        assert not answer.accepted
        assert why in answer.message
    await say(real.grace, "sign-off", "tiny/1.0", "commit", "--yes")

    await real.until_waiting("1.0", "files")
    assert not (real.served / "tiny").exists()
    said = await say(real.ada, "sign-off", "tiny/1.0", "files", "--yes", code=1)
    assert "asks for somebody else's agreement" in said
    for desk in (real.katherine, real.grace):
        await say(desk, "sign-off", "tiny/1.0", "files", "--yes")

    # The web server is down: what fetches the files back fails and is tried again, until it is up.
    await _mend_by_the_temporal_command_line(real, real.ada, "1.0")
    status = await real.until("1.0", lambda status: status.phase is Phase.RELEASED)
    assert [given.proof is not None for gate in status.gates for given in gate.given] == [True] * 3
    assert status.refused == 2
    public = real.served / "tiny/1.0"
    assert {file.name for file in public.iterdir()} == {"tiny.txt", "tiny.txt.asc"}
    _verify_as_a_stranger(public, real.team_key)
    tags = subprocess.run(["git", "-C", real.project, "tag"], capture_output=True, text=True, check=True)
    assert tags.stdout.split() == ["v1.0"]


async def test_what_is_public_is_signed_anew_on_the_word_of_its_evidence(real: Real) -> None:
    """The workers prove for themselves that those who sign the project's releases signed that evidence."""

    async def until(condition: Callable[[ReleaseStatus], bool]) -> ReleaseStatus:
        anew = real.client.get_workflow_handle("resign/tiny/1.0")
        async with asyncio.timeout(PATIENCE):
            while True:
                status: ReleaseStatus = await anew.query("status", result_type=ReleaseStatus)
                if condition(status):
                    return status
                await asyncio.sleep(0.1)

    public = real.served / "tiny/1.0"
    old = (public / "tiny.txt.asc").read_bytes()
    with real.site.up():
        words = ("resign", "1.0", "-C", str(real.project), "--dated", "2026-11-23", "--yes")
        await asyncio.to_thread(real.ada, *words)
        status = await until(lambda status: bool(status.waiting))
        assert [waiting.what for waiting in status.waiting] == ["files"], status.waiting
        assert {file.name for file in public.iterdir()} == {"tiny.txt", "tiny.txt.asc"}
        for desk in (real.katherine, real.grace):
            await asyncio.to_thread(desk, "sign-off", "resign/tiny/1.0", "files", "--yes")
        await until(lambda status: status.phase is Phase.RELEASED)
    assert {file.name for file in public.iterdir()} == {"tiny.txt", "tiny.txt.asc", "tiny.txt.2026-11-23.asc"}
    assert (public / "tiny.txt.2026-11-23.asc").read_bytes() == old
    assert (public / "tiny.txt.asc").read_bytes() != old
    _verify_as_a_stranger(public, real.team_key)


async def _mend_by_the_temporal_command_line(real: Real, desk: Desk, version: str) -> None:
    """Hold a failing activity, change it, let it go on, and have it tried at once: docs/operate.md says how."""
    name = f"release/tiny/{version}"
    pending = await _until_pending(real, version, lambda one: one.attempt >= 2)
    assert pending.activity_type.name == "check_public"
    of = ("--workflow-id", name, "--activity-id", pending.activity_id)

    async def temporal(*words: str) -> str:
        return await asyncio.to_thread(desk.temporal, *words)

    await temporal("activity", "pause", *of, "--reason", "the web server is being repaired")
    await _until_pending(real, version, lambda one: one.paused)
    assert "paused" in (await temporal("workflow", "describe", "--workflow-id", name)).lower()
    slower = ("--retry-initial-interval", "20m", "--retry-maximum-interval", "20m")
    await temporal("activity", "update-options", *of, *slower)
    with real.site.up():
        await temporal("activity", "unpause", *of)
        # Unpaused, it would wait for its next try; reset, it does not.
        try:
            await temporal("activity", "reset", *of)
        except AssertionError as error:
            # Where all this took so long that its next try was due, it is done already.
            assert "Can't find pending activity" in str(error)  # noqa: PT017  # either is right
        await real.until(version, lambda status: bool(status.published))


async def _until_pending(
    real: Real, version: str, condition: Callable[[PendingActivityInfo], bool]
) -> PendingActivityInfo:
    """The first piece of work under way that fulfils a condition."""
    async with asyncio.timeout(PATIENCE):
        while True:
            described = await real.release(version).describe()
            for pending in described.raw_description.pending_activities:
                if condition(pending):
                    return pending
            await asyncio.sleep(0.1)


def sign_off(status: ReleaseStatus, gate: str, *, by: str) -> SignOff:
    """What somebody says who agrees to what a gate asks about, made by hand."""
    [asked] = [result for result in status.gates if result.gate == gate]
    return SignOff(
        release=status.release,
        run=status.run,
        subject=asked.subject,
        by=by,
        role="release-manager",
        at=asked.opened,
        nonce="0" * 32,
        gate=gate,
        attempt=asked.attempt,
    )


def _verify_as_a_stranger(public: Path, team_key: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="g-") as home:
        stranger = Gnupg(Path(home))
        stranger.run("--import", team_key)
        stranger.run("--verify", public / "tiny.txt.asc", public / "tiny.txt")
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True, timeout=PATIENCE)


async def test_who_writes_to_temporal_alone_gets_nothing_signed_or_published(real: Real) -> None:
    forged = _forged_plan(real)
    release = await real.client.start_workflow(
        ReleaseWorkflow.run, Beginning(plan=forged), id=forged.release.workflow_id, task_queue=forged.queue
    )
    status = await real.until_waiting("1.1", "commit")
    message = json.loads(seal(statement_of(sign_off(status, "commit", by="grace")), real.mallory))
    answer = await release.execute_update("sign_off", message, result_type=Answer)
    assert answer.accepted, answer.message
    # The workflow believes its forged roster; the signing worker does not.
    status = await real.until_waiting("1.1", "sign-gpg")
    [step] = [step for step in status.steps if step.name == "sign-gpg"]
    assert "which the roster lists for nobody" in step.detail
    assert status.manifest is not None
    await release.terminate()

    # Nor does either believe a workflow that asks without any runbook.
    async with Worker(
        real.client, task_queue="forger", workflows=[Forgery], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        ref = work.ReleaseRef(release=forged.release, run=status.run, plan=status.plan, sandbox=False)
        sign = work.SignFiles(release=ref, signer=forged.signers[0], manifest=status.manifest, gates=status.gates)
        publish = work.Publish(
            release=ref, target=forged.targets[0], manifest=status.manifest, signed=(), gates=status.gates
        )
        for item, queue, argument in (
            (work.SIGN_FILES, "sign", sign),
            (work.STAGE, "publish", publish),
            (work.PROMOTE, "publish", publish),
        ):
            with pytest.raises(WorkflowFailureError) as failure:
                await real.client.execute_workflow(
                    Forgery.run,
                    args=[item.name, queue, argument.model_dump(mode="json", by_alias=True)],
                    id=f"forgery-{item.name}",
                    task_queue="forger",
                )
            assert "which the roster lists for nobody" in str(_innermost(failure.value))
    assert not (real.served / "tiny/1.1").exists()
    assert not list(real.served.parent.glob(".served.staging/tiny/1.1"))


def _forged_plan(real: Real) -> Plan:
    """The project's own plan, but for its roster, by which mallory is grace."""
    project = read_project(real.project)
    commit = subprocess.run(
        ["git", "-C", real.project, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    )
    plan = resolve(project, "1.1", commit.stdout.strip(), started_by="ada", sandbox=None)
    mallorys = [real.mallory.credential]
    people = [
        {"id": person, "name": person, "roles": ["release-manager"], "keys": mallorys if person == "grace" else []}
        for person in ("ada", "grace", "katherine")
    ]
    return plan.model_validate({**plan.model_dump(by_alias=True), "roster": {"people": people}})


def _innermost(error: BaseException) -> BaseException:
    return error if error.__cause__ is None else _innermost(error.__cause__)
