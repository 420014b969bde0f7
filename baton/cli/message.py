"""What a person says to a release, as it travels to it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import rfc8785

if TYPE_CHECKING:
    from baton.model.acts import Act


@dataclass(frozen=True)
class Message:
    """An act in the envelope that proves it, or the plain act where a rehearsal takes people at their word.

    Attributes:
        handler: the name of the update that takes it, and of the signal of the same meaning.
        content: JSON.
        signed: whether there is an envelope.
    """

    handler: str
    content: dict[str, Any]
    signed: bool

    @classmethod
    def of(cls, act: Act, envelope: dict[str, Any] | None = None) -> Message:
        """The message that says an act."""
        plain = act.model_dump(mode="json", exclude_none=True)
        return cls(act.kind.replace("-", "_"), plain if envelope is None else envelope, envelope is not None)

    @property
    def digest(self) -> str:
        """The digest of its canonical JSON (RFC 8785), by which the record names an envelope."""
        return "sha256:" + hashlib.sha256(rfc8785.dumps(self.content)).hexdigest()

    @property
    def update_id(self) -> str:
        """The id of the update that carries it: the same for the same content, so that asking again sends nothing."""
        return f"{self.handler}-{self.digest.removeprefix('sha256:')}"
