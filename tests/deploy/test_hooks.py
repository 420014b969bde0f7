"""What runs before a commit: the tools of the virtual environment, and nothing from an address."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.deploy.conftest import ROOT, run, tool

CONFIGURATION = ROOT / ".pre-commit-config.yaml"
REPOSITORIES: list[dict[str, Any]] = yaml.safe_load(CONFIGURATION.read_text())["repos"]
HOOKS = {hook["id"]: hook for repository in REPOSITORIES for hook in repository["hooks"]}


def test_the_hooks_are_ones_that_pre_commit_accepts() -> None:
    done = run(tool("pre-commit"), "validate-config", str(CONFIGURATION))
    assert done.returncode == 0, done.stdout


def test_nothing_is_fetched() -> None:
    assert {repository["repo"] for repository in REPOSITORIES} == {"local"}


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_is_a_tool_of_the_virtual_environment(hook: str) -> None:
    assert HOOKS[hook]["language"] == "system"
    folder, _, name = HOOKS[hook]["entry"].split()[0].rpartition("/")
    assert folder == ".venv/bin"
    assert tool(name)
