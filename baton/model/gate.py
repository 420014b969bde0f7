"""People agreeing: the rule that says whether a gate has passed, and what each act does to it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime  # pydantic reads it at run time
from typing import TYPE_CHECKING

from baton.model.acts import AboutGate, Answer, CutText, Proof, Rejection, SignOff, Withdrawal
from baton.model.base import Digest, Name, Text, Value, short

if TYPE_CHECKING:
    from baton.model.roster import Roster

KEPT_REFUSALS = 20
"""How many refused acts a gate's result shows, the latest; the evidence has all of them."""


class Given(Value):
    """A sign-off or a rejection that counts.

    Attributes:
        proof: what proves that the person said it; None for an unsigned one, which only rehearsals accept.
    """

    by: Name
    role: Name
    at: datetime
    reason: Text = ""
    proof: Proof | None = None

    def __str__(self) -> str:
        unsigned = "" if self.proof is not None else ", unsigned"
        return f"{self.by} as {self.role} at {self.at:%Y-%m-%d %H:%M} UTC{unsigned}"


class Refusal(Value):
    """An act about a gate that did not count, and why."""

    by: str
    kind: str
    at: datetime
    why: CutText


class GateResult(Value):
    """A gate's facts, from which its verdict follows.

    Attributes:
        subject: the digest that people are asked to agree to.
        needs: how many distinct people of each role.
        excluded: people whose sign-off does not count here: who started the release, or planned it anew.
        opened: when people were first asked.
        given: the sign-offs that count.
        rejected: the objections that stand; while there is one, the gate can't pass.
        refused: the latest acts that did not count.
        reset: whose sign-offs an earlier attempt had, which a new subject made void.
        passed_at: when the release went on, or None.
    """

    gate: Name
    attempt: int
    run: str
    subject: Digest
    needs: dict[Name, int]
    excluded: tuple[Name, ...] = ()
    opened: datetime
    given: tuple[Given, ...] = ()
    rejected: tuple[Given, ...] = ()
    refused: tuple[Refusal, ...] = ()
    reset: tuple[Name, ...] = ()
    passed_at: datetime | None = None

    @property
    def missing(self) -> dict[str, int]:
        """How many people of which role have yet to agree; empty when the quorum is there."""
        counted = Counter(given.role for given in self.given)
        return {role: needed - counted[role] for role, needed in self.needs.items() if needed > counted[role]}

    def __bool__(self) -> bool:
        return not self.missing and not self.rejected

    def __str__(self) -> str:
        required = sum(self.needs.values())
        have = required - sum(self.missing.values())
        facts = f"gate {self.gate} has {have} of {required} sign-offs"
        if self.missing:
            facts += f"; missing: {_listed(self.missing)}"
        if self.rejected:
            facts += f"; rejected by {', '.join(given.by for given in self.rejected)}"
        return facts

    def waiting_people(self, roster: Roster) -> tuple[str, ...]:
        """The ids of those whose act would bring the gate forward, in roster order.

        Those are the ones who may still agree, and once the quorum is there, those who object.
        """
        said = {given.by for given in self.given}
        objecting = {given.by for given in self.rejected}
        return tuple(
            person.id
            for person in roster.people
            if person.id in objecting
            or (
                person.id not in said
                and person.id not in self.excluded
                and any(role in self.missing for role in person.roles)
            )
        )

    def refuse(self, act: AboutGate, why: str, now: datetime) -> GateResult:
        """The gate with a refused act written down."""
        refusal = Refusal(by=act.by, kind=act.kind, at=now, why=why)
        return self.model_copy(update={"refused": (*self.refused, refusal)[-KEPT_REFUSALS:]})


def consider(
    result: GateResult, act: AboutGate, roster: Roster, now: datetime, proof: Proof | None = None
) -> tuple[GateResult, Answer]:
    """Apply one act to an open gate.

    The same person saying the same twice is harmless: the first time counts, the second is accepted as already given.

    Args:
        result: the gate as it stands.
        act: what came in; its author has been proven by the caller where the plan demands proof.
        roster: who holds which role.
        now: the time to record.
        proof: what proved it.

    Returns:
        The gate as it stands now, and the answer for the person.
    """
    problem = _objection(result, act, roster)
    if problem is None:
        given = Given(by=act.by, role=act.role, at=now, reason=act.reason, proof=proof)
        match act:
            case SignOff():
                return _sign_off(result, given)
            case Rejection():
                return _reject(result, given)
            case Withdrawal():
                return _withdraw(result, act.by)
        problem = f"a {act.noun} says nothing about a gate"
    return result.refuse(act, problem, now), Answer(accepted=False, message=problem)


