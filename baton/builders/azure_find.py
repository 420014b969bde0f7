"""Finding the run that an order started already, when the answer to its start was lost."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from baton.builders.azure_answers import Build, Builds
from baton.model.errors import Failed, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from baton.builders.azure_api import AzureApi
    from baton.model.outside import OutsideOrder
    from baton.model.outside_azure import AzureBuilder

_TAG = "baton-"
_SKEW = timedelta(minutes=2)
"""By how much Azure's clock may be behind ours."""

_PAGE = 200
_PAGES = 20
_SHOWN = 5


def tag_of(order: OutsideOrder) -> str:
    """The tag that says of a run which order it is of."""
    return f"{_TAG}{order.key}"


def find(api: AzureApi, builder: AzureBuilder, order: OutsideOrder) -> Build | None:
    """The run that was asked for exactly what the order asks for, since it was given, and is of no other order.

    Raises:
        Refused: there are several.
        Failed: the pipeline ran so often since then that they can't all be looked at.
    """
    found = [build for build in _builds(api, builder, order) if _is_of(build, builder, order)]
    if len(found) > 1:
        addresses = ", ".join(run_address(builder, build.id) for build in found[:_SHOWN])
        raise Refused(
            f"{len(found)} runs of pipeline {builder.pipeline} were started for the order {order.key}; expected one. "
            f"Decide which one counts and delete the others: {addresses}"
        )
    return found[0] if found else None


def run_address(builder: AzureBuilder, run: int) -> str:
    """Where people see a run, and approve its stages."""
    return f"{builder.organization}/{quote(builder.project)}/_build/results?buildId={run}"


def _builds(api: AzureApi, builder: AzureBuilder, order: OutsideOrder) -> Iterator[Build]:
    query = {
        "definitions": str(builder.pipeline),
        "minTime": (order.asked - _SKEW).isoformat().replace("+00:00", "Z"),
        "queryOrder": "queueTimeDescending",
        "top": str(_PAGE),
    }
    for _ in range(_PAGES):
        page, token = api.page("build/builds", Builds, **query)
        yield from page.value
        if not token:
            return
        query["continuationToken"] = token
    raise Failed(
        f"pipeline {builder.pipeline} has more than {_PAGE * _PAGES} runs since {order.asked}: look for the one of the "
        f"order {order.key} by hand"
    )


def _is_of(build: Build, builder: AzureBuilder, order: OutsideOrder) -> bool:
    ours = [tag for tag in build.tags if tag.startswith(_TAG)]
    if ours:
        return ours == [tag_of(order)]
    return (
        (builder.commit_in is not None or build.source_version == order.commit)
        and _includes(build.template_parameters or {}, {n: order.fill(t) for n, t in builder.parameters.items()})
        and _includes(_variables(build), {n: order.fill(t) for n, t in builder.variables.items()})
    )


def _variables(build: Build) -> Mapping[str, object]:
    try:
        said = json.loads(build.parameters or "{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _includes(said: Mapping[str, object], asked: Mapping[str, str]) -> bool:
    """Whether all values are there; Azure gives booleans back as ``True``, whatever was sent."""
    return all(str(said.get(name)).casefold() == value.casefold() for name, value in asked.items())
