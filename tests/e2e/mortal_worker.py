"""A worker that dies, as by kill -9, once before and once after the effect of every activity.

``BATON_TEST_DEATHS`` names the folder in which each death leaves its mark; whoever runs this starts it again.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import worker
from activities import work
from workflows import orders

DEATHS = Path(os.environ["BATON_TEST_DEATHS"])


def die_once(when: str) -> None:
    try:
        (DEATHS / when).touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


class Mortality(Interceptor):
    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002  # SDK's
        return _Mortal(next)


class _Mortal(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002  # SDK's
        name = activity.info().activity_type
        die_once(f"{name}-before")
        done = await super().execute_activity(input)
        die_once(f"{name}-after")
        return done


def mortal_worker(*args: Any, **settings: Any) -> Worker:
    settings["interceptors"] = [*settings["interceptors"], Mortality()]
    # So that the shorter heartbeat below is seen by the workflow too.
    shared = SandboxRestrictions.default.with_passthrough_modules("workflows", "baton")
    return Worker(*args, **settings, workflow_runner=SandboxedWorkflowRunner(restrictions=shared))


if __name__ == "__main__":
    orders.HEARTBEAT = timedelta(seconds=2)
    work.BEAT_SECONDS = 0.4
    # The same worker but for its mortality.
    setattr(worker, "Worker", mortal_worker)  # noqa: B010  # the module does not offer it for replacing
    sys.exit(worker.main())
