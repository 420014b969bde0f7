"""Starting a version alone that a security release has, had, or keeps secret."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from temporalio.client import WorkflowFailureError

from baton.cli.exits import AlreadyStarted
from baton.cli.releases import Releases
from baton.model.acts import TakeOut
from baton.model.errors import Refused
from baton.model.plan import Plan
from tests.workflows.conftest import Machines
from tests.workflows.security import COMMIT_GATE, about, own_manifests, running_together, security_plan

if TYPE_CHECKING:
    from temporalio.testing import WorkflowEnvironment

    from baton.model.security import SecurityPlan


def alone(plan: SecurityPlan, version: str) -> Plan:
    """The same release without the others."""
    (stream,) = [each for each in plan.plans if each.version == version]
    return Plan.model_validate({**stream.model_dump(by_alias=True), "barrier": None, "gates": [COMMIT_GATE]})


async def test_a_version_of_a_security_release_is_not_started_alone_before_its_embargo_ends(
    temporal: WorkflowEnvironment,
) -> None:
    machines, releases = Machines(), Releases(temporal.client)
    own_manifests(machines)
    until = datetime.now(UTC) + timedelta(days=30)
    async with running_together(temporal, security_plan("1.7.1", "2.7.1", until=until), machines) as run:
        status = await run.until_asked()
        first, second = (alone(run.plan, version) for version in ("1.7.1", "2.7.1"))
        with pytest.raises(AlreadyStarted, match="take it out there first"):
            await releases.start(first, despite_embargo=True)
        assert (await run.say(TakeOut(**about(status, "ada", version="2.7.1")))).accepted
        with pytest.raises(WorkflowFailureError):
            await run.stream("2.7.1").result()
        with pytest.raises(Refused, match="whose embargo has not ended: alone it tells what the others mend"):
            await releases.start(second)
        # The security release is lost: its date still stands, and its stream still runs.
        await run.handle.terminate("an accident")
        with pytest.raises(Refused, match="--despite-embargo"):
            await releases.start(second)
        with pytest.raises(AlreadyStarted, match=r"runs still, as security/hello/.*/1"):
            await releases.start(first, despite_embargo=True)
        started = await releases.start(second, despite_embargo=True)
        await temporal.client.get_workflow_handle(second.release.workflow_id, run_id=started.run).terminate()
        await run.stream("1.7.1").terminate()
