"""The example of six streams, as somebody has it who releases them from their desk."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from baton.sandbox.hello import find_example
from baton.sandbox.lantern import make_lantern

if TYPE_CHECKING:
    from pathlib import Path

    from baton.model.roster import SshKey
    from tests.e2e.conftest import Baton


@dataclass(frozen=True)
class Desk:
    """A folder with release.toml, and the repository that it names.

    Attributes:
        commits: each stream's version with the commit that has the fix.
    """

    folder: Path
    commits: dict[str, str]
    baton: Baton

    def start(self, *versions: str, advisory: str = "GHSA-1", code: int = 0) -> str:
        """Start a security release of these versions; returns its name, or what was said if it could not."""
        streams = [f"--stream={version}={self.commits[version]}" for version in versions]
        project = f"--project={self.folder}"
        what = [project, f"--advisory={advisory}", *streams]
        said = self.baton("security", "start", *what, "--yes", "--json", code=code)
        return said if code else str(json.loads(said)["security"])

    def status(self, name: str) -> dict[str, Any]:
        """All streams side by side."""
        told: dict[str, Any] = json.loads(self.baton("security", "status", name, "--json"))
        return told


def lantern(
    folder: Path, baton: Baton, *, seconds: float = 0, queue: str | None = None, keys: dict[str, SshKey] | None = None
) -> Desk:
    """Set the example up.

    Args:
        folder: an empty one.
        baton: the command line of its world.
        seconds: how long each build waits, as one does that goes on elsewhere.
        queue: where everything is built, if not on a queue for each step.
        keys: what people sign with; without any they are taken at their word.
    """
    repository, desk = folder / "lantern.git", folder / "desk"
    commits = make_lantern(repository)
    desk.mkdir()
    rules = (find_example("lantern") / "release.toml").read_text(encoding="utf-8")
    rules = rules.replace('repository = "."', f'repository = "{repository}"')
    for person, key in (keys or {}).items():
        entry = f'id = "{person}"'
        rules = rules.replace(entry, f'{entry}\nkeys = [{{ kind = "ssh", public-key = "{key.public_key}" }}]')
    if keys:
        rules = rules.replace("sandbox = true", "signed-rehearsals = true\nsandbox = true")
    if queue is not None:
        rules = re.sub(r'queue = "build-\w+"', f'queue = "{queue}"', rules)
    if seconds:
        wait = f'commands = [["python", "-c", "import time; time.sleep({seconds})"], ["python", "tools/make.py"'
        rules = rules.replace('commands = [["python", "tools/make.py"', wait)
    (desk / "release.toml").write_text(rules, encoding="utf-8")
    return Desk(desk, commits, baton)
