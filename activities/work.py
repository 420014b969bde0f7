"""What every activity shares: it does a piece of work, beats while it runs, and fails in words a person can use."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from baton.builders.port import FailedWithLog
from baton.inspection.compare import Different
from baton.model.building import Check, Step
from baton.model.errors import BatonError, Refused, Unavailable
from baton.model.work import Beat

if TYPE_CHECKING:
    from collections.abc import Callable

    from baton.model.work import Argument, ReleaseRef, Result, Work

BEAT_SECONDS = 4.0
"""How often a running activity says that its worker lives; well under the workflow's heartbeat timeout."""

Room = TypeVar("Room")


class Progress:
    """How far a piece of work is: one line, which reaches the Web UI with the next heartbeat.

    Attributes:
        beat: what is said now.
    """

    def __init__(self, step: str = "") -> None:
        self.beat = Beat(step=step)

    def __call__(self, line: str) -> None:
        """Say how far the work is; cheap, and safe from any thread."""
        self.beat = self.beat.model_copy(update={"line": line[-2000:]})

    def at(self, link: str) -> None:
        """Say where people see the work, if that is somewhere else; failures from here on lead there too."""
        self.beat = self.beat.model_copy(update={"link": link})


_progress: ContextVar[Progress] = ContextVar("progress")


def progress() -> Progress:
    """The progress of the activity that this thread works for."""
    return _progress.get()


def does(
    work: Work[Argument, Result],
) -> Callable[[Callable[[Room, Argument], Result]], Callable[[Room, Argument], Result]]:
    """Mark a method as the activity that does a piece of work.

    The method runs in a thread. No exception is thrown into it when it is cancelled: it asks
    :func:`temporalio.activity.is_cancelled` where stopping early makes sense.
    """

    def mark(method: Callable[[Room, Argument], Result]) -> Callable[[Room, Argument], Result]:
        return activity.defn(name=work.name, no_thread_cancel_exception=True)(method)

    return mark


class Conduct(Interceptor):
    """How this worker's activities behave.

    Args:
        sandbox: whether the worker belongs to a sandbox; work for the other kind of plan is refused.
    """

    def __init__(self, *, sandbox: bool) -> None:
        self._sandbox = sandbox

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002  # SDK's name
        """Put the conduct around an activity; called by the worker."""
        return _Conducted(next, sandbox=self._sandbox)


class _Conducted(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, *, sandbox: bool) -> None:
        super().__init__(following)
        self._sandbox = sandbox

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002  # the SDK's name
        said = Progress(_step_of(input.args[0]))
        token = _progress.set(said)
        beating = asyncio.create_task(_beat(said))
        try:
            _refuse_other_worlds(input.args[0].release, sandbox=self._sandbox)
            return await super().execute_activity(input)
        except BatonError as error:
            # A worker that is told to stop cancels what it does, too; then another worker is to do it.
            if activity.is_cancelled() and not activity.is_worker_shutdown():
                raise CancelledError(str(error)) from None
            # `from None`: the text is for people, and a chained traceback may hold what must not be recorded.
            raise _failure(error, said.beat.link) from None
        finally:
            beating.cancel()
            _progress.reset(token)


def _step_of(argument: object) -> str:
    """The step or check that a piece of work is for, as a release's board lists it; nothing if it is for none."""
    match getattr(argument, "step", None) or getattr(argument, "check", None):
        case Step(name=name):
            return name
        case Check(name=name):
            return f"check-{name}"
    return ""


def _failure(error: BatonError, link: str) -> ApplicationError:
    """An error as the workflow gets it; the details are the log's digest, and where people see what happened."""
    log = error.log if isinstance(error, FailedWithLog | Different) else None
    after = error.after if isinstance(error, Unavailable) else None
    return ApplicationError(
        str(error),
        *((log, link) if link else (log,) if log else ()),
        type=type(error).__name__,
        non_retryable=error.permanent,
        next_retry_delay=None if after is None else timedelta(seconds=after),
    )


async def _beat(said: Progress) -> None:
    while True:
        # In a thread: the SDK's heartbeat of a threaded activity waits for this very event loop.
        await asyncio.to_thread(activity.heartbeat, said.beat)
        await asyncio.sleep(BEAT_SECONDS)


def _refuse_other_worlds(release: ReleaseRef, *, sandbox: bool) -> None:
    """Keep rehearsals away from production credentials, and real releases away from the sandbox."""
    if release.sandbox is sandbox:
        return
    plan, worker = ("a sandbox plan", "a real one") if release.sandbox else ("a real plan", "a sandbox one")
    raise Refused(
        f"{release.release} follows {plan}, but this worker is {worker}: "
        "check which task queues the workers poll, and BATON_SANDBOX in their environment"
    )
