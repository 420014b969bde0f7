"""The provenance of one released file, put together from the plan and from what those who made the file recorded.

``docs/verify.md`` says what each field means to whoever verifies.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from baton import __version__
from baton.attestation.slsa import PREDICATE_TYPE, BuildDefinition, Builder, Metadata, Provenance, RunDetails
from baton.attestation.statement import Resource, Statement
from baton.model.attesting import Making
from baton.model.building import CommandBuilder, HandedInBuilder
from baton.model.outside import GitHubBuilder
from baton.model.outside_azure import AzureBuilder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baton.model.base import Digest
    from baton.model.building import Step
    from baton.model.code_signing import PlatformStep
    from baton.model.manifest import Artifact
    from baton.model.plan import Plan
    from baton.model.work import ReleaseRef

BUILT = "urn:baton:build:v1"
"""A step's builder made the file of the source."""

HANDED_IN = "urn:baton:hand-in:v1"
"""A person made the file and handed it in; nothing but their word says what it was made of."""

DESCRIBED = "urn:baton:describe:v1"
"""The file describes another released file: Baton made it of that file."""

_GITHUB_API = "https://api.github.com"


@dataclass(frozen=True)
class HandedIn:
    """A person handed a step's files in.

    Attributes:
        credential: what proves that they did, in words; None in a rehearsal that takes people at their word.
        envelope: the digest of the signed statement by which they did.
    """

    step: Step
    by: str
    role: str
    credential: str | None
    envelope: Digest | None


@dataclass(frozen=True)
class Described:
    """Baton described a released file."""

    file: Artifact


@dataclass(frozen=True)
class Rework:
    """A platform's signature was put into the file.

    Attributes:
        before: the digest that the file had.
    """

    step: PlatformStep
    before: Digest


@dataclass(frozen=True)
class Origin:
    """How a file was made.

    Attributes:
        reworked: what was done to it after that, in order.
    """

    made: Making | HandedIn | Described
    reworked: tuple[Rework, ...] = ()


@dataclass(frozen=True)
class Context:
    """The release that a file is of, as its signing worker knows it.

    Attributes:
        ref: which run of which release.
        plan: what people agreed to.
        commit: the tagged commit: the plan's, or the one that the plan's preparation made of it.
        manifest: the digest of the list of all files.
    """

    ref: ReleaseRef
    plan: Plan
    commit: str
    manifest: Digest


def provenance_of(file: Artifact, origin: Origin, release: Context) -> Statement:
    """The statement of how a file was made.

    Args:
        file: the released file.
        origin: how it was made; the caller has compared it with the plan.
        release: what it belongs to.
    """
    predicate = Provenance(
        build_definition=BuildDefinition(
            build_type=_build_type(origin),
            external_parameters=_chosen(origin, release),
            internal_parameters=_added(origin, release),
            resolved_dependencies=tuple(_dependencies(origin, release)),
        ),
        run_details=_run(origin, release),
    )
    return Statement(
        subject=(Resource.of(file.name, file.digest),), predicate_type=PREDICATE_TYPE, predicate=predicate.fields()
    )


def source_uri(repository: str) -> str:
    """A repository as the URI under which provenance names it (SPDX's form for git: ``git+https://…``)."""
    return f"git+{repository}" if "://" in repository else f"git+{_file_or_ssh(repository)}"


def _file_or_ssh(repository: str) -> str:
    if repository.startswith("/"):
        return PurePosixPath(repository).as_uri()
    # git's short form for SSH: user@host:path.
    return f"ssh://{repository.replace(':', '/', 1)}"


def _build_type(origin: Origin) -> str:
    match origin.made:
        case Making():
            return BUILT
        case HandedIn():
            return HANDED_IN
        case Described():
            return DESCRIBED


def _chosen(origin: Origin, release: Context) -> dict[str, Any]:
    source = release.plan.source
    chosen: dict[str, Any] = {
        "project": release.plan.release.project,
        "version": str(release.plan.release.version),
        "source": {"repository": source.repository, "commit": source.commit, "tag": source.tag},
    }
    if source.prepare:
        chosen["source"]["prepare"] = [list(command) for command in source.prepare]
    if not isinstance(origin.made, Described):
        chosen["step"] = origin.made.step.model_dump(mode="json", by_alias=True, exclude_none=True)
    if origin.reworked:
        chosen["signedWithin"] = [
            rework.step.model_dump(mode="json", by_alias=True, exclude_none=True) for rework in origin.reworked
        ]
    return chosen


def _added(origin: Origin, release: Context) -> dict[str, Any]:
    added: dict[str, Any] = {"plan": release.ref.plan, "manifest": release.manifest, "run": release.ref.run}
    if release.ref.sandbox:
        added["rehearsal"] = True
    match origin.made:
        case Making(by=by):
            added["madeBy"] = by
        case HandedIn(by=by, role=role, credential=credential):
            added["handedInBy"] = {"person": by, "role": role, "provenBy": credential or "nothing"}
    return added


def _dependencies(origin: Origin, release: Context) -> Sequence[Resource]:
    uri = source_uri(release.plan.source.repository)
    source = Resource(name="source", uri=uri, digest={"gitCommit": release.commit})
    before = [Resource.of(f"before {rework.step.name}", rework.before) for rework in origin.reworked]
    match origin.made:
        case Making():
            return [source, *before]
        case Described(file=file):
            return [source, Resource.of(file.name, file.digest)]
        case HandedIn():
            # Nobody but the person knows what they built.
            return before


def _run(origin: Origin, release: Context) -> RunDetails:
    version = {"baton": __version__}
    match origin.made:
        case Making() as made:
            byproducts = () if made.log is None else (Resource.of("log", made.log),)
            # In a record, not here: the outside system's own name for the run is its address.
            ours = f"urn:baton:run:{release.ref.run}:{quote(made.step.name)}:{made.attempt}"
            return RunDetails(
                builder=Builder(id=builder_id(made.step), version=version),
                metadata=Metadata(
                    invocation_id=made.run.url if made.run else ours,
                    started_on=made.started,
                    finished_on=made.finished,
                ),
                byproducts=byproducts,
            )
        case HandedIn() as handed_in:
            acts = (Resource.of("act", handed_in.envelope),) if handed_in.envelope else ()
            return RunDetails(builder=Builder(id="urn:baton:builder:person", version=version), byproducts=acts)
        case Described():
            return RunDetails(builder=Builder(id="urn:baton:builder:baton", version=version))


def builder_id(step: Step) -> str:
    """The URI of the platform that builds a step: an outside system's own address, or the queue of Baton's workers."""
    match step.builder:
        case GitHubBuilder(api=api, repository=repository, workflow=workflow):
            host = "https://github.com" if api == _GITHUB_API else api.removesuffix("/api/v3")
            return f"{host}/{repository}/.github/workflows/{workflow}"
        case AzureBuilder(organization=organization, project=project, pipeline=pipeline):
            return f"{organization}/{quote(project)}/_build?definitionId={pipeline}"
        case CommandBuilder():
            return f"urn:baton:builder:worker:{step.queue}"
        case HandedInBuilder():
            return "urn:baton:builder:person"
