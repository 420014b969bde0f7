"""Artifacts and the complete list of them that people sign off."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from baton.model.base import Commit, Digest, FileName, Name, Value, canonical_json, digest_of
from baton.model.version import Version

PREVIEW_FILES = 40
"""How many files a reference carries along for people to look at; a history must not grow with the number of files."""

SBOM_SUFFIX = ".spdx.json"
"""What is appended to a file's name for the SPDX document that describes it."""


class Artifact(Value):
    """One file by its content: size in bytes, SHA-256 digest."""

    name: FileName
    digest: Digest
    size: Annotated[int, Field(ge=0)]

    @property
    def sha256(self) -> str:
        """The bare hexadecimal digest, as ``sha256sum`` prints it."""
        return self.digest.removeprefix("sha256:")


def _in_order(artifacts: tuple[Artifact, ...]) -> None:
    names = [artifact.name for artifact in artifacts]
    if names != sorted(set(names)):
        raise ValueError("files are listed once each, sorted by name")


class ArtifactSet(Value):
    """Some files that belong together: what one step built, or the signatures of one kind; JSON in the store."""

    artifacts: tuple[Artifact, ...]

    @model_validator(mode="after")
    def _sorted(self) -> Self:
        _in_order(self.artifacts)
        return self

    @classmethod
    def of(cls, artifacts: list[Artifact]) -> Self:
        """A set of these files in canonical order."""
        return cls(artifacts=tuple(sorted(artifacts, key=lambda artifact: artifact.name)))

    def find(self, name: str) -> Artifact | None:
        """The file of that name, or None."""
        return next((artifact for artifact in self.artifacts if artifact.name == name), None)


class SetRef(Value):
    """An artifact set by reference: what a history carries instead of the list."""

    digest: Digest
    files: Annotated[int, Field(ge=0)]
    total_bytes: Annotated[int, Field(ge=0)]

    @classmethod
    def to(cls, artifacts: ArtifactSet) -> Self:
        """The reference to a set; the set itself has to be put into the store under the same digest."""
        return cls(
            digest=digest_of(canonical_json(artifacts)),
            files=len(artifacts.artifacts),
            total_bytes=sum(artifact.size for artifact in artifacts.artifacts),
        )


class ManifestFile(Artifact):
    """A released file: its content, the step that made it, and the SBOM that describes it.

    Attributes:
        step: the step of the plan that made the file.
        sbom: the file name of its SPDX document in the same manifest, if there is one.
    """

    step: Name
    sbom: FileName | None = None


class Manifest(Value):
    """The complete list of a release's artifacts. Its digest is what people sign off and machines sign.

    Attributes:
        plan: digest of the plan that the release follows.
        files: every released file but signatures, sorted by name.
    """

    kind: Literal["urn:baton:manifest:v1"] = "urn:baton:manifest:v1"
    project: Name
    version: Version
    plan: Digest
    commit: Commit
    files: tuple[ManifestFile, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _sorted(self) -> Self:
        _in_order(self.files)
        return self

    @property
    def digest(self) -> Digest:
        """The manifest's name: the digest of its canonical JSON."""
        return digest_of(canonical_json(self))


class ManifestRef(Value):
    """A manifest by reference, with its first files for people to look at.

    Attributes:
        preview: the first :data:`PREVIEW_FILES` files; ``files`` says how many there are.
    """

    digest: Digest
    files: Annotated[int, Field(ge=1)]
    total_bytes: Annotated[int, Field(ge=0)]
    preview: tuple[Artifact, ...] = Field(max_length=PREVIEW_FILES)

    @classmethod
    def to(cls, manifest: Manifest) -> Self:
        """The reference to a manifest that is in the store under its digest."""
        return cls(
            digest=manifest.digest,
            files=len(manifest.files),
            total_bytes=sum(file.size for file in manifest.files),
            preview=tuple(
                Artifact(name=file.name, digest=file.digest, size=file.size) for file in manifest.files[:PREVIEW_FILES]
            ),
        )
