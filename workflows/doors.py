"""Where people speak to a release: each act by an update, which answers at once, and by a signal of the same name.

The signal is durable while no worker is up, and what became of it is in the log. Both take what ``baton … --print``
made, a signed statement in its envelope; a rehearsal also takes the plain act, whose JSON is in the current details.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from baton.model.acts import (
        Answer,
        Cancel,
        Claim,
        Decision,
        HandOff,
        Rejection,
        Replan,
        SignOff,
        Withdrawal,
    )

if TYPE_CHECKING:
    from workflows.hearing import Hearing

_SIGN_OFF = "Agree to what a gate asks about."
_REJECT = "Object to what a gate asks about: it can't pass until you withdraw."
_WITHDRAW = "Take back your own sign-off or rejection, until the gate has passed."
_DECIDE = "Decide about a step that could not finish, retry, skip or abort, or provide its files."
_CLAIM = "Say that you are driving this release: advice for the others, never a lock."
_HAND_OFF = "Pass on the release that you are driving."
_REPLAN = "Have the release follow another plan, from the start."
_CANCEL = "End a release that is not public yet, and undo what it did."


class CommonDoors:
    """The updates and signals that a release and a security release both have."""

    _hearing: Hearing

    @workflow.update(name="sign_off", description=_SIGN_OFF)
    async def sign_off(self, message: Any) -> Answer:
        """Count a sign-off, and say what became of it."""
        return await self._hearing.hear(SignOff, message)

    @sign_off.validator
    def _admit_sign_off(self, message: Any) -> None:
        self._hearing.admit(SignOff, message)

    @workflow.signal(name="sign_off", description=_SIGN_OFF)
    async def sign_off_signal(self, message: Any) -> None:
        """The durable twin of the update."""
        await self._hearing.hear(SignOff, message)

    @workflow.update(name="reject", description=_REJECT)
    async def reject(self, message: Any) -> Answer:
        """Take an objection, and say what became of it."""
        return await self._hearing.hear(Rejection, message)

    @reject.validator
    def _admit_rejection(self, message: Any) -> None:
        self._hearing.admit(Rejection, message)

    @workflow.signal(name="reject", description=_REJECT)
    async def reject_signal(self, message: Any) -> None:
        """The durable twin of the update."""
        await self._hearing.hear(Rejection, message)

    @workflow.update(name="withdraw", description=_WITHDRAW)
    async def withdraw(self, message: Any) -> Answer:
        """Take back what a person said about a gate, and say what became of it."""
        return await self._hearing.hear(Withdrawal, message)

    @withdraw.validator
    def _admit_withdrawal(self, message: Any) -> None:
        self._hearing.admit(Withdrawal, message)

    @workflow.signal(name="withdraw", description=_WITHDRAW)
    async def withdraw_signal(self, message: Any) -> None:
        """The durable twin of the update."""
        await self._hearing.hear(Withdrawal, message)

    @workflow.update(name="claim", description=_CLAIM)
    async def claim(self, message: Any) -> Answer:
        """Show who drives the release."""
        return await self._hearing.hear(Claim, message)

    @claim.validator
    def _admit_claim(self, message: Any) -> None:
        self._hearing.admit(Claim, message)

    @workflow.signal(name="claim", description=_CLAIM)
    async def claim_signal(self, message: Any) -> None:
        """The durable twin of the update."""
        await self._hearing.hear(Claim, message)

    @workflow.update(name="hand_off", description=_HAND_OFF)
    async def hand_off(self, message: Any) -> Answer:
        """Show who drives the release from here on."""
        return await self._hearing.hear(HandOff, message)

    @hand_off.validator
    def _admit_hand_off(self, message: Any) -> None:
        self._hearing.admit(HandOff, message)

    @workflow.signal(name="hand_off", description=_HAND_OFF)
    async def hand_off_signal(self, message: Any) -> None:
        """The durable twin of the update."""
        await self._hearing.hear(HandOff, message)

    @workflow.update(name="cancel", description=_CANCEL)
    async def cancel(self, message: Any) -> Answer:
        """End the release if that is still possible, and say what became of the wish."""
        return await self._hearing.hear(Cancel, message)

    @cancel.validator
    def _admit_cancel(self, message: Any) -> None:
        self._hearing.admit(Cancel, message)

    @workflow.signal(name="cancel", description=_CANCEL)
    async def cancel_signal(self, message: Any) -> None:
        """The durable twin of the update."""
        await self._hearing.hear(Cancel, message)


class Doors(CommonDoors):
    """The updates and signals of a release."""

    @workflow.update(name="decide", description=_DECIDE)
    async def decide(self, message: Any) -> Answer:
        """Take a decision, and say what became of it."""
        return await self._hearing.hear(Decision, message)

    @decide.validator
    def _admit_decision(self, message: Any) -> None:
        self._hearing.admit(Decision, message)

    @workflow.signal(name="decide", description=_DECIDE)
    async def decide_signal(self, message: Any) -> None:
        """The durable twin of the update."""
        await self._hearing.hear(Decision, message)

    @workflow.update(name="replan", description=_REPLAN)
    async def replan(self, message: Any) -> Answer:
        """Follow another plan, and say what became of the wish."""
        return await self._hearing.hear(Replan, message)

    @replan.validator
    def _admit_replan(self, message: Any) -> None:
        self._hearing.admit(Replan, message)

    @workflow.signal(name="replan", description=_REPLAN)
    async def replan_signal(self, message: Any) -> None:
        """The durable twin of the update."""
        await self._hearing.hear(Replan, message)
