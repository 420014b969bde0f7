"""A store in an S3 bucket, by obstore. The server is not trusted: what is put is read back and compared."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import timedelta
from hashlib import file_digest, sha256
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from baton.model.errors import BatonError, Conflict, Failed, Invalid, Missing, Unavailable
from baton.store.port import CHUNK, Progress, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from baton.model.base import Digest

_PART = 8 * 1024**2
"""Bytes in one part of a multipart upload; S3 takes 10,000 of them, which is 78 GiB."""

_PARTS_AT_ONCE = 4
_PROBE = "names/.if-none-match"


class ObjectStore(Store):
    """Content in a bucket, under the same layout as a folder: ``content/ab/abcd…`` and ``names/ab/abcd…``.

    A file is read twice from disk: S3 wants the key, which is the digest, before the first byte. Names need a server
    that honours ``If-None-Match: *`` on PUT, as S3 does; remembering a name on another is refused.
    """

    def __init__(self, uri: str) -> None:
        """Take note of the place; nothing is sent yet.

        Args:
            uri: ``s3://bucket/prefix``.

        Raises:
            Invalid: the address or the environment's S3 settings are not usable.
        """
        parts = urlsplit(uri)
        if not parts.netloc or "@" in parts.netloc or parts.query or parts.fragment:
            raise Invalid(f"the store address has to be s3://bucket/prefix, and nothing more; it names {parts.path!r}")
        self._uri = uri.rstrip("/")
        try:
            self._bucket = S3Store.from_url(
                self._uri,
                client_options={
                    # Two gigabytes may take long, but every read of them has to bring something.
                    "timeout": timedelta(hours=2),
                    "read_timeout": timedelta(minutes=1),
                    # Giving any client option makes obstore pass over this one in the environment.
                    "allow_http": os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true"),
                },
                retry_config={"max_retries": 4, "retry_timeout": timedelta(minutes=1)},
            )
        except (BaseError, ValueError) as error:
            raise Invalid(f"{self._uri} can't be used as a store: {_first_line(error)}") from None
        self._conditional_writes = False

    def __repr__(self) -> str:
        return f"ObjectStore({self._uri!r})"

    def _put(self, source: BinaryIO, progress: Progress | None) -> tuple[Digest, int]:
        tell = progress or _tell_nobody
        hexdigest = file_digest(source, "sha256").hexdigest()  # type: ignore[arg-type]  # typeshed wants readinto, which BinaryIO lacks
        size = source.tell()
        digest = "sha256:" + hexdigest
        if self._holds(hexdigest) and self._is_whole(digest, lambda: tell(0)):
            tell(size)
            return digest, size
        source.seek(0)
        content = _unchanged(source, hexdigest, tell)
        with self._problems(f"could not write {digest}"):
            obstore.put(
                self._bucket,
                _content(hexdigest),
                content if size > _PART else b"".join(content),
                chunk_size=_PART,
                max_concurrency=_PARTS_AT_ONCE,
            )
        if not self._is_whole(digest, lambda: tell(size)):
            raise Unavailable(f"{self._where(hexdigest)} does not hold what was put there: the server changed it")
        return digest, size

    def _is_whole(self, digest: Digest, beat: Callable[[], None]) -> bool:
        try:
            for _ in self._checked(digest):
                beat()
        except Conflict:
            return False
        return True

    def _chunks(self, hexdigest: str) -> Iterator[bytes]:
        with self._problems(f"could not read sha256:{hexdigest}"):
            try:
                answer = obstore.get(self._bucket, _content(hexdigest))
            except FileNotFoundError as error:
                self._require_bucket(error)
                raise Missing(f"the store {self._uri} has no content sha256:{hexdigest}") from None
            yield from answer.stream(min_chunk_size=CHUNK)

    def _holds(self, hexdigest: str) -> bool:
        with self._problems(f"could not look for sha256:{hexdigest}"):
            try:
                obstore.head(self._bucket, _content(hexdigest))
            except FileNotFoundError as error:
                self._require_bucket(error)
                return False
            return True

    def _where(self, hexdigest: str) -> str:
        return f"{self._uri}/{_content(hexdigest)}"

    def _write_record(self, key: str, record: bytes) -> bool:
        if not self._conditional_writes:
            self._require_conditional_writes()
        return self._create(_record(key), record)

    def _read_record(self, key: str) -> bytes | None:
        with self._problems("could not read a name"):
            try:
                return obstore.get(self._bucket, _record(key)).bytes().to_bytes()
            except FileNotFoundError as error:
                self._require_bucket(error)
                return None

    def _drop_record(self, key: str) -> None:
        with self._problems("could not drop a name"):
            obstore.delete(self._bucket, _record(key))

    def _create(self, key: str, content: bytes) -> bool:
        with self._problems("could not write a name"):
            try:
                obstore.put(self._bucket, key, content, mode="create")
            except AlreadyExistsError:
                return False
            return True

    def _require_conditional_writes(self) -> None:
        """Some servers take ``If-None-Match`` and overwrite all the same; two writers would both believe they won."""
        text = b"Shows that this server refuses to overwrite when it is asked to.\n"
        if self._create(_PROBE, text) and self._create(_PROBE, text):
            raise Failed(
                f"the server of {self._uri} ignores If-None-Match on PUT, so that a name there could silently change "
                "its digest; keep the store in a folder or on a server that honours it"
            )
        self._conditional_writes = True

    def _require_bucket(self, error: FileNotFoundError) -> None:
        if "NoSuchBucket" in str(error):
            raise Failed(f"the bucket of {self._uri} is not there: make it, or correct the store's address") from None

    @contextmanager
    def _problems(self, what: str) -> Iterator[None]:
        try:
            yield
        except BatonError:
            raise
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise Failed(f"{what} in {self._uri}: access refused: {_first_line(error)}") from None
        except FileNotFoundError as error:
            self._require_bucket(error)
            raise Unavailable(f"{what} in {self._uri}: {_first_line(error)}") from None
        except BaseError as error:
            raise Unavailable(f"{what} in {self._uri}: {_first_line(error)}") from None


def _content(hexdigest: str) -> str:
    return f"content/{hexdigest[:2]}/{hexdigest}"


def _record(key: str) -> str:
    return f"names/{key[:2]}/{key}"


def _unchanged(source: BinaryIO, hexdigest: str, tell: Progress) -> Iterator[bytes]:
    """The stream in pieces; raises at the end, which aborts the upload, if it is not what was hashed."""
    hasher, sent = sha256(), 0
    while chunk := source.read(CHUNK):
        hasher.update(chunk)
        sent += len(chunk)
        yield chunk
        tell(sent)
    if hasher.hexdigest() != hexdigest:
        raise Invalid(
            f"the file changed while it was put into the store: sha256:{hexdigest} became "
            f"sha256:{hasher.hexdigest()}; put it again when nothing writes to it"
        )


def _tell_nobody(_: int) -> None:
    pass


def _first_line(error: Exception) -> str:
    """What an obstore error says, without the request's details that follow."""
    return " ".join(str(error).partition("Debug source")[0].split())[:500]
