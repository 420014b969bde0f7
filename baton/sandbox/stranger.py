"""Verifying a published release as a stranger would: everything is fetched from where the public finds it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx

from baton.model.errors import Failed, Unavailable
from baton.trust.release import verify_release

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baton.model.manifest import Artifact
    from baton.model.plan import Signer
    from baton.trust.result import Report

_TIMEOUT = httpx.Timeout(30, connect=5)


def verify_as_stranger(url: str, files: Sequence[Artifact], signers: Sequence[Signer], *, trust_config: Path) -> Report:
    """Download files with their signatures and verify them; gpg has a keyring of its own for it.

    Args:
        url: the release's public folder, with ``/`` at its end.
        files: which files there are; each has a signature by every signer beside it.
        signers: whose signatures count.
        trust_config: the Sigstore instance's client trust configuration.

    Returns:
        The facts of each file; true when everything is as it has to be.

    Raises:
        Unavailable: the server does not answer.
        Failed: something is not there, or longer than it should be.
    """
    with TemporaryDirectory(prefix="baton-stranger-") as folder, httpx.Client(base_url=url, timeout=_TIMEOUT) as http:
        fetched = [(file, _download(http, file, Path(folder) / file.name)) for file in files]
        signed = [
            (signer, {name: _get(http, name) for name in (f"{file.name}{signer.suffix}" for file in files)})
            for signer in signers
        ]
        return verify_release(fetched, signed, trust_config=trust_config)


def _download(http: httpx.Client, file: Artifact, to: Path) -> Path:
    try:
        with http.stream("GET", quote(file.name)) as response, to.open("wb") as stream:
            _require_ok(response)
            for chunk in response.iter_raw():
                stream.write(chunk)
                if stream.tell() > file.size:
                    raise Failed(f"{response.url} is longer than the {file.size} bytes of {file.digest}")
    except httpx.TransportError as error:
        raise _unreachable(http, file.name, error) from error
    return to


def _get(http: httpx.Client, name: str) -> bytes:
    try:
        response = http.get(quote(name))
    except httpx.TransportError as error:
        raise _unreachable(http, name, error) from error
    _require_ok(response)
    return response.content


def _require_ok(response: httpx.Response) -> None:
    if response.status_code != httpx.codes.OK:
        raise Failed(f"{response.url} answers {response.status_code} {response.reason_phrase}; expected 200")


def _unreachable(http: httpx.Client, name: str, error: httpx.TransportError) -> Unavailable:
    return Unavailable(f"{http.base_url.join(quote(name))} could not be fetched: {type(error).__name__}: {error}")
