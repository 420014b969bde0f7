from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from baton.git import git
from baton.model.errors import Missing
from baton.sandbox.hello import make_repository


def test_the_commit_is_the_same_whoever_makes_it_and_when(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make_repository(None, tmp_path / "first")
    (tmp_path / "config").write_text("[core]\nautocrlf = true\n[user]\nname = Someone\n[init]\ndefaultBranch = other\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2001-01-01T00:00:00Z")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))

    assert make_repository(None, tmp_path / "second") == first


def test_making_it_again_changes_nothing_and_keeps_pushed_tags(tmp_path: Path) -> None:
    commit = make_repository(None, tmp_path)
    git("update-ref", "refs/tags/1.0.0", commit, folder=tmp_path)

    assert make_repository(None, tmp_path) == commit
    assert git("rev-parse", "refs/tags/1.0.0", folder=tmp_path) == commit
    git("fsck", "--strict", folder=tmp_path)


def test_it_holds_the_project_without_what_builds_leave_behind(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "examples" / "hello"
    copy = tmp_path / "examples" / "hello"
    shutil.copytree(example, copy)
    (copy / "dist").mkdir(exist_ok=True)
    (copy / "dist" / "hello.exe").write_bytes(b"MZ")
    (copy / ".git").mkdir()
    (copy / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (copy / "tools" / "__pycache__").mkdir(exist_ok=True)
    (copy / "tools" / "__pycache__" / "project.cpython-311.pyc").write_bytes(b"\0")

    commit = make_repository(tmp_path / "examples", tmp_path / "copied")

    assert commit == make_repository(None, tmp_path / "original")
    files = git("ls-tree", "-r", "--name-only", commit, folder=tmp_path / "copied").splitlines()
    assert {"pyproject.toml", "hello/__init__.py", "src/hello.c", "tools/build_macos.py"} <= set(files)
    assert not [name for name in files if "dist" in name or "__pycache__" in name]


def test_another_content_is_another_commit(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "examples" / "hello"
    shutil.copytree(example, tmp_path / "examples" / "hello")
    (tmp_path / "examples" / "hello" / "README.md").write_text("# changed\n")

    assert make_repository(tmp_path / "examples", tmp_path / "git") != make_repository(None, tmp_path / "git")


def test_a_clone_of_it_builds(tmp_path: Path) -> None:
    make_repository(None, tmp_path / "git")
    subprocess.run(["git", "clone", "--quiet", str(tmp_path / "git"), str(tmp_path / "clone")], check=True)

    assert (tmp_path / "clone" / "hello" / "__init__.py").read_text().startswith('"""Say hello."""')


def test_a_folder_without_the_example_is_named(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="is in none of"):
        make_repository(tmp_path, tmp_path / "git")
