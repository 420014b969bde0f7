"""Who signs a stream's files: the project's policy, made into the signers of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.model.outside import GitHubBuilder
from baton.model.roster import OpenPgpKey, SigstoreIdentity
from baton.model.signing import (
    DispatchedSigner,
    GpgSigner,
    HumanGpgSigner,
    HumanSigstoreSigner,
    OpenPgpPerson,
    SigstoreInstance,
    SigstorePerson,
    SigstoreSigner,
)
from baton.project.signing_policy import policy_of
from baton.project.signing_tables import QUEUE, DispatchedTable, MachineTable, PeopleTable, SigningTable, TeamTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from baton.model.roster import Person
    from baton.model.signing import Signer
    from baton.project.read import Project
    from baton.project.resolve import SandboxFacts


def signers(
    project: Project, stream: str, sandbox: SandboxFacts | None, today: date | None = None
) -> tuple[Signer, ...]:
    """The signers of a stream's files; in a rehearsal the sandbox's own, for as many signatures of each kind.

    A rehearsal asks nobody to sign as themselves: what it signs proves nothing, and would be in a public log for ever.

    Args:
        project: whose policy it is.
        stream: the stream's name.
        sandbox: what the sandbox substitutes, or None for a real release.
        today: the day of the policy, in UTC; by default the current one.
    """
    policy = policy_of(project.settings, stream, today)
    if sandbox is not None:
        return tuple(_rehearsed(policy, sandbox))
    return tuple(real_signers(policy, project))


def _rehearsed(policy: SigningTable, sandbox: SandboxFacts) -> Iterator[Signer]:
    if policy.sigstore != "none":
        yield SigstoreSigner(
            instance=SigstoreInstance.SANDBOX,
            identity=sandbox.machine,
            queue=policy.sigstore_queue or QUEUE,
            suffix=policy.suffix,
        )
    if policy.gpg != "none":
        yield GpgSigner(key=sandbox.team_key, queue=policy.gpg_queue or QUEUE)


def real_signers(policy: SigningTable, project: Project) -> Iterator[Signer]:
    """The named signers; that they are named is a rule that every valid file of a real project keeps."""
    match policy:
        case SigningTable(sigstore="machine", machine=MachineTable() as machine):
            yield SigstoreSigner(
                instance=machine.instance,
                identity=SigstoreIdentity(identity=machine.identity or "", issuer=machine.issuer or ""),
                queue=machine.queue,
                suffix=machine.suffix,
            )
        case SigningTable(sigstore="dispatched", dispatched=DispatchedTable() as workflow):
            yield DispatchedSigner(
                instance=workflow.instance,
                identity=SigstoreIdentity(identity=workflow.identity, issuer=workflow.issuer),
                run=GitHubBuilder.model_validate(workflow.run.model_dump()),
                digests_in=workflow.digests_in,
                queue=workflow.queue,
                suffix=workflow.suffix,
            )
        case SigningTable(sigstore="human", people=PeopleTable() as people):
            yield HumanSigstoreSigner(
                instance=people.instance, people=tuple(_with_identities(people, project)), suffix=people.suffix
            )
    match policy:
        case SigningTable(gpg="team", team=TeamTable() as team):
            yield GpgSigner(key=_team_key(team, project.public_keys), queue=team.queue)
        case SigningTable(gpg="human", people=PeopleTable() as people):
            yield HumanGpgSigner(people=tuple(_with_keys(people, project)))


def _with_identities(people: PeopleTable, project: Project) -> Iterator[SigstorePerson]:
    for person in _chosen(people, project):
        if identities := tuple(key for key in person.keys if isinstance(key, SigstoreIdentity)):
            yield SigstorePerson(person=person.id, identities=identities)


def _with_keys(people: PeopleTable, project: Project) -> Iterator[OpenPgpPerson]:
    for person in _chosen(people, project):
        if keys := tuple(key for key in person.keys if isinstance(key, OpenPgpKey) and key.public_key is not None):
            yield OpenPgpPerson(person=person.id, keys=keys)


def _chosen(people: PeopleTable, project: Project) -> Iterator[Person]:
    return (one for one in project.roster.people if one.id in people.ids or not set(one.roles).isdisjoint(people.roles))


def _team_key(team: TeamTable, public_keys: Mapping[str, str]) -> OpenPgpKey:
    return OpenPgpKey(fingerprint=team.fingerprint, public_key=public_keys[team.public_key_file])
