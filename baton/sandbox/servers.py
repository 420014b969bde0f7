"""The servers of a world: Temporal, Sigstore, and what serves the published files; all on loopback."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from baton.sandbox import temporal_server
from baton.sandbox.children import Child
from baton.sandbox.environment import bare_environment
from baton.sandbox.fake_ci.hello import AZURE, GITHUB, Simulators
from baton.sandbox.ports import HOST
from baton.targets import sandbox_folder

if TYPE_CHECKING:
    from baton.sandbox.ports import Ports
    from baton.sandbox.state import State

TEMPORAL, SIGSTORE, FILES = "temporal", "sigstore", "files"
SERVERS = (TEMPORAL, SIGSTORE, FILES, GITHUB, AZURE)
"""What servers are called; a world need not have all of them."""

_GRACE = 1.0
"""Seconds to end in order. Everything that was answered is on disk by then; Temporal would take three for its own."""


def servers(state: State, ports: Ports, *, fake_ci: bool) -> tuple[Child, ...]:
    """The servers that keep what they have in this state and listen on these ports, in the order to start them.

    Args:
        state: where they keep it.
        ports: where they listen.
        fake_ci: whether the simulators of outside CI systems are among them.

    Raises:
        Missing: the Temporal server is not installed.
    """
    always = (_temporal(state, ports), _sigstore(state, ports), _files(state, ports))
    return (*always, *_simulators(state, ports)) if fake_ci else always


def _temporal(state: State, ports: Ports) -> Child:
    return Child(
        name=TEMPORAL,
        command=temporal_server.command(state.database, ports),
        environment=bare_environment(),
        log=state.logs / f"{TEMPORAL}.log",
        purpose=f"Temporal at {HOST}:{ports.temporal}, Web UI at {url(ports.ui)}",
        port=ports.temporal,
        answers=lambda: temporal_server.answers(ports.temporal),
        grace=_GRACE,
    )


def _sigstore(state: State, ports: Ports) -> Child:
    ready = state.ready / SIGSTORE
    return Child(
        name=SIGSTORE,
        command=_module("sigstore", f"--state={state.sigstore}", f"--port={ports.sigstore}", f"--ready-file={ready}"),
        environment=bare_environment(),
        log=state.logs / f"{SIGSTORE}.log",
        purpose=f"Sigstore instance, for development only, at {url(ports.sigstore)}",
        ready_file=ready,
        grace=_GRACE,
    )


def _files(state: State, ports: Ports) -> Child:
    return Child(
        name=FILES,
        command=_module("file_server", str(sandbox_folder(state.target)), str(ports.files)),
        environment=bare_environment(),
        log=state.logs / f"{FILES}.log",
        purpose=f"published files at {url(ports.files)}",
        port=ports.files,
        grace=_GRACE,
    )


def _simulators(state: State, ports: Ports) -> tuple[Child, ...]:
    simulators = Simulators.at(state.ci, state.hello)
    told = {
        GITHUB: (simulators.tell_github(), ports.github, "GitHub Actions"),
        AZURE: (simulators.tell_azure(), ports.azure, "Azure Pipelines"),
    }
    return tuple(
        Child(
            name=name,
            command=_module(f"fake_ci.{name}", str(config), str(state.ci / name), str(port)),
            environment=bare_environment(),
            log=state.logs / f"{name}.log",
            purpose=f"simulator of {what}, for development only, at {url(port)}",
            port=port,
            grace=_GRACE,
        )
        for name, (config, port, what) in told.items()
    )


def url(port: int) -> str:
    """The address of a server of the world, without a slash at the end."""
    return f"http://{HOST}:{port}"


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    # Safe path (-P): a folder called `baton` where the world was started is not what is meant.
    return (sys.executable, "-P", "-m", f"baton.sandbox.{name}", *arguments)
