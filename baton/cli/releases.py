"""All releases in a namespace, as a client of Temporal sees them: finding, listing and starting them."""

from __future__ import annotations

import asyncio
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio.client import WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from baton.cli.exits import AlreadyStarted, InSecurityRelease
from baton.cli.handles import ReleaseHandle, SecurityHandle
from baton.cli.listing import Item
from baton.cli.names import StreamId, name_of
from baton.cli.rpc import problem, told
from baton.cli.securities import Securities
from baton.cli.workers import QueueWorkers, workers_of
from baton.model.errors import BatonError, Missing, Refused, Unavailable
from baton.model.security import WORKFLOW as SECURITY_WORKFLOW
from baton.model.status import Beginning
from baton.model.version import Purpose, ReleaseId, SecurityId
from workflows.visibility import KIND, PHASE, PROJECT, WAITING_FOR, WAITING_ON, attributes_of

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from temporalio.client import Client, WorkflowExecution, WorkflowExecutionDescription

    from baton.model.plan import Plan
    from baton.model.roster import Roster
    from baton.model.security import SecurityPlan

WORKFLOWS = {Purpose.RELEASE: "Release", Purpose.RESIGN: "ReSigning"}
"""The workflow types, by what they do with a version."""

_ONCE_MORE = {
    Purpose.RELEASE: WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
    Purpose.RESIGN: WorkflowIDReusePolicy.ALLOW_DUPLICATE,
}
"""A version is released once, and signed anew as often as it takes."""

_AT_ONCE = 8
"""How many releases are asked at the same time."""

_SIMILAR = 5

_Told = TypeVar("_Told")


