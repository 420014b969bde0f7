"""What people are told of what waits for them: what they need to know, and never so that the release waits for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.exceptions import ApplicationError

from baton.model.acts import Choice, Decision, SignOff
from baton.model.announcing import Event
from baton.model.status import Phase
from tests.conftest import PATIENCE
from tests.workflows.people import about_gate, act

if TYPE_CHECKING:
    from tests.workflows.conftest import Machines

Release = Any
LOG = "sha256:" + "7" * 64
LINK = "https://ci.example.org/runs/17"


def told(machines: Machines, event: Event) -> list[str]:
    return [argument.text for argument in machines.arguments("tell") if argument.event is event]


async def test_who_acts_while_a_reminder_goes_out_is_not_reminded_again(release: Release, machines: Machines) -> None:
    gates = [{"name": "publish", "before": "publish", "needs": {"release-manager": 2}}]
    go_on = machines.hold("tell", lambda telling: telling.event is Event.REMINDER)
    async with release(gates=gates, reminders=[{"after": 1}, {"after": 1, "to": "everyone"}]) as run:
        status = await run.until_waiting("publish")
        await run.until(lambda _: len(told(machines, Event.REMINDER)) == 1)
        for who in ("ada", "grace"):
            assert (await run.say(about_gate(SignOff, status, who))).accepted
        go_on.set()
        assert (await run.handle.result()).phase is Phase.RELEASED
        assert len(told(machines, Event.REMINDER)) == 1


async def test_an_announcer_that_hangs_or_fails_never_holds_a_release(release: Release, machines: Machines) -> None:
    go_on = machines.hold("tell")
    machines.fail("tell", "no route")
    async with release(announcers=[{"kind": "log", "name": "one"}, {"kind": "log", "name": "two"}]) as run:
        status = await run.until_waiting("publish")
        assert (await run.say(about_gate(SignOff, status, "ada"))).accepted
        await run.until(lambda status: status.phase is Phase.RELEASED)
        assert told(machines, Event.RELEASED) == []
        go_on.set()
        await run.handle.result()
        assert len(told(machines, Event.RELEASED)) == 2
        assert "(waiting): Failed: no route" in await run.said()


@pytest.mark.parametrize(
    ("details", "log", "link"),
    [
        ((LOG, LINK), LOG, LINK),
        ((LOG,), LOG, ""),
        ((None, LINK), None, LINK),
        (({"a": 1}, "javascript:alert(1)", 7), None, ""),
        (("sha256:short", "https://ci.example.org/ |x| <b>"), None, ""),
    ],
)
async def test_a_step_that_needs_a_decision_shows_its_outside_run_and_its_log(
    release: Release, machines: Machines, details: tuple[object, ...], log: str | None, link: str
) -> None:
    machines.failures["build_step"] = [
        ApplicationError(f"exit code 2: no compiler {attempt}", *details, type="Failed", non_retryable=True)
        for attempt in (1, 2)
    ]
    step = {"name": "only", "builder": {"kind": "command", "commands": [["make"]]}, "queue": "b", "files": ["f"]}
    async with release(steps=[step]) as run:
        status = await run.until_waiting("only")
        assert (await run.say(act(Decision, status, "ada", step="only", attempt=1, choice=Choice.RETRY))).accepted
        status = await run.until(lambda status: any(step.attempt == 2 and step.choices for step in status.steps))
        (step,) = (step for step in status.steps if step.name == "only")
        assert (step.detail, step.log, step.link) == ("Failed: exit code 2: no compiler 2", log, link)
        async with asyncio.timeout(PATIENCE):
            while len(told(machines, Event.WAITING)) < 2:
                await asyncio.sleep(0.05)
        text = told(machines, Event.WAITING)[-1]
        assert "exit code 2: no compiler 2" in text
        assert (LINK in text, LOG in text) == (link == LINK, log == LOG)
        assert "Attempt 2" in text
        assert text.endswith("Type: baton decide hello/1.0.0 only retry")
        await run.handle.terminate()
