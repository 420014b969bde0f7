"""Search attributes: what the Web UI and ``baton list`` find releases by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.common import SearchAttributeKey

if TYPE_CHECKING:
    from collections.abc import Sequence

PROJECT = SearchAttributeKey.for_keyword("BatonProject")
STREAM = SearchAttributeKey.for_keyword("BatonStream")
VERSION = SearchAttributeKey.for_keyword("BatonVersion")
KIND = SearchAttributeKey.for_keyword("BatonKind")
PHASE = SearchAttributeKey.for_keyword("BatonPhase")
WAITING_ON = SearchAttributeKey.for_keyword_list("BatonWaitingOn")
"""The roles that can bring the release forward now."""
WAITING_FOR = SearchAttributeKey.for_keyword_list("BatonWaitingFor")
"""What the release waits for: ``sign-off:publish``, ``decision:windows``."""

SEARCH_ATTRIBUTES: tuple[SearchAttributeKey[str] | SearchAttributeKey[Sequence[str]], ...] = (
    PROJECT,
    STREAM,
    VERSION,
    KIND,
    PHASE,
    WAITING_ON,
    WAITING_FOR,
)
"""Every attribute that a namespace must have before a release can start in it."""
