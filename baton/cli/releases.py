"""All releases in a namespace, as a client of Temporal sees them: finding, listing and starting them."""

from __future__ import annotations

import asyncio
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio.client import WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from baton.cli.exits import AlreadyStarted
from baton.cli.handle import ReleaseHandle
from baton.cli.listing import Item
from baton.cli.names import release_of
from baton.cli.rpc import problem, told
from baton.cli.workers import QueueWorkers, workers_of
from baton.model.errors import BatonError, Missing, Unavailable
from baton.model.status import Beginning
from workflows.visibility import KIND, PHASE, WAITING_FOR, WAITING_ON, attributes_of

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from temporalio.client import Client, WorkflowExecution

    from baton.model.plan import Plan
    from baton.model.roster import Roster
    from baton.model.version import ReleaseId

WORKFLOW = "Release"
"""The workflow type of a release."""

_AT_ONCE = 8
"""How many releases are asked at the same time."""

_SIMILAR = 5

_Told = TypeVar("_Told")


class Releases:
    """The releases of a namespace."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def namespace(self) -> str:
        """The namespace they are in."""
        return self._client.namespace

    async def open(self, release: ReleaseId) -> ReleaseHandle:
        """Find a release.

        Raises:
            Missing: there is none of that name; the message lists similar ones.
        """
        try:
            description = await self._client.get_workflow_handle(release.workflow_id).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise Missing(f"there is no release {release}; {await self._instead(release)}") from error
            raise problem(error, f"could not find {release}") from error
        return ReleaseHandle(self._client, release, description)

    async def _instead(self, release: ReleaseId) -> str:
        known = {item.workflow_id: str(item.release) for item in await self.listed(everything=True)}
        if not known:
            return f"there are none at all in namespace {self.namespace}"
        near = get_close_matches(release.workflow_id, known, n=_SIMILAR, cutoff=0.6)
        if near:
            return "there are: " + ", ".join(known[workflow_id] for workflow_id in near)
        return "see `baton list --all`"

    async def listed(self, *, everything: bool) -> list[Item]:
        """The releases that wait for people, or every one that Temporal still remembers; latest started first.

        Args:
            everything: also those that wait for nobody, and those that are over.
        """
        query = f"WorkflowType = '{WORKFLOW}'"
        if not everything:
            query += " AND ExecutionStatus = 'Running'"
        items = []
        with told("could not list the releases"):
            async for execution in self._client.list_workflows(query):
                item = _item(execution)
                if item is not None and (everything or item.waiting_for):
                    items.append(item)
        return items

    async def ask(self, items: Iterable[Item]) -> list[Item]:
        """The same releases, each that waits with what it says itself: who can do what, since when, who drives it.

        A release that has no worker stays as it was: what it waits for is known, who can give it is not.
        """

        async def one(item: Item) -> Item:
            if not item.waiting_for:
                return item
            try:
                status = await (await self.open(item.release)).status()
            except Unavailable:
                return item
            except BatonError as error:
                # One that can't be understood must not hide the others.
                return item.model_copy(update={"silence": str(error)})
            return item.model_copy(update={"waiting": status.waiting, "driver": status.driver})

        return await _at_once(one(item) for item in items)

    async def rosters(self, items: Iterable[Item]) -> list[Roster | None]:
        """Who may act in each of these releases; None of one that waits for nobody, or whose plan can't be read."""

        async def one(item: Item) -> Roster | None:
            if not item.waiting_for:
                return None
            try:
                return (await (await self.open(item.release)).plan()).roster
            except BatonError:
                return None

        return await _at_once(one(item) for item in items)

    async def start(self, plan: Plan) -> ReleaseHandle:
        """Start a release. Its workflow id keeps it from running twice.

        Raises:
            AlreadyStarted: it runs, or was finished; a cancelled one may be started again.
            BatonError: Temporal refused.
        """
        try:
            with told(f"could not start {plan.release}"):
                await self._client.start_workflow(
                    WORKFLOW,
                    Beginning(plan=plan),
                    id=plan.release.workflow_id,
                    task_queue=plan.queue,
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                    search_attributes=attributes_of(plan),
                    static_summary=f"{plan.release} ({plan.release_kind}), started by {plan.started_by}",
                    static_details=_details(plan),
                )
        except WorkflowAlreadyStartedError as error:
            raise AlreadyStarted(await self._why_not(plan.release)) from error
        return await self.open(plan.release)

    async def _why_not(self, release: ReleaseId) -> str:
        there = await self.open(release)
        phase = there.description.typed_search_attributes.get(PHASE)
        if there.description.status is WorkflowExecutionStatus.RUNNING:
            return f"{release} runs already, in phase {phase}, as {release.workflow_id} (run {there.run})"
        return f"{release} was released before, as {release.workflow_id} (run {there.run}): take another version"

    async def workers(self, queues: Iterable[str], *, of_workflows: Iterable[str]) -> list[QueueWorkers]:
        """Who polls these task queues; see :func:`baton.cli.workers.workers_of`."""
        return await workers_of(self._client, queues, of_workflows=of_workflows)


async def _at_once(calls: Iterable[Coroutine[Any, Any, _Told]]) -> list[_Told]:
    """Do what was asked for all of them, a few at a time; the results are in the same order."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(call: Coroutine[Any, Any, _Told]) -> _Told:
        async with limit:
            return await call

    return list(await asyncio.gather(*map(one, calls)))


def _item(execution: WorkflowExecution) -> Item | None:
    release = release_of(execution.id)
    if release is None:
        return None
    known = execution.typed_search_attributes
    running = execution.status is WorkflowExecutionStatus.RUNNING
    return Item(
        workflow_id=execution.id,
        release=release,
        kind=known.get(KIND),
        phase=known.get(PHASE),
        running=running,
        started=execution.start_time,
        closed=execution.close_time,
        waiting_on=tuple(known.get(WAITING_ON) or ()) if running else (),
        waiting_for=tuple(known.get(WAITING_FOR) or ()) if running else (),
    )


def _details(plan: Plan) -> str:
    """What the Web UI shows of the start, as Markdown."""
    return "\n".join(
        (
            f"**{plan.title} {plan.version}**, {plan.release_kind} release of stream {plan.stream.name}",
            "",
            f"- commit `{plan.source.commit}` of {plan.source.repository}, tag `{plan.source.tag}`",
            f"- plan `{plan.digest}`",
            f"- started by {plan.started_by}",
            *(["- a sandbox rehearsal: its signatures prove nothing"] if plan.sandbox else []),
        )
    )
