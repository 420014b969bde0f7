"""What must agree between the roster and everything in a `release.toml` that asks for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.model.announcing import Event
from baton.model.plan import JOINT_GATE, GatePoint
from baton.project.explain import near
from baton.project.problem import Fault
from baton.project.quorum import never_without_starter, shortages
from baton.project.roster_tables import OpenPgpKeyTable, SshKeyTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from baton.project.problem import Place
    from baton.project.roster_tables import KeyTable, PersonTable
    from baton.project.schema import GateTable, ReleaseFile
    from baton.project.security_tables import SecurityTable

RELEASE_MANAGER = "release-manager"
"""The role that may decide about everything."""


def people_faults(settings: ReleaseFile) -> Iterator[Fault]:
    """Roles that nobody holds, gates that can never pass, gates that a real release lacks."""
    held = sorted({role for person in settings.roster for role in person.roles})
    yield from _roster(settings.roster)
    yield from _roles_of_steps(settings, held)
    yield from _quorums(settings, held)
    yield from _reminders(settings)
    if not settings.project.sandbox:
        yield from _gates_of_real_releases(settings)


def _roster(roster: Sequence[PersonTable]) -> Iterator[Fault]:
    for number, person in enumerate(roster):
        for index, role in enumerate(person.roles):
            if role in person.roles[:index]:
                yield Fault(("roster", number, "roles", index), f'found "{role}" a second time')
        for index, key in enumerate(person.keys):
            if key.first is not None and key.last is not None and key.last < key.first:
                place = ("roster", number, "keys", index, "until")
                yield Fault(place, f"found {key.last}, which is before its first day {key.first}")
    yield from _shared_keys(roster)
    if not any(RELEASE_MANAGER in person.roles for person in roster):
        yield Fault(("roster",), f"nobody holds the role {RELEASE_MANAGER}, which decides when something goes wrong")


def _shared_keys(roster: Sequence[PersonTable]) -> Iterator[Fault]:
    """Whoever has a key that is listed for two people could agree as both."""
    owners: dict[str, str] = {}
    for number, person in enumerate(roster):
        for index, key in enumerate(person.keys):
            owner = owners.setdefault(_proof(key), person.id)
            if owner != person.id:
                place = ("roster", number, "keys", index)
                yield Fault(place, f"found a key of {owner} for {person.id} as well; a key proves who one person is")


def _proof(key: KeyTable) -> str:
    """What two entries have in common that are the same key, whatever their dates and comments."""
    if isinstance(key, SshKeyTable):
        return key.public_key.split()[1]
    if isinstance(key, OpenPgpKeyTable):
        return key.fingerprint
    return f"{key.identity} {key.issuer}"


def _roles_of_steps(settings: ReleaseFile, held: list[str]) -> Iterator[Fault]:
    roles: list[tuple[Place, str]] = [
        *((("steps", index, "role"), step.role) for index, step in enumerate(settings.steps)),
        *((("platform-signing", index, "role"), table.role) for index, table in enumerate(settings.platform_signing)),
    ]
    for place, role in roles:
        # Steps that leave their role out ask for release managers, whose absence is said once, of the roster.
        if role not in held and role != RELEASE_MANAGER:
            fact = f'found "{role}", which nobody holds; held: {", ".join(held)}{near(role, held)}'
            yield Fault(place, fact)


def _quorums(settings: ReleaseFile, held: list[str]) -> Iterator[Fault]:
    for index, gate in enumerate(settings.gates):
        yield from _quorum(("gates", index), gate.name, gate, settings.roster, held)
        if gate.name == JOINT_GATE:
            fact = f'found "{JOINT_GATE}", which is the gate of security releases; call it something else'
            yield Fault(("gates", index, "name"), fact)
    if settings.security is not None:
        yield from _quorum(("security",), JOINT_GATE, settings.security, settings.roster, held)


def _quorum(
    place: Place, name: str, gate: GateTable | SecurityTable, roster: Sequence[PersonTable], held: list[str]
) -> Iterator[Fault]:
    """Why a gate can never pass."""
    unknown = [role for role in gate.needs if role not in held]
    for role in unknown:
        fact = f"nobody holds this role; held: {', '.join(held)}{near(role, held)}"
        yield Fault((*place, "needs", role), fact)
    if unknown:
        return
    everyone = [person.roles for person in roster]
    short = list(shortages(gate.needs, everyone))
    for shortage in short:
        yield Fault((*place, "needs"), f"gate {name} {shortage}")
    if not short and not gate.starter_counts and never_without_starter(gate.needs, everyone):
        fact = f"gate {name} can't pass: without the one who starts the release there are too few, whoever it is"
        yield Fault((*place, "starter-counts"), fact)


def _reminders(settings: ReleaseFile) -> Iterator[Fault]:
    if settings.reminders and not any(Event.REMINDER in announcer.on for announcer in settings.announcers):
        yield Fault(("reminders",), 'no announcer tells of a "reminder", so nobody would hear them')


def _gates_of_real_releases(settings: ReleaseFile) -> Iterator[Fault]:
    before = {gate.before for gate in settings.gates}
    for point, subject in ((GatePoint.BUILD, "the plan"), (GatePoint.PUBLISH, "the manifest")):
        if point not in before:
            fact = f'no gate stands before "{point}"; a real release needs one, where people agree to {subject}'
            yield Fault(("gates",), fact)
