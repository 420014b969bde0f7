from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from baton.sandbox.ports import HOST, Ports, choose, free_port, is_free

if TYPE_CHECKING:
    from pathlib import Path


def test_a_port_is_free_until_a_server_listens_on_it() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)


def test_a_port_whose_holder_takes_no_connections_is_not_free() -> None:
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        assert not is_free(holder.getsockname()[1])


def test_the_same_ports_are_chosen_again(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    file.write_text(Ports(**{name: free_port() for name in Ports.model_fields}).model_dump_json())
    assert choose(file) == choose(file)


def test_another_port_is_chosen_for_one_that_is_taken_and_remembered(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    with socket.create_server((HOST, 0)) as other:
        taken = other.getsockname()[1]
        wanted = Ports(**{name: free_port() for name in Ports.model_fields} | {"temporal": taken})
        file.write_text(wanted.model_dump_json())
        chosen = choose(file)
    assert chosen.temporal != taken
    assert chosen.model_copy(update={"temporal": taken}) == wanted
    assert choose(file) == chosen


def test_a_file_that_does_not_hold_ports_is_as_good_as_none(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    file.write_text('{"temporal": 0}')
    assert choose(file).temporal > 0
