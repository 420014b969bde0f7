"""The runs of the simulator of Azure Pipelines, and how they go from stage to stage; they outlive its process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from baton.git import git
from baton.sandbox.fake_ci.azure_run import FakeRun, StageRun, now
from baton.sandbox.fake_ci.runs import Ending, Execution
from baton.sandbox.state import write_private

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from baton.sandbox.fake_ci.azure_pipeline import Pipeline, Stage
    from baton.sandbox.fake_ci.runs import Recipe

_RESULT = {Ending.SUCCEEDED: "succeeded", Ending.FAILED: "failed", Ending.CANCELLED: "canceled"}


class Unfit(Exception):
    """The request can't be met, and why: Azure answers 400."""


class FakeRuns:
    """All runs, kept in a folder; every method may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        """Read the runs of an earlier process, and begin those stages again that were under way."""
        self._folder = folder
        self._executions: dict[int, Execution] = {}
        self._lock = threading.RLock()
        kept = [FakeRun.model_validate_json(path.read_bytes()) for path in folder.glob("*/run.json")]
        self._runs = {run.id: run for run in sorted(kept, key=lambda run: run.id)}
        with self._lock:
            for run in self._runs.values():
                self._take_up(run)

    def all(self, pipeline: int) -> list[FakeRun]:
        """The runs of a pipeline, the youngest first."""
        with self._lock:
            return [run for run in reversed(self._runs.values()) if run.pipeline.id == pipeline]

    def find(self, run: int) -> FakeRun | None:
        """The run of that number."""
        return self._runs.get(run)

    def queue(
        self,
        pipeline: Pipeline,
        *,
        ref: str,
        version: str,
        parameters: dict[str, str],
        variables: dict[str, str],
        skip: tuple[str, ...],
        held: bool,
    ) -> FakeRun:
        """Start a run, or leave it in the queue.

        Raises:
            Unfit: there is no such parameter, stage or commit.
        """
        if unknown := set(parameters) - set(pipeline.parameters):
            raise Unfit(f"Unexpected parameter '{min(unknown)}'")
        if unknown := set(skip) - {stage.name for stage in pipeline.stages}:
            raise Unfit(f"Stage '{min(unknown)}' is not defined in the pipeline")
        everything = {**pipeline.parameters, **parameters}
        commit = everything[pipeline.commit_in] if pipeline.commit_in else version or _tip(pipeline.repository, ref)
        with self._lock:
            number = 1 + len(self._runs)
            run = FakeRun(
                id=number,
                pipeline=pipeline,
                ref=ref,
                version="d" * 40 if pipeline.commit_in else commit,
                commit=commit,
                parameters=everything,
                variables=variables,
                folder=self._folder / str(number),
                stages=[_new(stage, skip=stage.name in skip) for stage in pipeline.stages],
                skip=skip,
                held=held,
            )
            self._runs[number] = run
            self._go_on(run)
            return run

    def change(self, run: FakeRun, **changes: Any) -> None:
        """Give fields of a run other values, for good."""
        with self._lock:
            for name, value in changes.items():
                setattr(run, name, value)
            self._keep(run)

    def release(self, run: FakeRun) -> None:
        """Let a run that is held in the queue begin."""
        with self._lock:
            run.held = False
            self._go_on(run)

    def cancel(self, run: FakeRun) -> None:
        """Stop a run; what has ended stays as it is."""
        with self._lock:
            if run.status == "completed":
                return
            execution = self._executions.get(run.id)
            if execution is None:
                self._end(run, "canceled")
            else:
                self.change(run, status="cancelling")
                execution.cancel()

    def retry(self, run: FakeRun, name: str) -> None:
        """Run a stage that failed again, and those after it.

        Raises:
            Unfit: it did not fail, or the run has not ended.
        """
        with self._lock:
            names = [one.stage.name for one in run.stages]
            if name not in names or run.stages[names.index(name)].result not in ("failed", "canceled"):
                raise Unfit(f"Stage '{name}' is not in a state in which it can be retried")
            if run.status != "completed":
                raise Unfit(f"Stage '{name}' can't be retried before the run has ended")
            at = names.index(name)
            attempt = run.stages[at].attempt + 1
            later = [_new(one.stage, skip=one.stage.name in run.skip) for one in run.stages[at + 1 :]]
            run.stages[at:] = [_new(run.stages[at].stage, attempt=attempt), *later]
            run.status, run.result, run.finished = "inProgress", None, None
            self._go_on(run)

    def approvals(self) -> list[tuple[FakeRun, StageRun]]:
        """Every stage that has to be approved, or was."""
        with self._lock:
            return [(run, stage) for run in self._runs.values() for stage in run.stages if stage.approval]

    def approve(self, run: FakeRun, stage: StageRun, status: str) -> None:
        """Approve or reject a stage.

        Raises:
            Unfit: it does not wait for that.
        """
        with self._lock:
            if stage.approval != "pending":
                raise Unfit(f"The approval is {stage.approval}, not pending")
            stage.approval = status
            if status == "approved":
                self._go_on(run)
            else:
                stage.finish("failed")
                self._end(run, "failed")

    def close(self) -> None:
        """Stop whatever is under way; it begins again with the next process."""
        with self._lock:
            executions = list(self._executions.values())
            self._executions.clear()
        for execution in executions:
            execution.cancel()
        for execution in executions:
            execution.join()

    def _take_up(self, run: FakeRun) -> None:
        if run.status == "cancelling":
            self._end(run, "canceled")
        for stage in run.stages:
            if stage.state == "inProgress":
                stage.state = "pending"
        self._go_on(run)

    def _go_on(self, run: FakeRun) -> None:
        """Begin what comes next; the lock is held."""
        while not run.held and run.status in ("notStarted", "inProgress") and run.id not in self._executions:
            stage = next((one for one in run.stages if one.state != "completed"), None)
            if stage is None:
                self._end(run, "succeeded")
                return
            run.status, run.started = "inProgress", run.started or now()
            if stage.stage.approvers and stage.approval != "approved":
                stage.approval = "pending"
                break
            stage.state, stage.started = "inProgress", now()
            if stage.stage.recipe is None:
                stage.finish("succeeded")
            else:
                self._execute(run, stage, stage.stage.recipe)
        self._keep(run)

    def _execute(self, run: FakeRun, stage: StageRun, recipe: Recipe) -> None:
        execution = Execution(
            recipe=recipe,
            repository=run.pipeline.repository,
            commit=run.commit,
            folder=run.folder / f"{stage.stage.name}-{stage.attempt}",
            inputs=run.inputs(),
            ended=self._ended(run, stage),
        )
        stage.log = execution.log
        self._executions[run.id] = execution

    def _ended(self, run: FakeRun, stage: StageRun) -> Callable[[Ending], None]:
        def ended(ending: Ending) -> None:
            with self._lock:
                if self._executions.pop(run.id, None) is None:
                    return  # the process ends: the stage is still under way
                stage.finish(_RESULT[ending])
                if ending is Ending.SUCCEEDED and run.status != "cancelling":
                    self._go_on(run)
                else:
                    self._end(run, "canceled" if run.status == "cancelling" else _RESULT[ending])

        return ended

    def _end(self, run: FakeRun, result: str) -> None:
        for stage in run.stages:
            if stage.state != "completed":
                stage.approval = "canceled" if stage.approval == "pending" else stage.approval
                stage.finish("canceled" if result == "canceled" else "skipped")
        self.change(run, status="completed", result=result, finished=now())

    @staticmethod
    def _keep(run: FakeRun) -> None:
        run.folder.mkdir(parents=True, exist_ok=True)
        write_private(run.folder / "run.json", run.model_dump_json(indent=2).encode())


def _new(stage: Stage, *, skip: bool = False, attempt: int = 1) -> StageRun:
    made = StageRun(stage=stage, attempt=attempt)
    if skip:
        made.finish("skipped")
    return made


def _tip(repository: Path, ref: str) -> str:
    return git("rev-parse", "--verify", f"{ref}^{{commit}}", folder=repository)
