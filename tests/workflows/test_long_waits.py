"""Waits of days, in the time-skipping server: nobody waits for them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from baton.model.acts import Claim, SignOff
from baton.model.announcing import Event
from baton.model.status import Phase
from tests.workflows.conftest import Machines, running
from tests.workflows.people import about_gate, act

if TYPE_CHECKING:
    from collections.abc import Callable

    from temporalio.testing import WorkflowEnvironment

    from baton.model.plan import Plan

HOUR, DAY = 3600, 24 * 3600


async def test_a_release_waits_three_weeks_for_a_sign_off_and_goes_on(
    skipping: WorkflowEnvironment, plan: Plan, machines: Machines
) -> None:
    async with running(skipping, plan, machines) as run:
        opened = (await run.until_waiting("publish")).waiting[0].since
        await skipping.sleep(timedelta(weeks=3))
        status = await run.status()
        assert status.waiting[0].since == opened
        assert (await run.say(about_gate(SignOff, status, "ada"))).accepted
        ended = await run.handle.result()
        assert ended.phase is Phase.RELEASED
        assert ended.gates[0].given[0].at - opened >= timedelta(weeks=3)
        # A plan without reminders has nothing to wake up for.
        events = (await run.handle.fetch_history()).events
        assert not [event for event in events if event.HasField("timer_started_event_attributes")]
        assert told(machines, Event.REMINDER) == []


def told(machines: Machines, event: Event) -> list[str]:
    return [argument.text for argument in machines.arguments("tell") if argument.event is event]


async def test_first_the_roles_are_reminded_then_everyone_and_nobody_once_somebody_acts(
    skipping: WorkflowEnvironment, make_plan: Callable[..., Plan], machines: Machines
) -> None:
    plan = make_plan(
        gates=[{"name": "publish", "before": "publish", "needs": {"release-manager": 2}}],
        reminders=[{"after": HOUR, "to": "roles"}, {"after": DAY, "to": "everyone"}],
    )
    async with running(skipping, plan, machines) as run:

        async def after(**span: float) -> list[str]:
            await skipping.sleep(timedelta(**span))
            return told(machines, Event.REMINDER)

        status = await run.until_waiting("publish")
        assert await after(minutes=50) == []
        (first,) = await after(minutes=20)
        assert "has waited 1.0 hours for a sign-off. Any release-manager can give it: ada, grace." in first
        assert "everyone" not in first
        assert first.endswith("Type: baton sign-off hello/1.0.0 publish")
        assert len(await after(hours=22)) == 1
        _, second = await after(hours=2)
        assert "has waited 24.0 hours for a sign-off." in second
        assert "told to everyone: ada, grace, katherine" in second
        assert len(await after(days=10)) == 2

        assert (await run.say(about_gate(SignOff, status, "ada"))).accepted
        assert len(await after(minutes=50)) == 2
        assert (await run.say(act(Claim, status, "katherine", role="macos-expert"))).accepted
        assert len(await after(minutes=50)) == 2
        *_, third = await after(minutes=20)
        assert "Any release-manager can give it: grace." in third
        refused = await run.say(about_gate(SignOff, status, "katherine"))
        assert not refused.accepted
        assert len(await after(hours=22)) == 3
        assert len(await after(hours=2)) == 4

        assert (await run.say(about_gate(SignOff, status, "grace"))).accepted
        assert (await run.handle.result()).phase is Phase.RELEASED
        assert len(told(machines, Event.WAITING)) == len(told(machines, Event.RELEASED)) == 1
        assert len(told(machines, Event.REMINDER)) == 4
