"""The image: linted, without privileges, and with everything that its programs import."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

from tests.deploy.conftest import ROOT, run, tool

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILE = (ROOT / "Dockerfile").read_text()

RUN_WITHOUT = """
import importlib.abc, json, runpy, sys

class NotInTheImage(importlib.abc.MetaPathFinder):
    blocked = set(json.loads(sys.argv[1]))
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.blocked:
            raise ModuleNotFoundError(f"{name} is not in the image", name=name)

sys.meta_path.insert(0, NotInTheImage())
module, sys.argv = sys.argv[2], sys.argv[2:]
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


def test_the_dockerfile_is_clean() -> None:
    done = run(tool("hadolint"), str(ROOT / "Dockerfile"))
    assert done.returncode == 0, done.stdout


def test_the_image_runs_as_a_user_without_privileges() -> None:
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (.+)$", last_stage, re.MULTILINE) == ["10001:10001"]
    assert "useradd --uid 10001 " in last_stage


def test_everything_installed_is_locked_by_hash() -> None:
    installs = re.findall(r"pip install ([^\\&\n]+)", DOCKERFILE)
    assert installs
    for arguments in installs:
        assert "--require-hashes" in arguments or "--no-deps --no-index" in arguments


def test_neither_git_nor_secrets_get_into_the_image() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".*", "deploy"} <= set(ignored)


@pytest.mark.parametrize("module", ["worker", "baton.cli.main"])
def test_the_image_has_what_its_programs_import(module: str) -> None:
    locked = re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements/run.txt").read_text(), re.MULTILINE)
    here = packages_distributions()
    absent = [
        name for name, givers in here.items() if not {_normal(giver) for giver in givers} & {*locked, "baton-release"}
    ]
    assert {"pytest", "sphinx", "ziglang"} <= set(absent)

    done = subprocess.run(
        [sys.executable, "-c", RUN_WITHOUT, json.dumps(absent), module, "--help"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_the_wheel_that_the_image_installs_has_the_programs(tmp_path: Path) -> None:
    done = run(tool("hatchling"), "build", "-t", "wheel", "-d", str(tmp_path), cwd=ROOT)
    assert done.returncode == 0, done.stderr
    [wheel] = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"worker.py", "baton/cli/main.py", "workflows/release.py", "activities/duties.py"} <= names


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()
