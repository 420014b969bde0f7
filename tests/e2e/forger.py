"""A workflow of somebody's own that asks Baton's workers for whatever it likes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy


@workflow.defn
class Forgery:
    """Asks a queue's workers for one piece of work."""

    @workflow.run
    async def run(self, name: str, queue: str, argument: dict[str, Any]) -> Any:
        return await workflow.execute_activity(
            name,
            argument,
            task_queue=queue,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )
