"""What people decided, derived again from what they said: every gate, and every decision about a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.evidence.result import bad, good
from baton.model.acts import AboutGate, Choice, Decision, Replan
from baton.model.building import HandedInBuilder
from baton.model.gate import GateResult, consider
from baton.model.plan import GatePoint
from baton.model.signing import HumanSigner
from baton.model.status import StepState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from baton.evidence.chain import Said
    from baton.evidence.result import Check
    from baton.model.evidence import Record
    from baton.model.manifest import SetRef
    from baton.model.plan import Gate, Plan
    from baton.model.roster import Roster
    from baton.model.status import StepStatus


class Agreed:
    """What people said about the plan that the release followed to the end.

    Args:
        record: what the release tells.
        plan: its plan.
        said: every act, proven as far as it can be, in the order in which it was heard.
        own: the verifier's own roster, in place of the plan's.
    """

    def __init__(self, record: Record, plan: Plan, said: Sequence[Said], *, own: Roster | None) -> None:
        self._record = record
        self._plan = plan
        self._own = own
        self._replanners = [one.act.by for one in said if one.heard.accepted and isinstance(one.act, Replan)]
        self._said = [one for one in _since_last_plan(said) if one.follows == record.plan]

    def gates(self) -> Iterator[Check]:
        """Whether each gate passed when it is said to have passed, by what people said and nothing else."""
        told = {result.gate: result for result in self._record.gates}
        for gate in self._plan.gates:
            claimed = told.pop(gate.name, None)
            if claimed is not None:
                yield from self._gate(gate, claimed)
            elif self._record.complete:
                yield bad(f"gate {gate.name}", "is in the plan, but was never opened")
        for name in told:
            yield bad(f"gate {name}", "is told of, but the plan has no such gate")

    def _gate(self, gate: Gate, claimed: GateResult) -> Iterator[Check]:
        subject = f"gate {gate.name}"
        asked = self._asked(gate, claimed)
        for fact in ("run", "subject", "needs", "excluded"):
            told, expected = getattr(claimed, fact), getattr(asked, fact)
            if told != expected:
                yield bad(subject, f"has {fact} {told}; by the plan and the acts it has {expected}")
        derived, faults = self._derived(asked)
        yield from (bad(subject, fault) for fault in faults)
        for fact in ("given", "rejected", "passed_at"):
            told, expected = getattr(claimed, fact), getattr(derived, fact)
            if told != expected:
                came, wanted = _words(fact, told), _words(fact, expected)
                yield bad(subject, f"is told with {came}; what people said gives {wanted}")
        if self._record.complete and derived.passed_at is None:
            yield bad(subject, f"did not pass: {derived}")
            return
        by = "; ".join(str(given) for given in derived.given) or "nobody yet"
        yield good(subject, f"attempt {derived.attempt}, asked about {derived.subject}: {by}")

    def _asked(self, gate: Gate, claimed: GateResult) -> GateResult:
        """The gate before anybody said anything about it."""
        subject = self._record.plan if gate.before is GatePoint.BUILD else (self._record.manifest or "")
        planners = tuple(dict.fromkeys((self._plan.started_by, *self._replanners[-1:])))
        return GateResult.model_construct(
            gate=gate.name,
            attempt=claimed.attempt,
            run=self._record.run,
            subject=subject,
            needs=gate.needs,
            excluded=() if gate.starter_counts else planners,
            opened=claimed.opened,
        )

    def _derived(self, asked: GateResult) -> tuple[GateResult, list[str]]:
        """The gate after everything that was said about it, and what was counted or refused wrongly."""
        result, faults = asked, []
        for one in self._said:
            act, heard = one.act, one.heard
            if not isinstance(act, AboutGate) or act.gate != asked.gate or not self._heeded(one, asked):
                continue
            after, answer = consider(result, act, self._own or self._plan.roster, heard.at, one.proof)
            if answer.accepted == heard.accepted:
                result = _passing(after, one) if heard.accepted else result
            elif heard.accepted:
                faults.append(f"act {heard.number} counted, but must not: {answer.message}")
            elif self._own is None and self._record.complete:
                # Of a release that ended early some acts came too late, which only its log tells.
                faults.append(f"act {heard.number} was refused ({heard.message}), but counts: {answer.message}")
        return result, faults

    def _heeded(self, one: Said, asked: GateResult) -> bool:
        """Whether the gate got to hear of it: it was proven as far as the plan demands, and the gate was open."""
        if one.heard.accepted:
            return True
        if one.heard.envelope is None and not self._plan.unsigned_acts:
            return False
        proven = one.proof is not None or one.heard.envelope is None
        return proven and one.heard.at > asked.opened and not self._heard_before(one)

    def _heard_before(self, one: Said) -> bool:
        """Whether this very statement had been heard; each counts once, whether or not it could be heeded then."""
        before = (other for other in self._said if other.heard.number < one.heard.number and other.proof is not None)
        return one.proof is not None and any(_same(one, other) for other in before)

    def decisions(self) -> Iterator[Check]:
        """Whether somebody decided what was done otherwise than planned, and what they decided was done."""
        decided = [
            (one, one.act)
            for one in self._said
            if one.heard.accepted
            and isinstance(one.act, Decision)
            and one.act.subject in (self._record.plan, self._record.manifest)
        ]
        for step in self._record.steps:
            ours = [act for _, act in decided if act.step == step.name]
            faults = [*_undecided(step, ours), *self._handed_in(step, ours)]
            yield from (bad(f"step {step.name}", fault) for fault in faults)
            if ours and not faults:
                told = ", then ".join(f"{act.choice} by {act.by}" for act in ours)
                yield good(f"step {step.name}", f"{step.state} after {told}")
        known = {step.name for step in self._record.steps}
        for one, act in decided:
            if act.step not in known:
                yield bad(f"act {one.heard.number}", f"decided about {act.step}, which the release does not tell of")

    def _handed_in(self, step: StepStatus, decided: Sequence[Decision]) -> Iterator[str]:
        """What was handed in has to be what somebody signed for; what a person makes, nobody else can have made."""
        planned = self._plan.step(step.name)
        signed = self._signed_by_people(step)
        by_hand = signed is not None or (planned is not None and isinstance(planned.builder, HandedInBuilder))
        provided = [act for act in decided if act.choice is Choice.PROVIDE]
        if by_hand and step.state is StepState.DONE and not provided:
            yield "is handed in by a person, but nobody's act hands anything in"
        built = next((made for made in self._record.built if made.step == step.name), None)
        taken = built.artifacts if built is not None else signed
        last = decided[-1] if decided else None
        if taken is None or last is None or last.choice is not Choice.PROVIDE:
            return
        if taken.digest != last.provided:
            yield f"has the files {taken.digest}; {last.by} handed in {last.provided}"

    def _signed_by_people(self, step: StepStatus) -> SetRef | None:
        """The signatures that this unit took from a person, if it is one that does."""
        made = (one for one in self._record.signed if isinstance(one.signer, HumanSigner))
        return next((one.signatures for one in made if step.name == f"sign-{one.signer.kind}"), None)


def _undecided(step: StepStatus, decided: Sequence[Decision]) -> Iterator[str]:
    skipped = [act for act in decided if act.choice is Choice.SKIP]
    if (step.state is StepState.SKIPPED) != bool(skipped):
        yield f"is {step.state}, and {'nobody' if not skipped else skipped[-1].by} decided to skip it"
    if step.state in (StepState.DONE, StepState.SKIPPED):
        lacking = set(range(1, step.attempt)) - {act.attempt for act in decided}
        if lacking:
            attempts = ", ".join(map(str, sorted(lacking)))
            yield f"is at attempt {step.attempt}, but nobody decided what to do after attempt {attempts}"
    beyond = [act for act in decided if act.attempt > step.attempt]
    if beyond:
        yield f"is at attempt {step.attempt}; {beyond[0].by} decided about attempt {beyond[0].attempt}"


def _same(one: Said, other: Said) -> bool:
    if one.act is None or other.act is None:
        return False
    return (one.act.by, one.act.nonce) == (other.act.by, other.act.nonce)


def _since_last_plan(said: Sequence[Said]) -> Sequence[Said]:
    last = max(
        (place for place, one in enumerate(said) if one.heard.accepted and isinstance(one.act, Replan)), default=-1
    )
    return said[last + 1 :]


def _passing(result: GateResult, one: Said) -> GateResult:
    """A gate passes with the act that completes it."""
    if result and result.passed_at is None:
        return result.model_copy(update={"passed_at": one.heard.at})
    return result


def _words(fact: str, value: object) -> str:
    if isinstance(value, tuple):
        return f"{fact} {'; '.join(map(str, value)) or 'nothing'}"
    return f"{fact} {value}"
