"""How much people can say to one release: far more than they ever need, and less than Temporal's limits.

A history of 51,200 events or 52,428,800 bytes ends a workflow, and no message of one may have more than 2,097,152 bytes
(https://docs.temporal.io/cloud/limits#per-workflow-execution-limits; a server of one's own has the same by default).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from baton.model.acts import Act, Cancel, Replan
    from baton.model.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_ACTS = 1500
"""How many acts a release hears. Temporal takes 2,000 updates."""

RECORD_BYTES = 1_000_000
"""How many bytes of JSON their record may have, which travels as one message with the plan and the log."""

HISTORY_EVENTS, HISTORY_BYTES = 30_000, 30_000_000
"""How long the history may be for another act; the rest is for finishing the release."""

LAST_WORDS = 20
"""How many acts that end the release, or have it begin again, are heard after all that."""


class Room:
    """What is left of the room for people's acts.

    Args:
        links: how many bytes each act so far takes in the record.
    """

    def __init__(self, links: Iterable[int]) -> None:
        sizes = tuple(links)
        self._acts = len(sizes)
        self._bytes = sum(sizes)
        self._last_words = 0

    def require(self, kind: type[Act]) -> None:
        """Require room for another act.

        Raises:
            Invalid: there is none.
        """
        if not self._has_some and not (issubclass(kind, Cancel | Replan) and self._last_words < LAST_WORDS):
            raise Invalid(
                f"this release has heard {self._acts:,} acts and has no room for more: cancel it, and start it again"
            )

    def take(self) -> None:
        """An act is heard, and counts before it is proven: many may come at once."""
        self._last_words += not self._has_some
        self._acts += 1

    def fill(self, size: int) -> None:
        """An act is on the record, with so many bytes."""
        self._bytes += size

    @property
    def _has_some(self) -> bool:
        now = workflow.info()
        return (
            self._acts < MOST_ACTS
            and self._bytes < RECORD_BYTES
            and now.get_current_history_length() < HISTORY_EVENTS
            and now.get_current_history_size() < HISTORY_BYTES
        )
