"""What is under way, or over, as a client of Temporal sees it: asking it, and speaking to it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import ValidationError
from temporalio.client import (
    WorkflowExecutionStatus,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.converter import WorkflowSerializationContext
from temporalio.service import RPCError

import baton
from baton.cli.rpc import NO_ANSWER, problem, told
from baton.cli.workers import QueueWorkers, workers_of
from baton.model.acts import Answer, Heard
from baton.model.errors import BatonError, Failed, Refused, Unavailable
from baton.model.security import SecurityStatus
from baton.model.statement import facts_of
from baton.model.status import Entry, ReleaseStatus
from workflows.visibility import PHASE, WAITING_FOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from temporalio.client import Client, WorkflowExecutionDescription, WorkflowUpdateHandle
    from temporalio.converter import DataConverter

    from baton.cli.message import Message
    from baton.cli.names import StreamId
    from baton.model.version import ReleaseId, SecurityId

ANSWER_WITHIN = timedelta(seconds=15)
"""How long a release may take to answer; a worker that has just died costs ten seconds before another is asked."""

IF_SILENT = timedelta(seconds=3)
"""The same where the server sees no worker; it may be mistaken, as a task queue has several partitions."""

_Told = TypeVar("_Told")
_Status = TypeVar("_Status", ReleaseStatus, SecurityStatus)


class Handle(Generic[_Status]):
    """One release, or one security release of several streams.

    Attributes:
        release: which.
        description: what Temporal itself knows of it, with or without a worker.
    """

    _told_as: type[_Status]
    """What it answers when it is asked for its status, and what it ends with."""

    def __init__(
        self, client: Client, release: ReleaseId | SecurityId | StreamId, description: WorkflowExecutionDescription
    ) -> None:
        self.release = release
        self.description = description
        self._client = client
        self._handle = client.get_workflow_handle(description.id, result_type=self._told_as)

    @property
    def _converter(self) -> DataConverter:
        """The client's, for what belongs to this release: it takes nothing that was encrypted for another project."""
        where = WorkflowSerializationContext(self._client.namespace, self.description.id)
        return self._client.data_converter.with_context(where)

    @property
    def run(self) -> str:
        """The first execution run id, which statements about this release name."""
        return self.description.raw_description.workflow_execution_info.first_run_id

    def require_under_way(self) -> None:
        """Require that there is still somebody to speak to.

        Raises:
            Refused: the release was over when it was found.
        """
        if (end := _end(self.description)) is not None:
            raise Refused(f"{self.release} can't be told anything: {end}")

    async def begun_with(self, kind: type[_Told]) -> _Told:
        """What it was started with; from its history, so no worker has to be up.

        Raises:
            Failed: its history does not begin with that.
        """
        with told(f"could not read the plan of {self.release}"):
            async for event in self._handle.fetch_history_events(page_size=1):
                payloads = event.workflow_execution_started_event_attributes.input.payloads
                if payloads:
                    with understood(self.release):
                        (beginning,) = await self._converter.decode(payloads, [kind])
                        assert isinstance(beginning, kind)  # noqa: S101  # the converter validates it
                        return beginning
                break
        raise Failed(f"the history of {self.release} does not begin with a plan: was it started by something else?")

    async def status(self) -> _Status:
        """Everything that a person asks first; of what is finished its result, which needs no worker.

        Raises:
            Unavailable: no worker answered; the message says who is missing and what was last known.
            Failed: the release could not answer.
        """
        if self.description.status is WorkflowExecutionStatus.COMPLETED:
            with told(f"could not read the result of {self.release}"), understood(self.release):
                return self._told_as.model_validate(await self._handle.result(rpc_timeout=ANSWER_WITHIN))
        return await self._ask("status", self._told_as)

    async def acts(self) -> list[Heard]:
        """What people said, accepted or refused; raises like :meth:`status`."""
        return await self._ask("acts", list[Heard])

    async def journal(self) -> list[Entry]:
        """Who did what, when; raises like :meth:`status`."""
        return await self._ask("journal", list[Entry])

    async def _ask(self, query: str, kind: type[_Told]) -> _Told:
        try:
            with understood(self.release):
                answer: _Told = await self._handle.query(query, result_type=kind, rpc_timeout=await self._patience())
        except WorkflowQueryFailedError as error:
            raise Failed(f"{self.release} could not say its {query}: {error.message}") from error
        except RPCError as error:
            if error.status in NO_ANSWER:
                raise await self.silence() from error
            raise problem(error, f"could not ask {self.release}") from error
        return answer

    async def say(self, message: Message) -> Answer:
        """Send a message by update and return what became of it.

        The update's id follows from its content: the same message sent twice is one message. When no answer comes in
        time it is asked for by that id, since the message may have been taken all the same.

        Raises:
            Refused: the release is over, or refuses the message as malformed.
            Unavailable: no worker answered; the message may yet arrive.
        """
        handler = message.handler
        try:
            with understood(self.release):
                answer: Answer = await self._handle.execute_update(
                    handler,
                    message.content,
                    id=message.update_id,
                    result_type=Answer,
                    rpc_timeout=await self._patience(),
                )
        except WorkflowUpdateRPCTimeoutOrCancelledError:
            return await self._late_answer(message)
        except WorkflowUpdateFailedError as error:
            raise Refused(f"{self.release} refuses {handler}: {error.cause}") from error
        except RPCError as error:
            raise await self._refusal(error, handler) from error
        return answer

    async def _refusal(self, error: RPCError, handler: str) -> BatonError:
        """Why Temporal took no message: most often the release ended, perhaps while the message was on its way."""
        with told(f"{self.release} can't take {handler}"):
            now = await self._handle.describe()
        if (end := _end(now)) is not None:
            return Refused(f"{self.release} can't take {handler}: {end}")
        return problem(error, f"{self.release} can't take {handler}")

    async def _late_answer(self, message: Message) -> Answer:
        handler = message.handler
        late: WorkflowUpdateHandle[Answer] = self._handle.get_update_handle(message.update_id, result_type=Answer)
        try:
            with understood(self.release):
                return await late.result(rpc_timeout=await self._patience())
        except (WorkflowUpdateRPCTimeoutOrCancelledError, RPCError) as error:
            silence = await self.silence()
            raise Unavailable(
                f"{silence}. Your {handler} may or may not have been taken: run the same command again to find out, "
                "which is harmless, or leave it durably with --signal"
            ) from error
        except WorkflowUpdateFailedError as error:
            raise Refused(f"{self.release} refuses {handler}: {error.cause}") from error

    async def leave(self, message: Message) -> None:
        """Send a message by signal: durable while no worker is up, and without an answer.

        Raises:
            BatonError: Temporal did not take it.
        """
        try:
            await self._handle.signal(message.handler, message.content)
        except RPCError as error:
            raise await self._refusal(error, message.handler) from error

    async def silent(self, queues: Iterable[str]) -> list[str]:
        """The facts about those of these task queues that nobody polls.

        Raises:
            BatonError: Temporal refused to say.
        """
        now = datetime.now(UTC)
        found = await workers_of(self._client, queues)
        return [workers.fact(now) for workers in found if workers.silent(now)]

    async def silence(self) -> BatonError:
        """Why the release does not answer, with what was last known of it."""
        now = datetime.now(UTC)
        workers = await self._workers()
        reason = (
            f"{workers.fact(now)}; start one with `python worker.py --queue {workers.queue}`"
            if workers.silent(now)
            else f"a worker polled {workers.queue} lately, but it did not answer in {ANSWER_WITHIN.seconds} s"
        )
        known = self.description.typed_search_attributes
        last = f"Last known: phase {known.get(PHASE) or 'unknown'}"
        if self.description.status is WorkflowExecutionStatus.RUNNING:
            waits = ", ".join(known.get(WAITING_FOR) or ()) or "nobody"
            last += f", waiting for {waits}; it goes on when a worker is up"
        return Unavailable(f"{self.release} does not answer: {reason}. {last}")

    async def _workers(self) -> QueueWorkers:
        (workers,) = await workers_of(self._client, (), of_workflows=[self.description.task_queue])
        return workers

    async def _patience(self) -> timedelta:
        return IF_SILENT if (await self._workers()).silent(datetime.now(UTC)) else ANSWER_WITHIN


def _end(known: WorkflowExecutionDescription) -> str | None:
    """How a release ended, in words; None while it is under way."""
    if known.status is None or known.status is WorkflowExecutionStatus.RUNNING:
        return None
    phase = known.typed_search_attributes.get(PHASE) or known.status.name.lower()
    return f"it is over already, and ended in phase {phase}"


@contextmanager
def understood(release: ReleaseId | SecurityId | StreamId) -> Iterator[None]:
    """Take what does not fit this version's model for what it is: the word of another version of Baton.

    Raises:
        Failed: a release said what this version does not know.
    """
    try:
        yield
    except ValidationError as error:
        raise Failed(
            f"{release} was answered by another version of Baton than this one, {baton.__version__}: "
            f"{facts_of(error)}. Upgrade this `baton`, or use the one of the workers"
        ) from error
