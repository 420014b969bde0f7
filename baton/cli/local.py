"""Files that a command is given by path or address: where each is on this machine."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import ExitStack

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_ADDRESSES_AT_ONCE = 8


def local_paths(paths: list[str], stack: ExitStack) -> dict[str, Path]:
    """Where each of these is on this machine; what has an address is fetched, into a folder for as long as the stack.

    Raises:
        BatonError: as :func:`baton.trust.download.download`.
    """
    addresses = list(dict.fromkeys(path for path in paths if _ADDRESS.match(path)))
    fetched = dict(zip(addresses, _fetched(addresses, stack), strict=True))
    return {path: fetched.get(path, Path(path)) for path in paths}


def _fetched(addresses: list[str], stack: ExitStack) -> list[Path]:
    """A temporary folder for each address, with what is there."""
    if not addresses:
        return []
    # Only needed for addresses, and httpx takes a tenth of a second to import.
    from baton.trust.download import download  # noqa: PLC0415

    folder = Path(stack.enter_context(TemporaryDirectory(prefix="baton-verify-")))
    folders = [folder / str(number) for number in range(len(addresses))]
    for made in folders:
        made.mkdir()
    with ThreadPoolExecutor(_ADDRESSES_AT_ONCE) as pool:
        list(pool.map(download, addresses, folders))
    return folders
