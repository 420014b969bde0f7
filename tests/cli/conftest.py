"""The command line against the real server and the real workflow; only the work itself is stood in for.

What people say is really proven, by keys that `ssh-keygen` made, and plans are really kept.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import uuid
from collections.abc import Sequence  # the worker reads the activity's annotations
from contextlib import AsyncExitStack, asynccontextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio import activity
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.hearing import HearActivities
from baton.cli import handle
from baton.cli.main import run
from baton.cli.releases import Releases
from baton.model import hearing, work
from baton.model.errors import BatonError
from baton.model.manifest import Artifact, ManifestRef, SetRef
from baton.model.status import ReleaseStatus
from baton.settings import WorkerSettings
from baton.store import open_store
from tests.conftest import CONTRACT, PATIENCE, REAL
from workflows.release import ReleaseWorkflow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from temporalio.client import Client
    from temporalio.testing import WorkflowEnvironment

    from baton.model.plan import Plan

DIGEST = "sha256:" + "d" * 64
SET = SetRef(digest=DIGEST, files=1, total_bytes=5)
MANIFEST = ManifestRef(
    digest="sha256:" + "a" * 64,
    files=2,
    total_bytes=10,
    preview=(Artifact(name="hello.exe", digest=DIGEST, size=5), Artifact(name="hello.tar.gz", digest=DIGEST, size=5)),
)
SOURCE = work.Source(repository="/nowhere/hello", commit="c" * 40, tag="v1.0.0", bundle=DIGEST, epoch=1)

RESULTS = {
    "prepare_source": SOURCE,
    "build_step": work.Built(step="any", commit=SOURCE.commit, artifacts=SET),
    "take_provided": work.Built(step="any", commit=SOURCE.commit, artifacts=SET),
    "inspect_step": work.Inspected(files=1, archives=0),
    "describe_files": SET,
    "make_manifest": MANIFEST,
    "verify_signatures": work.Verified(files=2, signatures=2),
    "stage": work.Staged(files=4, total_bytes=20),
    "promote": work.Promoted(target="downloads", url="https://example.org/downloads"),
    "check_public": work.Seen(files=4),
    "unstage": work.Undone(detail="unstaged"),
    "push_tag": work.Pushed(commit=SOURCE.commit),
    "forget_source": work.Undone(detail="forgot the source"),
    "tell": work.Told(sent=True),
    "attest_files": SET,
    "attest_release": MANIFEST.preview[0],
    "write_evidence": SET,
    "sign_evidence": SET,
}


HEARING = {item.name for item in vars(hearing).values() if isinstance(item, work.Work)}
"""What is done as workers do it."""


def hear(name: str, asked: Any) -> Any:
    """Prove an act, keep a plan or take one, with the store that BATON_STORE names."""
    settings = WorkerSettings()
    try:
        return getattr(HearActivities(open_store(settings.store), settings), name)(asked)
    except BatonError as error:
        raise ApplicationError(str(error), type=type(error).__name__, non_retryable=error.permanent) from error


@dataclass
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON document and nothing else."""
        return json.loads(self.out)


