"""The content-addressed artifact store: every file and document of a release, by its digest.

Content is written once and checked every time it is read; what is damaged is named and never served.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from baton.model.errors import Invalid
from baton.store.local import LocalStore
from baton.store.port import Progress, Store

__all__ = ["LocalStore", "Progress", "Store", "folder_of", "open_store"]


def open_store(uri: str) -> Store:
    """Open the store at an address, making its folders if it is a local one.

    Args:
        uri: a folder path, ``file:///folder``, or ``s3://bucket/prefix``. For the last one, credentials, region and
            endpoint come from the usual environment (``AWS_ACCESS_KEY_ID``, ``AWS_ENDPOINT_URL``, …) as obstore's
            ``S3Config`` documents it.

    Raises:
        Invalid: the address has none of these forms.
        Failed: the folder can't be used.
    """
    folder = folder_of(uri)
    if folder is not None:
        return LocalStore(folder)
    # Only stores on S3 pay for loading the client.
    from baton.store.objects import ObjectStore  # noqa: PLC0415

    return ObjectStore(uri)


def folder_of(uri: str) -> Path | None:
    """The folder of the store at an address; None if it is in a bucket.

    Raises:
        Invalid: as :func:`open_store`.
    """
    parts = urlsplit(uri)
    if parts.scheme == "s3":
        return None
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and not (parts.query or parts.fragment):
        return Path(unquote(parts.path))
    if parts.scheme or not uri:
        raise Invalid(f"{uri!r} is not a store; expected a folder path, file:///folder or s3://bucket/prefix")
    return Path(uri)
