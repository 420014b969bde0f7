"""What a `release.toml` must say for every stream's files to be signed by someone it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.model.signing import SigstoreInstance
from baton.project.builder_rules import misfits, simulators
from baton.project.explain import near
from baton.project.problem import Fault
from baton.project.roster_tables import OpenPgpKeyTable
from baton.project.signing_policy import signing_parts, spells
from baton.project.signing_tables import SigningChangeTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.project.problem import Place
    from baton.project.schema import ReleaseFile
    from baton.project.signing_tables import DispatchedTable, MachineTable, PeopleTable, SigningTable


_SANDBOX = 'found "sandbox", which proves nothing; accepted: "public", "staging"'


def signing_faults(settings: ReleaseFile) -> Iterator[Fault]:
    """Streams that nobody signs, signers that are not named, and the sandbox's Sigstore where it can't count."""
    rehearsed = settings.project.sandbox
    yield from _policy(settings, settings.signing, ("signing",))
    for place, table in signing_parts(settings):
        yield from _machine(table.machine, (*place, "machine"), rehearsed=rehearsed)
        yield from _dispatched(table.dispatched, (*place, "dispatched"), rehearsed=rehearsed)
        yield from _people(settings, table.people, (*place, "people"))
        if isinstance(table, SigningChangeTable):
            yield from _days(table, place)
    for stream in settings.streams:
        for spell in spells(settings, stream):
            yield from _policy(settings, spell.policy, spell.place)


def _days(change: SigningChangeTable, place: Place) -> Iterator[Fault]:
    if change.first is None and change.last is None:
        yield Fault(place, "meant for every day; name its from or until, or say it where it changes something")
    elif change.first is not None and change.last is not None and change.last < change.first:
        yield Fault((*place, "until"), f"found {change.last}, which is before its first day {change.first}")


def _policy(settings: ReleaseFile, policy: SigningTable, place: Place) -> Iterator[Fault]:
    if policy.sigstore == policy.gpg == "none":
        yield Fault(place, "nobody signs the files; accepted: sigstore, gpg or both")
    if settings.project.sandbox:
        return
    if policy.sigstore == "machine" and policy.machine is None:
        yield Fault((*place, "machine"), 'required, but missing: sigstore = "machine" needs its identity and issuer')
    if policy.gpg == "team" and policy.team is None:
        yield Fault((*place, "team"), 'required, but missing: gpg = "team" needs its fingerprint and public-key-file')
    if policy.sigstore == "dispatched" and policy.dispatched is None:
        yield Fault((*place, "dispatched"), 'required, but missing: sigstore = "dispatched" needs its workflow')
    for key, proof in (("sigstore", "sigstore"), ("gpg", "openpgp")):
        if getattr(policy, key) == "human":
            yield from _signed_by(settings, policy.people, key, proof, place)


def _signed_by(
    settings: ReleaseFile, people: PeopleTable | None, key: str, proof: str, place: Place
) -> Iterator[Fault]:
    if people is None:
        yield Fault((*place, "people"), f'required, but missing: {key} = "human" needs the people who may sign')
        return
    chosen = [one for one in settings.roster if one.id in people.ids or not set(one.roles).isdisjoint(people.roles)]
    held = [key for one in chosen for key in one.keys if key.kind == proof]
    if not held:
        yield Fault((*place, key), f'found "human", but none of the people has a key of kind {proof} on the roster')
    elif not any(not isinstance(key, OpenPgpKeyTable) or key.public_key_file is not None for key in held):
        fact = 'found "human", but the roster has no public-key-file of any of the people\'s OpenPGP keys'
        yield Fault((*place, key), fact)


def _people(settings: ReleaseFile, people: PeopleTable | None, place: Place) -> Iterator[Fault]:
    if people is None:
        return
    known = {
        "ids": [person.id for person in settings.roster],
        "roles": sorted({role for person in settings.roster for role in person.roles}),
    }
    for key, there in known.items():
        for index, name in enumerate(getattr(people, key)):
            if name not in there:
                fact = f'found "{name}", which is not on the roster; on it: {", ".join(there)}{near(name, there)}'
                yield Fault((*place, key, index), fact)
    if people.instance is SigstoreInstance.SANDBOX:
        yield Fault((*place, "instance"), _SANDBOX)


def _dispatched(workflow: DispatchedTable | None, place: Place, *, rehearsed: bool) -> Iterator[Fault]:
    if workflow is None:
        return
    yield from misfits(workflow.run, (*place, "run"))
    if not rehearsed:
        yield from simulators(workflow.run, (*place, "run"))
    if workflow.digests_in in workflow.run.inputs:
        yield Fault((*place, "run", "inputs", workflow.digests_in), "this input gets the digests; leave it out")
    if workflow.run.proof != "run-name":
        fact = f'found "{workflow.run.proof}"; a workflow that signs builds no commit, accepted: "run-name"'
        yield Fault((*place, "run", "proof"), fact)
    if workflow.instance is SigstoreInstance.SANDBOX:
        yield Fault((*place, "instance"), _SANDBOX)


def _machine(machine: MachineTable | None, place: Place, *, rehearsed: bool) -> Iterator[Fault]:
    if machine is None:
        return
    named = {"identity": machine.identity, "issuer": machine.issuer}
    if machine.instance is not SigstoreInstance.SANDBOX:
        for key in (key for key, value in named.items() if value is None):
            yield Fault((*place, key), f'required, but missing: instance "{machine.instance}" needs it')
        return
    if not rehearsed:
        yield Fault((*place, "instance"), _SANDBOX)
    for key in (key for key, value in named.items() if value is not None):
        yield Fault((*place, key), "the sandbox instance signs as itself; leave this out")
