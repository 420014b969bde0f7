"""The environment of a project's own commands: an allow-list, so that no secret of the worker is in it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_WINDOWS = ("COMSPEC", "NUMBER_OF_PROCESSORS", "PATHEXT", "PROGRAMDATA", "PROGRAMFILES", "SYSTEMDRIVE", "SYSTEMROOT")
"""Without these, programs on Windows do not start; all are the machine's and none is the user's."""


def clean_environment(*, home: Path, temporary: Path, cache: Path) -> dict[str, str]:
    """All that a project's command finds in its environment, but for what its plan adds.

    ``PATH`` is the worker's, with the worker's Python first. Time zone and language are fixed. What Python programs say
    reaches the log at once and in order.

    Args:
        home: a folder of the command's own; no configuration and no keys of the worker's user are in it.
        temporary: where temporary files go.
        cache: ``$XDG_CACHE_HOME`` (XDG Base Directory Specification 0.8), where tools look for what they made before.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    places = {
        "HOME": home,
        "TMPDIR": temporary,
        "XDG_CACHE_HOME": cache,
        # The same places by the names that Windows has for them.
        "USERPROFILE": home,
        "APPDATA": home,
        "LOCALAPPDATA": cache,
        "TEMP": temporary,
        "TMP": temporary,
    }
    machine = {name: os.environ[name] for name in _WINDOWS if name in os.environ}
    return (
        machine
        | {name: str(place) for name, place in places.items()}
        | {"PATH": path, "LANG": "C.UTF-8", "TZ": "UTC", "GIT_TERMINAL_PROMPT": "0", "PYTHONUNBUFFERED": "1"}
    )
