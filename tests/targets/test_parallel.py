"""Work on many files at once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from baton.model.base import digest_of
from baton.model.errors import BatonError, Conflict, Failed, Missing, Unavailable
from baton.model.manifest import Artifact
from baton.targets.parallel import for_each
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from baton.store import Progress

FILES = [Artifact(name=f"file-{number}", digest=digest_of(b""), size=10) for number in range(9)]


def test_several_files_are_worked_on_at_once() -> None:
    together = threading.Barrier(3, timeout=PATIENCE)

    def meet(_file: Artifact, _tell: Progress) -> None:
        together.wait()

    for_each(FILES, meet, at_once=3)


def test_cancelling_ends_the_work_under_way_and_starts_no_other() -> None:
    started: list[str] = []

    def endless(file: Artifact, tell: Progress) -> None:
        started.append(file.name)
        while True:
            tell(1)

    def cancel(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        for_each(FILES, endless, at_once=2, progress=cancel)
    assert len(started) == 2


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        ([Unavailable("u"), Missing("m"), Conflict("c")], Conflict),
        ([Unavailable("u"), Failed("f")], Failed),
        ([Unavailable("u"), Unavailable("v")], Unavailable),
    ],
)
def test_the_gravest_problem_decides_and_all_are_told(raised: list[BatonError], kind: type[BatonError]) -> None:
    problems = dict(zip((file.name for file in FILES), raised, strict=False))

    def work(file: Artifact, _: Progress) -> None:
        if file.name in problems:
            raise problems[file.name]

    with pytest.raises(kind) as error:
        for_each(FILES, work, at_once=4)
    assert set(str(error.value).split("; ")) == {str(problem) for problem in raised}


def test_many_problems_fit_into_one_message() -> None:
    def work(file: Artifact, _: Progress) -> None:
        raise Missing(file.name)

    with pytest.raises(Missing, match=r"; and 4 more$"):
        for_each(FILES, work, at_once=4)
