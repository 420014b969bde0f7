"""An act as an in-toto Statement: the bytes that a person signs.

The subject is the digest that the act is about, the predicate the act itself. The form is the in-toto Statement v1
(https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md), in canonical JSON (RFC 8785).
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError

from baton.model.acts import ACTS, Act
from baton.model.base import Value, canonical_json
from baton.model.errors import Invalid

PAYLOAD_TYPE = "application/vnd.in-toto+json"
"""The media type of an in-toto Statement in a DSSE envelope."""

_PREDICATE = "urn:baton:act:v1:"
_KINDS = {_PREDICATE + kind.kind: kind for kind in ACTS}


class _Sha256(Value):
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Subject(Value):
    name: Annotated[str, StringConstraints(max_length=200)]
    digest: _Sha256


class _Statement(Value):
    type: Literal["https://in-toto.io/Statement/v1"] = Field(default="https://in-toto.io/Statement/v1", alias="_type")
    subject: tuple[_Subject] = Field(min_length=1, max_length=1)
    predicate_type: Annotated[str, StringConstraints(max_length=100)] = Field(alias="predicateType")
    predicate: dict[str, Any]


def statement_of(act: Act) -> bytes:
    """The in-toto Statement that says an act, as the bytes to sign.

    Raises:
        Invalid: the act has no time or no nonce, so that a copy of its statement would count again.
    """
    if act.at is None or not act.nonce:
        raise Invalid(f"a statement needs the time and a nonce; this {act.noun} has {act.at} and {act.nonce or 'none'}")
    predicate = act.model_dump(mode="json", by_alias=True, exclude={"subject"}, exclude_none=True)
    statement = _Statement(
        subject=(_Subject(name=str(act.release), digest=_Sha256(sha256=act.subject.removeprefix("sha256:"))),),
        predicate_type=_PREDICATE + act.kind,
        predicate=predicate,
    )
    return canonical_json(statement)


def act_of(statement: bytes) -> Act:
    """The act that an in-toto Statement says.

    Raises:
        Invalid: it is no such statement; the message says what was expected and what came.
    """
    try:
        read = _Statement.model_validate(json.loads(statement))
    except (ValueError, RecursionError) as error:
        raise Invalid(f"the signed payload is not an in-toto Statement v1: {facts_of(error)}") from error
    kind = _KINDS.get(read.predicate_type)
    if kind is None:
        raise Invalid(f"predicate type {read.predicate_type!r} is unknown; known: {', '.join(_KINDS)}")
    (subject,) = read.subject
    try:
        act = kind.model_validate({**read.predicate, "subject": f"sha256:{subject.digest.sha256}"})
    except ValidationError as error:
        raise Invalid(f"the statement is no {kind.noun}: {facts_of(error)}") from error
    if "subject" in read.predicate or subject.name != str(act.release):
        raise Invalid(f"the statement's subject is {subject.name!r}, but its predicate says {act.release}")
    if act.at is None or not act.nonce:
        raise Invalid("the statement lacks its time (`at`) or its nonce, so a copy of it could count again")
    return act


def facts_of(error: Exception) -> str:
    """What is wrong with a document, field by field, without repeating the document; at most five facts."""
    if not isinstance(error, ValidationError):
        return str(error)[:200] or type(error).__name__
    facts = error.errors(include_url=False, include_context=False, include_input=False)[:5]
    return "; ".join(f"{'.'.join(map(str, fact['loc'])) or 'message'}: {fact['msg']}" for fact in facts)
