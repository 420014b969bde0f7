"""A release's signatures, verified as a stranger would before anyone is asked to agree to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from baton.model.errors import Invalid
from baton.model.plan import GpgSigner, Signer, SigstoreSigner
from baton.store.files import digest_of_file
from baton.trust.identities import trusted_signer
from baton.trust.instances import trust_configuration
from baton.trust.openpgp import open_keyring
from baton.trust.result import Fault, FileResult, Report, SignatureKind, SignatureResult
from baton.trust.sigstore import SigstoreTrust

if TYPE_CHECKING:
    from baton.model.base import Digest
    from baton.model.manifest import Artifact

Signatures = Mapping[str, bytes]
"""One signer's signatures by their file names: the signed file's name and the signer's suffix."""

_Check = Callable[[bytes, "Digest", Path, str], SignatureResult]
"""Verifies one signature of the content with a digest that lies in a file; told the signature's name."""


def verify_release(
    files: Sequence[tuple[Artifact, Path]],
    signed: Sequence[tuple[Signer, Signatures]],
    *,
    trust_config: Path | None = None,
    offline: bool = False,
) -> Report:
    """Verify that every file has exactly one good signature by each signer of the plan, and that there are no others.

    Each file's content is compared with its digest, each signature with that content and with the exact identity or
    primary key that the plan names.

    Args:
        files: the manifest's files, and where each lies.
        signed: the plan's signers with the signatures that each made.
        trust_config: the Sigstore instance's client trust configuration; without one, the public trust root.
        offline: take the trust root that is at hand.

    Returns:
        The facts of each file; true when everything is as it has to be.

    Raises:
        Invalid: there are no files or no signers, two signers of one kind, or a plan's key without its public key.
        Missing, Refused, Unavailable: as :func:`baton.trust.instances.trust_configuration`.
    """
    _require_one_of_each_kind([signer for signer, _ in signed])
    if not files:
        raise Invalid("there is no file to verify")
    with ExitStack() as stack:
        checks = [
            (signer, signatures, _check_of(signer, trust_config, stack, offline=offline))
            for signer, signatures in signed
        ]

        def verify_file(artifact: Artifact, path: Path) -> FileResult:
            digest, _ = digest_of_file(path)
            problem = f"should be {artifact.digest}, is {digest}" if digest != artifact.digest else None
            return FileResult(
                name=artifact.name,
                digest=digest,
                problem=problem,
                signatures=tuple(
                    _result(signer, signatures, check, artifact, path) for signer, signatures, check in checks
                ),
            )

        pool = stack.enter_context(ThreadPoolExecutor(os.cpu_count()))
        results = tuple(pool.map(lambda file: verify_file(*file), files))
    return Report(files=results, problems=tuple(_others([artifact for artifact, _ in files], signed)))


def _require_one_of_each_kind(signers: Sequence[Signer]) -> None:
    kinds = [signer.kind for signer in signers]
    if not kinds:
        raise Invalid("the plan has no signer, so that nothing would be verified")
    if len(set(kinds)) != len(kinds):
        raise Invalid(f"the plan has several signers of one kind: {', '.join(kinds)}; expected one of each at most")


def _check_of(signer: Signer, trust_config: Path | None, stack: ExitStack, *, offline: bool) -> _Check:
    trusted = [trusted_signer(signer)]
    if isinstance(signer, SigstoreSigner):
        trust = SigstoreTrust(trust_configuration(signer.instance, trust_config, offline=offline))
        return lambda signature, digest, _path, name: trust.verify(signature, digest, trusted, source=name)
    if signer.key.public_key is None:
        raise Invalid(
            f"the plan names the key {signer.key.fingerprint} without its public key block: add it to the plan"
        )
    keyring = stack.enter_context(open_keyring([signer.key.public_key.encode()]))
    return lambda signature, _digest, path, name: keyring.verify(signature, path, trusted, source=name)


def _result(signer: Signer, signatures: Signatures, check: _Check, artifact: Artifact, path: Path) -> SignatureResult:
    name = f"{artifact.name}{signer.suffix}"
    signature = signatures.get(name)
    if signature is not None:
        return check(signature, artifact.digest, path, name)
    return SignatureResult(
        kind=SignatureKind.OPENPGP if isinstance(signer, GpgSigner) else SignatureKind.SIGSTORE,
        source=name,
        fault=Fault.MISSING,
        reason="it is not there",
        expected=(str(trusted_signer(signer)),),
    )


def _others(artifacts: Sequence[Artifact], signed: Sequence[tuple[Signer, Signatures]]) -> list[str]:
    problems = []
    for signer, signatures in signed:
        expected = {f"{artifact.name}{signer.suffix}" for artifact in artifacts}
        problems += [f"{name} is a signature of no file of the manifest" for name in sorted(set(signatures) - expected)]
    return problems
