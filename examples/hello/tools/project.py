"""What every build script needs to know: the version, and the folders."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
BUILD = ROOT / "build"


def version() -> str:
    """The version that the source says it is."""
    source = (ROOT / "hello" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', source, re.MULTILINE)
    if found is None:
        raise SystemExit("hello/__init__.py does not say __version__")
    return found[1]
