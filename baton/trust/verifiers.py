"""What signatures are checked with: opened once, for as many files as there are."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from baton.trust.identities import SignatureKind, TrustedKey
from baton.trust.openpgp import Keyring, open_keyring
from baton.trust.result import Fault, SignatureResult
from baton.trust.subjects import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from baton.model.base import Digest
    from baton.trust.identities import TrustedIdentities, TrustedIdentity
    from baton.trust.subjects import Subject

_LARGEST_SIGNATURE = 1024**2

_WORTH_A_PROCESS = 125
"""Bundles for each process, below which starting it takes longer than it saves."""


@dataclass(frozen=True)
class Trust:
    """Whom to trust, and what to check it with.

    Attributes:
        identities: the document that says whose signature counts for which stream.
        public_keys: exported OpenPGP keys, beside those in the document.
        trust_config: a Sigstore client trust configuration, for another instance than the public ones.
        offline: take Sigstore's trust root as it came with the library or was fetched before.
    """

    identities: TrustedIdentities
    public_keys: tuple[bytes, ...] = ()
    trust_config: Path | None = None
    offline: bool = False


class SigstoreVerifier(Protocol):
    """Verifies Sigstore bundles; here, or in other processes."""

    def verify(
        self, bundle: bytes, digest: Digest, trusted: Sequence[TrustedIdentity], *, source: str
    ) -> SignatureResult:
        """As :meth:`baton.trust.sigstore.SigstoreTrust.verify`."""
        ...


@dataclass(frozen=True)
class Verifiers:
    """One for each kind of signature that there is to check; used from several threads."""

    keyring: Keyring | None
    sigstore: SigstoreVerifier | None

    def verify(
        self, signature: Path, subject: Subject, digest: Digest, trusted: Sequence[TrustedIdentity]
    ) -> SignatureResult:
        """Who made a signature of a file with this digest, and whether it counts."""
        kind, name = kind_of(signature), signature.name
        try:
            content = _read(signature)
        except OSError as error:
            reason = f"it can't be read: {error.strerror}"
            return SignatureResult(kind=kind, source=name, fault=Fault.BAD, reason=reason)
        if kind is SignatureKind.SIGSTORE and self.sigstore is not None:
            return self.sigstore.verify(content, digest, trusted, source=name)
        if subject.path is not None and self.keyring is not None:
            return self.keyring.verify(content, subject.path, trusted, source=name)
        return SignatureResult(
            kind=kind,
            source=name,
            fault=Fault.NOT_CHECKED,
            reason="OpenPGP signs the file's content: the file itself is needed, its digest does not do",
        )


@contextmanager
def open_verifiers(subjects: Sequence[Subject], trust: Trust, *, processes: int) -> Iterator[Verifiers]:
    """Open what these subjects' signatures need.

    Args:
        subjects: what there is to verify.
        trust: what to check with.
        processes: how many may verify bundles at once; a few bundles are verified in this one.

    Raises:
        Missing: gpg is needed and not installed; or as for the trust configuration.
        Invalid: a public key is none.
        Refused, Unavailable: as :func:`baton.trust.instances.trust_configuration`.
    """
    kinds = [kind_of(signature) for subject in subjects for signature in subject.signatures]
    bundles = kinds.count(SignatureKind.SIGSTORE)
    with ExitStack() as stack:
        yield Verifiers(
            sigstore=_open_sigstore(trust, min(processes, bundles // _WORTH_A_PROCESS), stack) if bundles else None,
            keyring=stack.enter_context(open_keyring(_keys(trust))) if SignatureKind.OPENPGP in kinds else None,
        )


def usable_cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _open_sigstore(trust: Trust, processes: int, stack: ExitStack) -> SigstoreVerifier:
    # Importing the sigstore library takes half a second, which only those wait for who have a bundle to verify.
    from baton.trust.processes import SigstoreProcesses, prepare_processes  # noqa: PLC0415

    if processes > 1:
        prepare_processes()
    from baton.trust.instances import trust_configuration  # noqa: PLC0415
    from baton.trust.sigstore import SigstoreTrust  # noqa: PLC0415

    config = trust_configuration(trust.identities.sigstore, trust.trust_config, offline=trust.offline)
    if processes > 1:
        return stack.enter_context(SigstoreProcesses(config, processes))
    return SigstoreTrust(config)


def _keys(trust: Trust) -> list[bytes]:
    document = trust.identities
    listed = [*document.document_signers, *(entry for stream in document.streams for entry in stream.trusted)]
    blocks = [entry.public_key for entry in listed if isinstance(entry, TrustedKey)]
    return [*trust.public_keys, *dict.fromkeys(block.encode() for block in blocks if block is not None)]


def _read(signature: Path) -> bytes:
    """A signature's bytes; of one that is absurdly long, enough to be refused."""
    with signature.open("rb") as file:
        return file.read(_LARGEST_SIGNATURE + 1)
