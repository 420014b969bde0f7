"""What is signed anew, and what becomes of the signatures that were public before."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from baton.model.base import Digest, FileName, Value


class OldSignatures(StrEnum):
    """What becomes of a signature in whose place a new one is put: kept beside it under a dated name, or dropped."""

    KEEP = "keep"
    REPLACE = "replace"


class PublicFile(Value):
    """A file that is public, as a person says that it is."""

    name: FileName
    digest: Digest


class Resigning(Value):
    """Fresh signatures for the files of one version that is public. The files themselves stay as they are.

    Which files they are, one of two says: the evidence that the release left, signed by those who sign the project's
    releases; or a list that a person gives, to which people agree before anything is signed.

    Attributes:
        evidence: the set in the store that holds the list of the release's evidence and its signatures.
        files: the list, sorted by name.
        old: what becomes of the signatures that were public before.
        dated: what kept signatures have in their names: a day in UTC, with a number where there are several of a day.
    """

    evidence: Digest | None = None
    files: tuple[PublicFile, ...] = Field(default=(), max_length=2000)
    old: OldSignatures = OldSignatures.KEEP
    dated: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(\.[1-9][0-9]?)?$")]

    @model_validator(mode="after")
    def _evidence_or_list(self) -> Self:
        if (self.evidence is None) != bool(self.files):
            raise ValueError("either the release's evidence or a list says which files are signed anew")
        names = [file.name for file in self.files]
        if names != sorted(set(names)):
            raise ValueError("files are listed once each, sorted by name")
        return self

    @property
    def kept(self) -> bool:
        """Whether the signatures that were public before stay, under dated names."""
        return self.old is OldSignatures.KEEP

    @property
    def fate(self) -> str:
        """What becomes of the old signatures, in words: ``kept, with 2026-11-23 in their names``."""
        return f"kept, with {self.dated} in their names" if self.kept else "replaced"

    def dated_name(self, signature: str) -> str:
        """The name under which a signature is kept: its day stands before its last suffix.

        ``hello.tar.gz.sigstore.json`` becomes ``hello.tar.gz.sigstore.2026-11-23.json``.
        """
        stem, dot, suffix = signature.rpartition(".")
        return f"{stem}.{self.dated}{dot}{suffix}"
