"""Build the program for Windows: ``python tools/build_windows.py``."""

from compiler import compile_program
from project import version

compile_program(
    "x86_64-windows-gnu",
    "src/hello_windows.c",
    f"hello-{version()}-windows-amd64.exe",
    "-nostdlib",
    "-Wl,--entry=start",
    "-lkernel32",
)
