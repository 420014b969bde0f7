"""Fresh signatures in a public folder: all at one moment, the files untouched, and whole whatever is cut off when."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from baton.model.base import digest_of
from baton.model.errors import Conflict, Missing, Unavailable
from baton.model.manifest import Artifact
from baton.model.version import Purpose
from baton.targets.renewal import Renewal

if TYPE_CHECKING:
    from pathlib import Path

    from baton.model.version import ReleaseId
    from tests.targets.conftest import World

SIGNATURE = "hello.exe.asc"
KEPT = "hello.exe.2026-11-23.asc"


def artifact(name: str, content: bytes) -> Artifact:
    return Artifact(name=name, digest=digest_of(content), size=len(content))


@pytest.fixture
def public(world: World) -> World:
    """The release, public, with a note beside it that somebody else has put there."""
    world.target.stage(world.release, world.files, world.store)
    world.target.promote(world.release, world.files)
    (world.public / "notes").mkdir()
    (world.public / "notes/README").write_text("by hand")
    return world


def anew(world: World) -> ReleaseId:
    return world.release.model_copy(update={"purpose": Purpose.RESIGN})


def renewal(world: World, *, kept: bool = True) -> Renewal:
    files = tuple(file for file in world.files if file.name != SIGNATURE)
    [old] = [file for file in world.files if file.name == SIGNATURE]
    world.store.put_bytes(b"fresh")
    return Renewal(
        files=files,
        fresh=(artifact(SIGNATURE, b"fresh"), artifact("hello-1.0.0.tar.gz.asc", b"fresh")),
        old=(old,),
        kept=(artifact(KEPT, b"signature"),) if kept else (),
    )


def renewed(world: World, *, kept: bool = True) -> dict[str, bytes]:
    """What the public has to see afterwards."""
    shown = {f"hello/1.0.0/{name}": content for name, content in world.contents.items()}
    shown |= {"hello/1.0.0/notes/README": b"by hand"}
    shown |= {f"hello/1.0.0/{SIGNATURE}": b"fresh", "hello/1.0.0/hello-1.0.0.tar.gz.asc": b"fresh"}
    return shown | ({f"hello/1.0.0/{KEPT}": b"signature"} if kept else {})


@pytest.mark.parametrize("kept", [True, False])
def test_signatures_are_put_beside_the_files_and_nothing_else_changes(public: World, *, kept: bool) -> None:
    inode = (public.public / "hello.exe").stat().st_ino
    for _ in range(2):
        address = public.target.renew(anew(public), renewal(public, kept=kept), public.store)
        assert address == public.target.address(public.release)
        assert public.shown() == renewed(public, kept=kept)
    assert (public.public / "hello.exe").stat().st_ino == inode
    assert (public.public / SIGNATURE).stat().st_mode & 0o777 == 0o444
    assert not list(public.target.staging.glob("hello/*-resign*"))


def test_what_the_public_has_is_found_and_fetched(public: World, tmp_path: Path) -> None:
    names = [SIGNATURE, "hello-1.0.0.tar.gz.asc"]
    assert public.target.find_public(anew(public), names) == [artifact(SIGNATURE, b"signature")]
    public.target.fetch_public(anew(public), "hello.exe", tmp_path / "hello.exe")
    assert (tmp_path / "hello.exe").read_bytes() == b"MZ"
    with pytest.raises(Unavailable, match="404"):
        public.target.fetch_public(anew(public), "absent", tmp_path / "absent")


def test_a_file_that_was_changed_keeps_everything_as_it_is(public: World) -> None:
    (public.public / "hello.exe").chmod(0o644)
    (public.public / "hello.exe").write_bytes(b"XX")
    before = public.shown()
    with pytest.raises(Conflict, match=rf"hello\.exe is {digest_of(b'XX')}.*expected {digest_of(b'MZ')}"):
        public.target.renew(anew(public), renewal(public), public.store)
    assert public.shown() == before


def test_a_file_that_was_changed_is_found_after_the_signatures_are_there(public: World) -> None:
    public.target.renew(anew(public), renewal(public), public.store)
    (public.public / "hello.exe").unlink()
    with pytest.raises(Conflict, match=r"without hello\.exe"):
        public.target.renew(anew(public), renewal(public), public.store)


@pytest.mark.parametrize(
    ("name", "content"),
    [(SIGNATURE, b"another"), ("hello-1.0.0.tar.gz.asc", b"new since"), (KEPT, b"in the way")],
)
def test_signatures_that_nobody_was_asked_about_are_not_replaced(public: World, name: str, content: bytes) -> None:
    (public.public / name).unlink(missing_ok=True)
    (public.public / name).write_bytes(content)
    before = public.shown()
    with pytest.raises(Conflict, match=name):
        public.target.renew(anew(public), renewal(public), public.store)
    assert public.shown() == before


def test_an_old_signature_that_has_gone_is_missed(public: World) -> None:
    (public.public / SIGNATURE).unlink()
    with pytest.raises(Conflict, match=SIGNATURE):
        public.target.renew(anew(public), renewal(public), public.store)


def test_what_is_not_public_is_not_signed_anew(world: World) -> None:
    with pytest.raises(Missing, match="not there"):
        world.target.renew(anew(world), renewal(world), world.store)
    assert world.shown() == {}


def test_a_signature_that_the_store_lacks_changes_nothing(public: World) -> None:
    before = public.shown()
    lacking = replace(renewal(public), fresh=(artifact(SIGNATURE, b"nowhere"),))
    with pytest.raises(Missing):
        public.target.renew(anew(public), lacking, public.store)
    assert public.shown() == before


CUT_OFF = """
import ctypes, json, os, shutil, signal, sys
from pathlib import Path
from baton.model.manifest import Artifact
from baton.store import open_store
from baton.targets.renewal import Renewal, renew

