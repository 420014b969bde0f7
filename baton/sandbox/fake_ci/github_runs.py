"""The runs of the simulator of GitHub Actions; they outlive its process, as they would GitHub's."""

from __future__ import annotations

import threading
import zipfile
from collections import Counter
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from baton.git import git
from baton.model.errors import Failed
from baton.sandbox.fake_ci.github_run import FakeArtifact, FakeRun
from baton.sandbox.fake_ci.github_workflow import Fault
from baton.sandbox.fake_ci.runs import Ending, Execution
from baton.sandbox.state import write_private

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from baton.model.base import Commit
    from baton.sandbox.fake_ci.github_workflow import Workflow

_CONCLUSION = {Ending.SUCCEEDED: "success", Ending.FAILED: "failure", Ending.CANCELLED: "cancelled"}
_FIRST = 1001


class FakeRuns:
    """All runs of one workflow, which keeps them in a folder; safe from any thread.

    Attributes:
        workflow: what is run.
        faults: how often each fault is still to happen.
        dispatches: how many runs were started.
    """

    def __init__(self, workflow: Workflow, folder: Path) -> None:
        """Read the runs of an earlier process, and begin those again that were under way."""
        self.workflow = workflow
        self.faults: Counter[Fault] = Counter()
        self.dispatches = 0
        self._folder = folder
        self._lock = threading.RLock()
        self._executions: dict[int, Execution] = {}
        folder.mkdir(parents=True, exist_ok=True)
        found = [FakeRun.model_validate_json(file.read_bytes()) for file in folder.glob("*/run.json")]
        self._runs = {run.id: run for run in sorted(found, key=lambda run: run.id)}
        with self._lock:
            for run in list(self._runs.values()):
                if run.status == "in_progress":
                    self._begin(run)

    def happens(self, fault: Fault) -> bool:
        """Whether the fault is to happen now; then once less from now on."""
        with self._lock:
            if self.faults[fault] <= 0:
                return False
            self.faults[fault] -= 1
            return True

    def all(self) -> list[FakeRun]:
        """Every run, the youngest first."""
        with self._lock:
            return list(reversed(self._runs.values()))

    def get(self, run: int) -> FakeRun | None:
        """One run."""
        with self._lock:
            return self._runs.get(run)

    def head(self, ref: str) -> Commit | None:
        """The commit that a branch or tag is on, or None if there is no such."""
        for kind in ("heads", "tags"):
            try:
                return git("rev-parse", "--verify", f"refs/{kind}/{ref}^{{commit}}", folder=self.workflow.repository)
            except Failed:
                continue
        return None

    def start(self, ref: str, head: Commit, inputs: dict[str, str]) -> FakeRun:
        """Start a run."""
        with self._lock:
            self.dispatches += 1
            commit = inputs[self.workflow.commit_in] if self.workflow.commit_in else head
            run = FakeRun(
                id=max(self._runs, default=_FIRST - 1) + 1,
                ref=ref,
                head_sha=head,
                commit=commit,
                inputs=inputs,
                title=self.workflow.title(inputs),
                status="queued",
                created=datetime.now(UTC).replace(microsecond=0),
                held=self.happens(Fault.HELD),
            )
            return self._go_on(run)

    def release(self, run: FakeRun) -> None:
        """Let a run go that is held in the queue."""
        with self._lock:
            self._go_on(self._runs[run.id].model_copy(update={"held": False}))

    def review(self, run: FakeRun, *, approved: bool) -> None:
        """Let a waiting run go on, or end it."""
        with self._lock:
            now = self._runs[run.id]
            if now.status != "waiting":
                return
            if approved:
                self._go_on(now.model_copy(update={"approved": True}))
            else:
                self._keep(now.model_copy(update={"status": "completed", "conclusion": "failure"}))

    def cancel(self, run: FakeRun) -> bool:
        """Stop a run; False if it has ended."""
        with self._lock:
            now = self._runs[run.id]
            if now.status == "completed":
                return False
            if (execution := self._executions.get(run.id)) is not None:
                execution.cancel()
            else:
                self._keep(now.model_copy(update={"status": "completed", "conclusion": "cancelled"}))
            return True

    def rerun(self, run: FakeRun) -> bool:
        """Run a run again that did not succeed; False if that can't be."""
        with self._lock:
            now = self._runs[run.id]
            if now.status != "completed" or now.conclusion == "success":
                return False
            again = {"status": "queued", "conclusion": None, "attempt": now.attempt + 1, "held": False}
            self._go_on(now.model_copy(update=again))
            return True

    def log(self, run: FakeRun) -> bytes:
        """What the job of a run's latest attempt said, with times and marks as GitHub has them."""
        file = self._attempt(run) / "log.txt"
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []
        if run.conclusion == "failure":
            lines += ["##[error]Process completed with exit code 1.", "Cleaning up orphan processes"]
        return "".join(f"{run.created:%Y-%m-%dT%H:%M:%S}.0000000Z {line}\n" for line in lines).encode()

    def content(self, artifact: FakeArtifact) -> bytes:
        """What a download of the artifact gives."""
        return (self._folder / artifact.file).read_bytes()

    def close(self) -> None:
        """Stop everything that is under way; it begins again with the next process."""
        with self._lock:
            executions = list(self._executions.values())
            self._executions.clear()
        for execution in executions:
            execution.cancel()
        for execution in executions:
            execution.join()

    def _go_on(self, run: FakeRun) -> FakeRun:
        if run.held:
            return self._keep(run)
        if self.workflow.reviewers and not run.approved:
            return self._keep(run.model_copy(update={"status": "waiting"}))
        return self._begin(self._keep(run.model_copy(update={"status": "in_progress"})))

    def _begin(self, run: FakeRun) -> FakeRun:
        self._executions[run.id] = Execution(
            recipe=self.workflow.recipe,
            repository=self.workflow.source or self.workflow.repository,
            commit=run.commit,
            folder=self._attempt(run),
            inputs={f"INPUT_{name.upper()}": value for name, value in run.inputs.items()},
            ended=self._ended(run.id),
        )
        return run

    def _ended(self, run: int) -> Callable[[Ending], None]:
        def ended(ending: Ending) -> None:
            with self._lock:
                if self._executions.pop(run, None) is None:
                    return  # the process ends: the run is still under way
                now = self._runs[run]
                made = self._pack(now) if ending is Ending.SUCCEEDED else ()
                end = {"status": "completed", "conclusion": _CONCLUSION[ending], "artifacts": now.artifacts + made}
                self._keep(now.model_copy(update=end))

        return ended

    def _pack(self, run: FakeRun) -> tuple[FakeArtifact, ...]:
        made = []
        for number, name in enumerate(sorted(self.workflow.recipe.artifacts)):
            folder = self._attempt(run) / "artifacts" / name
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            packed = self._attempt(run) / f"{number}.zip"
            if self.happens(Fault.PLAIN_FILE):
                packed.write_bytes(files[0].read_bytes())
            else:
                with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                    for file in files:
                        archive.write(file, file.relative_to(folder).as_posix())
            content = packed.read_bytes()
            made.append(
                FakeArtifact(
                    id=run.job * 100 + number,
                    name=name,
                    file=packed.relative_to(self._folder).as_posix(),
                    size=len(content),
                    digest=f"sha256:{sha256(content).hexdigest()}",
                )
            )
        return tuple(made)

    def _attempt(self, run: FakeRun) -> Path:
        return self._folder / str(run.id) / str(run.attempt)

    def _keep(self, run: FakeRun) -> FakeRun:
        self._runs[run.id] = run
        file = self._folder / str(run.id) / "run.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        write_private(file, run.model_dump_json(indent=2).encode())
        return run
