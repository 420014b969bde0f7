"""A release whose worker has another version of Baton than whoever asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

if TYPE_CHECKING:
    from tests.cli.conftest import Team


@workflow.defn(name="Release")
class NewerRelease:
    """Says more than this version knows, in every answer."""

    def __init__(self) -> None:
        self._ended = False

    @workflow.run
    async def run(self, beginning: dict[str, Any]) -> None:
        del beginning
        await workflow.wait_condition(lambda: self._ended)

    @workflow.query(name="status")
    def status(self) -> dict[str, Any]:
        return {"mood": "good"}

    @workflow.query(name="journal")
    def journal(self) -> list[dict[str, Any]]:
        return [{"at": "2026-11-22T02:00:00Z", "who": "ada", "what": "slept", "mood": "good"}]

    @workflow.update(name="claim")
    async def claim(self, message: Any) -> dict[str, Any]:
        del message
        return {"accepted": True, "message": "yes", "mood": "good"}

    @workflow.signal(name="cancel")
    async def cancel(self, message: Any) -> None:
        del message
        self._ended = True


async def test_what_a_newer_worker_answers_is_told_as_that_and_not_as_a_defect(team: Team) -> None:
    worker = Worker(
        team.client,
        task_queue=team.plan.queue,
        workflows=[NewerRelease],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker:
        await team.start()
        # The server has seen the worker once that answers.
        await team.client.get_workflow_handle(team.plan.release.workflow_id).query("status")

        answers = [await team.baton(command, team.name) for command in ("status", "log")]
        await team.client.get_workflow_handle(team.plan.release.workflow_id).signal("cancel", {})

        for answer in answers:
            assert (answer.code, answer.out) == (1, "")
            assert f"{team.plan.release} was answered by another version of Baton than this one" in answer.err
            assert "Upgrade this `baton`, or use the one of the workers" in answer.err
        assert "0.mood: Extra inputs are not permitted" in answers[1].err
