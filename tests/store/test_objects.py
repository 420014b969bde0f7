"""What only a store in a bucket can show: careless servers, and an upload that must not complete."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from baton.model.base import digest_of
from baton.model.errors import Conflict, Failed, Invalid, Missing, Unavailable
from baton.store import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.store.conftest import S3Server

CONTENT = b"release" * 1000
DIGEST = digest_of(CONTENT)
KEY = f"prefix/content/{DIGEST[7:9]}/{DIGEST[7:]}"


@pytest.mark.parametrize("damaged", [CONTENT[:-1], b"X" + CONTENT[1:], b""], ids=["truncated", "bit rot", "emptied"])
def test_damaged_content_is_named_never_served_and_healed(s3: S3Server, tmp_path: Path, damaged: bytes) -> None:
    bucket = s3.make_bucket()
    store = open_store(f"s3://{bucket}/prefix")
    store.put_bytes(CONTENT)
    s3.overwrite(bucket, KEY, damaged)

    both = f"{DIGEST}.*damaged.*{digest_of(damaged)}"
    with pytest.raises(Conflict, match=both):
        store.read(DIGEST)
    with pytest.raises(Conflict, match=both):
        store.fetch(DIGEST, tmp_path / "fetched")
    assert not list(tmp_path.iterdir())

    store.put_bytes(CONTENT)
    assert store.read(DIGEST) == CONTENT


def test_what_the_server_keeps_differently_is_found_when_it_is_put(s3: S3Server) -> None:
    store = open_store(f"s3://{s3.make_bucket()}")
    s3.spoils_content = True
    with pytest.raises(Unavailable, match=f"{DIGEST[7:]} does not hold what was put there"):
        store.put_bytes(CONTENT)


def test_a_name_is_not_remembered_where_it_could_change(s3: S3Server) -> None:
    store = open_store(f"s3://{s3.make_bucket()}")
    s3.ignores_conditions = True
    with pytest.raises(Failed, match="ignores If-None-Match"):
        store.remember("run/1", DIGEST)
    assert store.recall("run/1") is None


@pytest.mark.parametrize("size", [3_000_000, 20_000_000], ids=["one request", "several parts"])
def test_a_file_that_changes_while_it_is_put_is_refused(s3: S3Server, tmp_path: Path, size: int) -> None:
    store = open_store(f"s3://{s3.make_bucket()}")
    path = tmp_path / "growing"
    path.write_bytes(bytes(size))
    first = digest_of(bytes(size))

    def change(_: int) -> None:
        with path.open("r+b") as file:
            file.seek(size - 1)
            file.write(b"X")

    with pytest.raises(Invalid, match=f"changed while .*{first} became"):
        store.put_file(path, progress=change)
    assert not store.has(first)


def test_a_server_that_is_down_is_worth_another_try_and_no_bucket_is_not(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = open_store("s3://no-such-bucket")
    with pytest.raises(Failed, match="the bucket of s3://no-such-bucket is not there"):
        nowhere.put_bytes(CONTENT)
    with pytest.raises(Failed, match="the bucket of s3://no-such-bucket is not there"):
        nowhere.read(DIGEST)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(Unavailable, match=f"could not look for {DIGEST} in s3://bucket") as raised:
        open_store("s3://bucket").has(DIGEST)
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in str(raised.value)
    assert s3.url not in str(raised.value)


def test_access_refused_needs_a_person(s3: S3Server) -> None:
    store = open_store(f"s3://{s3.make_bucket()}")
    s3.refuses = True
    with pytest.raises(Failed, match="access refused") as raised:
        store.read(DIGEST)
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in str(raised.value)


def test_two_prefixes_of_a_bucket_are_two_stores(s3: S3Server) -> None:
    bucket = s3.make_bucket()
    open_store(f"s3://{bucket}/one").put_bytes(CONTENT)
    with pytest.raises(Missing, match=DIGEST):
        open_store(f"s3://{bucket}/two").read(DIGEST)


@pytest.mark.parametrize("uri", ["s3://", "s3:///prefix", "s3://key:never-shown@bucket/prefix", "s3://bucket/p?x=1"])
def test_an_address_without_a_bucket_or_with_more_is_refused(uri: str) -> None:
    with pytest.raises(Invalid, match="s3://bucket/prefix") as raised:
        open_store(uri)
    assert "never-shown" not in str(raised.value)
