"""What a process that encrypts writes into its log: who, where and what kind of trouble, and none of its words.

The words of an error, a build or an announcement may hold what payloads hold: titles, reasons, file names, commit
messages, texts of advisories. They are in the release's own log, encrypted, for those who may read it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_OWN = ("baton.worker", "baton.codec")
"""The loggers whose words are known to hold nothing but names of queues, keys, projects and namespaces."""

_NAMES = ("workflow_id", "run_id", "activity_type", "activity_id", "attempt", "task_queue")
"""What of the SDK's facts about its work is shown: https://python.temporal.io/temporalio.activity.LoggerAdapter.html."""


class Discreet(logging.Formatter):
    """Writes one line for each record: in full if its logger is known to tell nothing, else without its words."""

    def format(self, record: logging.LogRecord) -> str:
        """See :meth:`logging.Formatter.format`."""
        start = f"{self.formatTime(record)} {record.levelname} {record.name}:"
        if record.name in _OWN:
            return " ".join([start, *record.getMessage().split()])
        facts = [f"said something at {record.module}:{record.lineno}", *_errors(record), *_about(record)]
        return f"{start} {', '.join(facts)}"


def be_discreet() -> None:
    """Have every handler of the root logger write so from now on."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(Discreet())


def _errors(record: logging.LogRecord) -> Iterator[str]:
    error = record.exc_info[1] if record.exc_info else None
    while error is not None:
        # The types alone: even a missing key's text is repeated in the codec's own words.
        yield f"{type(error).__name__}"
        error = error.__cause__


def _about(record: logging.LogRecord) -> Iterator[str]:
    for extra in ("temporal_workflow", "temporal_activity"):
        facts = getattr(record, extra, None)
        if isinstance(facts, dict):
            yield from (f"{name} {facts[name]}" for name in _NAMES if name in facts)
