"""The C compiler: Zig's, which builds for every platform on any platform (PyPI package ``ziglang``)."""

import os
import subprocess
import sys

from project import BUILD, DIST, ROOT, version


def compile_program(target: str, source: str, name: str, *options: str) -> None:
    """Compile one source file for a target into ``dist/NAME``.

    The result depends on the source, the compiler and the name alone: no paths, no time (an executable for macOS
    carries its own name in its signature).

    Args:
        target: a target triple such as ``aarch64-macos``.
        source: the file, relative to the project.
        name: what the program is called.
        options: more options for the compiler and linker.
    """
    DIST.mkdir(exist_ok=True)
    define = f'-DHELLO_VERSION="{version()}"'
    command = [sys.executable, "-m", "ziglang", "cc", "-target", target, "-Os", "-s", define, source, *options]
    # Zig looks for compiled system libraries in the user's cache folder; what is ours stays in the checkout.
    environment = os.environ | {"ZIG_LOCAL_CACHE_DIR": str(BUILD / "zig")}
    subprocess.run([*command, "-o", str(DIST / name)], cwd=ROOT, env=environment, check=True)
    print(f"dist/{name}: {(DIST / name).stat().st_size} bytes for {target}")
