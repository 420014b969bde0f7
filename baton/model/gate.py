"""People agreeing: sign-offs, and the rule that says whether a gate has passed."""

from __future__ import annotations

from collections import Counter
from datetime import datetime  # pydantic reads it at run time
from typing import Annotated

from pydantic import Field

from baton.model.base import Digest, Name, Text, Value, short
from baton.model.roster import Roster  # noqa: TC001  # pydantic reads it at run time


class SignOff(Value):
    """One person's agreement to exactly one gate, attempt and digest of one run of a release.

    Attributes:
        run: the first execution run id of the release's workflow, so that a later release of the same name, or a
            replayed message, can't use it.
        attempt: the gate's attempt; a new manifest starts a new one.
        subject: the digest agreed to: the plan's before building, the manifest's after it.
        by: the person, by their roster id.
        role: the role in which they agree.
    """

    gate: Name
    attempt: Annotated[int, Field(ge=1, le=10_000)]
    run: Annotated[str, Field(max_length=100)]
    subject: Digest
    by: Name
    role: Name
    reason: Text = ""


class Given(Value):
    """A sign-off that counts."""

    by: Name
    role: Name
    at: datetime
    reason: Text = ""


class Answer(Value):
    """What became of something a person said: accepted, or why not and what to do."""

    accepted: bool
    message: Text


class GateResult(Value):
    """A gate's facts, from which its verdict follows.

    Attributes:
        subject: the digest that people are asked to agree to.
        needs: how many distinct people of each role.
        excluded: people whose sign-off does not count here, such as the one who started the release.
        opened: when people were first asked.
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
    passed_at: datetime | None = None

    @property
    def missing(self) -> dict[str, int]:
        """How many people of which role have yet to agree; empty when the quorum is there."""
        counted = Counter(given.role for given in self.given)
        return {role: needed - counted[role] for role, needed in self.needs.items() if needed > counted[role]}

    def __bool__(self) -> bool:
        return not self.missing

    def __str__(self) -> str:
        required = sum(self.needs.values())
        have = required - sum(self.missing.values())
        facts = f"gate {self.gate} has {have} of {required} sign-offs"
        if not self.missing:
            return facts
        return f"{facts}; missing: {_listed(self.missing)}"

    def waiting_people(self, roster: Roster) -> tuple[str, ...]:
        """The ids of those whose sign-off would bring the gate forward, in roster order."""
        said = {given.by for given in self.given}
        return tuple(
            person.id
            for person in roster.people
            if person.id not in said
            and person.id not in self.excluded
            and any(role in self.missing for role in person.roles)
        )


def consider(result: GateResult, sign_off: SignOff, roster: Roster, now: datetime) -> tuple[GateResult, Answer]:
    """Apply one sign-off to an open gate.

    The same person agreeing twice is harmless: the first time counts, the second is accepted as already given.

    Args:
        result: the gate as it stands.
        sign_off: what came in; its author has been proven by the caller where the plan demands proof.
        roster: who holds which role.
        now: the time to record.

    Returns:
        The gate as it stands now, and the answer for the person.
    """
    problem = _objection(result, sign_off, roster)
    if problem is not None:
        return result, Answer(accepted=False, message=problem)
    if any(given.by == sign_off.by for given in result.given):
        return result, Answer(accepted=True, message=f"{sign_off.by} had already signed off; {result}")
    given = Given(by=sign_off.by, role=sign_off.role, at=now, reason=sign_off.reason)
    counted = result.model_copy(update={"given": (*result.given, given)})
    return counted, Answer(accepted=True, message=str(counted))


def _listed(missing: dict[str, int]) -> str:
    return ", ".join(f"{count} {role}" for role, count in missing.items())


def _objection(result: GateResult, sign_off: SignOff, roster: Roster) -> str | None:
    if sign_off.run != result.run:
        return f"the sign-off names run {sign_off.run}; this is run {result.run}: sign off what is here now"
    if sign_off.attempt != result.attempt:
        return (
            f"the sign-off is for attempt {sign_off.attempt} of gate {result.gate}; it is at attempt {result.attempt}"
        )
    if sign_off.subject != result.subject:
        return (
            f"the sign-off names {short(sign_off.subject)}; gate {result.gate} asks about {short(result.subject)}: "
            "look at what is there now and sign that off"
        )
    person = roster.find(sign_off.by)
    if person is None:
        known = ", ".join(p.id for p in roster.people) or "nobody"
        return f"{sign_off.by} is not on the roster of this release; on it: {known}"
    if sign_off.role not in person.roles:
        return f"{person.id} does not hold the role {sign_off.role}; holds: {', '.join(person.roles)}"
    if person.id in result.excluded:
        return f"{person.id} started this release, and gate {result.gate} asks for somebody else's agreement"
    if sign_off.role not in result.needs:
        return f"gate {result.gate} asks for no {sign_off.role}; it asks for: {', '.join(result.needs)}"
    earlier = next((given for given in result.given if given.by == person.id), None)
    if earlier is not None and earlier.role != sign_off.role:
        return f"{person.id} has signed off as {earlier.role} already; one person counts once"
    if earlier is None and sign_off.role not in result.missing:
        missing = _listed(result.missing)
        return f"gate {result.gate} has all the {sign_off.role} sign-offs it needs; still missing: {missing}"
    return None
