"""A simulator of GitHub Actions on loopback, which really builds. For development only: it proves nothing.

``python -m baton.sandbox.fake_ci.github CONFIG STATE PORT`` serves one until it is told to stop. What goes wrong is
asked for by ``POST /_sandbox/faults`` with ``{"fault": NAME, "times": NUMBER}``, see :class:`Fault`; a run that is held
in the queue goes on after ``POST /_sandbox/actions/runs/ID/release``.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from baton.sandbox.fake_ci.github_access import Guard
from baton.sandbox.fake_ci.github_api import GitHubApi
from baton.sandbox.fake_ci.github_bodies import Bodies
from baton.sandbox.fake_ci.github_downloads import Downloads
from baton.sandbox.fake_ci.github_runs import FakeRuns
from baton.sandbox.fake_ci.github_workflow import Access, Fault, GitHubConfig, Workflow
from baton.sandbox.fake_ci.serving import address_of, listener, served_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp

__all__ = ["Access", "Fault", "GitHubConfig", "GitHubSimulator", "Workflow", "github_simulator"]


@dataclass(frozen=True)
class GitHubSimulator:
    """A running simulator.

    Attributes:
        url: the API's address.
        runs: what was run, and what is to go wrong.
        downloads: the other host.
    """

    url: str
    runs: FakeRuns
    downloads: Downloads


@contextlib.contextmanager
def github_simulator(
    config: GitHubConfig,
    state: Path,
    *,
    port: int = 0,
    around: Callable[[ASGIApp], ASGIApp] = lambda api: api,
    certificate: Path | None = None,
) -> Iterator[GitHubSimulator]:
    """Serve a simulator for as long as the context lasts.

    Args:
        config: what it has.
        state: the folder of its runs; one that starts again on the same folder goes on with them.
        port: the API's on 127.0.0.1; 0 takes a free one.
        around: put around the API, for instance to watch what is said.
        certificate: a PEM file with a certificate for 127.0.0.1 and its key, to speak TLS as GitHub does.

    Raises:
        Unavailable: the port is taken.
    """
    with listener(port) as api, listener() as other, contextlib.ExitStack() as stack:
        runs = FakeRuns(config.workflow, state)
        stack.callback(runs.close)
        downloads = Downloads(runs, address_of(other, certificate))
        bodies = Bodies(address_of(api, certificate), config.workflow)
        answers = GitHubApi(runs, bodies, downloads, Guard(config.access, runs))
        stack.enter_context(served_on(downloads.app(), other, certificate))
        stack.enter_context(served_on(around(answers.app()), api, certificate))
        yield GitHubSimulator(address_of(api, certificate), runs, downloads)


def main(config: Path, state: Path, port: int) -> None:
    """Serve in the foreground; ends on SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with github_simulator(GitHubConfig.model_validate_json(config.read_bytes()), state, port=port):
        stop.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
