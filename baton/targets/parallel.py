"""Work on many files at once: progress in one number, and every problem told, the gravest first."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from baton.model.errors import BatonError, Conflict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from baton.model.manifest import Artifact
    from baton.store import Progress

_REPORT_EVERY = 1.0
"""Seconds between two reports of progress."""

_NAMED = 5
"""How many of several problems a message tells."""


class _Ended(Exception):
    """The act is over: the caller was cancelled."""


def for_each(
    files: Sequence[Artifact],
    work: Callable[[Artifact, Progress], None],
    *,
    at_once: int,
    progress: Progress | None = None,
) -> None:
    """Do something for every file, several at once, and say everything that went wrong.

    Args:
        files: which files.
        work: takes a file and something to tell the bytes of it that have been handled so far.
        at_once: how many threads.
        progress: told the bytes of all files so far, from the calling thread and about once a second; what it raises
            ends the work.

    Raises:
        BatonError: of the gravest kind that any file had (Conflict, then what is permanent); its message tells all.
    """
    handled: dict[str, int] = {}
    ended = threading.Event()

    def one(file: Artifact) -> None:
        def tell(done: int) -> None:
            if ended.is_set():
                raise _Ended
            handled[file.name] = done

        work(file, tell)
        handled[file.name] = file.size

    with ThreadPoolExecutor(at_once, thread_name_prefix="target") as pool:
        try:
            pending = {pool.submit(one, file) for file in files}
            problems: list[BatonError] = []
            while pending:
                done, pending = wait(pending, timeout=_REPORT_EVERY, return_when=FIRST_COMPLETED)
                problems += [error for future in done if (error := _problem(future.exception())) is not None]
                if progress is not None:
                    progress(sum(list(handled.values())))
        finally:
            # In this order: a thread that is told to end must not take up the next file.
            pool.shutdown(wait=False, cancel_futures=True)
            ended.set()
    if problems:
        raise _gravest(problems)


def _problem(error: BaseException | None) -> BatonError | None:
    if error is None or isinstance(error, BatonError):
        return error
    raise error


def _gravest(problems: list[BatonError]) -> BatonError:
    if len(problems) == 1:
        return problems[0]
    ranked = sorted(
        problems, key=lambda problem: (not isinstance(problem, Conflict), not problem.permanent, str(problem))
    )
    more = f"; and {len(ranked) - _NAMED} more" if len(ranked) > _NAMED else ""
    return type(ranked[0])("; ".join(str(problem) for problem in ranked[:_NAMED]) + more)
