"""Where to look in a browser."""

from __future__ import annotations

import os
import webbrowser
from typing import TYPE_CHECKING
from urllib.parse import quote

import typer

from baton.cli.connect import configuration
from baton.cli.names import parse_release
from baton.cli.terminal import print_json
from baton.model.errors import Failed, Missing

if TYPE_CHECKING:
    from baton.cli.place import Place
    from baton.model.version import ReleaseId

_CLOUD = ".tmprl.cloud"
"""What the addresses of Temporal Cloud have in common; its Web UI is at one address for all namespaces."""


def show_address(place: Place, text: str | None, *, open_it: bool, as_json: bool) -> None:
    """Print the address of the Web UI, or of a release's page there; and open it, if that is wanted.

    Args:
        place: which Temporal is meant.
        text: the release as it was typed; None for the list of all.
        open_it: whether to open it in a browser.
        as_json: as a document and not as a line.

    Raises:
        BatonError: the address is not known, or no browser opens.
    """
    address = ui_address(place, None if text is None else parse_release(text))
    if as_json:
        print_json("ui", {"url": address})
    else:
        typer.echo(address)
    if open_it and not webbrowser.open(address):
        raise Failed(f"no browser could be started; open {address} yourself")


def ui_address(place: Place, release: ReleaseId | None = None) -> str:
    """The address of a release's page in the Web UI, or of the list of all.

    ``BATON_UI_URL`` decides; else the local world says, or it follows from Temporal's own address.

    Raises:
        Missing: nothing says where it is.
    """
    config = configuration(address=place.address, namespace=place.namespace)
    root = os.environ.get("BATON_UI_URL") or place.ui_url or _root(config["target_host"])
    page = f"{root.rstrip('/')}/namespaces/{quote(config['namespace'], safe='')}/workflows"
    return page if release is None else f"{page}/{quote(release.workflow_id, safe='')}"


def _root(address: str) -> str:
    host, _, port = address.rpartition(":")
    if host.endswith(_CLOUD):
        return "https://cloud.temporal.io"
    if port == "7233" and host in ("localhost", "127.0.0.1", "[::1]"):
        return f"http://{host}:8233"
    raise Missing(f"nothing says where the Web UI of the Temporal at {address} is: set BATON_UI_URL")
