"""How far the work under way is, as the machines that do it say with each heartbeat."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence  # the worker reads the activity's annotations
from typing import TYPE_CHECKING, Any

from temporalio import activity
from temporalio.common import RawValue

from baton.model import work
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    import pytest

    from tests.cli.conftest import Team


async def test_what_is_under_way_says_how_far_it_is_and_where(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, otherwise = asyncio.Event(), team._do_any_work()

    @activity.defn(dynamic=True)
    async def do(arguments: Sequence[RawValue]) -> Any:
        if activity.info().activity_type == "build_step":
            (asked,) = await team.client.data_converter.decode([arguments[0].payload], [work.BuildStep])
            line, link = f"compiling\nlinking {asked.step.files[0]}", "https://ci.example.org/7"
            activity.heartbeat(work.Beat(step=asked.step.name, line=line, link=link))
            await go_on.wait()
        return await otherwise(arguments)

    monkeypatch.setattr(team, "_do_any_work", lambda: do)
    async with team.working():
        await team.start()
        async with asyncio.timeout(PATIENCE):
            while "linking hello.exe" not in (page := (await team.baton("status", team.name)).out):
                await asyncio.sleep(0.1)
        assert "compiling" not in page
        assert "https://ci.example.org/7" in page
        go_on.set()
        await team.until_waiting("publish")
        assert "linking" not in (await team.baton("status", team.name)).out
