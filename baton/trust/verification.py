"""Verifying files as someone does who downloaded them: with a list of trusted identities, and nothing else."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from baton.model.errors import BatonError, Invalid
from baton.model.version import Version
from baton.store.files import digest_of_file
from baton.trust.identities import TrustedIdentities, TrustedKey, TrustedStream
from baton.trust.openpgp import Keyring, open_keyring
from baton.trust.result import Fault, FileResult, Report, SignatureKind, SignatureResult
from baton.trust.subjects import Subject, find_subjects, kind_of, version_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from baton.model.base import Digest
    from baton.trust.digests import Digests
    from baton.trust.sigstore import SigstoreTrust

_LARGEST_SIGNATURE = 1024**2


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


def verify(
    paths: Iterable[Path], trust: Trust, *, version: Version | None = None, digests: Digests | None = None
) -> Report:
    """Verify files by the signatures beside them.

    Each file is read once to hash it, in constant memory, and once more for each OpenPGP signature; files are verified
    in parallel.

    Args:
        paths: files, signatures and folders; see :func:`baton.trust.subjects.find_subjects`.
        trust: whom to trust.
        version: which version the files belong to; by default what the digests file or the file's name says.
        digests: what the files have to be; then they need not be there themselves.

    Returns:
        What was found for each file; true when all of them verify.

    Raises:
        Missing: a path is not there, or gpg is needed and not installed; or as for the trust configuration.
        Invalid: the digests are ambiguous, or a public key is none.
        Refused, Unavailable: as :func:`baton.trust.instances.trust_configuration`.
    """
    return verify_subjects(find_subjects(list(paths), digests, version=version), trust, version=version)


def verify_subjects(subjects: Sequence[Subject], trust: Trust, *, version: Version | None = None) -> Report:
    """Verify what was found; see :func:`verify`."""
    if version is not None:
        _require_version(version)
    kinds = {kind_of(signature) for subject in subjects for signature in subject.signatures}
    with ExitStack() as stack:
        judge = _Judge(
            identities=trust.identities,
            version=version,
            keyring=stack.enter_context(open_keyring(_keys(trust))) if SignatureKind.OPENPGP in kinds else None,
            sigstore=_open_sigstore(trust) if SignatureKind.SIGSTORE in kinds else None,
        )
        pool = stack.enter_context(ThreadPoolExecutor(os.cpu_count()))
        return Report(files=tuple(pool.map(judge.file, subjects)))


@dataclass(frozen=True)
class _Judge:
    """What is opened once for all files; used from several threads."""

    identities: TrustedIdentities
    version: Version | None
    keyring: Keyring | None
    sigstore: SigstoreTrust | None

    def file(self, subject: Subject) -> FileResult:
        digest, problem = _digest(subject)
        version = self.version or subject.version or version_in(subject.name)
        stream, unknown = self._stream(version)
        facts = FileResult(
            name=subject.name, digest=digest, version=version, stream=stream.name if stream else None, problem=problem
        )
        if problem or digest is None or stream is None:
            return facts.model_copy(update={"problem": problem or unknown})
        if not subject.signatures:
            return facts.model_copy(update={"problem": "no signature lies beside it"})
        results = tuple(self._signature(path, subject, digest, stream) for path in subject.signatures)
        return facts.model_copy(update={"signatures": results})

    def _stream(self, version: Version | None) -> tuple[TrustedStream | None, str | None]:
        """The stream whose signers count, or why there is none."""
        streams = self.identities.streams
        names = ", ".join(stream.name for stream in streams)
        if version is None:
            if len(streams) == 1:
                return streams[0], None
            return None, f"its name does not tell its version, hence who may sign it; say which of {names} it is of"
        stream = self.identities.stream_of(version)
        if stream is None:
            return None, f"nobody is known who may sign {self.identities.project} {version}; known streams: {names}"
        return stream, None

    def _signature(self, path: Path, subject: Subject, digest: Digest, stream: TrustedStream) -> SignatureResult:
        kind, signature = kind_of(path), _read(path)
        if kind is SignatureKind.SIGSTORE and self.sigstore is not None:
            return self.sigstore.verify(signature, digest, stream.trusted, source=path.name)
        if subject.path is not None and self.keyring is not None:
            return self.keyring.verify(signature, subject.path, stream.trusted, source=path.name)
        return SignatureResult(
            kind=kind,
            source=path.name,
            fault=Fault.NOT_CHECKED,
            reason="OpenPGP signs the file's content: the file itself is needed, its digest does not do",
        )


def _require_version(version: str) -> None:
    try:
        TypeAdapter(Version).validate_python(version)
    except ValidationError as error:
        raise Invalid(f"{version!r} is no version: {error.errors()[0]['msg']}") from error


def _digest(subject: Subject) -> tuple[Digest | None, str | None]:
    """The file's digest, or the one that stands for it; and what is wrong with that."""
    if subject.path is None:
        return subject.digest, None if subject.digest else "the file is not here, and its digest is not known"
    try:
        digest, _ = digest_of_file(subject.path)
    except BatonError as error:
        return None, str(error)
    if subject.digest not in (None, digest):
        return digest, f"it is {digest}; expected {subject.digest}"
    return digest, None


def _read(signature: Path) -> bytes:
    """A signature's bytes; of one that is absurdly long, enough to be refused."""
    with signature.open("rb") as file:
        return file.read(_LARGEST_SIGNATURE + 1)


def _keys(trust: Trust) -> list[bytes]:
    listed = [entry for stream in trust.identities.streams for entry in stream.trusted if isinstance(entry, TrustedKey)]
    return [*trust.public_keys, *dict.fromkeys(key.public_key.encode() for key in listed if key.public_key is not None)]


def _open_sigstore(trust: Trust) -> SigstoreTrust:
    # Importing the sigstore library takes half a second, which only those wait for who have a bundle to verify.
    from baton.trust.instances import trust_configuration  # noqa: PLC0415
    from baton.trust.sigstore import SigstoreTrust  # noqa: PLC0415

    config = trust_configuration(trust.identities.sigstore, trust.trust_config, offline=trust.offline)
    return SigstoreTrust(config)
