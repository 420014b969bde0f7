"""What goes wrong in the simulator of Azure Pipelines, when it is asked for."""

from __future__ import annotations

import io
import stat
import threading
import zipfile
from collections import Counter
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse

from baton.sandbox.fake_ci.azure_pipeline import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGN_IN = "<!DOCTYPE html><html><head><title>Azure DevOps Services | Sign In</title></head><body></body></html>"


class Faults:
    """Which faults strike, and how often still."""

    def __init__(self) -> None:
        self._left: Counter[Fault] = Counter()
        self._lock = threading.Lock()

    def add(self, fault: Fault, times: int = 1) -> None:
        """Let a fault strike."""
        with self._lock:
            self._left[fault] += times

    def strikes(self, fault: Fault) -> bool:
        """Whether it strikes now; if so, it is used up."""
        with self._lock:
            if not self._left[fault]:
                return False
            self._left[fault] -= 1
            return True

    def instead(self) -> Response | None:
        """What is answered in place of doing anything."""
        if self.strikes(Fault.UNAUTHORIZED):
            return Response(status_code=401)
        if self.strikes(Fault.FORBIDDEN):
            message = "TF215106: Access denied. baton needs Queue builds permissions for pipeline Windows."
            return JSONResponse({"message": message}, status_code=403)
        if self.strikes(Fault.SIGN_IN):
            return sign_in()
        if self.strikes(Fault.REDIRECT):
            return RedirectResponse("https://spsprodneu1.vssps.visualstudio.com/_signin", status_code=302)
        if self.strikes(Fault.THROTTLED):
            message = "TF400733: The request has been canceled: Request was blocked due to exceeding usage."
            return JSONResponse({"message": message}, status_code=429, headers={"Retry-After": "27"})
        if self.strikes(Fault.BROKEN):
            return HTMLResponse("<h1>Service Unavailable</h1>", status_code=503)
        return None

    def afterwards(self, response: Response) -> Response:
        """What becomes of a good answer."""
        if self.strikes(Fault.CUT_OFF):
            return Response(bytes(response.body)[: len(response.body) // 2], media_type="application/json")
        if self.strikes(Fault.GARBLED):
            return JSONResponse({"id": "seven", "status": "fine", "value": 7, "records": {}})
        if self.strikes(Fault.DELAYED):
            response.headers["Retry-After"] = "120"
        return response

    def download(self, content: bytes) -> Response:
        """What becomes of a download."""
        if self.strikes(Fault.DOWNLOAD_GONE):
            return Response(status_code=404)
        if self.strikes(Fault.DOWNLOAD_REFUSED):
            return Response("<Error><Code>AuthenticationFailed</Code></Error>", 403, media_type="application/xml")
        if self.strikes(Fault.DOWNLOAD_OTHER):
            return HTMLResponse(_SIGN_IN)
        if self.strikes(Fault.DOWNLOAD_LINK):
            return Response(_links(content), media_type="application/zip")
        if self.strikes(Fault.DOWNLOAD_SHORT):
            return Response(content[: len(content) // 2], media_type="application/zip")
        if self.strikes(Fault.DOWNLOAD_CUT_OFF):
            length = {"Content-Length": str(len(content))}
            return StreamingResponse(_half(content), media_type="application/zip", headers=length)
        return Response(content, media_type="application/zip")


def sign_in() -> Response:
    """The page for signing in, as Azure gives it to those whose token it does not know."""
    return HTMLResponse(_SIGN_IN, status_code=203)


def not_found(message: str, kind: str) -> HTTPException:
    """Azure's words for what is not there."""
    return HTTPException(404, detail=f"{kind}: {message}")


def _half(content: bytes) -> Iterator[bytes]:
    yield content[: len(content) // 2]
    raise ConnectionResetError("the download breaks off, as it was asked to")


def _links(content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(made, "w") as links:
        for name in archive.namelist():
            link = zipfile.ZipInfo(name)
            link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
            links.writestr(link, "elsewhere")
    return made.getvalue()
