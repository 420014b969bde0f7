"""The ground every value stands on: frozen models, bounded names, digests, canonical JSON."""

from __future__ import annotations

import hashlib
from typing import Annotated

import rfc8785
from pydantic import BaseModel, ConfigDict, StringConstraints


class Value(BaseModel):
    """An immutable value that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=64)]
"""The name of a project, step, gate, role, queue, target or person: lower case, digits, ``.``, ``_``, ``-``."""

FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._+-]*$", max_length=200)]
"""One published file's name: a single path segment of portable characters that starts with none of ``.``, ``-``."""

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
"""``sha256:`` and 64 lower-case hexadecimal digits: the name of any content in Baton."""

Commit = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
"""A whole git object id (SHA-1 or SHA-256); an abbreviation is not accepted."""

Text = Annotated[str, StringConstraints(max_length=2000)]
"""A person's or a system's words, bounded so that no message outgrows a workflow history."""

EnvName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=100)]
"""The name of an environment variable of the worker that needs the secret; the value never enters a plan."""


def canonical_json(value: BaseModel) -> bytes:
    """The one byte form of a value: RFC 8785 (JSON Canonicalization Scheme) of its JSON fields by alias."""
    return rfc8785.dumps(value.model_dump(mode="json", by_alias=True))


def digest_of(content: bytes) -> Digest:
    """The digest that names these bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def short(digest: str) -> str:
    """The first 12 hexadecimal digits, for people's eyes only; never compare by it."""
    return digest.removeprefix("sha256:")[:12]


def counted(number: int, noun: str) -> str:
    """A number of things in words: ``1 file``, ``1,200 files``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
