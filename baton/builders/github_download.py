"""Download what GitHub redirects to: from another host, without a credential, from an address that is a secret."""

from __future__ import annotations

import time
from hashlib import sha256
from typing import TYPE_CHECKING

import httpx

from baton.builders.github_http import streamed
from baton.builders.port import Stopped
from baton.model.errors import Conflict, Failed, Missing, Refused, Unavailable

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from baton.builders.github_answers import StoredArtifact
    from baton.builders.github_api import GitHubApi
    from baton.builders.outside import Intake

_REPORT = 1.0
"""Seconds between two reports of progress."""

_MIB = 1024**2


def download(address: str, to: BinaryIO, *, what: str, limit: int, intake: Intake) -> tuple[str, bool]:
    """Append what is at an address to a file.

    Args:
        address: where; it appears in no message.
        to: the file.
        what: it in words, for people.
        limit: the most bytes that are written.
        intake: who is told of the progress and may stop it.

    Returns:
        The content's type, and whether there is more than the limit.

    Raises:
        Unavailable: the download broke off, or its address is not valid any more: get another one.
        Failed: the address answers something else.
        Stopped: the caller wished it.
    """
    with streamed("GET", address, where=f"the download of {what}", headers={"Accept-Encoding": "identity"}) as answer:
        if answer.status_code != httpx.codes.OK:
            raise _refusal(answer.status_code, what)
        size, reported = 0, 0.0
        # Raw: what is stored is what the digest is of.
        for chunk in answer.iter_raw():
            if intake.cancelled():
                raise Stopped(f"the download of {what} was stopped on request")
            to.write(chunk[: limit - size])
            size += len(chunk)
            if size > limit:
                return "", True
            if time.monotonic() - reported > _REPORT:
                intake.progress(f"downloads {what}: {size / _MIB:.1f} MiB so far")
                reported = time.monotonic()
        return answer.headers.get("content-type", "").partition(";")[0].strip().lower(), False


def download_artifact(api: GitHubApi, artifact: StoredArtifact, to: Path, intake: Intake) -> str:
    """Download an artifact and check it against its digest; gives the content's type.

    Raises:
        Missing: GitHub does not keep it any more.
        Conflict: it came whole and has another digest, or is longer than it should be.
        Unavailable: it did not come whole.
    """
    what = f"the artifact {artifact.name!r}"
    if artifact.expired:
        raise Missing(
            f"{what} expired{f' on {artifact.expires_at:%Y-%m-%d}' if artifact.expires_at else ''}, GitHub keeps it no "
            "longer: run the workflow again"
        )
    # Without a digest the size is of no use either: it used to be that of the files before they were packed.
    limit = artifact.size_in_bytes if artifact.digest else intake.limits.unpacked_bytes
    with to.open("xb") as file:
        kind, more = download(api.download_address(artifact.id), file, what=what, limit=limit, intake=intake)
    if more:
        raise Conflict(f"{what} is longer than the {limit} bytes that are expected; run the workflow again")
    if artifact.digest:
        _require(artifact.digest, artifact.size_in_bytes, to, what)
    return kind


def _require(digest: str, size: int, file: Path, what: str) -> None:
    hasher, came = sha256(), 0
    with file.open("rb") as content:
        while chunk := content.read(_MIB):
            hasher.update(chunk)
            came += len(chunk)
    if f"sha256:{hasher.hexdigest()}" == digest:
        return
    if came < size:
        raise Unavailable(f"{what} broke off after {came} of {size} bytes")
    raise Conflict(
        f"{what} has the digest sha256:{hasher.hexdigest()}; GitHub says {digest}: somebody changed it, or GitHub lost "
        "it; run the workflow again, and find out which"
    )


def _refusal(status: int, what: str) -> Unavailable | Failed | Refused:
    said = f"the download of {what} answers {status}"
    gone = (httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND, httpx.codes.GONE, httpx.codes.TOO_MANY_REQUESTS)
    if httpx.codes.is_server_error(status) or status in gone:
        # The address is good for a minute; whether there is more behind it, GitHub says when it is asked again.
        return Unavailable(f"{said}: its address is asked for again")
    return Failed(f"{said}; expected the content")
