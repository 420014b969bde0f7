"""Search attributes: what the Web UI and ``baton list`` find releases by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baton.model.plan import Plan

PROJECT = SearchAttributeKey.for_keyword("BatonProject")
STREAM = SearchAttributeKey.for_keyword("BatonStream")
VERSION = SearchAttributeKey.for_keyword("BatonVersion")
KIND = SearchAttributeKey.for_keyword("BatonKind")
PHASE = SearchAttributeKey.for_keyword("BatonPhase")
WAITING_ON = SearchAttributeKey.for_keyword_list("BatonWaitingOn")
"""The roles that can bring the release forward now."""
WAITING_FOR = SearchAttributeKey.for_keyword_list("BatonWaitingFor")
"""What the release waits for: ``sign-off:publish``, ``decision:windows``."""

_FIRST = "prepare"
"""The phase in which everything begins."""

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


def attributes_of(plan: Plan) -> TypedSearchAttributes:
    """What a release is found by from its start."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(PROJECT, plan.release.project),
            SearchAttributePair(STREAM, plan.stream.name),
            SearchAttributePair(VERSION, plan.version),
            SearchAttributePair(KIND, plan.release_kind.value),
            SearchAttributePair(PHASE, _FIRST),
        ]
    )


def attributes_that_tell_nothing(project: str) -> TypedSearchAttributes:
    """What a security release is found by, and its releases under an embargo: no version, stream or kind."""
    return TypedSearchAttributes([SearchAttributePair(PROJECT, project), SearchAttributePair(PHASE, _FIRST)])
