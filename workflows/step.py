"""A unit of work that may need a person: tried, and when it can't finish, waiting for somebody's decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutType, is_cancelled_exception
from temporalio.exceptions import TimeoutError as ActivityTimeout

from workflows import orders
from workflows.orders import order

with workflow.unsafe.imports_passed_through():
    from baton.model.decision import Choice, Decision
    from baton.model.gate import Answer
    from baton.model.status import Phase, StepState, StepStatus
    from workflows.board import RELEASE_MANAGER, Board

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from baton.model.work import Argument, Undone, Work

Outcome = TypeVar("Outcome")


class Abandoned(Exception):  # a fact about the release, not an error in the code
    """A person decided to end the release instead of finishing a step."""


class Steps:
    """Runs units of work and takes people's decisions about those that could not finish."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._decisions: dict[str, Decision] = {}

    def add(self, name: str, phase: Phase, queue: str, *, role: str = RELEASE_MANAGER) -> None:
        """List a unit of work that is to come."""
        self._board.add(StepStatus(name=name, phase=phase, state=StepState.PENDING, attempt=1, queue=queue, role=role))

    async def finish(
        self, name: str, attempt: Callable[[int], Awaitable[Outcome]], *, done: Callable[[Outcome], str]
    ) -> Outcome:
        """Do a unit of work that nothing can replace: it ends with an outcome, or the release ends."""
        outcome = await self.run(name, attempt, done=done)
        if outcome is None:
            raise Abandoned(f"{name} was skipped, but nothing can go on without it")
        return outcome

    async def undo(self, what: Work[Argument, Undone], argument: Argument, *, queue: str) -> None:
        """Undo something; what can't be undone is written into the log for a person to see to."""
        try:
            undone = await order(what, argument, queue=queue, patience=orders.LOCAL, summary="undo")
        except ActivityError as error:
            self._board.note("baton", f"could not undo ({what.name}): {failure_text(error)}; see to it by hand")
        else:
            self._board.note("baton", undone.detail)

    async def run(
        self,
        name: str,
        attempt: Callable[[int], Awaitable[Outcome]],
        *,
        done: Callable[[Outcome], str],
        provided: Callable[[str], Awaitable[Outcome]] | None = None,
    ) -> Outcome | None:
        """Do a unit of work; if it can't finish, wait for a decision and do what it says.

        Args:
            name: the unit as listed on the board.
            attempt: does it; is given the number of the attempt, counted from one.
            done: what came out, in one line.
            provided: takes the digest of what a person handed in, in place of another attempt.

        Returns:
            What came out, or None if a person decided to go on without it.

        Raises:
            Abandoned: a person decided to end the release.
        """
        number = 1
        act = attempt(number)
        while True:
            self._board.change(name, StepState.RUNNING, attempt=number, detail="", choices=())
            try:
                outcome = await act
            except ActivityError as error:
                if self._board.ending or is_cancelled_exception(error):
                    raise
                decision = await self._decide(name, error, can_provide=provided is not None)
            else:
                self._board.change(name, StepState.DONE, detail=done(outcome))
                return outcome
            number += 1
            match decision.choice:
                case Choice.SKIP:
                    self._board.change(name, StepState.SKIPPED, detail=f"{decision.by}: {decision.reason}", choices=())
                    return None
                case Choice.ABORT:
                    raise Abandoned(f"{decision.by} decided to abort at {name}: {decision.reason or 'no reason given'}")
                case Choice.PROVIDE if provided is not None and decision.provided is not None:
                    act = provided(decision.provided)
                case _:
                    act = attempt(number)

    def decide(self, decision: Decision) -> Answer:
        """Take a person's decision about a step, or say why not.

        Reading the step's state and reserving the decision happen without giving way, so that of two decisions that
        race exactly one counts.
        """
        objection = self._objection(decision)
        if objection is not None:
            self._board.note(decision.by, f"decision {decision.choice} for {decision.step} refused: {objection}")
            return Answer(accepted=False, message=objection)
        self._decisions[decision.step] = decision
        self._board.note(decision.by, f"decided: {decision.choice} {decision.step}. {decision.reason}".strip())
        return Answer(accepted=True, message=f"{decision.choice} of {decision.step}, attempt {decision.attempt}")

    async def _decide(self, name: str, error: ActivityError, *, can_provide: bool) -> Decision:
        failure = failure_text(error)
        step = self._board.steps[name]
        choices = [Choice.RETRY]
        planned = self._board.plan.step(name)
        if planned is not None and planned.skippable:
            choices.append(Choice.SKIP)
        if can_provide:
            choices.append(Choice.PROVIDE)
        if not self._board.going_public:
            choices.append(Choice.ABORT)
        self._board.note("baton", f"{name} could not finish (attempt {step.attempt}): {failure}")
        self._board.change(name, StepState.NEEDS_DECISION, detail=failure, choices=tuple(choices), log=_log_of(error))
        await workflow.wait_condition(lambda: name in self._decisions)
        return self._decisions.pop(name)

    def _objection(self, decision: Decision) -> str | None:
        step: StepStatus | None = self._board.steps.get(decision.step)
        if step is None:
            return f"there is no step {decision.step}; steps: {', '.join(self._board.steps)}"
        if decision.run != self._board.ref.run:
            return f"the decision names run {decision.run}; this is run {self._board.ref.run}"
        if step.state is not StepState.NEEDS_DECISION or decision.step in self._decisions:
            return f"step {step.name} waits for no decision: it is {step.state}"
        if decision.attempt != step.attempt:
            return f"the decision is about attempt {decision.attempt} of {step.name}; it is at attempt {step.attempt}"
        if decision.choice not in step.choices:
            return f"{decision.choice} is not possible for {step.name}; possible: {', '.join(step.choices)}"
        return self._board.objection_to(decision.by, decision.role, self._board.deciders(step))


def failure_text(error: ActivityError) -> str:
    """Why an activity could not be done, in words for a person: the innermost facts, not the wrapping."""
    cause = error.cause
    if isinstance(cause, ActivityTimeout):
        return _timeout_text(error, cause)
    if isinstance(cause, ApplicationError):
        return f"{cause.type}: {cause.message}" if cause.type else cause.message
    return str(cause or error)


def _log_of(error: ActivityError) -> str | None:
    """The digest of the log that a failed build left in the store."""
    details = error.cause.details if isinstance(error.cause, ApplicationError) else ()
    return str(details[0]) if details else None


def _timeout_text(error: ActivityError, timeout: ActivityTimeout) -> str:
    match timeout.type:
        case TimeoutType.SCHEDULE_TO_START:
            return f"no worker took {error.activity_type} in time: is one polling its queue?"
        case TimeoutType.HEARTBEAT:
            return f"the worker that did {error.activity_type} fell silent ({error.identity})"
        case _:
            return f"{error.activity_type} took longer than it may"
