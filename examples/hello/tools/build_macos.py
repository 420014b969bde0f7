"""Build the programs for both kinds of Mac: ``python tools/build_macos.py``."""

from compiler import compile_program
from project import version

for target, machine in [("aarch64-macos", "arm64"), ("x86_64-macos", "x86_64")]:
    compile_program(target, "src/hello.c", f"hello-{version()}-macos-{machine}")
