"""What is waited for from people at a gate, and how to give it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from baton.model.acts import SignOff, Withdrawal
    from baton.model.base import short
    from baton.model.status import Waiting, WaitKind
    from workflows.floor import RELEASE_MANAGER

if TYPE_CHECKING:
    from baton.model.gate import GateResult
    from workflows.floor import Floor


def waiting_for_gate(floor: Floor[Any, Any], result: GateResult, *, command: str) -> Waiting:
    """What would bring a gate forward: agreement, or once the quorum is there, that those who object take it back.

    Args:
        floor: where people speak.
        result: the gate as it stands.
        command: what to type, with a place for the kind of act.
    """
    objected = not result.missing
    roles = tuple(dict.fromkeys(given.role for given in result.rejected)) if objected else tuple(result.missing)
    people = result.waiting_people(floor.plan.roster)
    message = (Withdrawal if objected else SignOff)(
        release=floor.plan.release,
        gate=result.gate,
        attempt=result.attempt,
        run=result.run,
        subject=result.subject,
        by=people[0] if people else "your-id",
        role=roles[0] if roles else RELEASE_MANAGER,
    )
    return Waiting(
        kind=WaitKind.WITHDRAWAL if objected else WaitKind.SIGN_OFF,
        what=result.gate,
        since=result.opened,
        roles=roles,
        people=people,
        why=f"{result}; asked about {short(result.subject)}",
        command=command.format(message.kind),
        message=message.model_dump_json(),
    )
