"""The demonstration of a security release: six streams of the example, by one person in one terminal."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import typer
from rich.live import Live

from baton.cli.connect import connect
from baton.cli.exits import ExitCode
from baton.cli.place import find_place
from baton.cli.planning import sandbox_facts
from baton.cli.releases import Releases
from baton.cli.sealing import seal_act, unsigned_notice
from baton.cli.security_agreement import joint_act, jointly_asked
from baton.cli.security_agreement_page import security_agreement_page
from baton.cli.security_planning import Ordered, resolved
from baton.cli.security_sight import EVERY, Sight, look
from baton.cli.speech import Speaker
from baton.cli.terminal import confirm, notes, page, print_json
from baton.git import git
from baton.model.acts import SignOff
from baton.model.errors import Failed, Unavailable
from baton.model.plan import JOINT_GATE
from baton.model.security import SecurityPhase
from baton.project.read import FILE_NAME, read_project
from baton.sandbox.borrowed import borrowed_world
from baton.sandbox.lantern import PROJECT, make_lantern
from baton.sandbox.ports import HOST
from baton.sandbox.state import State, default_state

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from baton.cli.handles import SecurityHandle
    from baton.cli.place import Place
    from baton.model.security import SecurityPlan
    from baton.sandbox.borrowed import BorrowedWorld

ADVISORY = "GHSA-demo-0000-0001"
STARTER = "ada"
"""Who does everything: a release manager on the example's roster."""

_GIVEN_UP_AFTER = 300.0
"""Seconds without any change after which something must be wrong."""


def run_security_demo(folder: Path | None, *, yes: bool, keep: bool, as_json: bool) -> None:
    """Ship a fix in six streams at once, in a local world, and tell what came of it.

    Args:
        folder: the world's; None for the usual one.
        yes: sign off without asking.
        keep: leave the world running.
        as_json: tell it as a document and nothing else on standard output.

    Raises:
        typer.Exit: there is nobody to ask, or they did not want to sign off.
        BatonError: something could not be done; nothing is left running.
    """
    if not (yes or (sys.stdin.isatty() and sys.stderr.isatty())):
        typer.echo("baton: the demonstration asks for a sign-off, and there is no terminal: pass --yes.", err=True)
        raise typer.Exit(ExitCode.USAGE)
    # What ends on Ctrl-C in order ends so on SIGTERM, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # The world is on loopback, where no proxy leads.
    os.environ["no_proxy"] = ",".join(filter(None, (HOST, os.environ.get("no_proxy") or os.environ.get("NO_PROXY"))))
    state = None if folder is None else State.at(folder).folder
    console = notes()
    console.print(f"Bringing up a local world in {state or default_state()} …", soft_wrap=True)
    with borrowed_world(state or default_state(), keep=keep) as world:
        demo = _Demo(world, find_place(sandbox=True, state=state), console)
        began = time.monotonic()
        name = asyncio.run(demo.begin())
        asyncio.run(demo.until(name, SecurityPhase.BARRIER))
        asyncio.run(demo.sign_off(name, yes=yes))
        sight = asyncio.run(demo.until(name, SecurityPhase.RELEASED))
        seconds = round(time.monotonic() - began, 1)
        if as_json:
            print_json("security-demo", {"security": name, "seconds": seconds, **sight.document})
            return
        page().print(sight.page(demo.place, datetime.now(UTC)))
        page().print(f"\n{len(sight.status.streams)} streams are public, by one sign-off, in {seconds:.0f} s.")