class Releases:
    """The releases of a namespace.

    Attributes:
        securities: the security releases there, of several streams each.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self.securities = Securities(client)

    @property
    def namespace(self) -> str:
        """The namespace they are in."""
        return self._client.namespace

    async def open(self, release: ReleaseId) -> ReleaseHandle:
        """Find a release: one that goes alone, or a stream of a security release, whatever its workflow id is.

        Of several of one version the one that runs is meant, else the one that was started last.

        Raises:
            Missing: there is none of that name; the message lists similar ones.
        """
        alone = await self._described(release.workflow_id)
        if alone is not None and alone.status is WorkflowExecutionStatus.RUNNING:
            return ReleaseHandle(self._client, release, alone)
        stream = await self.securities.release_of(release) if release.purpose is Purpose.RELEASE else None
        found = [each for each in (alone, stream) if each is not None]
        if not found:
            raise Missing(f"there is no release {release}; {await self._instead(release)}")
        latest = max(found, key=lambda each: (each.status is WorkflowExecutionStatus.RUNNING, each.start_time))
        return ReleaseHandle(self._client, release, latest)

    async def reach(self, release: ReleaseId | SecurityId) -> ReleaseHandle | SecurityHandle:
        """Find what people speak to; raises like :meth:`open`."""
        return await (self.open(release) if isinstance(release, ReleaseId) else self.securities.open(release))

    async def _described(self, workflow_id: str) -> WorkflowExecutionDescription | None:
        try:
            return await self._client.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise problem(error, f"could not find {workflow_id}") from error

    async def _listed(self, item: Item) -> ReleaseHandle | SecurityHandle:
        """What stands in the list, by its workflow id."""
        description = await self._described(item.workflow_id)
        if description is None:
            raise Missing(f"there is no {item.workflow_id} any more")
        if isinstance(item.release, SecurityId):
            return SecurityHandle(self._client, item.release, description)
        return ReleaseHandle(self._client, item.release, description)

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
        kinds = ", ".join(f"'{kind}'" for kind in (*WORKFLOWS.values(), SECURITY_WORKFLOW))
        query = f"WorkflowType IN ({kinds})"
        if not everything:
            query += " AND ExecutionStatus = 'Running'"
        items = []
        with told("could not list the releases"):
            async for execution in self._client.list_workflows(query):
                item = _item(execution)
                if item is not None and (everything or item.waiting_for):
                    items.append(item)
        return items

    async def finished(self, project: str) -> list[ReleaseId | StreamId]:
        """Every release of a project that was finished, by what its workflow id tells."""
        kind = WORKFLOWS[Purpose.RELEASE]
        query = f"WorkflowType = '{kind}' AND ExecutionStatus = 'Completed' AND {PROJECT.name} = '{project}'"
        with told("could not list the releases"):
            names = [name_of(execution.id) async for execution in self._client.list_workflows(query)]
        return [name for name in names if isinstance(name, ReleaseId | StreamId)]

    async def ask(self, items: Iterable[Item]) -> list[Item]:
        """The same releases, each that waits with what it says itself: who can do what, since when, who drives it.

        A release that has no worker stays as it was: what it waits for is known, who can give it is not.
        """

        async def one(item: Item) -> Item:
            if not item.waiting_for:
                return item
            try:
                status = await (await self._listed(item)).status()
            except Unavailable:
                return item
            except BatonError as error:
                # One that can't be understood must not hide the others.
                return item.model_copy(update={"silence": str(error)})
            told = {"release": status.release, "waiting": status.waiting, "driver": status.driver}
            return item.model_copy(update=told)

        return await _at_once(one(item) for item in items)

    async def rosters(self, items: Iterable[Item]) -> list[Roster | None]:
        """Who may act in each of these releases; None of one that waits for nobody, or whose plan can't be read."""

        async def one(item: Item) -> Roster | None:
            if not item.waiting_for:
                return None
            try:
                return (await (await self._listed(item)).plan()).roster
            except BatonError:
                return None

        return await _at_once(one(item) for item in items)

    async def start(self, plan: Plan, *, despite_embargo: bool = False) -> ReleaseHandle:
        """Start a release, or what signs one anew. Its workflow id keeps it from running twice.

        Args:
            plan: what to start.
            despite_embargo: start it though it tells what other streams mend that are under embargo.

        Raises:
            AlreadyStarted: it runs, or was finished; a cancelled one may be started again.
            Refused: it was to go public with others under an embargo that has not ended.
            BatonError: Temporal refused.
        """
        if plan.release.purpose is Purpose.RELEASE:
            if taken := await self.securities.taken(plan.release):
                raise InSecurityRelease(taken)
            if not despite_embargo and (embargo := await self.securities.embargo_on(plan.release)):
                raise Refused(f"{embargo}. Wait for its end, or start it all the same with --despite-embargo")
        try:
            with told(f"could not start {plan.release}"):
                await self._client.start_workflow(
                    WORKFLOWS[plan.release.purpose],
                    Beginning(plan=plan),
                    id=plan.release.workflow_id,
                    task_queue=plan.queue,
                    id_reuse_policy=_ONCE_MORE[plan.release.purpose],
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                    search_attributes=attributes_of(plan),
                    static_summary=f"{plan.release} ({plan.release_kind}), started by {plan.started_by}",
                    static_details=_details(plan),
                )
        except WorkflowAlreadyStartedError as error:
            there = await self.open(plan.release)
            raise AlreadyStarted(self._why_not(plan.release, there.description)) from error
        return await self.open(plan.release)

    async def start_security(self, plan: SecurityPlan) -> SecurityHandle:
        """Start a security release.

        Raises:
            AlreadyStarted: one of its versions runs, or was released, alone or in another security release.
            BatonError: Temporal refused.
        """
        for each in plan.plans:
            alone = await self._described(each.release.workflow_id)
            if alone is not None and alone.status in (
                WorkflowExecutionStatus.RUNNING,
                WorkflowExecutionStatus.COMPLETED,
            ):
                raise AlreadyStarted(self._why_not(each.release, alone))
            if taken := await self.securities.taken(each.release):
                raise InSecurityRelease(taken)
        return await self.securities.start(plan)

    def _why_not(self, release: ReleaseId, there: WorkflowExecutionDescription) -> str:
        run = ReleaseHandle(self._client, release, there).run
        phase = there.typed_search_attributes.get(PHASE)
        if there.status is WorkflowExecutionStatus.RUNNING:
            return f"{release} runs already, in phase {phase}, as {release.workflow_id} (run {run})"
        return f"{release} was released before, as {release.workflow_id} (run {run}): take another version"

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
    release = name_of(execution.id)
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
