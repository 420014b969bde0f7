"""Look at the files of a release as a user would: ``python tools/check_release.py FOLDER``."""

import os
import subprocess
import sys
from pathlib import Path

from project import version

folder = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ["BATON_ARTIFACTS"]).resolve()
said = f"Hello, world! This is hello {version()}."

# A wheel is a zip file, and Python runs packages out of zip files.
wheel = folder / f"hello-{version()}-py3-none-any.whl"
answer = subprocess.run(
    [sys.executable, "-c", "import hello; print(hello.__file__, hello.greeting(), sep='\\n')"],
    env=os.environ | {"PYTHONPATH": str(wheel)},
    cwd=folder,
    check=True,
    capture_output=True,
    text=True,
).stdout.splitlines()
assert answer[0].startswith(str(wheel)) and answer[1] == said, answer

# First bytes of each kind of program: PE is described by Microsoft, Mach-O (with its CPU type) by Apple's mach/loader.h.
beginnings = {
    "windows-amd64.exe": b"MZ",
    "macos-arm64": b"\xcf\xfa\xed\xfe\x0c\x00\x00\x01",
    "macos-x86_64": b"\xcf\xfa\xed\xfe\x07\x00\x00\x01",
}
for platform, beginning in beginnings.items():
    program = (folder / f"hello-{version()}-{platform}").read_bytes()
    assert program.startswith(beginning), f"the program for {platform} begins with {program[:8]!r}"
    assert said.encode() in program, f"the program for {platform} does not say {said!r}"

print(f"the wheel and {len(beginnings)} programs say: {said}")
