"""A release, and a security release of several streams, with what only the one or the other can be asked."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import ValidationError

from baton.cli.handle import Handle
from baton.cli.rpc import told
from baton.model.security import JointManifest, SecurityPlan, SecurityStatus
from baton.model.status import Beginning, ReleaseStatus
from baton.model.work import Beat

if TYPE_CHECKING:
    from baton.model.plan import Plan


class ReleaseHandle(Handle[ReleaseStatus]):
    """One release."""

    _told_as = ReleaseStatus

    async def plan(self) -> Plan:
        """The plan it was started with; raises like :meth:`begun_with`."""
        return (await self.begun_with(Beginning)).plan

    async def beats(self) -> dict[str, Beat]:
        """What the work that is under way says of itself, by the step that it is for; needs no worker to answer.

        Raises:
            BatonError: Temporal refused to say.
        """
        with told(f"could not see what is under way in {self.release}"):
            now = await self._handle.describe()
        said: dict[str, Beat] = {}
        for pending in now.raw_description.pending_activities:
            # Until its first heartbeat work says nothing, and a worker of another version may say something else.
            if payloads := pending.heartbeat_details.payloads:
                with suppress(ValidationError):
                    (beat,) = await self._converter.decode(payloads[:1], [Beat])
                    said[beat.step] = beat
        return said


class SecurityHandle(Handle[SecurityStatus]):
    """One security release of several streams."""

    _told_as = SecurityStatus

    async def plan(self) -> SecurityPlan:
        """The plan it was started with; raises like :meth:`begun_with`."""
        return await self.begun_with(SecurityPlan)

    async def joint(self) -> JointManifest | None:
        """What people are asked to agree to at the joint gate, or None; raises like :meth:`status`."""
        return await self._ask("joint", JointManifest | None)  # type: ignore[arg-type]  # pydantic reads any type
