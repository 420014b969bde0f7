"""What every store does, shown on each kind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from baton.model.base import canonical_json, digest_of
from baton.model.errors import Conflict, Invalid, Missing
from baton.model.manifest import Artifact, ArtifactSet, SetRef

if TYPE_CHECKING:
    from pathlib import Path

    from baton.store import Store

ABSENT = digest_of(b"never put")


def test_a_file_is_kept_under_its_digest_and_comes_back(store: Store, tmp_path: Path) -> None:
    content = b"baton" * 1_000_000
    (tmp_path / "hello-1.0.tar.gz").write_bytes(content)

    artifact = store.put_file(tmp_path / "hello-1.0.tar.gz")
    store.fetch(artifact.digest, tmp_path / "again")

    assert artifact == Artifact(name="hello-1.0.tar.gz", digest=digest_of(content), size=len(content))
    assert (tmp_path / "again").read_bytes() == content
    assert store.has(artifact.digest)
    assert not store.has(ABSENT)


def test_an_empty_file_is_content_like_any_other(store: Store, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    artifact = store.put_file(tmp_path / "empty")
    assert store.read(artifact.digest) == b""


def test_progress_tells_the_bytes_so_far_up_to_the_size(store: Store, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(3_000_000))
    put: list[int] = []
    fetched: list[int] = []

    artifact = store.put_file(tmp_path / "big", progress=put.append)
    store.fetch(artifact.digest, tmp_path / "again", progress=fetched.append)

    for told in (put, fetched):
        assert told == sorted(told)
        assert told[-1] == 3_000_000


def test_what_is_not_there_is_missing_by_its_digest(store: Store, tmp_path: Path) -> None:
    with pytest.raises(Missing, match=ABSENT):
        store.read(ABSENT)
    with pytest.raises(Missing, match=ABSENT):
        store.fetch(ABSENT, tmp_path / "file")
    assert not list(tmp_path.glob("file*"))
    with pytest.raises(Missing, match=r"nowhere is not there"):
        store.put_file(tmp_path / "nowhere")


@pytest.mark.parametrize("digest", ["sha256:../../etc/passwd", "", "sha256:" + "A" * 64, f"{ABSENT}\n", "md5:0"])
def test_what_is_no_digest_never_becomes_a_path(store: Store, digest: str) -> None:
    with pytest.raises(Invalid, match="is no digest"):
        store.read(digest)
    with pytest.raises(Invalid, match="is no digest"):
        store.has(digest)
    with pytest.raises(Invalid, match="is no digest"):
        store.remember("name", digest)


def test_a_document_over_the_limit_is_refused(store: Store) -> None:
    digest = store.put_bytes(b"12345")
    assert store.read(digest, limit=5) == b"12345"
    with pytest.raises(Invalid, match="longer than the 4 bytes"):
        store.read(digest, limit=4)


def test_links_folders_and_unpublishable_names_are_no_artifacts(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "folder").mkdir()
    (tmp_path / ".hidden").write_bytes(b"x")
    for name, why in (("link", "is a link"), ("folder", "is a folder"), (".hidden", "artifact's name")):
        with pytest.raises(Invalid, match=why):
            store.put_file(tmp_path / name)


def test_fetching_twice_is_harmless_and_never_overwrites_something_else(store: Store, tmp_path: Path) -> None:
    digest = store.put_bytes(b"right")
    store.fetch(digest, tmp_path / "file")
    store.fetch(digest, tmp_path / "file")

    (tmp_path / "other").write_bytes(b"mine")
    with pytest.raises(Conflict, match=f"{digest_of(b'mine')}.*{digest}"):
        store.fetch(digest, tmp_path / "other")
    assert (tmp_path / "other").read_bytes() == b"mine"


def test_writing_to_a_fetched_file_leaves_the_store_as_it_was(store: Store, tmp_path: Path) -> None:
    digest = store.put_bytes(b"right")
    store.fetch(digest, tmp_path / "file")
    (tmp_path / "file").write_bytes(b"wrong")
    assert store.read(digest) == b"right"


def test_an_artifact_set_comes_back_by_reference_or_digest(store: Store) -> None:
    artifacts = ArtifactSet.of([Artifact(name=name, digest=digest_of(b"x"), size=1) for name in ("b", "a")])
    ref = store.put_set(artifacts)
    assert ref == SetRef.to(artifacts)
    assert store.read_set(ref) == store.read_set(ref.digest) == artifacts


def test_what_is_no_canonical_artifact_set_is_refused(store: Store) -> None:
    artifacts = ArtifactSet.of([Artifact(name="a", digest=digest_of(b"x"), size=1)])
    ref = store.put_set(artifacts)
    with pytest.raises(Invalid, match="no artifact set"):
        store.read_set(store.put_bytes(b'{"files": []}'))
    with pytest.raises(Invalid, match="canonical"):
        store.read_set(store.put_bytes(canonical_json(artifacts) + b"\n"))
    with pytest.raises(Invalid, match="the reference says"):
        store.read_set(ref.model_copy(update={"total_bytes": 2}))


def test_a_name_stands_for_one_digest_for_good(store: Store) -> None:
    first, second = digest_of(b"1"), digest_of(b"2")
    name = "run/0191-ab/build/windows/1"
    assert store.recall(name) is None

    store.remember(name, first)
    store.remember(name, first)
    with pytest.raises(Conflict, match=f"{first}.*{second}"):
        store.remember(name, second)
    assert store.recall(name) == first

    store.forget(name)
    store.forget(name)
    assert store.recall(name) is None
    store.remember(name, second)
    assert store.recall(name) == second


def test_names_never_meet(store: Store) -> None:
    names = ["run/a", "run/A", "run", "run/a/b", "run-a", "run/1!2.0+x", "/".join(["s" * 200] * 16)]
    for name in names:
        store.remember(name, digest_of(name.encode()))
    assert [store.recall(name) for name in names] == [digest_of(name.encode()) for name in names]


@pytest.mark.parametrize(
    "name", ["", "/a", "a/", "a//b", "../a", "a/../b", "a b", "a\n", "é", "a" * 201, "a/" * 16 + "a"]
)
def test_other_names_are_refused(store: Store, name: str) -> None:
    with pytest.raises(Invalid, match="can't be remembered"):
        store.remember(name, ABSENT)
    with pytest.raises(Invalid, match="can't be remembered"):
        store.recall(name)


def test_of_many_who_remember_at_once_one_wins(store: Store) -> None:
    digests = [digest_of(str(number).encode()) for number in range(16)]

    def attempt(digest: str) -> bool:
        try:
            store.remember("race", digest)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        won = [digest for digest, ok in zip(digests, pool.map(attempt, digests), strict=True) if ok]
    assert won == [store.recall("race")]


def test_many_threads_put_the_same_content_at_once(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"same" * 100_000)
    with ThreadPoolExecutor(8) as pool:
        artifacts = set(pool.map(lambda _: store.put_file(tmp_path / "file"), range(16)))
    assert len(artifacts) == 1
    assert store.read(artifacts.pop().digest) == b"same" * 100_000
