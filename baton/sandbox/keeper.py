"""A world's keeper: ends what the world started, soon after the world itself was killed.

``python -m baton.sandbox.keeper STATE`` reads standard input, whose other end only the world holds. When the world
ends, however it ends, the system closes that end; then whatever is still on the list of started processes is killed.
After an orderly end nothing is left on it.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from baton.sandbox.environment import bare_environment
from baton.sandbox.processes import ProcessId, ProcessList
from baton.sandbox.state import State
from baton.sandbox.team_key import TeamKey

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "keeper"


@contextlib.contextmanager
def kept(state: State) -> Iterator[None]:
    """Have a keeper for the processes that are written down in this state, until this process or the context ends."""
    with (state.logs / f"{NAME}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "baton.sandbox.keeper", str(state.folder)],
            env=bare_environment(),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    born = ProcessId.of(process.pid)
    if born is not None:
        ProcessList(state.processes).note(NAME, born)
    try:
        yield
    finally:
        process.communicate()


def clear(state: State) -> tuple[str, ...]:
    """End what a world that was killed left running on this state.

    Returns:
        The names of the servers and workers that still ran, sorted.
    """
    ended = ProcessList(state.processes).end_all()
    TeamKey(state).end_agent()
    return tuple(sorted(name for name in ended if name != NAME))


def main() -> None:
    """Wait for the end of the world, then clear up."""
    sys.stdin.buffer.read()
    clear(State(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
