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
    from collections.abc import Sequence

    from baton.model.gate import GateResult
    from baton.model.roster import Roster
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
    by, role = who_might(floor.plan.roster, people, roles)
    message = (Withdrawal if objected else SignOff)(
        release=floor.plan.release,
        gate=result.gate,
        attempt=result.attempt,
        run=result.run,
        subject=result.subject,
        by=by,
        role=role,
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


def who_might(roster: Roster, people: Sequence[str], roles: Sequence[str]) -> tuple[str, str]:
    """One of the people, with a role in which they may speak: what a message says until somebody makes it theirs."""
    for person in roster.people:
        if people and person.id == people[0]:
            return person.id, next((role for role in roles if role in person.roles), RELEASE_MANAGER)
    return "your-id", roles[0] if roles else RELEASE_MANAGER
