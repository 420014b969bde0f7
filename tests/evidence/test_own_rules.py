"""Judging by one's own release.toml instead of by what the evidence says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from baton.evidence.verify import verify_evidence
from baton.model.errors import Refused
from baton.model.roster import OpenPgpKey, SshKey

if TYPE_CHECKING:
    from pathlib import Path

    from tests.evidence.conftest import Told

RULES = """\
[project]
name = "{project}"
title = "Hello"
repository = "https://git.example/hello.git"
sandbox = true

[streams."1.0"]
status = "bugfix"
{roster}
[[steps]]
name = "source"
queue = "build"
files = ["hello.tar.gz"]
builder = {{ kind = "command", commands = [["make"]] }}

[signing]
sigstore = "machine"
gpg = "team"

[[gates]]
name = "commit"
before = "build"
needs = {{ release-manager = 1 }}

[[gates]]
name = "publish"
before = "publish"
needs = {{ release-manager = {managers} }}

[[targets]]
kind = "sandbox"
name = "downloads"
"""


def rules(
    folder: Path, told: Told, *, without: str = "", project: str = "hello", managers: int = 2, more: str = ""
) -> Path:
    """A release.toml with the people of the story, one of them perhaps left out."""
    people = ""
    for person in told.first.roster.people:
        (key,) = person.keys
        if isinstance(key, OpenPgpKey):
            (folder / f"{person.id}.asc").write_text(key.public_key or "")
            listed = f'kind = "openpgp", fingerprint = "{key.fingerprint}", public-key-file = "{person.id}.asc"'
        else:
            assert isinstance(key, SshKey)
            listed = f'kind = "ssh", public-key = "{key.public_key}"'
        if person.id != without:
            suffix = more if person.id == "ada" else ""
            people += f'\n[[roster]]\nid = "{person.id}"\nname = "{person.name}"\nroles = {list(person.roles)}\n'
            people += f"keys = [{{ {listed}{suffix} }}]\n"
    if without:
        people += '\n[[roster]]\nid = "alan"\nname = "Alan"\nroles = ["release-manager"]\n'
    (folder / "release.toml").write_text(RULES.format(project=project, roster=people, managers=managers))
    return folder / "release.toml"


def test_the_verifiers_own_roster_counts_instead_of_the_plans(told: Told, tmp_path: Path) -> None:
    file = rules(tmp_path, told)
    result = verify_evidence(told.folder, roster=file, trust_config=told.trust_config)
    assert result.failures == ()
    assert result.judged_by == str(file)


def test_someone_whom_the_verifier_does_not_know_does_not_count(told: Told, tmp_path: Path) -> None:
    file = rules(tmp_path, told, without="grace")
    failures = verify_evidence(told.folder, roster=file, trust_config=told.trust_config).failures
    assert "act 16: counted, but is not proven: grace is not on the roster; on it: ada, katherine, alan" in failures
    assert any(line.startswith("gate publish: did not pass") for line in failures)


def test_a_key_that_turned_out_to_be_stolen_does_not_count(told: Told, tmp_path: Path) -> None:
    file = rules(tmp_path, told, more=", revoked = 2026-01-01")
    failures = verify_evidence(told.folder, roster=file, trust_config=told.trust_config).failures
    assert any("act 10: counted, but is not proven" in line and "revoked" in line for line in failures)


def test_gates_that_ask_for_less_than_the_verifiers_are_found(told: Told, tmp_path: Path) -> None:
    file = rules(tmp_path, told, managers=1)
    failures = verify_evidence(told.folder, roster=file, trust_config=told.trust_config).failures
    assert f"plan: its gates are not those of {file}" in failures


def test_another_projects_rules_are_refused(told: Told, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"is of spam; the evidence is of hello 1\.0\.0"):
        verify_evidence(told.folder, roster=rules(tmp_path, told, project="spam"), trust_config=told.trust_config)