served, staging, store, facts, system = sys.argv[1:]
served, staging, store = Path(served), Path(staging), open_store(store)
change = Renewal(**{name: tuple(map(Artifact.model_validate, of)) for name, of in json.loads(facts).items()})
if system == "without":
    ctypes.CDLL = lambda *_, **__: object()
ACTS = {"os.link", "os.rename", "os.rmdir"}

def act():
    staging.mkdir(parents=True, exist_ok=True)
    renew(served / "hello/1.0.0", change, store, staging=staging)

def act_until(last):
    left = last
    def die(event, _):
        nonlocal left
        left -= event in ACTS
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(die)
    act()
    os._exit(0)

def shown():
    found = sorted(path for path in served.rglob("*") if path.is_file())
    return {str(path.relative_to(served)): path.read_bytes().hex() for path in found}

original = served.with_name("original")
shutil.copytree(served, original)
last, seen = 0, []
while True:
    child = os.fork()
    if not child:
        act_until(last)
    _, status = os.waitpid(child, 0)
    after = shown()
    act()
    seen.append([after, shown()])
    if status == 0:
        break
    for left in (served, staging.parent):
        shutil.rmtree(left)
    shutil.copytree(original, served)
    last += 1
print(json.dumps(seen))
"""


@pytest.mark.parametrize("system", ["with", "without"])
def test_wherever_it_is_cut_off_the_old_or_the_new_is_public_and_it_finishes_when_done_again(
    public: World, system: str
) -> None:
    change = renewal(public)
    (public.served / "hello/1.0.0/hello-1.0.0.tar.gz").unlink()
    (public.served / "hello/1.0.0/hello-1.0.0.tar.gz").write_bytes(b"short")
    change = replace(change, files=(change.files[1], artifact("hello-1.0.0.tar.gz", b"short")))
    old, new = public.shown(), renewed(public) | {"hello/1.0.0/hello-1.0.0.tar.gz": b"short"}
    facts = {part: [one.model_dump() for one in getattr(change, part)] for part in ("files", "fresh", "old", "kept")}
    staging = public.target.staging / "hello/1.0.0-resign"
    arguments = (public.served, staging, public.store.root, json.dumps(facts), system)
    ran = subprocess.run(
        [sys.executable, "-c", CUT_OFF, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    seen = [
        [{name: bytes.fromhex(of) for name, of in state.items()} for state in pair] for pair in json.loads(ran.stdout)
    ]
    # Where the system can't exchange two folders, nothing is public for a moment.
    possible = [old, new, *([{}] if system == "without" else [])]
    assert all(after in possible for after, _ in seen)
    assert [after for after, _ in seen if after == old]
    assert [after for after, _ in seen if after == new]
    assert all(finished == new for _, finished in seen)
    assert system == "with" or [after for after, _ in seen if after == {}]


def _content(state: dict[str, str]) -> dict[str, bytes]:
    return {name: bytes.fromhex(content) for name, content in state.items()}
