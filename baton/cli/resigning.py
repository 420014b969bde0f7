"""Starting to sign a public release anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import ValidationError
from temporalio.client import WorkflowExecutionStatus

from baton.cli.embargo import require_encryption
from baton.cli.exits import WrongCall
from baton.cli.person import GitIdentity, find_person
from baton.cli.place import Place, find_place
from baton.cli.planning import sandbox_facts
from baton.cli.session import with_releases
from baton.cli.starting import start_plan
from baton.model.errors import Missing, Refused
from baton.model.resigning import OldSignatures, PublicFile, Resigning
from baton.model.statement import facts_of
from baton.model.version import ReleaseId
from baton.project.commit import resolve_commit
from baton.project.read import Project, read_project
from baton.project.resigning import resolve_to_sign_anew
from baton.project.template import expand
from baton.trust.digests import load_digests

if TYPE_CHECKING:
    from pathlib import Path

    from baton.cli.releases import Releases
    from baton.model.base import Digest
    from baton.model.plan import Plan


@dataclass(frozen=True)
class Again:
    """What somebody wants to sign anew, as they typed it.

    Attributes:
        folder: has release.toml.
        version: alone, or after the project's name and a ``/``.
        digests: a file that says which files; None to go by the evidence of the release.
        only: the kinds of signatures to make; all of the stream's if empty.
        replace: whether old signatures are dropped.
        dated: what kept ones have in their names; None for today.
        commit: what the release was made from; None to find it.
        person: the roster id of who starts it; None to find them by git's configuration.
    """

    folder: Path
    version: str
    digests: Path | None
    only: tuple[str, ...]
    replace: bool
    dated: str | None
    commit: str | None
    person: str | None


@dataclass(frozen=True)
class _Finished:
    """What Temporal remembers of the release: the commit that it was made from, and its evidence."""

    commit: str
    evidence: Digest


def sign_anew(again: Again, *, sandbox: bool, state: Path | None, yes: bool, as_json: bool) -> None:
    """Show the plan, ask, and start it.

    Args:
        again: what to sign anew.
        sandbox: whether to rehearse it in the local world.
        state: that world's folder.
        yes: don't ask.
        as_json: tell of the start as a document and not in words.

    Raises:
        typer.Exit: they thought better of it.
        AlreadyStarted: the same version is being signed anew.
        BatonError: it can't be planned or started.
    """
    project = read_project(again.folder)
    place = find_place(sandbox=sandbox or project.settings.project.sandbox, state=state)
    require_encryption(project, place)
    start_plan(_plan(again, project, place), place, yes=yes, as_json=as_json)


def _plan(again: Again, project: Project, place: Place) -> Plan:
    version = again.version.removeprefix(f"{project.name}/")
    try:
        release = ReleaseId(project=project.name, version=version)
    except ValidationError as error:
        raise WrongCall(f"{again.version!r} is no version of {project.name}: {facts_of(error)}") from error
    finished = with_releases(place, lambda releases: _finished(releases, release))
    facts = None if place.world is None else sandbox_facts(place.world, project)
    return resolve_to_sign_anew(
        project,
        version,
        _commit(again, project, None if facts is None else facts.source, finished),
        started_by=find_person(project.roster, again.person, GitIdentity.here()).id,
        sandbox=facts,
        resigning=_resigning(again, release, finished),
        only=again.only,
    )


def _commit(again: Again, project: Project, source: Path | None, finished: _Finished | None) -> str:
    if again.commit is None and finished is not None:
        return finished.commit
    version = again.version.rpartition("/")[2]
    wanted = again.commit or expand(project.settings.project.tag, version)
    return resolve_commit(project.repository if source is None else str(source), wanted)


def _resigning(again: Again, release: ReleaseId, finished: _Finished | None) -> Resigning:
    files: tuple[PublicFile, ...] = ()
    if again.digests is not None:
        files = _listed(again.digests, release)
    elif finished is None:
        raise Missing(
            f"Temporal remembers no finished release {release}, whose evidence would say which files it has: list them "
            "in a file, as sha256sum prints them, and name it with --digests; people agree to it before it is signed"
        )
    try:
        return Resigning(
            evidence=None if files or finished is None else finished.evidence,
            files=files,
            old=OldSignatures.REPLACE if again.replace else OldSignatures.KEEP,
            dated=again.dated or f"{datetime.now(UTC):%Y-%m-%d}",
        )
    except ValidationError as error:
        raise WrongCall(facts_of(error)) from error


def _listed(file: Path, release: ReleaseId) -> tuple[PublicFile, ...]:
    known = [one for one in load_digests(file).known if one.version in (None, release.version)]
    try:
        listed = [PublicFile(name=one.name, digest=one.digest) for one in known]
    except ValidationError as error:
        raise WrongCall(f"{file} lists what is no public file: {facts_of(error)}") from error
    if not listed:
        raise Missing(f"{file} lists no file of {release}")
    return tuple(sorted(listed, key=lambda one: one.name))


async def _finished(releases: Releases, release: ReleaseId) -> _Finished | None:
    """What is remembered of the release that made the version, or None if nothing is.

    Raises:
        Refused: it is still under way.
    """
    try:
        handle = await releases.open(release)
    except Missing:
        return None
    match handle.description.status:
        case WorkflowExecutionStatus.RUNNING:
            raise Refused(f"{release} is still being released; once it is public it can be signed anew")
        case WorkflowExecutionStatus.COMPLETED:
            status, plan = await handle.status(), await handle.plan()
            return None if status.evidence is None else _Finished(plan.source.commit, status.evidence)
    return None
