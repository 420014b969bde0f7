"""Telling people: when a release waits for somebody, and how it ended. Telling never holds a release."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import orders
from workflows.concurrency import together
from workflows.orders import order
from workflows.step import failure_text

with workflow.unsafe.imports_passed_through():
    from baton.model import work
    from baton.model.announcing import Event
    from baton.model.plan import Audience, Reminder

if TYPE_CHECKING:
    import asyncio
    from datetime import datetime

    from baton.model.announcing import Announcer
    from baton.model.status import Waiting
    from workflows.floor import Floor


class Notices:
    """Watches the board and sends each thing worth telling once to each announcer that wants it."""

    def __init__(self, board: Floor[Any, Any]) -> None:
        self._board = board
        self._told: set[tuple[str, str]] = set()
        self._reminded: set[tuple[str, str, str, int]] = set()
        self._ended = False

    async def watch(self) -> None:
        """Tell people of everything that starts to wait for them, and again of what waits on, until the end."""
        while not self._ended:
            await self._until_something_to_tell()
            for waiting in self._untold():
                self._told.add(_once(waiting))
                text = f"{self._board.plan.release} waits for a {waiting.kind}: {self._facts(waiting)}"
                await self._tell(Event.WAITING, text)
            while due := self._overdue():
                waiting, number = due
                self._reminded.add(self._key(waiting, number))
                await self._tell(Event.REMINDER, self._reminder(waiting, self._board.plan.reminders[number]))

    async def finish(self, watching: asyncio.Task[None]) -> None:
        """Tell how the release ended; returns when every message is out or given up."""
        self._ended = True
        await watching
        ending = self._board.ending()
        if ending is not None:
            await self._tell(*ending)

    async def _until_something_to_tell(self) -> None:
        """Wait for news, or on a durable timer for the next reminder; what people do meanwhile puts it off."""
        seen = self._due()
        timeout = None if seen is None else max(seen - workflow.now(), timedelta(0))
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._ended or bool(self._untold()) or self._due() != seen,
                timeout=timeout,
                timeout_summary="next reminder",
            )

    def _due(self) -> datetime | None:
        return min((due for _, _, due in self._reminders()), default=None)

    def _reminders(self) -> list[tuple[Waiting, int, datetime]]:
        """What is still to be told again: of what, by which of the plan's reminders, when."""
        return [
            (waiting, number, self._board.quiet_since(waiting) + timedelta(seconds=reminder.after))
            for waiting in self._board.waiting()
            for number, reminder in enumerate(self._board.plan.reminders)
            if self._key(waiting, number) not in self._reminded
        ]

    def _overdue(self) -> tuple[Waiting, int] | None:
        """What is to be told again now, looked for anew each time: somebody may have acted while a message went out."""
        overdue = ((waiting, number) for waiting, number, due in self._reminders() if due <= workflow.now())
        return next(overdue, None)

    def _key(self, waiting: Waiting, number: int) -> tuple[str, str, str, int]:
        return (waiting.kind, waiting.what, self._board.quiet_since(waiting).isoformat(), number)

    def _facts(self, waiting: Waiting) -> str:
        """Why it waits, where to look, and what to type."""
        step = self._board.steps.get(waiting.what)
        facts = [waiting.why]
        if step is not None:
            facts += [f"Attempt {step.attempt}"]
            facts += [f"Outside run: {step.link}"] if step.link else []
            facts += [f"Log: {step.log}"] if step.log is not None else []
        return ". ".join([*facts, f"Type: {waiting.command}"])

    def _reminder(self, waiting: Waiting, reminder: Reminder) -> str:
        plan, quiet = self._board.plan, workflow.now() - self._board.quiet_since(waiting)
        who = ", ".join(waiting.people) or "nobody on the roster"
        if reminder.to is Audience.EVERYONE:
            who += f"; told to everyone: {', '.join(person.id for person in plan.roster.people)}"
        hours = quiet.total_seconds() / 3600
        return (
            f"{plan.release} has waited {hours:,.1f} hours for a {waiting.kind}. "
            f"{waiting.asked} can give it: {who}. {self._facts(waiting)}"
        )

    def _untold(self) -> list[Waiting]:
        return [waiting for waiting in self._board.waiting() if _once(waiting) not in self._told]

    async def _tell(self, event: Event, text: str) -> None:
        wanting = [announcer for announcer in self._board.plan.announcers if event in announcer.on]
        await together(*(self._tell_one(announcer, event, text) for announcer in wanting))

    async def _tell_one(self, announcer: Announcer, event: Event, text: str) -> None:
        try:
            told = await order(
                work.TELL,
                work.Tell(release=self._board.ref, announcer=announcer, event=event, text=text[:2000]),
                queue=self._board.plan.queue,
                patience=orders.TELLING,
                summary=f"{event}: {announcer.name}",
            )
        except ActivityError as error:
            self._board.note("baton", f"could not tell {announcer.name} ({event}): {failure_text(error)}")
        else:
            if not told.sent:
                self._board.note("baton", f"could not tell {announcer.name} ({event}): {told.detail}")


def _once(waiting: Waiting) -> tuple[str, str]:
    return (f"{waiting.kind}:{waiting.what}", waiting.since.isoformat())
