"""A release in a served folder: staged out of sight, public at one moment, and never changed by a second attempt."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from baton.model.base import digest_of
from baton.model.errors import Conflict, Failed, Invalid, Missing, Refused
from baton.model.manifest import ArtifactSet
from baton.targets.directory import DirectoryAdapter

if TYPE_CHECKING:
    from tests.targets.conftest import World

ACT = """
import sys, json
from pathlib import Path
from baton.model.manifest import ArtifactSet
from baton.model.version import ReleaseId
from baton.store import open_store
from baton.targets.directory import DirectoryAdapter

act, served, store, files = sys.argv[1:]
target = DirectoryAdapter(Path(served), "http://127.0.0.1")
release = ReleaseId(project="hello", version="1.0.0")
files = ArtifactSet.model_validate_json(files).artifacts
"""

STAGE_AND_STOP = (
    ACT
    + """
import signal
from baton.store.local import LocalStore

class Stopping(LocalStore):
    def fetch(self, digest, to, *, progress=None):
        def tell(done):
            if done > 2_000_000:
                print("halfway", flush=True)
                signal.pause()
        super().fetch(digest, to, progress=tell)

target.stage(release, files, Stopping(Path(store)))
"""
)

PROMOTE = (
    ACT
    + """
print("ready", flush=True)
sys.stdin.readline()
print(target.promote(release, files), flush=True)
"""
)


def command(world: World, script: str) -> list[str]:
    files = ArtifactSet.of(world.files).model_dump_json()
    return [sys.executable, "-c", script, "act", str(world.served), str(world.store.root), files]


def spoil(path: Path) -> str:
    """Change a file as someone with access might, and give its new digest."""
    path.chmod(0o644)
    path.write_bytes(b"changed")
    return digest_of(b"changed")


def test_nothing_is_shown_until_everything_is(world: World) -> None:
    world.target.stage(world.release, world.files, world.store)
    assert world.shown() == {}
    assert list(world.served.iterdir()) == []
    assert not world.target.staging.is_relative_to(world.served)
    assert world.target.staging.stat().st_mode & 0o777 == 0o700

    url = world.target.promote(world.release, world.files)

    assert url == f"{world.web.url}/hello/1.0.0/"
    assert world.shown() == {f"hello/1.0.0/{name}": content for name, content in world.contents.items()}
    assert not world.staged.exists()
    assert world.target.check_public(world.release, world.files) == 3


def test_what_is_public_is_read_only_for_everyone_and_readable_by_everyone(world: World) -> None:
    world.target.stage(world.release, world.files, world.store)
    world.target.promote(world.release, world.files)
    assert {path.stat().st_mode & 0o777 for path in world.public.iterdir()} == {0o444}
    assert {path.stat().st_mode & 0o777 for path in (world.public, world.public.parent)} == {0o755}


def test_every_act_can_be_done_again(world: World) -> None:
    for _ in range(2):
        world.target.stage(world.release, world.files, world.store)
    before = None
    for _ in range(2):
        assert world.target.promote(world.release, world.files)
        assert before in (None, world.public.stat().st_ino)
        before = world.public.stat().st_ino
    world.target.stage(world.release, world.files, world.store)
    assert not world.staged.exists(), "what is public already needs no staging"
    for _ in range(2):
        assert world.target.check_public(world.release, world.files) == 3


def test_staging_that_others_may_enter_is_refused(world: World) -> None:
    world.target.staging.mkdir()
    world.target.staging.chmod(0o750)
    with pytest.raises(Refused, match=r"mode 0750.*chmod it to 700"):
        world.target.stage(world.release, world.files, world.store)


def test_staging_goes_on_after_a_kill(world: World) -> None:
    with subprocess.Popen(command(world, STAGE_AND_STOP), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "halfway\n"
        process.send_signal(signal.SIGKILL)
    assert any(path.name.startswith(".fetch-") for path in world.staged.iterdir())

    told: list[int] = []
    world.target.stage(world.release, world.files, world.store, progress=told.append)
    assert {path.name: path.read_bytes() for path in world.staged.iterdir()} == world.contents
    assert told == sorted(told)
    world.target.promote(world.release, world.files)


def test_a_staged_file_that_someone_changed_is_named_and_nothing_becomes_public(world: World) -> None:
    world.target.stage(world.release, world.files, world.store)
    came = spoil(world.staged / "hello.exe")
    both = f"hello.exe is staged with {came}.*expected {digest_of(b'MZ')}"
    with pytest.raises(Conflict, match=both):
        world.target.promote(world.release, world.files)
    assert world.shown() == {}
    with pytest.raises(Conflict, match=both):
        world.target.stage(world.release, world.files, world.store)
    assert (world.staged / "hello.exe").read_bytes() == b"changed"

    assert world.target.unstage(world.release)
    world.target.stage(world.release, world.files, world.store)
    world.target.promote(world.release, world.files)


def test_a_conflict_in_staging_is_found_before_anything_is_fetched(world: World) -> None:
    world.target.staging.mkdir(mode=0o700)
    world.staged.mkdir(parents=True)
    (world.staged / "hello.exe").write_bytes(b"other")
    with pytest.raises(Conflict, match=f"{digest_of(b'other')}.*{digest_of(b'MZ')}"):
        world.target.stage(world.release, world.files, world.store)
    assert [path.name for path in world.staged.iterdir()] == ["hello.exe"]


def test_files_that_the_release_does_not_have_hold_it(world: World) -> None:
    world.target.stage(world.release, world.files, world.store)
    (world.staged / "extra").write_bytes(b"x")
    (world.staged / "folder").mkdir()
    with pytest.raises(Conflict, match="staged with 2 that the release does not have: extra, folder"):
        world.target.promote(world.release, world.files)
    assert world.shown() == {}


def test_a_link_in_staging_is_never_made_public(world: World, tmp_path: Path) -> None:
    (tmp_path / "same").write_bytes(b"MZ")
    world.target.stage(world.release, world.files, world.store)
    (world.staged / "hello.exe").unlink()
    (world.staged / "hello.exe").symlink_to(tmp_path / "same")
    with pytest.raises(Invalid, match=r"hello\.exe is a link"):
        world.target.promote(world.release, world.files)
    assert world.shown() == {}
    assert (tmp_path / "same").stat().st_mode & 0o200


def test_an_incomplete_staging_is_not_promoted(world: World) -> None:
    with pytest.raises(Missing, match=r"nothing of hello 1\.0\.0 is staged"):
        world.target.promote(world.release, world.files)
    world.target.stage(world.release, world.files, world.store)
    (world.staged / "hello.exe").unlink()
    with pytest.raises(Conflict, match=f"staged without hello.exe; expected {digest_of(b'MZ')}"):
        world.target.promote(world.release, world.files)
    assert world.shown() == {}


@pytest.mark.parametrize("difference", ["other bytes", "fewer files", "more files", "empty", "a file"])
def test_something_else_that_is_public_stays_as_it_is(world: World, difference: str) -> None:
    world.target.stage(world.release, world.files, world.store)
    if difference != "a file":
        world.public.mkdir(parents=True)
    if difference not in ("empty", "a file"):
        for name, content in world.contents.items():
            (world.public / name).write_bytes(content)
    match difference:
        case "other bytes":
            spoil(world.public / "hello.exe")
        case "fewer files":
            (world.public / "hello.exe").unlink()
        case "more files":
            (world.public / "news").write_bytes(b"x")
        case "a file":
            world.public.parent.mkdir()
            world.public.write_bytes(b"x")
    before = world.shown()

    for act in (
        lambda: world.target.promote(world.release, world.files),
        lambda: world.target.stage(world.release, world.files, world.store),
    ):
        with pytest.raises(Conflict, match=str(world.public)):
            act()
        assert world.shown() == before
        assert world.public.exists()


def test_of_several_processes_that_promote_at_once_all_find_it_done(world: World) -> None:
    world.target.stage(world.release, world.files, world.store)
    processes = [
        subprocess.Popen(command(world, PROMOTE), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate()[0] for process in processes] == ["http://127.0.0.1/hello/1.0.0/\n"] * 4
    assert [process.returncode for process in processes] == [0] * 4
    assert world.shown() == {f"hello/1.0.0/{name}": content for name, content in world.contents.items()}


def test_unstaging_removes_what_is_staged_and_never_what_is_public(world: World) -> None:
    world.target.stage(world.release, world.files, world.store)
    assert world.target.unstage(world.release)
    assert not world.target.unstage(world.release)
    assert not [path for path in world.target.staging.rglob("*") if path.is_file()]

    world.target.stage(world.release, world.files, world.store)
    world.target.promote(world.release, world.files)
    before = world.shown()
    assert not world.target.unstage(world.release)
    assert world.shown() == before


def test_content_missing_or_damaged_in_the_store_is_told_for_every_file(world: World) -> None:
    content = world.store.root / "content"
    for file in world.files[1:]:
        (content / file.sha256[:2] / file.sha256).unlink()
    with pytest.raises(Missing) as raised:
        world.target.stage(world.release, world.files, world.store)
    assert all(file.digest in str(raised.value) for file in world.files[1:])


def test_a_served_folder_that_is_not_there_is_not_made(world: World, tmp_path: Path) -> None:
    target = DirectoryAdapter(tmp_path / "not-mounted", "http://127.0.0.1")
    with pytest.raises(Missing, match="not-mounted is not there"):
        target.stage(world.release, world.files, world.store)
    assert not target.staging.exists()


ELSEWHERE = Path("/dev/shm")  # noqa: S108  # on Linux a filesystem of its own, in memory


@pytest.mark.skipif(not ELSEWHERE.is_dir(), reason="needs a second filesystem")
def test_staging_on_another_filesystem_is_refused(world: World) -> None:
    with tempfile.TemporaryDirectory(dir=ELSEWHERE) as elsewhere:
        target = DirectoryAdapter(world.served, world.web.url, staging=Path(elsewhere) / "staging")
        with pytest.raises(Failed, match="two filesystems"):
            target.stage(world.release, world.files, world.store)


def test_the_root_of_the_filesystem_is_no_served_folder() -> None:
    with pytest.raises(Invalid, match="can't be the served folder"):
        DirectoryAdapter(Path("/"), "http://127.0.0.1")


def test_a_cancelled_staging_can_be_done_again(world: World) -> None:
    def cancel(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.target.stage(world.release, world.files, world.store, progress=cancel)
    world.target.stage(world.release, world.files, world.store)
    assert {path.name: path.read_bytes() for path in world.staged.iterdir()} == world.contents
