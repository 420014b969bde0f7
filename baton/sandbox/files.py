"""The sandbox's web server for published files: one folder, read-only, with listings that people can read."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

_NOT_FOUND = 404
_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
_LISTING_HEADERS = _HEADERS | {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}

_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; padding: .25rem 1rem .25rem 0; border-bottom: 1px solid #8884; }}
.size {{ text-align: right; font-variant-numeric: tabular-nums; }}
</style>
<h1>{title}</h1>
<table>
<tr><th>Name</th><th class="size">Bytes</th><th>Changed (UTC)</th></tr>
{rows}
</table>
</html>
"""


def file_server(folder: Path) -> Starlette:
    """An ASGI application that serves a folder to anyone who can connect.

    Names that begin with a dot and links are as good as not there: they are neither listed nor served, so that no
    request leads out of the folder. Only GET and HEAD are answered; byte ranges are.

    Args:
        folder: what is served; it may be empty or absent, and change at any time.
    """

    def serve(request: Request) -> Response:
        path = _inside(folder, request.path_params["path"])
        if path.is_file():
            return FileResponse(path, headers=_HEADERS)
        if not request.url.path.endswith("/"):
            return RedirectResponse(quote(path.name) + "/")
        return HTMLResponse(_listing(folder, path), headers=_LISTING_HEADERS)

    return Starlette(routes=[Route("/{path:path}", serve, methods=["GET"])])


def _inside(folder: Path, path: str) -> Path:
    """The file or folder that a request's path names.

    Raises:
        HTTPException: 404, if there is none that may be served.
    """
    segments = path.removesuffix("/").split("/") if path else []
    if any(not segment or segment.startswith(".") or "\0" in segment for segment in segments):
        raise HTTPException(_NOT_FOUND)
    wanted = folder.resolve().joinpath(*segments)
    try:
        found = wanted.resolve(strict=True)
    except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError before Python 3.13
        raise HTTPException(_NOT_FOUND) from error
    if found != wanted or not (found.is_dir() or (found.is_file() and not path.endswith("/"))):
        raise HTTPException(_NOT_FOUND)
    return wanted


def _listing(folder: Path, path: Path) -> str:
    shown = sorted(entry for entry in path.iterdir() if not entry.name.startswith(".") and not entry.is_symlink())
    rows = [_row(entry) for entry in shown if entry.is_dir() or entry.is_file()]
    if path != folder.resolve():
        rows.insert(0, '<tr><td><a href="../">../</a></td><td></td><td></td></tr>')
    title = "/" + "".join(f"{part}/" for part in path.relative_to(folder.resolve()).parts)
    return _PAGE.format(title=escape(title), rows="\n".join(rows))


def _row(entry: Path) -> str:
    name = entry.name + "/" * entry.is_dir()
    facts = entry.stat()
    size = "" if entry.is_dir() else f"{facts.st_size:,}"
    changed = datetime.fromtimestamp(facts.st_mtime, UTC).strftime("%Y-%m-%d %H:%M:%S")
    link = f'<a href="{quote("./" + name)}">{escape(name)}</a>'
    return f'<tr><td>{link}</td><td class="size">{size}</td><td>{changed}</td></tr>'
