from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from baton.builders.port import FailedWithLog, Stopped
from baton.model.errors import Failed, Invalid, Missing, Refused
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from baton.builders.workspace import Workspace
    from baton.model.work import Built, Source
    from baton.store import Store

    Build = Callable[..., Built]

COPY = ("python", "-c", "import os, shutil; os.mkdir('dist'); shutil.copy('README', 'dist/it')")
WRITE_ENVIRONMENT = (
    "python",
    "-c",
    """
import json, os, sys
os.mkdir("dist")
said = {"environ": dict(os.environ), "python": sys.executable, "home": os.listdir(os.environ["HOME"])}
json.dump(said, open("dist/it", "w"))
""",
)
SLEEPING_CHILD = (
    "import subprocess, sys; "
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session={session}); "
    "open({pid!r}, 'w').write(str(child.pid)); "
)


def said(built: Built, store: Store) -> Any:
    (artifact,) = store.read_set(built.artifacts).artifacts
    return json.loads(store.read(artifact.digest))


def gone(pid: int) -> bool:
    deadline = time.monotonic() + PATIENCE
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.02)
    return True


def test_it_builds_the_prepared_commit_and_stores_what_comes_out(build: Build, source: Source, store: Store) -> None:
    built = build(COPY)

    (artifact,) = store.read_set(built.artifacts).artifacts
    assert (artifact.name, store.read(artifact.digest)) == ("it", b"hello\n")
    assert (built.step, built.commit) == ("build-it", source.commit)
    assert "Python 3" in built.builder
    assert built.log is not None
    assert b"shutil.copy" in store.read(built.log)


def test_each_attempt_starts_clean_and_leaves_nothing(build: Build, workspace: Workspace) -> None:
    build(("python", "-c", "open('left-over', 'w')"), COPY)
    with pytest.raises(FailedWithLog):
        build(("python", "-c", "open('left-over')"))

    assert list(workspace.root.iterdir()) == []


