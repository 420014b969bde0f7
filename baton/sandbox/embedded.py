"""The embedded world: everything that a release needs, on one laptop, for as long as one process runs."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, Self

from baton.codec.keys import CodecKey
from baton.model.errors import Failed, Refused
from baton.sandbox import keeper, temporal_server
from baton.sandbox.fake_ci.hello import Simulators
from baton.sandbox.hello import make_repository
from baton.sandbox.ports import HOST, Ports, choose, one_at_a_time
from baton.sandbox.processes import ProcessList
from baton.sandbox.servers import SERVERS, servers, url
from baton.sandbox.sigstore import ISSUER, machine_identity
from baton.sandbox.sigstore.machines import Machines
from baton.sandbox.sigstore.trust import OIDC_PATH
from baton.sandbox.state import State, write_private
from baton.sandbox.supervisor import Supervisor, ignore
from baton.sandbox.team_key import TeamKey
from baton.sandbox.workers import QUEUES, Signing, Workers
from baton.sandbox.world import FakeCi, World, write_world
from baton.targets import sandbox_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from baton.sandbox.children import ChildStatus, Event
    from baton.sandbox.team_key import PublicKey

MACHINE = "signing-worker"
"""The name by which the signing worker asks the sandbox's Sigstore for its identity."""

READY_WITHIN = 120.0
"""Seconds that a server or worker gets to come up; a slow laptop with a cold disk needs ten, a busy one a minute."""


_PATIENCE = 3
"""How often something may end by itself while one waits for it."""

WORLD = "world"
"""What the process that keeps the others running is called among the processes."""


