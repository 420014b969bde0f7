"""A Baton worker: polls task queues and does their work with the credentials of its own environment.

``python worker.py --queue build-windows`` serves one queue; give ``--queue`` again for more. What a queue's worker
does follows from its name, or from ``--queue NAME=DUTY``: ``release`` follows runbooks and does what needs no special
machine, ``sign`` holds keys, ``publish`` holds targets, and any other name builds.

Which Temporal, by Temporal's own environment configuration (``TEMPORAL_ADDRESS``, profiles, mTLS, API key); which
store, keys and targets, by the variables of :class:`baton.settings.WorkerSettings`.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor, Worker

from activities.duties import Duty, activities_for, duty_of
from activities.work import BEAT_SECONDS, Conduct
from baton.cli.connect import connect
from baton.codec.discretion import be_discreet
from baton.codec.keys import keyring_of
from baton.model.errors import BatonError
from baton.settings import WorkerSettings
from baton.store.closed import require_closed
from workflows.release import ReleaseWorkflow
from workflows.resign import ReSigningWorkflow
from workflows.security_release import SecurityReleaseWorkflow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from temporalio.client import Client

FAILED, USAGE = 1, 2
GRACE = timedelta(seconds=20)
"""How long a worker that is told to stop may finish what it does; another worker does the rest."""

BEAT = timedelta(seconds=BEAT_SECONDS)
"""How often Temporal hears of each piece of work."""

log = logging.getLogger("baton.worker")


class Queue(NamedTuple):
    """A task queue to poll, and what its work is."""

    name: str
    duty: Duty

    @classmethod
    def parse(cls, text: str) -> Queue:
        """Read ``NAME`` or ``NAME=DUTY``."""
        name, _, duty = text.partition("=")
        if not name or (duty and duty not in tuple(Duty)):
            raise argparse.ArgumentTypeError(f"{text!r} is not NAME or NAME=DUTY, with DUTY one of {', '.join(Duty)}")
        return cls(name, Duty(duty) if duty else duty_of(name))


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="worker.py", description="A Baton worker: polls task queues.")
    parser.add_argument(
        "--queue",
        type=Queue.parse,
        action="append",
        required=True,
        metavar="NAME[=DUTY]",
        help=f"a task queue to poll; DUTY is one of {', '.join(Duty)}, by default what the name says, or build",
    )
    parser.add_argument("--at-once", type=int, default=8, metavar="N", help="activities at once for each queue")
    parser.add_argument("--ready-file", type=Path, help="a file to make once the worker polls")
    parser.add_argument(
        "--once", action="store_true", help="do one piece of work and leave, for machines that live as long as a job"
    )
    given = parser.parse_args(argv)
    if given.once and [queue.duty for queue in given.queue] != [Duty.BUILD]:
        parser.error("--once is for one queue that builds: other work takes several steps")
    return given


class Leaving(Interceptor):
    """Has the worker leave as soon as it has done one piece of work, well or not.

    Args:
        leave: set then.
    """

    def __init__(self, leave: asyncio.Event) -> None:
        self._leave = leave

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002  # SDK's name
        """Put it around an activity; called by the worker."""
        return _Last(next, self._leave)


class _Last(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, leave: asyncio.Event) -> None:
        super().__init__(following)
        self._leave = leave

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002  # the SDK's name
        try:
            return await super().execute_activity(input)
        finally:
            self._leave.set()


def worker_for(
    queue: Queue,
    client: Client,
    settings: WorkerSettings,
    *,
    at_once: int = 8,
    interceptors: Sequence[Interceptor] = (),
) -> Worker:
    """A worker for one queue, offering only what its duty needs.

    Args:
        queue: which.
        client: connected to the server.
        settings: the worker's places and credentials.
        at_once: how many activities it does at once.
        interceptors: more of them, around its activities' conduct.

    Raises:
        BatonError: the settings do not fit together.
    """
    return Worker(
        client,
        task_queue=queue.name,
        workflows=[ReleaseWorkflow, ReSigningWorkflow, SecurityReleaseWorkflow] if queue.duty is Duty.RELEASE else [],
        activities=activities_for(queue.duty, settings),
        activity_executor=ThreadPoolExecutor(at_once, thread_name_prefix=queue.name),
        max_concurrent_activities=at_once,
        # What people see of the work, and how soon it is stopped on request, depends on how often it is told of.
        max_heartbeat_throttle_interval=BEAT,
        default_heartbeat_throttle_interval=BEAT,
        interceptors=[*interceptors, Conduct(sandbox=settings.sandbox is not None)],
        graceful_shutdown_timeout=GRACE,
    )


async def serve(queues: Sequence[Queue], *, at_once: int, ready_file: Path | None, once: bool = False) -> None:
    """Poll the queues until the process is told to stop, then finish what is under way.

    Args:
        queues: what to poll.
        at_once: how many activities to do at once for each.
        ready_file: a file to make once the worker polls.
        once: whether to stop after one piece of work.
    """
    stop = asyncio.Event()
    _when_told_to_stop(asyncio.get_running_loop(), stop)
    settings = WorkerSettings()
    if keyring_of(settings):
        be_discreet()
        require_closed(settings)
    if settings.sandbox is None and not settings.projects and any(queue.duty is not Duty.BUILD for queue in queues):
        log.warning(
            "BATON_PROJECTS is not set: this worker refuses real releases, as it has no release.toml to judge them by"
        )
    client = await connect(serving=True)
    async with AsyncExitStack() as workers:
        for queue in queues:
            worker = (
                worker_for(queue, client, settings, at_once=1, interceptors=[Leaving(stop)])
                if once
                else worker_for(queue, client, settings, at_once=at_once)
            )
            await workers.enter_async_context(worker)
            log.info("polling %s (%s) in namespace %s", queue.name, queue.duty, client.namespace)
        if ready_file is not None:
            ready_file.write_text(f"{os.getpid()}\n")  # noqa: ASYNC240  # a few bytes, once
        await stop.wait()
        log.info("stopping; what is under way may take up to %s", GRACE)


def _when_told_to_stop(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # The last one is Ctrl-Break, by which Windows ends what has no window.
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is None:
            continue
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:
            # The event loops of Windows know no signals.
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))


def main(argv: Sequence[str] | None = None) -> int:
    """Run a worker; returns the exit code."""
    given = arguments(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    # One line for every request, with its address, is noise; addresses of webhooks are secrets.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        asyncio.run(serve(given.queue, at_once=given.at_once, ready_file=given.ready_file, once=given.once))
    except BatonError as error:
        print(f"worker: {error}", file=sys.stderr)  # noqa: T201  # the last word belongs on stderr, in plain text
        return FAILED
    except ValidationError as error:
        facts = "; ".join(f"BATON_{e['loc'][0]}: {e['msg']}".upper() for e in error.errors(include_input=False))
        print(f"worker: the environment is not usable: {facts}", file=sys.stderr)  # noqa: T201  # as above
        return USAGE
    return 0


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: the SDK's runtime may abort while the interpreter is torn down, after everything went well.
    os._exit(code)
