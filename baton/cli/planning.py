"""From a project's folder and a version to a plan, and what there is to see of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from baton.cli.person import GitIdentity, find_person
from baton.cli.place import Place, find_place
from baton.cli.plan_page import plan_page
from baton.cli.terminal import print_json, show
from baton.model.roster import OpenPgpKey, SigstoreIdentity
from baton.project.commit import resolve_commit
from baton.project.read import Project, read_project
from baton.project.resolve import SandboxFacts, resolve
from baton.sandbox.fake_ci.hello import built_in_fake_ci

if TYPE_CHECKING:
    from baton.model.plan import Plan
    from baton.sandbox.world import World

_EXAMPLE = "hello"


@dataclass(frozen=True)
class Wish:
    """What somebody wants to release, as they typed it.

    Attributes:
        folder: has release.toml.
        commit: a commit, branch or tag; None for HEAD.
        person: the roster id of who starts it; None to find them by git's configuration.
    """

    folder: Path
    version: str
    commit: str | None
    person: str | None


def make_plan(wish: Wish, *, sandbox: bool, state: Path | None) -> tuple[Plan, Place]:
    """Resolve what a release would do, and where it would run.

    A project that is only ever rehearsed goes to the local world without being told.

    Args:
        wish: what to release.
        sandbox: whether to rehearse it in the local world.
        state: that world's folder.

    Raises:
        BatonError: it can't be planned; the error has every reason.
    """
    project = read_project(wish.folder)
    place = find_place(sandbox=sandbox or project.settings.project.sandbox, state=state)
    person = find_person(project.roster, wish.person, GitIdentity.here())
    facts = None if place.world is None else sandbox_facts(place.world, project)
    repository = project.repository if facts is None or facts.source is None else str(facts.source)
    commit = resolve_commit(repository, wish.commit or "HEAD")
    plan = resolve(project, wish.version, commit, started_by=person.id, sandbox=facts)
    if facts is not None and facts.repository is not None and place.world is not None and place.world.fake_ci:
        plan = built_in_fake_ci(plan, place.world.fake_ci)
    return plan, place


def sandbox_facts(world: World, project: Project) -> SandboxFacts:
    """What a local world puts in the place of a project's identities and places.

    The example has no git history of its own, being part of Baton's; the world has made one for it. Other projects are
    rehearsed from the checkout that their release.toml lies in, if it does: what is not pushed yet can be rehearsed.
    """
    # Workers run elsewhere: what is a place here has to be one there.
    checkout = project.file.parent.resolve()
    bare_example = project.name == _EXAMPLE and not (Path(project.repository) / ".git").exists()
    return SandboxFacts(
        machine=SigstoreIdentity(identity=world.identity, issuer=world.issuer),
        team_key=OpenPgpKey(fingerprint=world.gpg_fingerprint, public_key=world.gpg_public_key.read_text("ascii")),
        repository=world.hello_repository if bare_example else None,
        checkout=checkout if (checkout / ".git").exists() else None,
    )


def show_plan(wish: Wish, *, sandbox: bool, state: Path | None, as_json: bool) -> None:
    """Show what a release would do; nothing is started.

    Raises:
        BatonError: it can't be planned; the error has every reason.
    """
    plan, _ = make_plan(wish, sandbox=sandbox, state=state)
    if as_json:
        print_json("planned", {"digest": plan.digest, "plan": json.loads(plan.model_dump_json(by_alias=True))})
    else:
        show(plan_page(plan))
