"""The commands by which anyone verifies one released file, with no Baton: what people copy from the page."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from baton.model.signing import DispatchedSigner, HumanSigstoreSigner, SigstoreInstance, SigstoreSigner

if TYPE_CHECKING:
    from baton.model.manifest import Artifact
    from baton.model.plan import Plan
    from baton.model.signing import Signer

_INSTANCES = {
    SigstoreInstance.PUBLIC: "",
    SigstoreInstance.STAGING: "--staging ",
    SigstoreInstance.SANDBOX: "--trust-config trust_config.json ",
}
"""What the sigstore client has to be told of an instance."""


def commands_for(file: Artifact, plan: Plan) -> tuple[str, ...]:
    """One command for its digest and one for each of its signatures, for a POSIX shell in the folder with the file."""
    name = shlex.quote(file.name)
    digest = f"echo {shlex.quote(f'{file.sha256}  {file.name}')} | sha256sum --check"
    return (digest, *(_signature(signer, name) for signer in plan.signers))


def _signature(signer: Signer, name: str) -> str:
    match signer:
        case SigstoreSigner(identity=identity) | DispatchedSigner(identity=identity):
            identities = [identity]
        case HumanSigstoreSigner(people=people):
            # Any one of them signed: the first command that succeeds says who.
            identities = [one for person in people for one in person.identities]
        case _:
            return f"gpg --verify {name}{signer.suffix} {name}"
    return " || ".join(
        f"sigstore {_INSTANCES[signer.instance]}verify identity --bundle {name}{signer.suffix} "
        f"--cert-identity {shlex.quote(one.identity)} --cert-oidc-issuer {shlex.quote(one.issuer)} {name}"
        for one in identities
    )
