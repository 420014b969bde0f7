"""A worker that dies, as by kill -9, before or after the effect of activities, and lives again each time.

``BATON_TEST_DEATHS`` names a folder with a file for each death that is due: ``ACTIVITY-before``, ``ACTIVITY-after``;
and ``order_run-unrecorded`` or ``order_signing-unrecorded``: a run was started in an outside CI system, and nothing
says so yet.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import worker
from activities import dispatching, outside, runs, work
from activities.records import Kept, Records
from workflows import orders

if TYPE_CHECKING:
    from collections.abc import Callable

DEATHS = Path(os.environ["BATON_TEST_DEATHS"])


def die_if_due(when: str) -> None:
    try:
        (DEATHS / when).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


class Mortality(Interceptor):
    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002  # SDK's
        return _Mortal(next)


class _Mortal(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002  # SDK's
        name = activity.info().activity_type
        die_if_due(f"{name}-before")
        done = await super().execute_activity(input)
        die_if_due(f"{name}-after")
        return done


class MortalRecords(Records):
    def keep(self, name: str, effect: Kept) -> Kept:
        for records, ordering in (("ordered/", "order_run"), ("signing-ordered/", "order_signing")):
            if name.startswith(records):
                die_if_due(f"{ordering}-unrecorded")
        return super().keep(name, effect)


def brief(ordering: Callable[[int], orders.Patience]) -> Callable[[int], orders.Patience]:
    return lambda wait: replace(ordering(wait), once=timedelta(seconds=10))


def impatient(wait: Callable[..., None]) -> Callable[..., None]:
    return lambda seconds, *about: wait(min(seconds, 1), *about)


def mortal_worker(*args: Any, **settings: Any) -> Worker:
    settings["interceptors"] = [*settings["interceptors"], Mortality()]
    # So that the shorter heartbeat below is seen by the workflow too.
    shared = SandboxRestrictions.default.with_passthrough_modules("workflows", "baton")
    # With none kept, a task never waits for the dead worker that kept its workflow.
    return Worker(
        *args, **settings, max_cached_workflows=0, workflow_runner=SandboxedWorkflowRunner(restrictions=shared)
    )


if __name__ == "__main__":
    orders.HEARTBEAT = timedelta(seconds=4)
    work.BEAT_SECONDS = 0.4
    # The simulators show at once what was started, and may be asked as often as one likes.
    setattr(orders, "ordering", brief(orders.ordering))  # noqa: B010  # the modules do not offer them for replacing
    setattr(runs, "_wait", impatient(runs._wait))  # noqa: B010  # as above
    # The same worker but for its mortality.
    setattr(worker, "Worker", mortal_worker)  # noqa: B010  # as above
    setattr(outside, "Records", MortalRecords)  # noqa: B010  # as above
    setattr(dispatching, "Records", MortalRecords)  # noqa: B010  # as above
    while True:
        # Forked, since what takes seconds is to import everything anew.
        if not (life := os.fork()):
            sys.exit(worker.main())
        os.waitpid(life, 0)
