from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from baton.model.errors import Invalid, Missing, Unavailable
from baton.project.commit import resolve_commit

if TYPE_CHECKING:
    from pathlib import Path

AUTHOR = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@spam.example",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@spam.example",
}


@dataclass(frozen=True)
class Repository:
    folder: Path

    def git(self, *arguments: str) -> str:
        return subprocess.check_output(
            ["git", "-C", str(self.folder), *arguments], env=os.environ | AUTHOR, text=True
        ).strip()

    def commit(self, message: str) -> str:
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    @property
    def address(self) -> str:
        return f"file://{self.folder}"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    folder = tmp_path / "spam"
    folder.mkdir()
    made = Repository(folder)
    made.git("init", "--quiet", "--initial-branch=main")
    return made


@pytest.mark.parametrize("far", [False, True], ids=["by path", "by address"])
def test_branches_tags_and_ids_name_a_commit(repository: Repository, *, far: bool) -> None:
    first = repository.commit("first")
    repository.git("tag", "--annotate", "-m", "v1", "v1")
    second = repository.commit("second")
    place = repository.address if far else str(repository.folder)

    assert resolve_commit(place, "main") == second
    assert resolve_commit(place, "refs/heads/main") == second
    assert resolve_commit(place, "HEAD") == second
    assert resolve_commit(place, "v1") == first, "the commit, not the tag's own object"
    assert resolve_commit(place, first) == first


def test_an_abbreviated_id_is_completed_where_that_is_possible(repository: Repository) -> None:
    commit = repository.commit("first")

    assert resolve_commit(str(repository.folder), commit[:10]) == commit
    with pytest.raises(Missing, match="if that is a commit, write all 40 digits of its id"):
        resolve_commit(repository.address, commit[:10])


def test_what_is_not_there_is_missing(repository: Repository, tmp_path: Path) -> None:
    repository.commit("first")

    for place in (str(repository.folder), repository.address):
        with pytest.raises(Missing, match="nonesuch"):
            resolve_commit(place, "nonesuch")
    with pytest.raises(Missing, match="has no commit"):
        resolve_commit(str(repository.folder), "1" * 40)
    with pytest.raises(Missing, match="no such folder"):
        resolve_commit(str(tmp_path / "eggs"), "main")
    with pytest.raises(Unavailable, match="can't be reached"):
        resolve_commit(f"file://{tmp_path}/eggs", "main")


def test_a_name_for_two_commits_is_no_answer(repository: Repository) -> None:
    repository.commit("first")
    repository.git("tag", "main")
    repository.commit("second")

    for place in (str(repository.folder), repository.address):
        with pytest.raises(Invalid, match="write the full ref or the commit"):
            resolve_commit(place, "main")
    assert resolve_commit(repository.address, "refs/tags/main") != resolve_commit(repository.address, "refs/heads/main")


@pytest.mark.parametrize("ref", ["", "--upload-pack=touch x", "a b", "a\nb"])
def test_what_is_no_ref_is_not_handed_to_git(repository: Repository, ref: str) -> None:
    with pytest.raises(Invalid, match="is no branch, tag or commit"):
        resolve_commit(str(repository.folder), ref)


def test_an_address_can_not_run_a_program(tmp_path: Path) -> None:
    witness = tmp_path / "witness"

    with pytest.raises(Unavailable):
        resolve_commit(f"ext::touch {witness}", "main")

    assert not witness.exists()


def test_without_git_the_answer_is_what_to_install(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shutil.which("git")
    monkeypatch.setenv("PATH", str(repository.folder))

    with pytest.raises(Missing, match="install git"):
        resolve_commit(str(repository.folder), "main")