class EmbeddedWorld:
    """A whole local world on a state folder.

    Coming up again on the same folder is the same world: releases under way go on. Use it as a context manager, or
    end it with :meth:`stop`; if its process is killed, its keeper ends the rest.

    Args:
        state: the folder; made if it is not there.
        queues: the task queues that get a worker, each as ``worker.py`` takes it: ``NAME`` or ``NAME=DUTY``.
        fake_ci: whether the world has simulators of outside CI systems, which build part of the example.
        encrypted: whether what passes through Temporal is encrypted from now on; a world that did so before goes on.
        on_event: called with each event of a server or worker as it happens, from any thread.
    """

    def __init__(
        self,
        state: Path,
        *,
        queues: Sequence[str] = QUEUES,
        fake_ci: bool = False,
        encrypted: bool = False,
        on_event: Callable[[Event], None] = ignore,
    ) -> None:
        self.state = State.at(state)
        self._fake_ci = fake_ci
        self._encrypted = encrypted
        self._queues = tuple(dict.fromkeys(queues))
        self._on_event = on_event
        self._held = contextlib.ExitStack()
        self._supervisor = Supervisor(ProcessList(self.state.processes), self._noted)
        self._facts: World | None = None
        self._ending = threading.Lock()

    @classmethod
    def start(
        cls, state: Path, *, queues: Sequence[str] = QUEUES, fake_ci: bool = False, encrypted: bool = False
    ) -> Self:
        """Bring a world up, with every worker ready; raises like :meth:`bring_up`."""
        world = cls(state, queues=queues, fake_ci=fake_ci, encrypted=encrypted)
        world.bring_up()
        try:
            world.wait_for_workers()
        except BaseException:
            world.stop()
            raise
        return world

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def bring_up(self) -> None:
        """Start everything. Returns when the servers are ready; the workers may still be starting.

        Raises:
            Refused: another process runs a world on this folder, or this one was stopped meanwhile.
            Missing: a program that it takes is not installed.
            Failed: something did not come up; the end of its log is in the message. Nothing is left running.
        """
        try:
            self._bring_up()
        except BaseException:
            self.stop()
            raise

    def wait_for_workers(self) -> None:
        """Wait until every worker polls its queue.

        Raises:
            Failed: one did not come up; the end of its log is in the message.
        """
        for name in self._workers_running():
            self._supervisor.wait_ready(name, within=READY_WITHIN)

    @property
    def facts(self) -> World:
        """Where everything is, with the processes as they are now.

        Raises:
            Refused: the world has not come up yet.
        """
        if self._facts is None:
            raise Refused(f"the world on {self.state.folder} has not come up yet")
        running = {status.child.name: status.pid for status in self.statuses() if status.pid is not None}
        return self._facts.model_copy(update={"pids": {WORLD: os.getpid(), **running} if running else {}})

    def statuses(self) -> tuple[ChildStatus, ...]:
        """Every server and worker as it is now."""
        return self._supervisor.statuses()

    def events(self) -> tuple[Event, ...]:
        """What happened to them lately, oldest first."""
        return self._supervisor.events()

    def kill(self, name: str) -> None:
        """Kill a server or worker at once, as ``kill -9`` does, and hold it down until :meth:`restart`.

        Args:
            name: ``temporal``, ``sigstore``, ``files``, ``github``, ``azure``, or a worker's queue.

        Raises:
            Missing: there is none of that name.
        """
        self._supervisor.kill(name)

    def restart(self, name: str) -> None:
        """Start what :meth:`kill` holds down, and wait until it is ready.

        Raises:
            Missing: there is none of that name.
            Failed: it did not come up.
        """
        self._supervisor.restart(name)
        self.wait_ready(name)

    def wait_ready(self, name: str) -> None:
        """Wait until a server or worker is ready, be it after a few starts.

        Raises:
            Missing: there is none of that name.
            Failed: it did not come up; the end of its log is in the message.
        """
        self._supervisor.wait_ready(name, within=READY_WITHIN, exits_allowed=_PATIENCE)

    def stop(self) -> None:
        """End everything, workers first. It may be called at any time, from any thread, and more than once."""
        self._supervisor.close()
        with self._ending:
            self._supervisor.stop(*self._workers_running())
            self._supervisor.stop(*SERVERS)
            self._held.close()

    def _bring_up(self) -> None:
        self.state.prepare()
        sandbox_folder(self.state.target).mkdir(exist_ok=True)
        self._held.enter_context(self.state.owned())
        if ended := keeper.clear(self.state):
            self._supervisor.note(WORLD, f"ended what a killed world had left running: {', '.join(ended)}")
        self._held.callback(TeamKey(self.state).end_agent)
        self._held.enter_context(keeper.kept(self.state))
        if self._encrypted and not self.state.codec_keys.exists():
            write_private(self.state.codec_keys, f"{CodecKey.new().line}\n".encode())
        key = TeamKey(self.state).make()
        commit = make_repository(None, self.state.hello)
        with one_at_a_time():
            ports = self._start_servers()
        workers = self._workers(ports)
        self._facts = self._describe(ports, key, commit)
        for queue in self._queues:
            self._supervisor.start(workers.child(queue))
        write_world(self.facts)

    def _start_servers(self) -> Ports:
        """Start the servers and wait until they are ready; on other ports when somebody took theirs meanwhile."""
        while True:
            ports = choose(self.state.ports)
            wanted = servers(self.state, ports, fake_ci=self._fake_ci)
            for server in wanted:
                self._supervisor.start(server)
            try:
                for server in wanted:
                    self._supervisor.wait_ready(server.name, within=READY_WITHIN)
            except Failed:
                self._supervisor.stop(*SERVERS)
                if choose(self.state.ports) == ports:
                    raise
            else:
                return ports

    def _workers(self, ports: Ports) -> Workers:
        return Workers(
            state=self.state,
            temporal_address=f"{HOST}:{ports.temporal}",
            trust_config=self._trust_config,
            public_url=url(ports.files),
            signing=Signing(
                gpg_home=TeamKey(self.state).home(),
                token_url=f"{url(ports.sigstore)}{OIDC_PATH}/token",
                client_id=MACHINE,
                client_secret_file=Machines(self.state.sigstore).register(MACHINE),
            ),
            ci=Simulators.at(self.state.ci, self.state.hello).credentials if self._fake_ci else {},
            codec_keys=self._codec_keys,
        )

    def _describe(self, ports: Ports, key: PublicKey, hello_commit: str) -> World:
        return World(
            state=self.state.folder,
            temporal_address=f"{HOST}:{ports.temporal}",
            ui_url=url(ports.ui),
            namespace=temporal_server.NAMESPACE,
            store=self.state.store,
            public_root=self.state.target,
            public_url=url(ports.files),
            trust_config=self._trust_config,
            identity=machine_identity(MACHINE),
            issuer=ISSUER,
            gpg_fingerprint=key.fingerprint,
            gpg_public_key=key.file,
            hello_repository=self.state.hello,
            hello_commit=hello_commit,
            fake_ci=FakeCi(github=url(ports.github), azure=url(ports.azure)) if self._fake_ci else None,
            codec_keys=self._codec_keys,
            pids={},
        )

    @property
    def _codec_keys(self) -> Path | None:
        return self.state.codec_keys if self.state.codec_keys.exists() else None

    @property
    def _trust_config(self) -> Path:
        return self.state.sigstore / "trust_config.json"

    def _workers_running(self) -> tuple[str, ...]:
        return tuple(status.child.name for status in self.statuses() if status.child.name not in SERVERS)

    def _noted(self, event: Event) -> None:
        """Keep the written facts up to date about processes, and pass the event on."""
        if self._facts is not None:
            write_world(self.facts)
        self._on_event(event)
