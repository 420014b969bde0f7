"""A release's signatures, verified as a stranger would before anyone is asked to agree to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from baton.model.errors import Invalid
from baton.model.signing import GpgSigner, HumanGpgSigner, HumanSigner, HumanSigstoreSigner, Signer
from baton.store.files import digest_of_file
from baton.trust.identities import TrustedKey, TrustedSigstoreIdentity, trusted_signers
from baton.trust.instances import trust_configuration
from baton.trust.openpgp import open_keyring
from baton.trust.result import Fault, FileResult, Report, SignatureKind, SignatureResult
from baton.trust.sigstore import SigstoreTrust

if TYPE_CHECKING:
    from baton.model.base import Digest
    from baton.model.manifest import Artifact
    from baton.model.roster import OpenPgpKey

Signatures = Mapping[str, bytes]
"""One signer's signatures by their file names: the signed file's name and the signer's suffix."""

_Check = Callable[[bytes, "Digest", Path | None, str], SignatureResult]
"""Verifies one signature of the content with a digest that lies in a file; told the signature's name."""


def verify_release(
    files: Sequence[tuple[Artifact, Path | None]],
    signed: Sequence[tuple[Signer, Signatures]],
    *,
    trust_config: Path | None = None,
    offline: bool = False,
) -> Report:
    """Verify that every file has exactly one good signature by each signer of the plan, and that there are no others.

    Each file's content is compared with its digest, each signature with that content and with the exact identities or
    primary keys that the plan names. Where people sign, any one of them has to have signed all files.

    Args:
        files: the manifest's files, and where each lies; None where it is not at hand, which does for Sigstore alone.
        signed: the plan's signers with the signatures that each made.
        trust_config: the Sigstore instance's client trust configuration; without one, the public trust root.
        offline: take the trust root that is at hand.

    Returns:
        The facts of each file; true when everything is as it has to be.

    Raises:
        Invalid: there are no files or no signers, two signers of one kind, a plan's key without its public key, or a
            file is not at hand that OpenPGP signs.
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

        def verify_file(artifact: Artifact, path: Path | None) -> FileResult:
            digest = artifact.digest if path is None else digest_of_file(path)[0]
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
    problems = _others([artifact for artifact, _ in files], signed)
    by_signer = zip(*(result.signatures for result in results), strict=True)
    problems += [
        problem
        for (signer, _), made in zip(signed, by_signer, strict=True)
        if (problem := _several_people(signer, made)) is not None
    ]
    return Report(files=results, problems=tuple(problems))


def _require_one_of_each_kind(signers: Sequence[Signer]) -> None:
    kinds = [signer.kind for signer in signers]
    if not kinds:
        raise Invalid("the plan has no signer, so that nothing would be verified")
    if len(set(kinds)) != len(kinds):
        raise Invalid(f"the plan has several signers of one kind: {', '.join(kinds)}; expected one of each at most")


def _check_of(signer: Signer, trust_config: Path | None, stack: ExitStack, *, offline: bool) -> _Check:
    trusted = trusted_signers(signer)
    if not isinstance(signer, GpgSigner | HumanGpgSigner):
        trust = SigstoreTrust(trust_configuration(signer.instance, trust_config, offline=offline))
        return lambda signature, digest, _path, name: trust.verify(signature, digest, trusted, source=name)
    keyring = stack.enter_context(open_keyring(dict.fromkeys(map(_public_key, _keys_of(signer)))))

    def check(signature: bytes, _: Digest, path: Path | None, name: str) -> SignatureResult:
        if path is None:
            raise Invalid(f"{name} can't be verified without the file: OpenPGP signs its content, not its digest")
        return keyring.verify(signature, path, trusted, source=name)

    return check


def _keys_of(signer: GpgSigner | HumanGpgSigner) -> Sequence[OpenPgpKey]:
    if isinstance(signer, GpgSigner):
        return [signer.key]
    return [key for person in signer.people for key in person.keys]


def _public_key(key: OpenPgpKey) -> bytes:
    if key.public_key is None:
        raise Invalid(f"the plan names the key {key.fingerprint} without its public key block: add it to the plan")
    return key.public_key.encode()


def _several_people(signer: Signer, made: Sequence[SignatureResult]) -> str | None:
    """Why the signatures of people do not count together: one person signs all files, however many may."""
    if not isinstance(signer, HumanSigner):
        return None
    signed: dict[str, str] = {}
    for signature in made:
        if (person := _person_of(signer, signature)) is not None:
            signed.setdefault(person, signature.source)
    if len(signed) <= 1:
        return None
    told = ", ".join(f"{source} is by {person}" for person, source in signed.items())
    return f"the {signer.kind} signatures are by {len(signed)} people, expected one of them to sign all files: {told}"


def _person_of(signer: HumanSigner, signature: SignatureResult) -> str | None:
    """Whose the signature is by the plan; None if it does not count."""
    match signature.matched, signer:
        case TrustedSigstoreIdentity(identity=identity, issuer=issuer), HumanSigstoreSigner(people=people):
            names = (
                person.person
                for person in people
                if any((one.identity, one.issuer) == (identity, issuer) for one in person.identities)
            )
        case TrustedKey(fingerprint=fingerprint), HumanGpgSigner(people=owners):
            names = (owner.person for owner in owners if any(key.fingerprint == fingerprint for key in owner.keys))
        case _:
            return None
    return next(names, None)


def _result(
    signer: Signer, signatures: Signatures, check: _Check, artifact: Artifact, path: Path | None
) -> SignatureResult:
    name = f"{artifact.name}{signer.suffix}"
    signature = signatures.get(name)
    if signature is not None:
        return check(signature, artifact.digest, path, name)
    return SignatureResult(
        kind=SignatureKind.OPENPGP if isinstance(signer, GpgSigner | HumanGpgSigner) else SignatureKind.SIGSTORE,
        source=name,
        fault=Fault.MISSING,
        reason="it is not there",
        expected=tuple(map(str, trusted_signers(signer))),
    )


def _others(artifacts: Sequence[Artifact], signed: Sequence[tuple[Signer, Signatures]]) -> list[str]:
    problems = []
    for signer, signatures in signed:
        expected = {f"{artifact.name}{signer.suffix}" for artifact in artifacts}
        problems += [f"{name} is a signature of no file of the manifest" for name in sorted(set(signatures) - expected)]
    return problems
