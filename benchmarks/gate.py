"""How much of Temporal's room a gate with many people and far more refused statements takes.

``python -m benchmarks.gate`` starts a server, opens a gate that needs twenty people, sends it 1,000 statements that do
not count, half of them by update and half by signal, then the twenty that do, and prints what the release's history and
its largest messages came to beside Temporal's limits. The statements are as large as Sigstore bundles; what proves them
is left out, and measured by ``benchmarks/acts.py``.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from baton.model.acts import Answer, Proof, SignOff
from baton.model.envelope import read_envelope
from baton.model.hearing import Proven
from baton.model.plan import Plan
from baton.model.statement import PAYLOAD_TYPE, statement_of
from tests.conftest import PLAN, dev_server
from tests.workflows.conftest import Machines, Run, running

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from temporalio.testing import WorkflowEnvironment

    from baton.model.hearing import ProveAct
    from baton.model.status import ReleaseStatus

EVENTS, HISTORY, MESSAGE = 51_200, 52_428_800, 2_097_152
"""Temporal's limits: of events and bytes, which end a workflow, and of one message."""

SIGNATURE = 4_000
"""Bytes of signature that make an envelope of about 6,000: what a Sigstore bundle with a statement has."""

AT_ONCE = 8
"""Updates under way; Temporal takes ten."""


@dataclass(frozen=True)
class Taken:
    """What a gate took.

    Attributes:
        heard: how many acts.
        events: in the release's history.
        history: its bytes.
        event: the bytes of its largest event.
        record: the bytes of the record of all acts, which the evidence and a new plan take along in one message.
        seconds: from the first statement to the last answer.
        phase: where the release ended.
    """

    heard: int
    events: int
    history: int
    event: int
    record: int
    seconds: float
    phase: str


def crowded_plan(people: int) -> Plan:
    """A plan whose gate needs everybody."""
    key = {"kind": "sigstore", "identity": "somebody@example.org", "issuer": "https://accounts.example.org"}
    ids = [f"manager-{number:02}" for number in range(people)]
    roster = [{"id": who, "name": who, "roles": ["release-manager"], "keys": [key]} for who in ids]
    gate = {"name": "publish", "before": "publish", "needs": {"release-manager": people}}
    changes = {"unsigned_acts": False, "started_by": ids[0], "gates": [gate], "roster": {"people": roster}}
    return Plan.model_validate({**PLAN, **changes})


def statement(status: ReleaseStatus, by: str, **wrong: Any) -> dict[str, Any]:
    """A sign-off in an envelope as large as a Sigstore bundle."""
    (gate,) = status.gates
    said = SignOff.model_validate(
        {
            "release": status.release,
            "run": status.run,
            "gate": gate.gate,
            "attempt": gate.attempt,
            "subject": gate.subject,
            "by": by,
            "role": "release-manager",
            "reason": "I fetched every file, compared it with my own build, and installed it on three machines.",
            "at": datetime.now(UTC),
            "nonce": secrets.token_hex(16),
            **wrong,
        }
    )
    signature = {"keyid": "ssh:SHA256:" + "x" * 43, "sig": base64.b64encode(bytes(SIGNATURE)).decode()}
    payload = base64.b64encode(statement_of(said)).decode()
    return {"payload": payload, "payloadType": PAYLOAD_TYPE, "signatures": [signature]}


def believe(argument: ProveAct) -> Proven:
    """Stands in for what proves an act."""
    digest = read_envelope(argument.envelope).digest
    credential = "Sigstore identity somebody@example.org (issuer https://accounts.example.org)"
    return Proven(envelope=digest, proof=Proof(envelope=digest, credential=credential))


async def fill(env: WorkflowEnvironment, *, people: int, refused: int) -> Taken:
    """Take a release through a gate that all of so many people pass after so many refused statements."""
    machines, plan = Machines(), crowded_plan(people)
    machines.real["prove_act"] = believe
    async with running(env, plan, machines) as run:
        status = await run.until_waiting("publish")
        began = time.perf_counter()
        await _refuse(run, status, refused)
        for person in plan.roster.people:
            answer = await run.say_json("sign-off", statement(status, person.id))
            if not answer.accepted:
                raise RuntimeError(answer.message)
        seconds = time.perf_counter() - began
        ended = await run.handle.result()
        events = (await run.handle.fetch_history()).events
    sizes = [event.ByteSize() for event in events]
    (told,) = machines.arguments("write_evidence")
    return Taken(
        heard=ended.heard,
        events=len(sizes),
        history=sum(sizes),
        event=max(sizes),
        record=sum(len(link.model_dump_json()) for link in told.heard),
        seconds=seconds,
        phase=ended.phase,
    )


async def _refuse(run: Run, status: ReleaseStatus, count: int) -> None:
    """Say so often what does not count: it is about other files."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(say: Coroutine[Any, Any, Answer | None]) -> None:
        async with room:
            await say

    said = [statement(status, "manager-01", subject="sha256:" + "0" * 64) for _ in range(count)]
    updates = [run.say_json("sign-off", each) for each in said[::2]]
    signals = [run.handle.signal("sign_off", each) for each in said[1::2]]
    await asyncio.gather(*map(one, [*updates, *signals]))
    # Signals are answered by the log alone.
    async with asyncio.timeout(600):
        while (await run.status()).heard < count:  # noqa: ASYNC110  # it goes on in another process
            await asyncio.sleep(0.2)


async def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--refused", type=int, default=1_000)
    asked = parser.parse_args()
    async with await dev_server() as env:
        taken = await fill(env, people=asked.people, refused=asked.refused)
    title = f"{taken.heard:,} statements at one gate, {taken.seconds:.1f} seconds; the release is {taken.phase}"
    table = Table("", "taken", "Temporal's limit", "of it", title=title)
    for what, number, limit in (
        ("events", taken.events, EVENTS),
        ("bytes of history", taken.history, HISTORY),
        ("bytes of the largest event", taken.event, MESSAGE),
        ("bytes of the record of acts", taken.record, MESSAGE),
    ):
        table.add_row(what, f"{number:,}", f"{limit:,}", f"{number / limit:.0%}")
    Console().print(table)


if __name__ == "__main__":
    asyncio.run(main())
