"""SLSA provenance v1: how a file came to be.

Specification: https://slsa.dev/spec/v1.0/provenance. The words of its fields are the specification's.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  # pydantic reads it at run time
from typing import Any

from baton.attestation.statement import Document, Resource

PREDICATE_TYPE = "https://slsa.dev/provenance/v1"


class BuildDefinition(Document):
    """All that went into a build.

    Attributes:
        build_type: how the parameters are to be read.
        external_parameters: what people chose.
        internal_parameters: what the build platform added.
        resolved_dependencies: what was fetched for it, by its content.
    """

    build_type: str
    external_parameters: dict[str, Any]
    internal_parameters: dict[str, Any] | None = None
    resolved_dependencies: tuple[Resource, ...] = ()


class Builder(Document):
    """The platform that is trusted to have done what the provenance says."""

    id: str
    version: dict[str, str] | None = None


class Metadata(Document):
    """One execution of the build."""

    invocation_id: str | None = None
    started_on: datetime | None = None
    finished_on: datetime | None = None


class RunDetails(Document):
    """Who executed the build, when, and what else came of it."""

    builder: Builder
    metadata: Metadata | None = None
    byproducts: tuple[Resource, ...] = ()


class Provenance(Document):
    """The predicate."""

    build_definition: BuildDefinition
    run_details: RunDetails
