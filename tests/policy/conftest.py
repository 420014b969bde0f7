"""Projects whose ways to sign change."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.trust.conftest import _own_trust_root_cache, bundle, gnupg, sandbox

__all__ = ["_own_trust_root_cache", "bundle", "gnupg", "sandbox"]

CPYTHON = Path(__file__).parents[2] / "examples" / "cpython"
MACHINE = "https://github.com/python/release-tools/.github/workflows/sign-release.yml@refs/heads/main"
TEAM = "F1ACA8BE555E9E5BF12D39B621BD092A3F52B845"

OPENPGP_ENDED = ('[streams."3.14".signing]\n', '[streams."3.15".signing]\n')
BY_PEOPLE = """
[signing.people]
roles = ["release-manager"]
suffix = ".sigstore"

[signing.dispatched]
"""


class Copy:
    """A copy of the example that tests may change."""

    def __init__(self, folder: Path) -> None:
        self.folder = shutil.copytree(CPYTHON, folder)
        self.file = folder / "release.toml"
        self.list = folder / "identities.json"

    def change(self, *changes: tuple[str, str]) -> None:
        text = self.file.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        self.file.write_text(text, encoding="utf-8")


@pytest.fixture
def cpython(tmp_path: Path) -> Copy:
    """CPython as the example has it: people sign up to 3.15, and a machine from 3.16 on."""
    return Copy(tmp_path / "cpython")


@pytest.fixture
def by_people(cpython: Copy) -> Copy:
    """CPython as it was before: people sign every stream, and each but 3.14 and 3.15 has OpenPGP signatures."""
    cpython.change(
        ('sigstore = "dispatched"\ngpg = "none"', 'sigstore = "human"\ngpg = "team"'),
        ("\n[signing.dispatched]\n", BY_PEOPLE),
        *((header, f'{header}gpg = "none"\n') for header in OPENPGP_ENDED),
    )

    listed = json.loads(cpython.list.read_text(encoding="utf-8"))
    for stream in listed["streams"]:
        kept = [one for one in stream["trusted"] if one.get("identity") != MACHINE]
        if stream["name"] == "3.16":
            kept.append({"kind": "openpgp", "fingerprint": TEAM, "who": "machine"})
        stream["trusted"] = kept
    cpython.list.write_text(json.dumps(listed), encoding="utf-8")
    return cpython
