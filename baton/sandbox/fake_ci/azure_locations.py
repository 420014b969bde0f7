"""Where the simulator of Azure Pipelines has what: Azure's own clients ask for that before anything else.

The ids and routes are facts of the REST API, found in every client of it.
"""

from __future__ import annotations

from typing import Any

_ROUTES = (
    ("e81700f7-3be2-46de-8624-2eb35882fcaa", "Location", "ResourceAreas", "_apis/{resource}/{areaId}", 1),
    (
        "7859261e-d2e9-4a68-b820-a5d84cc5bb3d",
        "pipelines",
        "runs",
        "{project}/_apis/pipelines/{pipelineId}/runs/{runId}",
        1,
    ),
    (
        "85023071-bd5e-4438-89b0-2a5bf362a19d",
        "pipelines",
        "artifacts",
        "{project}/_apis/pipelines/{pipelineId}/runs/{runId}/artifacts",
        1,
    ),
    ("0cd358e1-9217-4d94-8269-1c1ee6f93dcf", "build", "builds", "{project}/_apis/build/{resource}/{buildId}", 7),
    (
        "8baac422-4c6e-4de5-8532-db96d92acffa",
        "build",
        "Timeline",
        "{project}/_apis/build/builds/{buildId}/timeline/{timelineId}",
        2,
    ),
    (
        "b8aac6c9-744b-46e1-88fc-3550969f9313",
        "build",
        "stages",
        "{project}/_apis/build/builds/{buildId}/stages/{stageRefName}",
        1,
    ),
    (
        "1db06c96-014e-44e1-ac91-90b2d4b3e984",
        "build",
        "artifacts",
        "{project}/_apis/build/builds/{buildId}/artifacts",
        5,
    ),
    ("6e6114b2-8161-44c8-8f6c-c5505782427f", "build", "tags", "{project}/_apis/build/builds/{buildId}/tags/{*tag}", 3),
    ("35a80daf-7f30-45fc-86e8-6b813d9c90df", "build", "logs", "{project}/_apis/build/builds/{buildId}/logs/{logId}", 2),
    ("3da19a6a-f088-45c4-83ce-2ad3a87be6c4", "build", "leases", "{project}/_apis/build/builds/{buildId}/leases", 1),
    ("272051e4-9af1-45b5-ae22-8d960a5539d4", "build", "leases", "{project}/_apis/build/retention/leases/{leaseId}", 2),
)


def resource_locations() -> list[dict[str, Any]]:
    """``ApiResourceLocation`` of everything that the simulator has."""
    return [
        {
            "id": number,
            "area": area,
            "resourceName": name,
            "routeTemplate": route,
            "resourceVersion": version,
            "minVersion": "1.0",
            "maxVersion": "7.1",
            "releasedVersion": "7.1",
        }
        for number, area, name, route, version in _ROUTES
    ]
