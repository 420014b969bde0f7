"""Where people speak: what a release, and a security release of several, both keep of what was said and done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from baton.model.base import short
    from baton.model.plan import Plan
    from baton.model.security import SecurityPlan
    from baton.model.status import Entry, StepStatus, Waiting
    from baton.model.work import ReleaseRef, SecurityRef

if TYPE_CHECKING:
    from datetime import datetime

    from baton.model.acts import Act, Heard
    from baton.model.announcing import Event
    from baton.model.gate import GateResult

LOG_LINES = 500
"""How many log lines a release keeps to show; the whole story is in Temporal's history."""

LOG_BYTES = 250_000
"""How many bytes of JSON they may have together: a message of Temporal's holds two million, and not the log alone."""

RELEASE_MANAGER = "release-manager"

Planned = TypeVar("Planned", bound=Plan | SecurityPlan)
Ref = TypeVar("Ref", bound=ReleaseRef | SecurityRef)


class Floor(Generic[Planned, Ref]):
    """What people said, who drives, and the log.

    Attributes:
        plan: what is to be done.
        ref: which run of it this is.
        steps: units of work; a security release has none of its own.
        gates: those that have been opened, as they stand.
        earlier_gates: as they were left when what they asked about changed.
        leaving: why the runbook is left, from the moment that this is decided: nobody can decide anything any more, and
            what fails from here on needs nobody's decision. None while it is followed.
        going_public: whether a target may show something from here on; then all is finished, never undone.
        heard: every act, in order.
        nonces: those of the signed acts that were heard, each after its person and a colon.
        driver: who says that they are driving.
    """

    def __init__(self, plan: Planned, ref: Ref) -> None:
        self.plan = plan
        self.ref = ref
        self.steps: dict[str, StepStatus] = {}
        self.gates: dict[str, GateResult] = {}
        self.earlier_gates: dict[str, GateResult] = {}
        self.going_public = False
        self.leaving: str | None = None
        self.journal: list[Entry] = []
        self.heard: list[Heard] = []
        self.nonces: set[str] = set()
        self.driver: str | None = None
        self._log_bytes = 0
        self._touched: dict[str, datetime] = {}

    @property
    def subject(self) -> str:
        """The digest that people look at now."""
        raise NotImplementedError

    def show(self) -> None:
        """Mirror the state to where people look."""
        raise NotImplementedError

    def waiting(self) -> tuple[Waiting, ...]:
        """What is waited for from people."""
        raise NotImplementedError

    def ending(self) -> tuple[Event, str] | None:
        """What people are told at the end, or None."""
        raise NotImplementedError

    def note(self, who: str, what: str) -> None:
        """Write a line into the log: who did what, now."""
        self.journal.append(Entry(at=workflow.now(), who=who, what=what[:2000]))
        self._log_bytes += _size(self.journal[-1])
        while len(self.journal) > LOG_LINES or self._log_bytes > LOG_BYTES:
            self._log_bytes -= _size(self.journal.pop(0))

    def take_up(self, journal: tuple[Entry, ...]) -> None:
        """Go on with the log of the plan before."""
        self.journal = list(journal)
        self._log_bytes = sum(map(_size, self.journal))

    def leave(self, why: str) -> None:
        """Leave the runbook; of several reasons the first counts, and nothing waits for anybody from here on."""
        if self.leaving is None:
            self.leaving = why
            self.show()

    def touch(self, about: str) -> None:
        """Remember that somebody acted, so that nobody is reminded of it for a while."""
        self._touched[about] = workflow.now()
        self.show()

    def quiet_since(self, waiting: Waiting) -> datetime:
        """Since when nobody has acted on what is waited for; claiming the release is an act on all of it."""
        unit = "gate" if waiting.what in self.gates else "step"
        acts = (self._touched.get(about) for about in (f"{unit} {waiting.what}", "the release"))
        return max([waiting.since, *(at for at in acts if at is not None)])

    def set_gate(self, result: GateResult) -> None:
        """Record a gate's facts."""
        self.gates[result.gate] = result
        self.show()

    def objection_to(self, act: Act, allowed: tuple[str, ...]) -> str | None:
        """Why an act that is not about a gate can't count: it is about another digest, or not in an allowed role."""
        if act.subject != self.subject:
            return (
                f"the {act.noun} names {short(act.subject)}; the release is at {short(self.subject)}: "
                "look at what is there now"
            )
        if act.role not in allowed:
            return f"it takes the role {' or '.join(allowed)}; {act.by} acts as {act.role}"
        return None


def _size(entry: Entry) -> int:
    """How many bytes a line has in JSON."""
    return len(entry.model_dump_json().encode())
