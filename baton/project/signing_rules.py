"""What a `release.toml` must say for every stream's files to be signed by someone it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.model.plan import SigstoreInstance
from baton.project.problem import Fault
from baton.project.signing_policy import signing_parts, spells
from baton.project.signing_tables import SigningChangeTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.project.problem import Place
    from baton.project.schema import ReleaseFile
    from baton.project.signing_tables import MachineTable, SigningTable


def signing_faults(settings: ReleaseFile) -> Iterator[Fault]:
    """Streams that nobody signs, signers that are not named, and the sandbox's Sigstore where it can't count."""
    rehearsed = settings.project.sandbox
    yield from _policy(settings.signing, ("signing",), rehearsed=rehearsed)
    for place, table in signing_parts(settings):
        yield from _machine(table.machine, (*place, "machine"), rehearsed=rehearsed)
        if isinstance(table, SigningChangeTable):
            yield from _days(table, place)
    for stream in settings.streams:
        for spell in spells(settings, stream):
            yield from _policy(spell.policy, spell.place, rehearsed=rehearsed)


def _days(change: SigningChangeTable, place: Place) -> Iterator[Fault]:
    if change.first is None and change.last is None:
        yield Fault(place, "meant for every day; name its from or until, or say it where it changes something")
    elif change.first is not None and change.last is not None and change.last < change.first:
        yield Fault((*place, "until"), f"found {change.last}, which is before its first day {change.first}")


def _policy(policy: SigningTable, place: Place, *, rehearsed: bool) -> Iterator[Fault]:
    if policy.sigstore == policy.gpg == "none":
        yield Fault(place, "nobody signs the files; accepted: sigstore, gpg or both")
    if rehearsed:
        return
    if policy.sigstore == "machine" and policy.machine is None:
        yield Fault((*place, "machine"), 'required, but missing: sigstore = "machine" needs its identity and issuer')
    if policy.gpg == "team" and policy.team is None:
        yield Fault((*place, "team"), 'required, but missing: gpg = "team" needs its fingerprint and public-key-file')


def _machine(machine: MachineTable | None, place: Place, *, rehearsed: bool) -> Iterator[Fault]:
    if machine is None:
        return
    named = {"identity": machine.identity, "issuer": machine.issuer}
    if machine.instance is not SigstoreInstance.SANDBOX:
        for key in (key for key, value in named.items() if value is None):
            yield Fault((*place, key), f'required, but missing: instance "{machine.instance}" needs it')
        return
    if not rehearsed:
        yield Fault((*place, "instance"), 'found "sandbox", which proves nothing; accepted: "public", "staging"')
    for key in (key for key, value in named.items() if value is not None):
        yield Fault((*place, key), "the sandbox instance signs as itself; leave this out")
