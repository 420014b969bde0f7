"""Which outside CI system a step is built by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.builders.azure_pipelines import AzurePipelines
from baton.builders.github_actions import GitHubActions
from baton.model.errors import Refused
from baton.model.outside import GitHubBuilder
from baton.model.outside_azure import AzureBuilder

if TYPE_CHECKING:
    from baton.builders.outside import OutsideBuilder
    from baton.model.building import Step


def outside_builder(step: Step) -> OutsideBuilder:
    """What speaks with the system that builds a step; nothing is asked yet.

    Raises:
        Refused: the step is built in another way.
    """
    match step.builder:
        case GitHubBuilder() as builder:
            return GitHubActions(builder)
        case AzureBuilder() as builder:
            return AzurePipelines(builder)
    raise Refused(f"step {step.name} is {step.builder.kind}: this worker speaks with outside CI systems")
