"""in-toto Statements: about a file, a predicate of some type.

Specification: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md. As its parsing rules say, fields
that are not known here are passed over when a statement is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import rfc8785
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from baton.model.errors import Invalid
from baton.model.statement import facts_of

if TYPE_CHECKING:
    from baton.model.base import Digest


class Document(BaseModel):
    """Part of a document whose form others have laid down: names in camel case, unknown fields passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    def fields(self) -> dict[str, Any]:
        """The fields as JSON values, without those that are not set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Resource(Document):
    """Something that a statement names: a ``ResourceDescriptor`` of in-toto.

    Specification: https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md.

    Attributes:
        digest: by algorithm: ``sha256``, or ``gitCommit`` for the id of a commit.
    """

    name: str | None = None
    uri: str | None = None
    digest: dict[str, str] | None = None
    annotations: dict[str, Any] | None = None

    @classmethod
    def of(cls, name: str, digest: Digest) -> Resource:
        """A file by its name and content."""
        return cls(name=name, digest={"sha256": digest.removeprefix("sha256:")})


class Statement(Document):
    """A statement."""

    type: Literal["https://in-toto.io/Statement/v1"] = Field(default="https://in-toto.io/Statement/v1", alias="_type")
    subject: Annotated[tuple[Resource, ...], Field(min_length=1)]
    predicate_type: str
    predicate: dict[str, Any]

    def is_about(self, digest: Digest) -> bool:
        """Whether it is about the content with this digest."""
        wanted = digest.removeprefix("sha256:")
        return any((subject.digest or {}).get("sha256") == wanted for subject in self.subject)

    def content(self) -> bytes:
        """The bytes to sign: canonical JSON (RFC 8785)."""
        return rfc8785.dumps(self.fields())


def read_statement(content: bytes) -> Statement:
    """Read a statement.

    Raises:
        Invalid: it is none; the message says what is wrong with it.
    """
    try:
        return Statement.model_validate_json(content)
    except ValidationError as error:
        raise Invalid(f"what is signed is not an in-toto Statement v1: {facts_of(error)}") from error
