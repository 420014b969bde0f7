"""Who signs a stream's files: the project's policy, made into the signers of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.model.plan import GpgSigner, SigstoreInstance, SigstoreSigner
from baton.model.roster import OpenPgpKey, SigstoreIdentity
from baton.project.signing_policy import policy_of
from baton.project.signing_tables import MachineTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from baton.model.plan import Signer
    from baton.project.read import Project
    from baton.project.resolve import SandboxFacts
    from baton.project.signing_tables import SigningTable, TeamTable


def signers(
    project: Project, stream: str, sandbox: SandboxFacts | None, today: date | None = None
) -> tuple[Signer, ...]:
    """The signers of a stream's files; in a rehearsal the sandbox's own, of the same kinds.

    Args:
        project: whose policy it is.
        stream: the stream's name.
        sandbox: what the sandbox substitutes, or None for a real release.
        today: the day of the policy, in UTC; by default the current one.
    """
    policy = policy_of(project.settings, stream, today)
    return tuple(_rehearsed(policy, sandbox) if sandbox is not None else real_signers(policy, project.public_keys))


def _rehearsed(policy: SigningTable, sandbox: SandboxFacts) -> Iterator[Signer]:
    if policy.sigstore == "machine":
        machine = policy.machine or MachineTable()
        yield SigstoreSigner(
            instance=SigstoreInstance.SANDBOX,
            identity=sandbox.machine,
            queue=machine.queue,
            suffix=machine.suffix,
        )
    if policy.gpg == "team":
        yield (
            GpgSigner(key=sandbox.team_key)
            if policy.team is None
            else GpgSigner(key=sandbox.team_key, queue=policy.team.queue)
        )


def real_signers(policy: SigningTable, public_keys: Mapping[str, str]) -> Iterator[Signer]:
    """The named signers; that they are named is a rule that every valid file of a real project keeps."""
    if policy.sigstore == "machine" and (machine := policy.machine) is not None:
        yield SigstoreSigner(
            instance=machine.instance,
            identity=SigstoreIdentity(identity=machine.identity or "", issuer=machine.issuer or ""),
            queue=machine.queue,
            suffix=machine.suffix,
        )
    if policy.gpg == "team" and (team := policy.team) is not None:
        yield GpgSigner(key=_team_key(team, public_keys), queue=team.queue)


def _team_key(team: TeamTable, public_keys: Mapping[str, str]) -> OpenPgpKey:
    return OpenPgpKey(fingerprint=team.fingerprint, public_key=public_keys[team.public_key_file])
