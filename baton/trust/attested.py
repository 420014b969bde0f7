"""What verifying statements about files found: what they say, and the verdict that follows."""

from __future__ import annotations

from datetime import datetime  # pydantic reads it at run time
from typing import TYPE_CHECKING, Any

from baton.attestation.release import ReleasePredicate  # pydantic reads it at run time
from baton.model.base import Digest, Value
from baton.model.manifest import Manifest  # pydantic reads it at run time
from baton.trust.result import SignatureResult  # pydantic reads it at run time

if TYPE_CHECKING:
    from baton.attestation.slsa import Provenance

_SOURCE = "source"


class Made(Value):
    """How a file was made, as its provenance states it.

    Attributes:
        build_type: what was done; ``urn:baton:build:v1`` is a build, ``urn:baton:hand-in:v1`` a person's word.
        builder: the platform that did it.
        repository: of the source, as a URI; None where nothing proves what the file was made of.
        commit: which commit of it; None where nothing proves that.
        parameters: everything that people chose for it.
        run: the run of the outside system, or Baton's own name for the attempt.
        plan: the plan that was followed.
        manifest: the list of files that it is of.
    """

    build_type: str
    builder: str
    project: str | None
    version: str | None
    repository: str | None
    commit: str | None
    parameters: dict[str, Any]
    run: str | None
    started: datetime | None
    finished: datetime | None
    plan: str | None
    manifest: str | None

    @classmethod
    def of(cls, provenance: Provenance) -> Made:
        """What provenance says, whoever made it."""
        definition, details = provenance.build_definition, provenance.run_details
        source = next((each for each in definition.resolved_dependencies if each.name == _SOURCE), None)
        metadata, internal = details.metadata, definition.internal_parameters or {}
        return cls(
            build_type=definition.build_type,
            builder=details.builder.id,
            project=_text(definition.external_parameters.get("project")),
            version=_text(definition.external_parameters.get("version")),
            repository=source.uri if source else None,
            commit=(source.digest or {}).get("gitCommit") if source else None,
            parameters=definition.external_parameters,
            run=metadata.invocation_id if metadata else None,
            started=metadata.started_on if metadata else None,
            finished=metadata.finished_on if metadata else None,
            plan=_text(internal.get("plan")),
            manifest=_text(internal.get("manifest")),
        )


class ProvenanceResult(Value):
    """One file, and the statement of how it was made.

    Attributes:
        digest: of the file; None when it could not be read.
        version: which version the file is taken to belong to, and
        stream: which stream's machines count for it.
        signature: who signed the statement, if there is one.
        made: what the statement says. Only to be relied on when the result is true.
        problems: why it does not count; empty when it does.
    """

    name: str
    digest: Digest | None
    version: str | None = None
    stream: str | None = None
    signature: SignatureResult | None = None
    made: Made | None = None
    problems: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.signature) and self.made is not None and not self.problems


class ReleaseResult(Value):
    """A release's manifest, and the statement of who agreed to it.

    Attributes:
        digest: of the manifest.
        manifest: the list of files.
        signature: who signed the statement, if there is one.
        stated: what it says. Only to be relied on when the result is true.
        problems: why it does not count; empty when it does.
    """

    name: str
    digest: Digest
    manifest: Manifest
    signature: SignatureResult | None = None
    stated: ReleasePredicate | None = None
    problems: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.signature) and self.stated is not None and not self.problems


class ProvenanceReport(Value):
    """A verification of provenance as a whole.

    Attributes:
        release: the release that the files have to be of, if one was given.
    """

    files: tuple[ProvenanceResult, ...]
    release: ReleaseResult | None = None

    def __bool__(self) -> bool:
        return bool(self.files) and all(self.files) and (self.release is None or bool(self.release))

    @property
    def failures(self) -> tuple[str, ...]:
        """One line for each thing that is wrong, naming the file."""
        release = () if self.release is None else tuple(f"{self.release.name}: {p}" for p in self.release.problems)
        return (*release, *(f"{file.name}: {problem}" for file in self.files for problem in file.problems))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
