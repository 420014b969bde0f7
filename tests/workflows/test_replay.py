"""Workflow code is forever: every history that a released version recorded replays with today's code.

``python -m tests.workflows.record`` adds the histories of this version.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from workflows.release import ReleaseWorkflow
from workflows.resign import ReSigningWorkflow
from workflows.security_release import SecurityReleaseWorkflow

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*/*.json"))


def test_there_are_recorded_histories() -> None:
    assert {path.stem for path in HISTORIES} >= {
        "released",
        "decided",
        "cancelled",
        "resigned",
        "elsewhere",
        "together",
        "stream",
    }


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_a_recorded_history_replays(path: Path) -> None:
    workflows = [ReleaseWorkflow, ReSigningWorkflow, SecurityReleaseWorkflow]
    replayer = Replayer(workflows=workflows, data_converter=pydantic_data_converter)
    await replayer.replay_workflow(WorkflowHistory.from_json(f"recorded/{path.stem}", path.read_text()))
