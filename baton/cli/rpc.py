"""Temporal's refusals as Baton's errors: what was meant to happen, what came, and what to do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from temporalio.common import SearchAttributeIndexedValueType
from temporalio.service import RPCError, RPCStatusCode

from baton.model.errors import BatonError, Failed, Invalid, Missing, Refused, Unavailable
from workflows.visibility import SEARCH_ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_ANSWER = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.FAILED_PRECONDITION)
"""What comes of asking a workflow whose worker is gone: nothing in time, or the server's word that no worker polls."""


_KINDS = (
    ("Keyword", SearchAttributeIndexedValueType.KEYWORD),
    ("KeywordList", SearchAttributeIndexedValueType.KEYWORD_LIST),
)


@contextmanager
def told(what: str) -> Iterator[None]:
    """Raise Temporal's refusal of a call as the error that says it to a person.

    Args:
        what: what could not be done: ``could not start hello 1.0.0``.

    Raises:
        BatonError: the refusal; permanent unless trying again may help.
    """
    try:
        yield
    except RPCError as error:
        raise problem(error, what) from error


def problem(error: RPCError, what: str) -> BatonError:
    """Temporal's refusal of a call, in words."""
    match error.status:
        case RPCStatusCode.NOT_FOUND:
            return Missing(f"{what}: {error.message}")
        case RPCStatusCode.PERMISSION_DENIED | RPCStatusCode.UNAUTHENTICATED:
            return Refused(
                f"{what}: Temporal refuses these credentials ({error.message}): look at your Temporal profile"
            )
        case RPCStatusCode.UNAVAILABLE | RPCStatusCode.RESOURCE_EXHAUSTED | RPCStatusCode.ABORTED:
            return Unavailable(f"{what}: Temporal can't be reached or is busy ({error.message}): try again")
        case RPCStatusCode.DEADLINE_EXCEEDED | RPCStatusCode.CANCELLED:
            return Unavailable(f"{what}: Temporal did not answer in time: try again")
        case RPCStatusCode.INVALID_ARGUMENT if "search attribute" in error.message.lower():
            return Invalid(
                f"{what}: {error.message}. The namespace has not all of Baton's search attributes; "
                f"add them: {_add_attributes()}"
            )
        case RPCStatusCode.INVALID_ARGUMENT:
            return Invalid(f"{what}: {error.message}")
        case _:
            return Failed(f"{what}: {error.message} ({error.status.name})")


def _add_attributes() -> str:
    """The commands that do it: one for each attribute, since the CLI adds only the first that it is given."""
    return " && ".join(
        f"temporal operator search-attribute create --name {key.name} --type {name}"
        for name, kind in _KINDS
        for key in SEARCH_ATTRIBUTES
        if key.indexed_value_type is kind
    )
