"""The commands by which anyone verifies one released file, with no Baton: what people copy from the page."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from baton.model.plan import SigstoreInstance, SigstoreSigner

if TYPE_CHECKING:
    from baton.model.manifest import Artifact
    from baton.model.plan import Plan, Signer

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
    if not isinstance(signer, SigstoreSigner):
        return f"gpg --verify {name}{signer.suffix} {name}"
    identity, issuer = shlex.quote(signer.identity.identity), shlex.quote(signer.identity.issuer)
    return (
        f"sigstore {_INSTANCES[signer.instance]}verify identity --bundle {name}{signer.suffix} "
        f"--cert-identity {identity} --cert-oidc-issuer {issuer} {name}"
    )
