"""Where people speak to a security release, beside what they can say to any release."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

from workflows.doors import CommonDoors

with workflow.unsafe.imports_passed_through():
    from baton.model.acts import Answer, MoveDate, StartAgain, TakeOut

_TAKE_OUT = "Take a stream out: its release ends and is undone, the others go on without it."
_START_AGAIN = "Start a stream again whose release ended too early."
_MOVE_DATE = "Move the end of the embargo, until the barrier has opened."


class SecurityDoors(CommonDoors):
    """The updates and signals of a security release."""

    @workflow.update(name="take_out", description=_TAKE_OUT)
    async def take_out(self, message: Any) -> Answer:
        """Take a stream out, and say what became of the wish."""
        return await self._hearing.hear(TakeOut, message)

    @take_out.validator
    def _admit_taking_out(self, message: Any) -> None:
        self._hearing.admit(TakeOut, message)

    @workflow.signal(name="take_out", description=_TAKE_OUT)
    async def take_out_signal(self, message: Any) -> None:
        """The durable twin of the update."""
        await self._hearing.hear(TakeOut, message)

    @workflow.update(name="start_again", description=_START_AGAIN)
    async def start_again(self, message: Any) -> Answer:
        """Start a stream again, and say what became of the wish."""
        return await self._hearing.hear(StartAgain, message)

    @start_again.validator
    def _admit_start(self, message: Any) -> None:
        self._hearing.admit(StartAgain, message)

    @workflow.signal(name="start_again", description=_START_AGAIN)
    async def start_again_signal(self, message: Any) -> None:
        """The durable twin of the update."""
        await self._hearing.hear(StartAgain, message)

    @workflow.update(name="move_date", description=_MOVE_DATE)
    async def move_date(self, message: Any) -> Answer:
        """Move the end of the embargo, and say what became of the wish."""
        return await self._hearing.hear(MoveDate, message)

    @move_date.validator
    def _admit_date(self, message: Any) -> None:
        self._hearing.admit(MoveDate, message)

    @workflow.signal(name="move_date", description=_MOVE_DATE)
    async def move_date_signal(self, message: Any) -> None:
        """The durable twin of the update."""
        await self._hearing.hear(MoveDate, message)