@dataclass
class Team:
    """A release of its own for one test: its plan, its worker while that runs, and a terminal to type into.

    Attributes:
        broken: how the next attempts of these builds fail.
        asked: the activities that ran, each with its argument.
    """

    client: Client
    plan: Plan
    broken: dict[str, list[ApplicationError]] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The release as people type it."""
        return f"{self.plan.release.project}/{self.plan.version}"

    async def baton(self, *arguments: str) -> Ran:
        """Run a command, as somebody with no terminal."""

        def type_it() -> Ran:
            with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
                code = run(arguments)
            return Ran(code, out.getvalue(), err.getvalue())

        return await asyncio.to_thread(type_it)

    async def status(self) -> ReleaseStatus:
        handle = self.client.get_workflow_handle(self.plan.release.workflow_id)
        status: ReleaseStatus = await handle.query("status", result_type=ReleaseStatus)
        return status

    async def until(self, condition: Callable[[ReleaseStatus], object]) -> ReleaseStatus:
        """Poll until the release's status fulfils a condition."""
        async with asyncio.timeout(PATIENCE):
            while not condition(status := await self.status()):
                await asyncio.sleep(0.05)
        return status

    async def until_waiting(self, what: str) -> ReleaseStatus:
        return await self.until(lambda status: any(waiting.what == what for waiting in status.waiting))

    async def start(self) -> str:
        """Start the release as `baton start` does, and return its run."""
        return (await Releases(self.client).start(self.plan)).run

    @asynccontextmanager
    async def working(self, *, without: str = "") -> AsyncIterator[None]:
        """A worker for every queue, but for one that may be left out."""
        async with AsyncExitStack() as workers:
            for queue in self.plan.queues:
                if queue == without:
                    continue
                runbook = [ReleaseWorkflow] if queue == self.plan.queue else []
                worker = Worker(self.client, task_queue=queue, workflows=runbook, activities=[self._do_any_work()])
                await workers.enter_async_context(worker)
            try:
                yield
            finally:
                await self._end()

    async def _end(self) -> None:
        """End the release: a worker that stops under a waiting one leaves its coroutines to the garbage collector."""
        handle = self.client.get_workflow_handle(self.plan.release.workflow_id)
        if (await handle.describe()).status is WorkflowExecutionStatus.RUNNING:
            ended = await self.baton("cancel", self.name, "--as", "ada", "--yes")
            if ended.code != 0:
                # It may have finished meanwhile.
                with suppress(RPCError):
                    await handle.terminate("the test is over")
        with suppress(WorkflowFailureError):
            await handle.result()

    def arguments(self, name: str) -> list[Any]:
        """What was asked of an activity, in order."""
        return [argument for asked, argument in self.asked if asked == name]

    def _do_any_work(self) -> Callable[..., Any]:
        @activity.defn(dynamic=True)
        async def do(arguments: Sequence[RawValue]) -> Any:
            name = activity.info().activity_type
            (asked,) = await self.client.data_converter.decode([arguments[0].payload], [CONTRACT[name].takes])
            self.asked.append((name, asked))
            if name in HEARING:
                return await asyncio.to_thread(hear, name, asked)
            if isinstance(asked, work.SignFiles):
                return work.Signed(signer=asked.signer, signatures=SET)
            if isinstance(asked, work.BuildStep) and self.broken.get(asked.step.name):
                raise self.broken[asked.step.name].pop(0)
            return RESULTS[name]

        return do


@pytest.fixture
def make_team(
    temporal: WorkflowEnvironment, make_plan: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Team]:
    """Makes releases that no other test sees, on a server that the command line finds by its environment."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.client.service_client.config.target_host)
    monkeypatch.setenv("BATON_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("BATON_UI_URL", "http://ui.example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("BATON_PERSON", "BATON_SANDBOX", "BATON_STATE"):
        monkeypatch.delenv(name, raising=False)

    def make(**changes: Any) -> Team:
        unique = f"hello-{uuid.uuid4().hex[:8]}"
        plan = make_plan(release={"project": unique, "version": "1.0.0"}, **changes)
        steps = tuple(step.model_copy(update={"queue": unique}) for step in plan.steps)
        signers = tuple(signer.model_copy(update={"queue": unique}) for signer in plan.signers)
        targets = tuple(target.model_copy(update={"queue": unique}) for target in plan.targets)
        moved = plan.model_copy(update={"queue": unique, "steps": steps, "signers": signers, "targets": targets})
        return Team(temporal.client, moved)

    return make


@pytest.fixture
def team(make_team: Callable[..., Team]) -> Team:
    return make_team()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Find out at once that no worker is up."""
    monkeypatch.setattr(handle, "IF_SILENT", timedelta(milliseconds=300))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with no keys in it, and no agent."""
    (tmp_path / ".ssh").mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GNUPGHOME", str(tmp_path / ".gnupg"))
    for name in ("SSH_AUTH_SOCK", "BATON_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def make_ssh_key(file: Path) -> dict[str, str]:
    """A new key pair, and the roster's entry of it."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", os.fspath(file)]
    subprocess.run(command, check=True, timeout=PATIENCE)
    return {"kind": "ssh", "public_key": file.with_suffix(".pub").read_text(encoding="utf-8").strip()}


@pytest.fixture
def real_team(make_team: Callable[..., Team], plan: Plan, home: Path) -> Callable[..., Team]:
    """Makes real releases, which take signed acts only; everyone but Eve has a key, all of them here."""
    people: list[dict[str, Any]] = [
        {**person.model_dump(), "keys": [make_ssh_key(home / ".ssh" / person.id)]} for person in plan.roster.people
    ]
    people.append({"id": "eve", "name": "Eve", "roles": ["release-manager"]})

    def make(**changes: Any) -> Team:
        return make_team(**{**REAL, "roster": {"people": people}, **changes})

    return make
