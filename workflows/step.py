"""A unit of work that may need a person: tried, and when it can't finish, waiting for somebody's decision."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutType, is_cancelled_exception
from temporalio.exceptions import TimeoutError as ActivityTimeout

from workflows import orders
from workflows.orders import order

with workflow.unsafe.imports_passed_through():
    from baton.model.acts import Answer, Choice, Decision
    from baton.model.status import Phase, StepState, StepStatus
    from workflows.floor import RELEASE_MANAGER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from baton.model.work import Argument, Undone, Work
    from workflows.board import Board

Outcome = TypeVar("Outcome")

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LINK = re.compile(r"https?://[^\s|<>\"]{1,1000}")


class Abandoned(Exception):  # a fact about the release, not an error in the code
    """A person decided to end the release instead of finishing a step; the board says why it leaves the runbook."""


class Steps:
    """Runs units of work and takes people's decisions about those that could not finish."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._decisions: dict[str, Decision] = {}

    def add(
        self, name: str, phase: Phase, queue: str, *, role: str = RELEASE_MANAGER, signed_by: tuple[str, ...] = ()
    ) -> None:
        """List a unit of work that is to come; one that people sign by hand with those who may."""
        self._board.add(
            StepStatus(
                name=name, phase=phase, state=StepState.PENDING, attempt=1, queue=queue, role=role, signed_by=signed_by
            )
        )

    async def finish(
        self,
        name: str,
        attempt: Callable[[int], Awaitable[Outcome]] | None,
        *,
        done: Callable[[Outcome], str],
        provided: Callable[[str], Awaitable[Outcome]] | None = None,
        asks: str = "",
    ) -> Outcome:
        """Do a unit of work that nothing can replace: it ends with an outcome, or the release ends; see :meth:`run`."""
        outcome = await self.run(name, attempt, done=done, provided=provided, asks=asks)
        if outcome is None:
            self._board.leave(f"{name} was skipped, but nothing can go on without it")
            raise Abandoned
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
        attempt: Callable[[int], Awaitable[Outcome]] | None,
        *,
        done: Callable[[Outcome], str],
        provided: Callable[[str], Awaitable[Outcome]] | None = None,
        asks: str = "",
    ) -> Outcome | None:
        """Do a unit of work; if it can't finish, wait for a decision and do what it says.

        Args:
            name: the unit as listed on the board.
            attempt: does it; is given the number of the attempt, counted from one. None if a person does it and hands
                the result in.
            done: what came out, in one line.
            provided: takes the digest of what a person handed in, in place of another attempt.
            asks: what that person is asked for, where there is no attempt.

        Returns:
            What came out, or None if a person decided to go on without it.

        Raises:
            Abandoned: a person decided to end the release.
        """
        possible = self._possible(name, retry=attempt is not None, provide=provided is not None)
        number = 1
        act = None if attempt is None else attempt(number)
        while True:
            if act is None:
                decision = await self._wait_for(name, asks, possible, attempt=number)
            else:
                self._board.change(name, StepState.RUNNING, attempt=number, detail="", choices=())
                try:
                    outcome = await act
                except ActivityError as error:
                    if self._board.leaving is not None or is_cancelled_exception(error):
                        raise
                    asked = number if attempt is not None else number + 1
                    decision = await self._decide(name, error, possible, asked, asks)
                else:
                    self._board.change(name, StepState.DONE, detail=done(outcome))
                    return outcome
                number += 1
            match decision.choice:
                case Choice.SKIP:
                    self._board.change(name, StepState.SKIPPED, detail=f"{decision.by}: {decision.reason}", choices=())
                    return None
                case Choice.ABORT:
                    raise Abandoned
                case Choice.PROVIDE if provided is not None and decision.provided is not None:
                    act = provided(decision.provided)
                case _:
                    act = None if attempt is None else attempt(number)

    def decide(self, decision: Decision) -> Answer:
        """Take a person's decision about a step, or say why not; of two decisions that race exactly one counts."""
        objection = self._objection(decision)
        if objection is not None:
            return Answer(accepted=False, message=objection)
        self._decisions[decision.step] = decision
        if decision.choice is Choice.ABORT:
            self._board.leave(
                f"{decision.by} decided to abort at {decision.step}: {decision.reason or 'no reason given'}"
            )
        return Answer(accepted=True, message=f"{decision.choice} of {decision.step}, attempt {decision.attempt}")

    def _possible(self, name: str, *, retry: bool, provide: bool) -> tuple[Choice, ...]:
        planned = self._board.plan.step(name)
        skip = planned is not None and planned.skippable
        first = [Choice.RETRY] if retry else [Choice.PROVIDE]
        others = [*([Choice.SKIP] if skip else []), *([Choice.PROVIDE] if provide and retry else [])]
        return (*first, *others, Choice.ABORT)

    async def _decide(
        self, name: str, error: ActivityError, possible: tuple[Choice, ...], attempt: int, asks: str
    ) -> Decision:
        failure = failure_text(error)
        self._board.note("baton", f"{name} could not finish (attempt {self._board.steps[name].attempt}): {failure}")
        why = f"{failure}; {asks}" if asks else failure
        log, link = _traces_of(error)
        link = link or self._board.steps[name].link
        return await self._wait_for(name, why, possible, attempt=attempt, log=log, link=link)

    async def _wait_for(
        self, name: str, why: str, possible: tuple[Choice, ...], *, attempt: int, log: str | None = None, link: str = ""
    ) -> Decision:
        """Wait for a decision about an attempt: of a machine's, the one that failed; of a person's, the one to come."""
        public = self._board.going_public
        choices = tuple(choice for choice in possible if not (public and choice is Choice.ABORT))
        facts = {"detail": why, "choices": choices, "log": log, "link": link, "attempt": attempt}
        self._board.change(name, StepState.NEEDS_DECISION, **facts)
        await workflow.wait_condition(lambda: name in self._decisions)
        return self._decisions.pop(name)

    def _objection(self, decision: Decision) -> str | None:
        step: StepStatus | None = self._board.steps.get(decision.step)
        if step is None:
            return f"there is no step {decision.step}; steps: {', '.join(self._board.steps)}"
        if step.state is not StepState.NEEDS_DECISION or decision.step in self._decisions:
            return f"step {step.name} waits for no decision: it is {step.state}"
        if decision.attempt != step.attempt:
            return f"the decision is about attempt {decision.attempt} of {step.name}; it is at attempt {step.attempt}"
        if decision.choice not in step.choices:
            return f"{decision.choice} is not possible for {step.name}; possible: {', '.join(step.choices)}"
        if decision.choice is Choice.PROVIDE and step.signed_by:
            return self._objection_to_signer(decision, step)
        # Whoever hands files in answers for what that platform's people make.
        allowed = (step.role,) if decision.choice is Choice.PROVIDE else self._board.deciders(step)
        return self._board.objection_to(decision, allowed)

    def _objection_to_signer(self, decision: Decision, step: StepStatus) -> str | None:
        """Signatures count by who made them, and are handed in by those who may make them, whatever their roles."""
        if decision.by not in step.signed_by:
            return f"{step.name} takes signatures from {', '.join(step.signed_by)}; {decision.by} is none of them"
        return self._board.objection_to(decision, (decision.role,))