@dataclass(frozen=True)
class _Demo:
    world: BorrowedWorld
    place: Place
    console: Console

    async def begin(self) -> str:
        """Start the security release of what is not released yet, or find the one under way; returns its name."""
        releases = await self._releases()
        under_way = await releases.securities.known(running=True, project=PROJECT)
        if under_way:
            return f"{PROJECT}/{under_way[0].security}"
        facts = self.world.facts
        repository = facts.state / "lantern.git"
        plan = _plan(self.place, repository, make_lantern(repository))
        handle = await releases.start_security(plan)
        self.console.print(f"Shipping {', '.join(each.version for each in plan.plans)} …")
        return f"{PROJECT}/{handle.release.workflow_id.rpartition('/')[2]}"

    async def sign_off(self, name: str, *, yes: bool) -> None:
        """Show what every stream is about to ship, ask, and agree to all of it; harmless if somebody has.

        Raises:
            typer.Exit: the person does not want to; the streams go on waiting.
            Failed: it was not accepted.
        """
        releases = await self._releases()
        handle = await releases.securities.find(name)
        status = await handle.status()
        if status.gate is None or status.gate:
            return
        asked = await jointly_asked(releases, self.place, name)
        act = joint_act(SignOff, asked, Speaker(STARTER, None, "the demonstration", unsigned=True))
        self.console.print(security_agreement_page(asked, act))
        self.console.print(unsigned_notice(act.by))
        confirm(f"Sign off all {len(asked.streams)} streams as {act.by}, {act.role}?", yes=yes, typed=PROJECT)
        answer = await handle.say(seal_act(act, None))
        if not answer.accepted:
            raise Failed(f"the sign-off was not accepted: {answer.message}")
        self.console.print(f"{act.by} signed off all streams, UNSIGNED: {answer.message}", soft_wrap=True)

    async def until(self, name: str, phase: SecurityPhase) -> Sight:
        """Follow it until it is in a phase, or beyond.

        Raises:
            Failed: a step needs a decision, it was ended, or nothing moves.
        """
        releases = await self._releases()
        handle = await releases.securities.find(name)
        seen, since, told = None, time.monotonic(), set[str]()
        with Live(console=self.console, auto_refresh=False, transient=True) as live:
            while True:
                sight = await self._look(releases, handle)
                if sight is not None:
                    _require_no_trouble(sight)
                    if self.console.is_terminal:
                        live.update(sight.page(self.place, datetime.now(UTC)), refresh=True)
                    else:
                        self._tell(sight, told)
                    if _has_come_to(sight, phase):
                        return sight
                if sight != seen:
                    seen, since = sight, time.monotonic()
                if (broken := self.world.broken()) is not None:
                    raise Failed(broken)
                if time.monotonic() - since > _GIVEN_UP_AFTER:
                    raise Failed(f"nothing has happened to {name} for {_GIVEN_UP_AFTER:.0f} s")
                await asyncio.sleep(EVERY / 2)

    async def _look(self, releases: Releases, handle: SecurityHandle) -> Sight | None:
        """It at this moment; None while no worker answers."""
        try:
            return await look(releases, await releases.securities.find(handle.release.workflow_id))
        except Unavailable:
            return None

    def _tell(self, sight: Sight, told: set[str]) -> None:
        lines = [f"security release: {sight.status.phase}"]
        lines += [f"  {stream.version} is {stream.state.replace('-', ' ')}" for stream in sight.status.streams]
        for line in lines:
            if line not in told:
                told.add(line)
                self.console.print(line, soft_wrap=True)

    async def _releases(self) -> Releases:
        facts = self.world.facts
        return Releases(await connect(address=facts.temporal_address, namespace=facts.namespace))


def _plan(place: Place, repository: Path, commits: Mapping[str, str]) -> SecurityPlan:
    """What will be done, by the release.toml of a commit that is released."""
    described = git("show", f"{[*commits.values()][-1]}:{FILE_NAME}", folder=repository)
    with TemporaryDirectory(prefix="baton-lantern-") as folder:
        (Path(folder) / FILE_NAME).write_text(described, encoding="utf-8")
        project = read_project(Path(folder))
    assert place.world is not None  # noqa: S101  # the demonstration has one
    facts = sandbox_facts(place.world, project)
    ordered = Ordered(folder=Path(), advisory=ADVISORY, streams=tuple(commits.items()))
    return resolved(project, ordered, STARTER, replace(facts, repository=repository))


def _has_come_to(sight: Sight, phase: SecurityPhase) -> bool:
    status = sight.status
    if phase is SecurityPhase.BARRIER:
        return status.gate is not None
    return status.phase is phase


def _require_no_trouble(sight: Sight) -> None:
    if sight.status.phase is SecurityPhase.CANCELLED:
        raise Failed("the security release was cancelled")
    others = [
        f"{version}: {waiting.why}" for version, status in sight.streams.items() for waiting in status.waiting
    ] + [waiting.why for waiting in sight.status.waiting if waiting.what != JOINT_GATE]
    if others:
        raise Failed("it can't go on without a decision:\n" + "\n".join(others))
