"""People changing where a release goes: who drives it, another plan for it, its end before it is public."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import orders
from workflows.orders import order
from workflows.step import failure_text

with workflow.unsafe.imports_passed_through():
    from baton.model.acts import Answer, Cancel, Claim, HandOff, Replan
    from baton.model.base import short
    from baton.model.hearing import TAKE_PLAN, TakePlan
    from workflows.floor import RELEASE_MANAGER, Floor

if TYPE_CHECKING:
    from baton.model.plan import Plan
    from workflows.board import Board


class Course:
    """What people have decided about the release as a whole.

    Attributes:
        replanned: the plan that it is to follow instead, with the person who wants that, or None.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self.replanned: tuple[Plan, str] | None = None

    def cancel(self, act: Cancel) -> Answer:
        """End the release if that is still possible."""
        barrier = self._board.plan.barrier
        if barrier is not None:
            return _refused(f"this release belongs to {barrier.security}: cancel that, or take this one out there")
        objection = self._too_late() or self._board.objection_to(act, (RELEASE_MANAGER,))
        if objection is not None:
            return _refused(objection)
        self._board.leave(f"{act.by} cancelled the release: {act.reason or 'no reason given'}")
        return Answer(accepted=True, message="the release ends; what is not public is undone")

    async def replan(self, act: Replan) -> Answer:
        """Have the release follow another plan, which is taken from the store, if that is still possible."""
        board = self._board
        if board.plan.resigning is not None:
            return _refused("signing anew keeps its plan: cancel it, and start it with the other one")
        try:
            plan = await order(
                TAKE_PLAN,
                TakePlan(release=board.ref, plan=act.plan),
                queue=board.plan.queue,
                patience=orders.LOCAL,
                summary=f"take plan {short(act.plan)}",
            )
        except ActivityError as error:
            return _refused(f"the new plan could not be read: {failure_text(error)}")
        objection = self._too_late() or board.objection_to(act, (RELEASE_MANAGER,)) or _other_release(board.plan, plan)
        if objection is not None:
            return _refused(objection)
        self.replanned = (plan, act.by)
        board.leave(f"{act.by} planned the release anew, with plan {act.plan}")
        return Answer(accepted=True, message=f"the release begins again, with plan {short(act.plan)}")

    def _too_late(self) -> str | None:
        if self._board.going_public:
            return "the release is going public: it is finished, not undone"
        if self._board.bound:
            return "the release is about to go public with others: to change it, take it out of the security release"
        if self._board.leaving is not None:
            return f"too late: {self._board.leaving}"
        return None


def drive(floor: Floor[Any, Any], act: Claim | HandOff) -> Answer:
    """Show who drives the release from here on."""
    driver = floor.driver
    to = act.to if isinstance(act, HandOff) else act.by
    if isinstance(act, HandOff) and driver != act.by:
        drives = f"{driver} is" if driver else "nobody is"
        return _refused(f"{act.by} does not drive this release, so can't pass it on: {drives} driving it")
    if floor.plan.roster.find(to) is None:
        return _refused(f"{to} is not on the roster of this release")
    floor.driver = to
    took_over = f", took over from {driver}" if driver not in (None, to) else ""
    return Answer(accepted=True, message=f"{to} is driving {floor.plan.release}{took_over}")


def _other_release(now: Plan, new: Plan) -> str | None:
    """What a new plan may not change: which release it is, whose world it lives in, and what acts count."""
    if new.digest == now.digest:
        return f"the release follows plan {short(now.digest)} already"
    for what in ("release", "sandbox", "unsigned_acts", "queue", "started_by", "barrier"):
        before, after = getattr(now, what), getattr(new, what)
        if before != after:
            return f"the new plan has {what} {after}; a release under way keeps {before}: start another one for that"
    return None


def _refused(why: str) -> Answer:
    return Answer(accepted=False, message=why)
