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
import contextlib
import logging
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError
from temporalio.worker import Worker

from activities.duties import Duty, activities_for, duty_of
from activities.work import BEAT_SECONDS, Conduct
from baton.cli.connect import connect
from baton.model.errors import BatonError
from baton.settings import WorkerSettings
from workflows.release import ReleaseWorkflow

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
    return parser.parse_args(argv)


def worker_for(queue: Queue, client: Client, settings: WorkerSettings, *, at_once: int = 8) -> Worker:
    """A worker for one queue, offering only what its duty needs.

    Raises:
        BatonError: the settings do not fit together.
    """
    return Worker(
        client,
        task_queue=queue.name,
        workflows=[ReleaseWorkflow] if queue.duty is Duty.RELEASE else [],
        activities=activities_for(queue.duty, settings),
        activity_executor=ThreadPoolExecutor(at_once, thread_name_prefix=queue.name),
        max_concurrent_activities=at_once,
        # What people see of the work, and how soon it is stopped on request, depends on how often it is told of.
        max_heartbeat_throttle_interval=BEAT,
        default_heartbeat_throttle_interval=BEAT,
        interceptors=[Conduct(sandbox=settings.sandbox is not None)],
        graceful_shutdown_timeout=GRACE,
    )


async def serve(queues: Sequence[Queue], *, at_once: int, ready_file: Path | None) -> None:
    """Poll the queues until the process is told to stop, then finish what is under way."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows has no signal handlers in event loops; there Ctrl-C ends asyncio.run itself.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    settings = WorkerSettings()
    client = await connect()
    async with AsyncExitStack() as workers:
        for queue in queues:
            await workers.enter_async_context(worker_for(queue, client, settings, at_once=at_once))
            log.info("polling %s (%s) in namespace %s", queue.name, queue.duty, client.namespace)
        if ready_file is not None:
            ready_file.write_text(f"{os.getpid()}\n")  # noqa: ASYNC240  # a few bytes, once
        await stop.wait()
        log.info("stopping; what is under way may take up to %s", GRACE)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a worker; returns the exit code."""
    given = arguments(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    # One line for every request, with its address, is noise; addresses of webhooks are secrets.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        asyncio.run(serve(given.queue, at_once=given.at_once, ready_file=given.ready_file))
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
