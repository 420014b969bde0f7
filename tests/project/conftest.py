"""A small valid `release.toml`, and ways to change it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from baton.project.problem import InvalidProject
from baton.project.read import read_project

if TYPE_CHECKING:
    from pathlib import Path

    from baton.project.read import Project

REAL = """\
[project]
name = "spam"
title = "Spam"
repository = "https://git.example/spam.git"

[streams."3.13"]
status = "bugfix"

[streams."3.14"]
status = "prerelease"
end-of-life = 2030-10-01

[[roster]]
id = "ada"
name = "Ada"
roles = ["release-manager"]

[[roster]]
id = "grace"
name = "Grace"
roles = ["release-manager", "windows-expert"]

[[steps]]
name = "source"
queue = "linux"
files = ["spam-{version}.tar.gz"]
builder = { kind = "command", commands = [["make", "dist", "VERSION={version}"]] }

[signing]
sigstore = "machine"
gpg = "none"

[signing.machine]
identity = "https://git.example/spam/.github/workflows/sign.yml@refs/heads/main"
issuer = "https://token.actions.githubusercontent.com"

[[gates]]
name = "commit"
before = "build"
needs = { release-manager = 1 }

[[gates]]
name = "files"
before = "publish"
needs = { release-manager = 2 }

[[targets]]
kind = "directory"
name = "site"
path = "/srv/spam"
url = "https://spam.example/releases"
"""


def certificate(name: str) -> str:
    """A certificate in PEM form that nobody vouches for."""
    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(
        issuer_name=subject,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now,
        not_valid_after=now + timedelta(days=1),
    ).sign(key, hashes.SHA256())
    return made.public_bytes(Encoding.PEM).decode("ascii")


class Writer:
    """Writes `release.toml` variations into one folder and reads them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, text: str = REAL) -> Project:
        (self.folder / "release.toml").write_text(text, encoding="utf-8")
        return read_project(self.folder)

    def changed(self, *changes: tuple[str, str], more: str = "") -> Project:
        """The valid file with some texts replaced, each of which must be there, and more at its end."""
        text = REAL
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        return self.read(text + more)

    def problems(self, *changes: tuple[str, str], more: str = "") -> list[str]:
        """What is wrong with the changed file, each as `LINE: KEY: FACT`."""
        with pytest.raises(InvalidProject) as caught:
            self.changed(*changes, more=more)
        prefix = f"{self.folder / 'release.toml'}:"
        return [line.removeprefix(prefix) for line in str(caught.value).splitlines()]


@pytest.fixture
def release_toml(tmp_path: Path) -> Writer:
    return Writer(tmp_path)
