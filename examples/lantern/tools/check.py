"""Check what was built: the source archive holds the version that is released, and its program runs."""

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ARTIFACTS = Path(os.environ["BATON_ARTIFACTS"])

archives = list(ARTIFACTS.glob("lantern-*.tar.gz"))
if len(archives) != 1:
    sys.exit(f"expected one source archive, found {len(archives)}")
version = archives[0].name.removeprefix("lantern-").removesuffix(".tar.gz")
with tempfile.TemporaryDirectory() as folder:
    with tarfile.open(archives[0]) as archive:
        archive.extractall(folder, filter="data")
    source = Path(folder) / f"lantern-{version}"
    if (source / "VERSION").read_text(encoding="ascii").strip() != version:
        sys.exit(f"{archives[0].name} holds another version")
    said = subprocess.run([sys.executable, source / "lantern.py", "a\nb"], capture_output=True, text=True, check=True)
    if said.stdout != "A light for a b.\n":
        sys.exit(f"the fix is not in it: it says {said.stdout!r}")
