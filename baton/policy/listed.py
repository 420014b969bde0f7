"""Whose signatures count for each stream, and when: by the list that a project publishes, or else by its policy."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from baton.model.errors import Invalid, Refused
from baton.model.signing import SigstoreInstance
from baton.project.signers import real_signers
from baton.project.signing_policy import spells
from baton.trust.documents import load_identities
from baton.trust.identities import TrustedIdentities, TrustedStream, trusted_signers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from baton.model.roster import Window
    from baton.project.read import Project
    from baton.project.signing_policy import Spell
    from baton.project.signing_tables import SigningTable
    from baton.trust.identities import TrustedIdentity

_DAY = timedelta(days=1)
_INSTANCE = {"machine": "machine", "dispatched": "dispatched", "human": "people"}
"""Which table names the Sigstore instance of a policy."""


def require_real(project: Project) -> None:
    """Refuse a project that is only ever rehearsed: the sandbox signs in its place.

    Raises:
        Refused: it is one.
    """
    if project.settings.project.sandbox:
        raise Refused(f"{project.file}: project.sandbox is true; nobody relies on the signatures of rehearsals")


def published_list(project: Project) -> TrustedIdentities | None:
    """The list that the project publishes, or None if its `release.toml` names none.

    Raises:
        Missing, Invalid: it can't be read; or it is another project's.
    """
    named = project.settings.identities
    if named is None:
        return None
    file = project.file.parent / named.document
    document = load_identities(file)
    if document.project != project.name:
        raise Invalid(f"{file} is the list of {document.project}; expected {project.name}")
    return document


def list_of_policy(project: Project, today: date) -> TrustedIdentities:
    """The list that follows from the policy alone: everyone who signs, on the days on which they do.

    Raises:
        Invalid: streams are signed with several Sigstore instances, which one list can't say.
    """
    names = list(project.settings.streams)
    every = [spell for name in names for spell in spells(project.settings, name)]
    instances = {instance for spell in every if (instance := _instance(spell.policy)) is not None}
    if len(instances) > 1:
        raise Invalid(f"{project.file} signs with several Sigstore instances: {', '.join(sorted(instances))}")
    streams = (TrustedStream(name=name, trusted=tuple(_signers(project, name))) for name in names)
    return TrustedIdentities(
        project=project.name,
        sigstore=next(iter(instances), SigstoreInstance.PUBLIC),
        issued=today,
        streams=tuple(streams),
    )


def signers_on(project: Project, policy: SigningTable) -> tuple[TrustedIdentity, ...]:
    """Everyone by whom a policy has files signed."""
    return tuple(entry for signer in real_signers(policy, project) for entry in trusted_signers(signer))


def in_force(listed: TrustedIdentities, stream: str, day: date) -> tuple[TrustedIdentity, ...]:
    """Everyone whose signatures of that day or of a later one count for the stream."""
    entries = next((one.trusted for one in listed.streams if one.name == stream), ())
    return tuple(entry for entry in entries if entry.revoked is None and (entry.last is None or entry.last >= day))


def undated(entry: TrustedIdentity) -> TrustedIdentity:
    """The entry without its days: two that differ in nothing else are the same signer."""
    return entry.model_copy(update={"first": None, "last": None})


def _instance(policy: SigningTable) -> SigstoreInstance | None:
    table = _INSTANCE.get(policy.sigstore)
    said = None if table is None else getattr(policy, table)
    return None if said is None else said.instance


def _signers(project: Project, stream: str) -> list[TrustedIdentity]:
    """The signers of all days, each with spells that follow on each other as one."""
    found: list[TrustedIdentity] = []
    for spell in spells(project.settings, stream):
        for signer in signers_on(project, spell.policy):
            if (entry := _within(signer, spell)) is None:
                continue
            before = next((at for at, one in enumerate(found) if _goes_on(one, entry)), None)
            if before is None:
                found.append(entry)
            else:
                found[before] = found[before].model_copy(update={"last": entry.last})
    return found


def _within(signer: TrustedIdentity, spell: Spell) -> TrustedIdentity | None:
    """The signer on the days that are both its own and the spell's; None if there are none."""
    first = max(_days(signer.first, spell.first), default=None)
    last = min(_days(signer.last, spell.last), default=None)
    if first is not None and last is not None and last < first:
        return None
    return signer.model_copy(update={"first": first, "last": last})


def _days(*days: date | None) -> Iterable[date]:
    return [day for day in days if day is not None]


def _goes_on(before: TrustedIdentity, entry: TrustedIdentity) -> bool:
    return undated(before) == undated(entry) and _follows(before, entry)


def _follows(before: Window, after: Window) -> bool:
    return before.last is not None and after.first == before.last + _DAY
