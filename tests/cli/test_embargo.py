"""A project that may be under embargo is released only from where its secrets keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from baton.cli.embargo import embargo_findings, require_encryption
from baton.cli.place import Place
from baton.codec.files import write_lines
from baton.codec.keys import CodecKey
from baton.model.errors import Refused
from baton.project.finding import Severity
from baton.project.read import read_project
from tests.project.conftest import REAL

if TYPE_CHECKING:
    from pathlib import Path

    from baton.project.read import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project under embargo, with its store and its served folder on this machine."""
    text = REAL.replace('title = "Spam"', 'title = "Spam"\nembargo = true').replace("/srv/spam", f"{tmp_path}/www")
    (tmp_path / "release.toml").write_text(text)
    monkeypatch.setenv("BATON_STORE", str(tmp_path / "store"))
    return read_project(tmp_path / "release.toml")


def found(project: Project) -> dict[str, tuple[Severity, str]]:
    return {finding.subject: (finding.severity, finding.message) for finding in embargo_findings(project, Place())}


def test_without_a_key_for_it_check_warns_and_nothing_is_started(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refused, match=r"would be sent unencrypted.*BATON_CODEC_KEYS_FILE"):
        require_encryption(project, Place())
    assert found(project)["codec keys"][0] is Severity.ERROR
    write_lines(tmp_path / "keys", [CodecKey.new("eggs").line])
    monkeypatch.setenv("BATON_CODEC_KEYS_FILE", str(tmp_path / "keys"))
    with pytest.raises(Refused):
        require_encryption(project, Place())
    key = CodecKey.new("spam")
    write_lines(tmp_path / "keys", [key.line])
    require_encryption(project, Place())
    assert found(project)["codec keys"] == (Severity.OK, f"{key.id} encrypts what is sent to Temporal")
    (tmp_path / "keys").chmod(0o644)
    assert found(project)["codec keys"][0] is Severity.ERROR


def test_check_finds_a_store_and_a_staging_folder_that_others_may_enter(project: Project, tmp_path: Path) -> None:
    assert {severity for severity, _ in found(project).values()} == {Severity.ERROR, Severity.OK}
    for folder in (tmp_path / "store", tmp_path / ".www.staging"):
        folder.mkdir()
        folder.chmod(0o750)
    for subject in ("store", "staging of site"):
        assert found(project)[subject][0] is Severity.ERROR
        assert "mode 0750" in found(project)[subject][1]
    for folder in (tmp_path / "store", tmp_path / ".www.staging"):
        folder.chmod(0o700)
    assert [found(project)[subject][0] for subject in ("store", "staging of site")] == [Severity.OK] * 2


def test_a_bucket_can_not_be_judged_from_here(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_STORE", "s3://bucket/prefix")
    assert found(project)["store"][0] is Severity.WARNING


def test_a_project_without_embargo_needs_none_of_it(tmp_path: Path) -> None:
    (tmp_path / "release.toml").write_text(REAL)
    project = read_project(tmp_path / "release.toml")
    require_encryption(project, Place())
    assert found(project) == {}
