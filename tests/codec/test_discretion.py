"""What a worker that encrypts writes into its log has none of the words of a release."""

from __future__ import annotations

import logging

from baton.codec.discretion import Discreet

SECRET = "CVE-2026-31337"  # noqa: S105  # what is to be kept secret, no password


def written(name: str, message: str, *words: str, error: BaseException | None = None, **extra: object) -> str:
    record = logging.getLogger(name).makeRecord(
        name, logging.WARNING, "/somewhere/there.py", 7, message, words, (type(error), error, None) if error else None,
        extra=extra,
    )  # fmt: skip
    return Discreet().format(record)


def test_words_are_left_out_and_the_place_and_kind_of_trouble_are_not() -> None:
    error = RuntimeError(SECRET)
    error.__cause__ = ValueError(SECRET)
    line = written("temporalio.worker", f"failed: {SECRET} %s", SECRET, error=error)
    assert SECRET not in line
    assert line.endswith("WARNING temporalio.worker: said something at there:7, RuntimeError, ValueError")


def test_the_names_of_work_are_told() -> None:
    facts = {"workflow_id": "release/spam/1", "activity_type": "build_step", "attempt": 2, "input": SECRET}
    line = written("temporalio.activity", "failed", temporal_activity=facts)
    assert line.endswith("workflow_id release/spam/1, activity_type build_step, attempt 2")


def test_what_the_worker_says_of_itself_stays_and_is_one_line() -> None:
    assert written("baton.worker", "polling %s\n(%s)", "build", "docs").endswith("baton.worker: polling build (docs)")
