"""Giving a piece of work to an activity: how long to wait, how often to try, and what people read about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio import workflow
from temporalio.common import RetryPolicy

if TYPE_CHECKING:
    from baton.model.work import Argument, Result, Work

HEARTBEAT = timedelta(seconds=20)
"""Workers beat every few seconds in every activity, so a killed one is noticed after this long."""


@dataclass(frozen=True)
class Patience:
    """How long and how often an activity is tried before a person is asked.

    Attributes:
        once: how long one try may take.
        tries: how many tries; errors that no retry can mend end them at once.
        until_taken: how long a worker may take to pick it up before a person is told that none is there.
        longest_pause: the longest pause between tries, which double from one second.
        missed: whether a worker that falls silent counts as dead at once; if not, its try counts as under way until
            its time is over.
    """

    once: timedelta
    tries: int
    until_taken: timedelta = timedelta(minutes=15)
    longest_pause: timedelta = timedelta(seconds=30)
    missed: bool = True


# Reading and writing the store: short, and worth repeating over a passing fault of its disk or network.
LOCAL = Patience(once=timedelta(minutes=10), tries=5)
# Hashing, describing and checking every file: minutes for gigabytes, nothing that a third try would mend.
WHOLE_RELEASE = Patience(once=timedelta(hours=1), tries=3)
# Cloning and pushing: hosts have bad quarters of an hour; eight tries span about three minutes.
REMOTE_GIT = Patience(once=timedelta(minutes=30), tries=8)
# Signing talks to identity provider, certificate authority and log; what is signed already is kept between tries.
SIGNING = Patience(once=timedelta(minutes=30), tries=8)
# Uploads resume from what is there already. What a person finds public again must be right, so it is tried for long.
PUBLISHING = Patience(once=timedelta(hours=2), tries=12, longest_pause=timedelta(minutes=1))
# Telling people never holds a release.
TELLING = Patience(once=timedelta(seconds=30), tries=3, until_taken=timedelta(minutes=5))


def building(timeout_seconds: int, wait_for_runner_seconds: int) -> Patience:
    """A build: the plan's own times, and two more tries for machines that vanish under it."""
    return Patience(
        once=timedelta(seconds=timeout_seconds) + timedelta(minutes=5),
        tries=3,
        until_taken=timedelta(seconds=wait_for_runner_seconds),
    )


def ordering(wait_for_worker_seconds: int) -> Patience:
    """Starting something outside that must not be started twice.

    What was started shows there a minute later at the latest, and no try starts anything after its first minute. So a
    try whose worker was killed is followed by the next one after three minutes, when everything shows.
    """
    until_taken = timedelta(seconds=wait_for_worker_seconds)
    return Patience(once=timedelta(minutes=3), tries=8, until_taken=until_taken, missed=False)


def following(timeout_seconds: int, wait_for_worker_seconds: int) -> Patience:
    """Following something outside: it ends by itself when the plan's time is over, whichever worker follows it."""
    return Patience(
        once=timedelta(seconds=timeout_seconds) + timedelta(hours=1),
        tries=20,
        until_taken=timedelta(seconds=wait_for_worker_seconds),
    )


def collecting(wait_for_worker_seconds: int) -> Patience:
    """Downloading gigabytes from busy systems, which limit how much is asked of them."""
    return replace(PUBLISHING, until_taken=timedelta(seconds=wait_for_worker_seconds))


def asking(wait_for_worker_seconds: int) -> Patience:
    """A short request to an outside system, which may be busy for minutes."""
    return replace(REMOTE_GIT, until_taken=timedelta(seconds=wait_for_worker_seconds))


async def order(
    work: Work[Argument, Result], argument: Argument, *, queue: str, patience: Patience, summary: str
) -> Result:
    """Have an activity do a piece of work.

    Args:
        work: which; see :mod:`baton.model.work`.
        argument: what it needs to know.
        queue: the task queue whose workers can do it.
        patience: how long and how often.
        summary: one line for the Web UI's event list.

    Raises:
        temporalio.exceptions.ActivityError: it could not be done within that patience.
    """
    result: Result = await workflow.execute_activity(
        work.name,
        argument,
        result_type=work.gives,
        task_queue=queue,
        start_to_close_timeout=patience.once,
        schedule_to_start_timeout=patience.until_taken,
        heartbeat_timeout=HEARTBEAT if patience.missed else None,
        retry_policy=RetryPolicy(maximum_attempts=patience.tries, maximum_interval=patience.longest_pause),
        # A cancelled build must have stopped before anything is undone.
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        summary=summary,
    )
    return result
