"""Signing off, deciding and cancelling, from the command line to the workflow and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.model.status import Phase

if TYPE_CHECKING:
    from tests.cli.conftest import Team


async def test_a_sign_off_by_the_command_that_status_shows_finishes_the_release(team: Team) -> None:
    async with team.working():
        await team.start()
        await team.until_waiting("publish")

        seen = await team.baton("status", team.name)
        signed = await team.baton("sign-off", team.name, "publish", "--as", "ada", "--yes", "--reason", "looks right")

        assert f"$ baton sign-off {team.name} publish" in seen.out
        assert (signed.code, signed.out) == (0, "gate publish has 1 of 1 sign-offs\n")
        assert "hello.exe" in signed.err
        assert "sha256:" + "a" * 64 in signed.err
        released = await team.until(lambda status: status.phase is Phase.RELEASED)
        assert [(given.by, given.reason) for given in released.gates[0].given] == [("ada", "looks right")]
