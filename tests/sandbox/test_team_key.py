from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from baton.sandbox.state import State
from baton.sandbox.team_key import TeamKey
from baton.trust.gnupg_home import LONGEST_HOME

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def team_key(folder: Path) -> Iterator[TeamKey]:
    state = State.at(folder)
    state.prepare()
    key = TeamKey(state)
    try:
        yield key
    finally:
        key.end_agent()


@pytest.fixture(params=["short", "long" * 30])
def folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A state folder whose GnuPG home has, and has no, room for an agent's sockets."""
    base = Path(tempfile.mkdtemp(prefix="baton-"))
    yield base / request.param
    shutil.rmtree(base)


def gpg(home: Path, *arguments: str) -> str:
    done = subprocess.run(["gpg", "--homedir", home, "--batch", *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def test_the_primary_key_certifies_and_a_subkey_signs(folder: Path) -> None:
    with team_key(folder) as key:
        public = key.make()
        rows = [line.split(":") for line in gpg(key.home(), "--with-colons", "--list-secret-keys").splitlines()]
    # Small letters are the key's own usages, capital ones those of the whole: GnuPG's doc/DETAILS.
    usages = {row[0]: "".join(filter(str.islower, row[11])) for row in rows if row[0] in ("sec", "ssb")}
    assert usages == {"sec": "c", "ssb": "s"}
    assert next(row[9] for row in rows if row[0] == "fpr") == public.fingerprint


def test_the_home_is_short_enough_for_an_agent_and_signs(folder: Path) -> None:
    with team_key(folder) as key:
        public = key.make()
        assert len(os.fsencode(key.home())) <= LONGEST_HOME
        document = folder / "document"
        document.write_text("hello")
        gpg(key.home(), "--local-user", public.fingerprint, "--detach-sign", str(document))
        gpg(key.home(), "--verify", f"{document}.sig", str(document))


def test_the_key_is_the_same_after_a_restart(folder: Path) -> None:
    with team_key(folder) as key:
        before = key.make()
    with team_key(folder) as key:
        assert key.make() == before


def test_a_key_that_was_not_finished_is_made_anew(folder: Path) -> None:
    with team_key(folder) as key:
        before = key.make()
        before.file.unlink()
    with team_key(folder) as key:
        after = key.make()
        assert after.fingerprint != before.fingerprint
        assert "BEGIN PGP PUBLIC KEY BLOCK" in after.file.read_text()


def test_no_link_stays_behind_when_the_agent_is_ended(folder: Path) -> None:
    with team_key(folder) as key:
        key.make()
        home = key.home()
    assert home.exists() == (home.parent == folder)
