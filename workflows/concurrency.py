"""Doing several things at once in workflow code."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from temporalio import workflow

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

Outcome = TypeVar("Outcome")


async def together(*work: Coroutine[Any, Any, Outcome]) -> list[Outcome]:
    """Do everything at once and return the outcomes in order.

    If one raises, or the whole is cancelled, the others are cancelled and have stopped before the error goes on:
    nothing runs behind the back of what happens next.
    """
    tasks = [asyncio.create_task(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    except (Exception, asyncio.CancelledError):
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def to_the_end(work: Coroutine[Any, Any, None]) -> bool:
    """Do something to its end, whoever asks Temporal to cancel the workflow meanwhile.

    Returns:
        Whether somebody did.
    """
    task = asyncio.create_task(work)
    asked = False
    while not task.done():
        try:
            await workflow.wait([task])
        except asyncio.CancelledError:
            asked = True
    task.result()
    return asked
