"""All security releases in a namespace, as a client of Temporal sees them: finding and starting one, its streams."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from temporalio.client import WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from baton.cli.exits import WrongCall
from baton.cli.handles import ReleaseHandle, SecurityHandle
from baton.cli.names import StreamId, name_of
from baton.cli.rpc import problem, told
from baton.model.errors import BatonError, Missing, Refused
from baton.model.security import WORKFLOW, StreamState
from baton.model.version import ReleaseId, SecurityId
from workflows.visibility import PROJECT, attributes_that_tell_nothing

if TYPE_CHECKING:
    from temporalio.client import Client, WorkflowExecutionDescription

    from baton.model.security import SecurityPlan


class Securities:
    """The security releases of a namespace."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def open(self, security: SecurityId) -> SecurityHandle:
        """Find a security release by its whole name.

        Raises:
            Missing: there is none.
        """
        description = await self._described(security.workflow_id)
        if description is None:
            raise Missing(f"there is no security release {security}; see `baton security list --all`")
        return SecurityHandle(self._client, security, description)

    async def find(self, text: str | None) -> SecurityHandle:
        """Find the security release that is meant.

        Args:
            text: ``PROJECT/NAME``, ``NAME`` alone, the beginning of a name, or a workflow id; None for the only one
                that is under way.

        Raises:
            Missing: there is none.
            Refused: several could be meant.
            WrongCall: it is no name.
        """
        if text is None:
            return await self.open(_only(await self.known(running=True), "are under way: name one"))
        project, _, beginning = text.removeprefix("security/").rpartition("/")
        if not beginning:
            raise WrongCall(f"{text!r} names no security release; expected PROJECT/NAME, as `baton security list` says")
        meant = [
            each
            for each in await self.known(running=False)
            if each.security.startswith(beginning) and project in ("", each.project)
        ]
        if not meant:
            raise Missing(f"there is no security release {text}; see `baton security list --all`")
        return await self.open(_only(meant, f"begin with {beginning}: write more of the name"))

    async def known(self, *, running: bool, project: str | None = None) -> list[SecurityId]:
        """The security releases that are under way, or every one that Temporal remembers; latest started first.

        Args:
            running: only those that are under way.
            project: only this project's.
        """
        query = f"WorkflowType = '{WORKFLOW}'"
        query += " AND ExecutionStatus = 'Running'" if running else ""
        query += f" AND {PROJECT.name} = '{project}'" if project is not None else ""
        with told("could not list the security releases"):
            names = [name_of(execution.id) async for execution in self._client.list_workflows(query)]
        return list(dict.fromkeys(name for name in names if isinstance(name, SecurityId)))

    async def release_of(self, release: ReleaseId) -> WorkflowExecutionDescription | None:
        """The release of that version which is a stream of a security release, or None: the one started last."""
        for security in await self.known(running=False, project=release.project):
            handle = await self.open(security)
            plan = await handle.plan()
            if plan.plan_of(release.version) is None:
                continue
            description = await self._described(plan.workflow_id(release.version))
            if description is not None:
                return description
        return None

    async def stream(self, workflow_id: str) -> ReleaseHandle | None:
        """A stream's own release by its workflow id, or None before that was started."""
        description = await self._described(workflow_id)
        named = name_of(workflow_id)
        if description is None or not isinstance(named, ReleaseId | StreamId):
            return None
        return ReleaseHandle(self._client, named, description)

    async def taken(self, release: ReleaseId) -> str | None:
        """Why a version can't be started now: a security release has it. None if none has."""
        for security in await self.known(running=False, project=release.project):
            handle = await self.open(security)
            plan = await handle.plan()
            if plan.plan_of(release.version) is None:
                continue
            stream = await self._described(plan.workflow_id(release.version))
            running = handle.description.status is WorkflowExecutionStatus.RUNNING
            if stream is not None and stream.status is WorkflowExecutionStatus.COMPLETED:
                return f"{release} was released before, with {security}: take another version"
            if running and not await _taken_out(handle, release):
                return f"{release} is released with {security}: take it out there first, with `baton security take-out`"
            if stream is not None and stream.status is WorkflowExecutionStatus.RUNNING:
                return f"{release} runs still, as {stream.id} of {security}: that has to end first"
        return None

    async def embargo_on(self, release: ReleaseId) -> str | None:
        """Why a version may not be released alone yet: it tells what others mend under an embargo. None if it does not.

        That is so of a stream that was taken out, and where a security release was ended before its date.
        """
        for security in await self.known(running=False, project=release.project):
            handle = await self.open(security)
            plan = await handle.plan()
            if plan.embargoed and plan.plan_of(release.version) is not None and await _is_secret(handle, plan):
                return f"{release} is of {security}, whose embargo has not ended: alone it tells what the others mend"
        return None

    async def start(self, plan: SecurityPlan) -> SecurityHandle:
        """Start a security release; nothing that Temporal shows in the clear tells more than whose it is.

        Raises:
            BatonError: Temporal refused.
        """
        with told(f"could not start {plan.release}"):
            await self._client.start_workflow(
                WORKFLOW,
                plan,
                id=plan.release.workflow_id,
                task_queue=plan.queue,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                search_attributes=attributes_that_tell_nothing(plan.release.project),
                static_summary=f"{plan.release}, started by {plan.started_by}",
            )
        return await self.open(plan.release)

    async def _described(self, workflow_id: str) -> WorkflowExecutionDescription | None:
        try:
            return await self._client.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise problem(error, f"could not find {workflow_id}") from error


def _only(meant: list[SecurityId], why: str) -> SecurityId:
    if not meant:
        raise Missing("no security release is under way; see `baton security list --all`")
    if len(meant) > 1:
        names = ", ".join(f"{each.project}/{each.security}" for each in meant)
        raise Refused(f"{len(meant)} security releases {why}: {names}")
    return meant[0]


async def _is_secret(handle: SecurityHandle, plan: SecurityPlan) -> bool:
    """Whether an embargo has not ended; of what does not answer, it has not before the date in its plan."""
    if handle.description.status is WorkflowExecutionStatus.COMPLETED:
        return False
    until, public = plan.until, False
    with suppress(BatonError):
        status = await handle.status()
        until, public = status.until, status.going_public
    if public:
        return False
    running = handle.description.status is WorkflowExecutionStatus.RUNNING
    return running or (until is not None and until > datetime.now(UTC))


async def _taken_out(handle: SecurityHandle, release: ReleaseId) -> bool:
    """Whether people took a stream out; of what does not answer nobody can say so."""
    try:
        status = await handle.status()
    except BatonError:
        return False
    return any(stream.version == release.version and stream.state is StreamState.TAKEN_OUT for stream in status.streams)
