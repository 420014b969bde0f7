"""Fetching back what the public sees."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from baton.model.base import digest_of
from baton.model.errors import Conflict, Failed, Unavailable
from baton.model.manifest import Artifact
from baton.store.files import digest_of_file
from baton.targets.directory import DirectoryAdapter

if TYPE_CHECKING:
    from tests.targets.conftest import World

EXE = "/hello/1.0.0/hello.exe"
RIGHT = digest_of(b"MZ")


@pytest.fixture
def released(world: World) -> World:
    world.target.stage(world.release, world.files, world.store)
    world.target.promote(world.release, world.files)
    return world


def check(world: World) -> int:
    return world.target.check_public(world.release, world.files)


@pytest.mark.parametrize("content", [b"ZM", b"", b"MZ and more"], ids=["other bytes", "empty", "too long"])
def test_a_file_that_comes_differently_is_named_with_what_was_expected(released: World, content: bytes) -> None:
    released.web.answer(EXE, content)
    with pytest.raises(Conflict, match=RIGHT) as raised:
        check(released)
    assert EXE in str(raised.value)
    came = "longer than the 2 bytes" if len(content) > 2 else digest_of(content)
    assert came in str(raised.value)


@pytest.mark.parametrize("status", [404, 410, 429, 500, 503])
def test_what_may_be_there_in_a_moment_is_worth_another_try(released: World, status: int) -> None:
    released.web.answer(EXE, status=status)
    with pytest.raises(Unavailable, match=f"{EXE} answers {status}"):
        check(released)
    released.web.instead.clear()
    assert check(released) == 3


@pytest.mark.parametrize("status", [401, 403, 204, 206])
def test_a_refusal_needs_a_person(released: World, status: int) -> None:
    released.web.answer(EXE, status=status)
    with pytest.raises(Failed, match=f"{EXE} answers {status}"):
        check(released)


def test_everything_wrong_is_told_the_gravest_first(released: World) -> None:
    released.web.answer(EXE, b"ZM")
    released.web.answer(f"{EXE}.asc", status=404)
    released.web.answer("/hello/1.0.0/hello-1.0.0.tar.gz", status=403)
    with pytest.raises(Conflict) as raised:
        check(released)
    told = str(raised.value)
    assert told.index(digest_of(b"ZM")) < told.index("answers 403") < told.index("answers 404")


def test_redirects_within_the_host_are_followed(released: World) -> None:
    released.web.answer(EXE, status=302, Location="../moved/hello.exe")
    released.web.answer("/hello/moved/hello.exe", b"MZ")
    assert check(released) == 3


@pytest.mark.parametrize("to", ["http://localhost:{port}/hello/1.0.0/hello.exe", "//example.org/x", "http://[x"])
def test_redirects_elsewhere_are_not(released: World, to: str) -> None:
    released.web.answer(EXE, status=302, Location=to.format(port=released.web.server_port))
    with pytest.raises(Failed, match=f"{EXE} redirects to"):
        check(released)
    assert released.web.asked.count(EXE) == 1


def test_redirects_in_circles_end(released: World) -> None:
    released.web.answer(EXE, status=302, Location=EXE)
    with pytest.raises(Failed, match="redirects more than 5 times"):
        check(released)
    assert released.web.asked.count(EXE) == 6


def test_the_bytes_on_the_server_count_not_what_a_client_would_unpack(released: World) -> None:
    released.web.answer(EXE, b"MZ", Content_Encoding="gzip")
    assert check(released) == 3


def test_a_transfer_that_breaks_off_is_worth_another_try(released: World) -> None:
    released.web.answer(EXE, b"M", Content_Length="2")
    with pytest.raises(Unavailable, match="RemoteProtocolError"):
        check(released)


def test_nobody_listening_is_worth_another_try(released: World) -> None:
    nobody = DirectoryAdapter(released.served, "http://127.0.0.1:1")
    with pytest.raises(Unavailable, match="ConnectError"):
        nobody.check_public(released.release, released.files)


def test_progress_reaches_the_size_of_all_files(released: World) -> None:
    told: list[int] = []
    released.target.check_public(released.release, released.files, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == sum(map(len, released.contents.values()))


def test_a_large_file_is_compared_in_constant_memory(world: World) -> None:
    size = 96 * 1024**2
    world.public.mkdir(parents=True)
    with (world.public / "large").open("wb") as large:
        large.truncate(size)
    digest, _ = digest_of_file(world.public / "large")
    tracemalloc.start()
    try:
        file = Artifact(name="large", digest=digest, size=size)
        assert world.target.check_public(world.release, [file]) == 1
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024**2
    finally:
        tracemalloc.stop()
