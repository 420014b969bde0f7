"""From a command to Temporal and back: one connection, one event loop, one thing done."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import typer

from baton.cli.connect import connect
from baton.cli.releases import Releases

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from baton.cli.place import Place

_Told = TypeVar("_Told")

_NO_ANSWER_YET = "No answer yet. It takes up to half a minute to see that no worker is up …"
_PATIENCE = 3.0
"""Seconds after which whoever watches is told why nothing happens yet."""


def with_releases(place: Place, act: Callable[[Releases], Awaitable[_Told]], *, quiet: bool = False) -> _Told:
    """Connect, do something with the releases there, and return what came of it.

    Args:
        place: where they are.
        act: what to do.
        quiet: say nothing while it takes long.

    Raises:
        Unavailable: no server answers there.
    """

    async def connected() -> _Told:
        if not quiet and sys.stderr.isatty():
            asyncio.get_running_loop().call_later(_PATIENCE, partial(typer.echo, _NO_ANSWER_YET, err=True))
        client = await connect(address=place.address, namespace=place.namespace, codec_keys=place.codec_keys)
        return await act(Releases(client))

    return asyncio.run(connected())