def failure_text(error: ActivityError) -> str:
    """Why an activity could not be done, in words for a person: the innermost facts, not the wrapping."""
    cause = error.cause
    if isinstance(cause, ActivityTimeout):
        return _timeout_text(error, cause)
    if isinstance(cause, ApplicationError):
        return f"{cause.type}: {cause.message}" if cause.type else cause.message
    return str(cause or error)


def _traces_of(error: ActivityError) -> tuple[str | None, str]:
    """What a failed build left behind: the digest of its log in the store, and the page of its outside run.

    What is neither is left out: details of a failure may be anything, and people read and follow these.
    """
    details = error.cause.details if isinstance(error.cause, ApplicationError) else ()
    log, link = (*details, None, None)[:2]
    return (
        log if isinstance(log, str) and _DIGEST.fullmatch(log) else None,
        link if isinstance(link, str) and _LINK.fullmatch(link) else "",
    )


def _timeout_text(error: ActivityError, timeout: ActivityTimeout) -> str:
    match timeout.type:
        case TimeoutType.SCHEDULE_TO_START:
            return f"no worker took {error.activity_type} in time: is one polling its queue?"
        case TimeoutType.HEARTBEAT:
            return f"the worker that did {error.activity_type} fell silent ({error.identity})"
        case _:
            return f"{error.activity_type} took longer than it may"
