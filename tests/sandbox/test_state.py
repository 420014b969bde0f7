from __future__ import annotations

import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from baton.model.errors import Refused
from baton.sandbox.state import State, write_private

if TYPE_CHECKING:
    from pathlib import Path

OWN = """
import pathlib, signal, sys
from baton.sandbox.state import State
with State.at(pathlib.Path(sys.argv[1])).owned():
    print("owned", flush=True)
    signal.pause()
"""


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State.at(tmp_path / "state")
    state.prepare()
    return state


def test_only_its_owner_can_look_into_a_state(state: State) -> None:
    assert stat.S_IMODE(state.folder.stat().st_mode) == 0o700


def test_a_second_process_is_refused_by_the_number_of_the_first(state: State) -> None:
    with subprocess.Popen([sys.executable, "-c", OWN, state.folder], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "owned\n"
        with pytest.raises(Refused, match=f"process {first.pid}:"), state.owned():
            pytest.fail("both own it")
        assert state.owner() == first.pid
        first.kill()
    with state.owned():
        pass
    assert state.owner() is None


def test_a_state_that_was_never_owned_has_no_owner(tmp_path: Path) -> None:
    assert State.at(tmp_path).owner() is None


def test_a_private_file_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    write_private(file, b"first, and longer")
    write_private(file, b"second")
    assert file.read_bytes() == b"second"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]