def _sign_off(result: GateResult, given: Given) -> tuple[GateResult, Answer]:
    if any(earlier.by == given.by for earlier in result.given):
        return result, Answer(accepted=True, message=f"{given.by} had already signed off; {result}")
    counted = result.model_copy(update={"given": (*result.given, given)})
    return counted, Answer(accepted=True, message=str(counted))


def _reject(result: GateResult, given: Given) -> tuple[GateResult, Answer]:
    if any(earlier.by == given.by for earlier in result.rejected):
        return result, Answer(accepted=True, message=f"{given.by} had already rejected; {result}")
    # Who objects does not agree any more.
    agreeing = tuple(earlier for earlier in result.given if earlier.by != given.by)
    counted = result.model_copy(update={"given": agreeing, "rejected": (*result.rejected, given)})
    return counted, Answer(accepted=True, message=str(counted))


def _withdraw(result: GateResult, who: str) -> tuple[GateResult, Answer]:
    counted = result.model_copy(
        update={
            "given": tuple(given for given in result.given if given.by != who),
            "rejected": tuple(given for given in result.rejected if given.by != who),
        }
    )
    return counted, Answer(accepted=True, message=str(counted))


def _listed(missing: dict[str, int]) -> str:
    return ", ".join(f"{count} {role}" for role, count in missing.items())


def _objection(result: GateResult, act: AboutGate, roster: Roster) -> str | None:
    return _about_something_else(result, act) or _not_theirs(result, act, roster) or _out_of_turn(result, act)


def _about_something_else(result: GateResult, act: AboutGate) -> str | None:
    if result.passed_at is not None:
        return f"gate {result.gate} passed at {result.passed_at:%Y-%m-%d %H:%M} UTC"
    if act.run != result.run:
        return f"the {act.noun} names run {act.run}; this is run {result.run}: look at what is here now"
    if act.attempt != result.attempt:
        return f"the {act.noun} is for attempt {act.attempt} of gate {result.gate}; it is at attempt {result.attempt}"
    if act.subject != result.subject:
        return (
            f"the {act.noun} names {short(act.subject)}; gate {result.gate} asks about {short(result.subject)}: "
            "look at what is there now"
        )
    return None


def _not_theirs(result: GateResult, act: AboutGate, roster: Roster) -> str | None:
    person = roster.find(act.by)
    if person is None:
        known = ", ".join(p.id for p in roster.people) or "nobody"
        return f"{act.by} is not on the roster of this release; on it: {known}"
    if act.role not in person.roles:
        return f"{person.id} does not hold the role {act.role}; holds: {', '.join(person.roles)}"
    if act.role not in result.needs:
        return f"gate {result.gate} asks for no {act.role}; it asks for: {', '.join(result.needs)}"
    return None


def _out_of_turn(result: GateResult, act: AboutGate) -> str | None:
    agreed = next((given for given in result.given if given.by == act.by), None)
    objects = any(given.by == act.by for given in result.rejected)
    if isinstance(act, Withdrawal) and agreed is None and not objects:
        return f"{act.by} has neither signed off nor rejected gate {result.gate}: there is nothing to withdraw"
    if not isinstance(act, SignOff):
        return None
    if act.by in result.excluded:
        return f"{act.by} started or planned this release, and gate {result.gate} asks for somebody else's agreement"
    if objects:
        return f"{act.by} has rejected gate {result.gate}: withdraw that first"
    if agreed is not None and agreed.role != act.role:
        return f"{act.by} has signed off as {agreed.role} already; one person counts once"
    if agreed is None and act.role not in result.missing:
        return f"gate {result.gate} needs no other {act.role} sign-off: {result}"
    return None
