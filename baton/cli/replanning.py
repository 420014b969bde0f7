"""Having a release under way follow another plan: what ``release.toml`` says by now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from baton.cli.act_page import act_page
from baton.cli.layout import block
from baton.cli.names import parse_release
from baton.cli.person import RELEASE_MANAGER, fitting_roles
from baton.cli.plan_changes import changes
from baton.cli.planning import sandbox_facts
from baton.cli.speech import Question, speak
from baton.cli.standing import find_standing
from baton.cli.terminal import plain
from baton.model.acts import Replan
from baton.model.base import canonical_json
from baton.model.errors import Refused
from baton.project.commit import resolve_commit
from baton.project.read import read_project
from baton.project.resolve import SandboxFacts, resolve
from baton.project.security import behind
from baton.store import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from baton.cli.place import Place
    from baton.cli.speech import Manner, Speaker
    from baton.model.plan import Plan
    from baton.project.read import Project


def plan_anew(
    place: Place, text: str, folder: Path, speaker: Speaker, manner: Manner, *, commit: str | None = None
) -> None:
    """Show what would change, ask, put the new plan into the store, and have the release follow it.

    Args:
        place: where the release and the store are.
        text: the release as it was typed.
        folder: has release.toml as it is now.
        speaker: who wants that.
        manner: how.
        commit: another commit, branch or tag to release; None for the same commit.

    Raises:
        typer.Exit: they thought better of it, or the release did not accept it.
        BatonError: there is no such release, it can't be planned, nothing would change, or no answer came.
    """
    release = parse_release(text)
    standing = find_standing(place, release, unanswered=manner.signal)
    old = standing.plan
    person = speaker.on(old.roster)
    role = fitting_roles(person, (RELEASE_MANAGER,), speaker.role, what=f"planning {release} anew")[0]
    new = resolved_anew(place, old, read_project(folder), commit)
    differences = changes(old, new)
    if not differences:
        raise Refused(f"{release} follows plan {old.digest} already: release.toml and the commit make the same again")
    act = Replan(
        release=release,
        run=standing.run,
        subject=standing.subject,
        by=person.id,
        role=role,
        reason=speaker.reason,
        plan=new.digest,
    )
    changed = block("What changes", Text("\n".join(map(plain, differences))))
    begins = block("", Text("The release begins again from the source; what people agreed to before is void."))
    page = act_page(old, act, [("instead of", old.digest)], more=[changed, begins])
    # The release takes the plan from the store by the digest that is signed.
    open_store(place.store).put_bytes(canonical_json(new))
    speak(
        place, old, act, Question(page, f"Plan {release} anew as {person.id}, {role}?"), speaker=speaker, manner=manner
    )


def resolved_anew(place: Place, old: Plan, project: Project, commit: str | None) -> Plan:
    """The plan that a release would have if it was started now by the same person.

    Raises:
        Refused: it is another project's ``release.toml``, or a rehearsal's world is not known.
        BatonError: it can't be planned; the error has every reason.
    """
    if project.name != old.release.project:
        raise Refused(f"{project.file} is of {project.name}, not of {old.release.project}: name its folder with -C")
    facts = _facts(place, old, project)
    repository = project.repository if facts is None or facts.source is None else str(facts.source)
    if old.barrier is not None:
        # Where the fix is while it is not public.
        repository = old.source.repository
    whole = old.source.commit if commit is None else resolve_commit(repository, commit)
    new = resolve(project, old.version, whole, started_by=old.started_by, sandbox=facts)
    # What is one of a security release stays so.
    return new if old.barrier is None else behind(project, new, old.barrier)


def _facts(place: Place, old: Plan, project: Project) -> SandboxFacts | None:
    if not old.sandbox:
        return None
    if place.world is None:
        raise Refused(f"{old.release} is a rehearsal: say in which world, with --sandbox or --state")
    return sandbox_facts(place.world, project)