def test_commands_see_an_allow_list_and_no_secret_of_the_worker(
    build: Build, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BATON_GPG_PASSPHRASE", "TEMPORAL_API_KEY", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "hunter2")

    answer = said(build(WRITE_ENVIRONMENT, environment={"CHANNEL": "stable"}), store)

    windows = {"USERPROFILE", "APPDATA", "LOCALAPPDATA", "TEMP", "TMP"}
    fixed = {"HOME", "PATH", "LANG", "TZ", "TMPDIR", "XDG_CACHE_HOME", "GIT_TERMINAL_PROMPT"}
    told = {"SOURCE_DATE_EPOCH", "PYTHONUNBUFFERED", "CHANNEL"}
    assert set(answer["environ"]) == fixed | windows | told
    assert "hunter2" not in json.dumps(answer)
    assert answer["environ"]["SOURCE_DATE_EPOCH"] == "1700000000"
    assert answer["environ"]["CHANNEL"] == "stable"
    assert (answer["environ"]["TZ"], answer["environ"]["LANG"]) == ("UTC", "C.UTF-8")
    assert answer["home"] == []


@pytest.mark.parametrize("name", ["python", "python3.99"])
def test_python_is_the_workers_own_whatever_it_is_called(
    build: Build, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    other, own = tmp_path / "other" / "python", tmp_path / "own" / name
    for program, script in ((other, "exit 1"), (own, f'WORKER=own exec {sys.executable} "$@"')):
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{other.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(sys, "executable", str(own))

    assert said(build(WRITE_ENVIRONMENT), store)["environ"]["WORKER"] == "own"


def test_the_workers_umask_does_not_reach_the_files(build: Build, store: Store) -> None:
    modes = (
        "python",
        "-c",
        """
import json, os
os.mkdir("dist")
json.dump([os.stat(path).st_mode & 0o777 for path in ("README", "dist")], open("dist/it", "w"))
""",
    )
    before = os.umask(0o077)
    try:
        assert said(build(modes), store) == [0o644, 0o755]
    finally:
        os.umask(before)


def test_a_command_that_fails_says_what_it_said_and_keeps_the_log(build: Build, store: Store) -> None:
    noisy = ("python", "-c", "import sys; print('\\n'.join(f'line {n}' for n in range(100))); sys.exit('no compiler')")

    with pytest.raises(FailedWithLog, match=r"failed with exit code 1(.*\n)+line 99\nno compiler") as failure:
        build(("python", "-c", "print('first')"), noisy, COPY)

    assert "line 50" not in str(failure.value)
    log = store.read(failure.value.log).decode()
    assert "first" in log
    assert "line 50" in log
    assert "shutil.copy" not in log


def test_a_command_killed_from_outside_says_by_which_signal(build: Build) -> None:
    with pytest.raises(Failed, match="was killed by SIGKILL"):
        build(("python", "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))


def test_a_program_that_is_not_there_is_named(build: Build) -> None:
    with pytest.raises(Missing, match="no program 'make-everything' on the PATH"):
        build(("make-everything", "now"))


def test_a_program_of_the_project_is_found_in_the_checkout(
    build: Build, make_source: Callable[[Mapping[str, str]], Source]
) -> None:
    other = make_source({"tools/build": "#!/bin/sh\necho built\n"})

    with pytest.raises(Failed, match=r"`tools/build` could not be started: Permission denied"):
        build(("tools/build",), of=other)
    assert build(("sh", "tools/build"), COPY, of=other).commit == other.commit


@pytest.mark.parametrize("session", [False, True])
def test_at_the_timeout_the_whole_tree_is_ended(build: Build, tmp_path: Path, session: bool) -> None:
    pid = tmp_path / "pid"
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); child.wait()"

    # On a busy machine it may take longer than that until there is a tree to end.
    for seconds in (2, 10, 60):
        with pytest.raises(FailedWithLog, match=f"stopped after the {seconds} s that the work may take"):
            build(("python", "-c", SLEEPING_CHILD.format(pid=str(pid), session=session) + stubborn), timeout=seconds)
        if pid.exists():
            break

    assert gone(int(pid.read_text()))


def test_when_the_caller_wishes_it_the_whole_tree_is_ended(build: Build, tmp_path: Path, caller: Any) -> None:
    pid = tmp_path / "pid"
    caller.progress = lambda tail: caller.enough.set() if "under way" in tail else None

    with pytest.raises(Stopped, match="stopped on request"):
        build(
            ("python", "-c", SLEEPING_CHILD.format(pid=str(pid), session=False) + "print('under way'); child.wait()"),
            timeout=600,
        )

    assert gone(int(pid.read_text()))


def test_what_a_command_leaves_running_is_ended_with_it(build: Build, tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    build(("python", "-c", SLEEPING_CHILD.format(pid=str(pid), session=False)), COPY)

    assert gone(int(pid.read_text()))


KILLED = """
import os, sys
from pathlib import Path
from baton.builders.process import Watch, run
folder = Path(sys.argv[1])
watch = Watch(deadline=1e18, timeout=600, progress=print, cancelled=lambda: False)
run(("python", "-c", sys.argv[2]), folder=folder, environment=dict(os.environ), log=folder / "log", watch=watch)
"""


def test_when_the_worker_is_killed_its_commands_are_ended_with_all_that_they_started(tmp_path: Path) -> None:
    child, grandchild = tmp_path / "child", tmp_path / "grandchild"
    command = f"import os; open({str(child)!r}, 'w').write(str(os.getpid())); "
    command += SLEEPING_CHILD.format(pid=str(grandchild), session=True) + "print('under way', flush=True); child.wait()"
    worker = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path), command],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert worker.stdout is not None
    assert any("under way" in line for line in worker.stdout)

    os.killpg(worker.pid, signal.SIGKILL)
    worker.communicate()

    assert gone(int(child.read_text()))
    assert gone(int(grandchild.read_text()))


def test_a_folder_that_a_killed_worker_left_is_removed_once_its_time_is_over(
    build: Build, workspace: Workspace
) -> None:
    left = workspace.root / f"build-it-{int(time.time()) - 1}-abcdefgh"
    under_way = workspace.root / f"build-it-{int(time.time()) + 3600}-abcdefgh"
    for folder in (left, under_way):
        (folder / "source").mkdir(parents=True)

    build(COPY)

    assert list(workspace.root.iterdir()) == [under_way]


def test_a_bundle_of_another_commit_is_refused(build: Build, source: Source) -> None:
    other = source.model_copy(update={"commit": "0" * 40})

    with pytest.raises(Refused, match=f"is commit {source.commit}; expected {'0' * 40}"):
        build(COPY, of=other)


def test_a_bundle_that_is_none_is_refused(build: Build, source: Source, store: Store) -> None:
    other = source.model_copy(update={"bundle": store.put_bytes(b"no bundle")})

    with pytest.raises(Refused, match=r"does not hold the tag 1\.0\.0"):
        build(COPY, of=other)


@pytest.mark.parametrize(
    ("leave", "problem"),
    [
        ("os.symlink('/etc/passwd', 'dist/it')", "dist/it is a link"),
        ("os.mkdir('dist/it')", "dist/it is a folder"),
        ("os.mkfifo('dist/it')", "dist/it is a special file"),
    ],
)
def test_only_regular_files_are_taken(build: Build, leave: str, problem: str) -> None:
    with pytest.raises(Refused, match=problem):
        build(("python", "-c", f"import os; os.mkdir('dist'); {leave}"))


@pytest.mark.parametrize(
    ("make", "output"),
    [
        ("os.mkdir('../outside')", "a/../../outside"),
        ("os.mkdir('../outside'); os.symlink('../outside', 'dist')", "dist"),
        ("os.symlink('..', 'up'); os.mkdir('../outside')", "up/outside"),
    ],
)
def test_an_output_folder_outside_the_checkout_is_refused(build: Build, make: str, output: str) -> None:
    with pytest.raises(Refused, match="leads out of the checkout"):
        build(("python", "-c", f"import os; {make}"), output=output)


def test_a_build_without_output_says_so(build: Build) -> None:
    with pytest.raises(Failed, match="made no folder dist"):
        build(("python", "-c", "pass"))


def test_a_file_whose_name_can_not_be_published_is_refused(build: Build) -> None:
    with pytest.raises(Invalid, match="can't be an artifact's name"):
        build(("python", "-c", "import os; os.mkdir('dist'); open('dist/has space', 'w')"))
