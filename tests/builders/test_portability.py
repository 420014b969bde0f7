"""What a worker on Windows does without: the names that its Python does not have are taken away here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import asyncio, os, signal, sys
import platformdirs, psutil  # have modules of their own for each system
for name in ("fcntl", "grp", "pwd", "resource", "syslog", "termios", "tty", "pty"):
    sys.modules[name] = None
for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_DIRECTORY", "fchmod", "killpg"):
    delattr(os, name)
for name in ("chown", "fork", "geteuid", "getpgid", "getuid", "mkfifo", "setsid", "statvfs"):
    delattr(os, name)
del signal.SIGKILL, signal.SIGHUP, signal.SIGALRM
import worker
from pathlib import Path
from baton.builders.process import Watch, run
from baton.store import open_store
from obstore.store import MemoryStore
store = open_store("s3://bucket")
store._bucket = MemoryStore()
folder = Path(sys.argv[1])
log = folder / "log"
watch = Watch(deadline=1e18, timeout=60, progress=lambda _: None, cancelled=lambda: False)
make = ("python", "-c", "open('made', 'w').write('it')")
run(make, folder=folder, environment=dict(os.environ), log=log, watch=watch)
kept = store.put_file(folder / "made")
store.fetch(kept.digest, folder / "again")
store.fetch(kept.digest, folder / "again")
print((folder / "again").read_text(), worker.Queue.parse("build-windows").duty)

class Loop(asyncio.SelectorEventLoop):
    def add_signal_handler(self, *_):
        raise NotImplementedError

async def told():
    stop = asyncio.Event()
    worker._when_told_to_stop(asyncio.get_running_loop(), stop)
    signal.raise_signal(signal.SIGTERM)
    await stop.wait()
    print("told to stop")

Loop().run_until_complete(told())
"""


def test_a_worker_builds_and_is_told_to_stop_without_what_only_posix_has(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout == "it build\ntold to stop\n", done.stderr
