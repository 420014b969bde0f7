"""Record the histories of this version: ``python -m tests.workflows.record``, once for each release of Baton.

What is recorded stays for good: a release that a team started with one version goes on with the next.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from temporalio.client import WorkflowFailureError

import baton
from baton.model.acts import Choice, MoveDate, TakeOut
from baton.model.plan import Plan
from tests.conftest import PLAN, dev_server
from tests.workflows.conftest import Machines, Run, running
from tests.workflows.security import (
    SecurityRun,
    about,
    failing,
    joint_sign_off,
    own_manifests,
    running_together,
    security_plan,
)
from tests.workflows.test_outside import NAMED, RUN, failure
from tests.workflows.test_release import decision, sign_off

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from temporalio.client import WorkflowHandle
    from temporalio.testing import WorkflowEnvironment

    from baton.model.acts import Act

FOLDER = Path(__file__).parent / "histories" / baton.__version__
BUILD: dict[str, Any] = {"builder": {"kind": "command", "commands": [["make"]]}, "files": ["hello.tar.gz"]}
EVERYTHING: dict[str, Any] = {
    "steps": [
        {"name": "source", "queue": "build-source", **BUILD},
        {"name": "again", "queue": "build-source", "agrees_with": "source", **BUILD},
    ],
    "checks": [{"name": "reads", "commands": [["true"]], "queue": "build-source"}],
    "gates": [
        {"name": "commit", "before": "build", "needs": {"release-manager": 1}},
        {"name": "publish", "before": "publish", "needs": {"release-manager": 2}},
    ],
}

ELSEWHERE: dict[str, Any] = {**EVERYTHING, "steps": [*EVERYTHING["steps"], *NAMED["steps"]]}

ANEW: dict[str, Any] = {
    "release": {"project": "hello", "version": "1.0.0", "purpose": "resign"},
    "source": {"repository": "/nowhere/hello", "commit": "c" * 40, "tag": "v1.0.0", "push_tag": False},
    "steps": [],
    "resigning": {"files": [{"name": "hello.exe", "digest": "sha256:" + "d" * 64}], "dated": "2026-11-23"},
    "gates": [
        {"name": "files", "before": "sign", "needs": {"release-manager": 1}},
        {"name": "publish", "before": "publish", "needs": {"release-manager": 2}},
    ],
}


async def agree(run: Run, gate: str, *people: str) -> None:
    for person in people:
        status = await run.until_waiting(gate)
        answer = await run.say(sign_off(status, person))
        if not answer.accepted:
            sys.exit(answer.message)


async def released(run: Run) -> None:
    """Everything that a plan can have, and nothing goes wrong."""
    await agree(run, "commit", "grace")
    await run.until_waiting("publish")
    await run.handle.signal("sign_off", {"unreadable": True})
    await agree(run, "publish", "ada", "grace")
    await run.handle.result()


async def decided(run: Run) -> None:
    """A build fails, is tried again by decision, and a failing announcer is passed over."""
    run.machines.fail("build_step", "no compiler")
    run.machines.fail("tell", "no route")
    await agree(run, "commit", "ada")
    status = await run.until(lambda status: any(waiting.kind == "decision" for waiting in status.waiting))
    await run.say(decision(status, Choice.RETRY))
    await agree(run, "publish", "ada", "grace")
    await run.handle.result()


async def cancelled(run: Run) -> None:
    """Ended at the last gate: what is staged is withdrawn."""
    await agree(run, "commit", "ada")
    await run.until_waiting("publish")
    await run.handle.cancel()
    try:
        await run.handle.result()
    except WorkflowFailureError:
        return


async def elsewhere(run: Run) -> None:
    """A CI system builds from the release's branch; its run is gone at the end, and by decision gets a successor."""
    run.machines.failures["collect_run"] = [failure("Unusable", None, RUN)]
    await agree(run, "commit", "ada")
    status = await run.until(lambda status: any(waiting.kind == "decision" for waiting in status.waiting))
    await run.say(decision(status, Choice.RETRY))
    await agree(run, "publish", "ada", "grace")
    await run.handle.result()


async def resigned(run: Run) -> None:
    """New signatures for files of a list; what is public differs at first, and people decide to look again."""
    run.machines.fail("take_stock", "hello.exe is another file")
    status = await run.until(lambda status: any(waiting.kind == "decision" for waiting in status.waiting))
    await run.say(decision(status, Choice.RETRY))
    await agree(run, "files", "ada")
    await agree(run, "publish", "ada", "grace")
    await run.handle.result()


def anonymous(node: Any) -> Any:
    """The same history without what tells of the machine that recorded it; a replay needs none of it."""
    if isinstance(node, list):
        return [anonymous(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: anonymous(value) for key, value in node.items() if key != "stackTrace"}
    return kept | ({"identity": "worker"} if "identity" in kept else {})


async def together(run: SecurityRun) -> None:
    """One of three streams breaks and is taken out; the date is moved; the others are signed off and public."""
    await run.until_stuck("3.0.1")
    await _accepted(run, TakeOut(**about(await run.status(), "ada", version="3.0.1")))
    status = await run.until_asked()
    await _accepted(run, joint_sign_off(status, "ada"))
    await _accepted(run, MoveDate(**about(status, "grace", until=None)))
    await _accepted(run, joint_sign_off(await run.until_asked(attempt=2), "grace"))
    await run.handle.result()


async def _accepted(run: SecurityRun, act: Act) -> None:
    answer = await run.say(act)
    if not answer.accepted:
        sys.exit(answer.message)


async def record_releases(env: WorkflowEnvironment) -> None:
    stories: dict[Callable[[Run], Awaitable[None]], dict[str, Any]] = {
        released: EVERYTHING,
        decided: EVERYTHING,
        cancelled: EVERYTHING,
        elsewhere: ELSEWHERE,
        resigned: ANEW,
    }
    for story, changes in stories.items():
        async with running(env, Plan.model_validate({**PLAN, **changes}), Machines()) as run:
            await story(run)
            await keep(run.handle, story.__name__)


async def record_security_release(env: WorkflowEnvironment) -> None:
    machines = Machines()
    own_manifests(machines)
    failing(machines, "build_step", "3.0.1")
    plan = security_plan("1.0.1", "2.0.1", "3.0.1", until=datetime.now(UTC) + timedelta(days=1000))
    async with running_together(env, plan, machines) as run:
        await together(run)
        await keep(run.handle, "together")
        await keep(run.stream("1.0.1"), "stream")


async def keep(handle: WorkflowHandle[Any, Any], name: str) -> None:
    history = await handle.fetch_history()
    events = anonymous(json.loads(history.to_json()))
    (FOLDER / f"{name}.json").write_text(json.dumps(events, indent=1) + "\n")


async def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    async with await dev_server() as env:
        await record_releases(env)
        await record_security_release(env)


if __name__ == "__main__":
    asyncio.run(main())
