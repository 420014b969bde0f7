"""What the processes of a world get of the environment that it was started in."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_ENDURES = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "TMPDIR", "TZ", "USER", "XDG_CACHE_HOME")
"""No setting, address or secret of the user's is among these."""


def bare_environment() -> dict[str, str]:
    """What every process gets; programs that came with Baton are found first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {"PATH": path, **{name: os.environ[name] for name in _ENDURES if name in os.environ}}
