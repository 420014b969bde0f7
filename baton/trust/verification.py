"""Verifying files as someone does who downloaded them: with a list of trusted identities, and nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from baton.model.errors import BatonError, Invalid
from baton.model.version import Version
from baton.store.files import digest_of_file
from baton.trust.result import FileResult, Report
from baton.trust.subjects import Subject, find_subjects, version_in
from baton.trust.verifiers import open_verifiers, usable_cores

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from baton.model.base import Digest
    from baton.trust.digests import Digests
    from baton.trust.identities import SignatureKind, TrustedIdentities, TrustedIdentity
    from baton.trust.verifiers import Trust, Verifiers


def verify(
    paths: Iterable[Path],
    trust: Trust,
    *,
    version: Version | None = None,
    digests: Digests | None = None,
    required: Sequence[SignatureKind] = (),
    processes: int = 1,
) -> Report:
    """Verify files by the signatures beside them.

    Each file is read once to hash it, in constant memory, and once more for each OpenPGP signature; files are verified
    in parallel.

    Args:
        paths: files, signatures and folders; see :func:`baton.trust.subjects.find_subjects`.
        trust: whom to trust.
        version: which version the files belong to; by default what the digests file or the file's name says.
        digests: what the files have to be; then they need not be there themselves.
        required: kinds of signature that each file must have, beside those that its stream requires.
        processes: how many may be at work where there are many Sigstore bundles, each of which takes some 4 ms of a
            core. With more than one, the script that calls needs ``if __name__ == "__main__":``, as for everything
            that uses :mod:`multiprocessing`.

    Returns:
        What was found for each file; true when all of them verify.

    Raises:
        Missing: a path is not there, or gpg is needed and not installed; or as for the trust configuration.
        Invalid: the digests are ambiguous, or a public key is none.
        Refused, Unavailable: as :func:`baton.trust.instances.trust_configuration`.
        Failed: a process was ended from outside.
    """
    subjects = find_subjects(list(paths), digests, version=version)
    return verify_subjects(subjects, trust, version=version, required=required, processes=processes)


def verify_subjects(
    subjects: Sequence[Subject],
    trust: Trust,
    *,
    version: Version | None = None,
    required: Sequence[SignatureKind] = (),
    processes: int = 1,
) -> Report:
    """Verify what was found; see :func:`verify`."""
    if version is not None:
        _require_version(version)
    with (
        open_verifiers(subjects, trust, processes=processes) as verifiers,
        # Twice as many as cores, since some wait for gpg or another process while others hash.
        ThreadPoolExecutor(2 * max(processes, usable_cores())) as pool,
    ):
        judge = _Judge(trust.identities, version, tuple(required), verifiers)
        return Report(files=tuple(pool.map(judge.file, subjects)))


def verify_by(file: Path, trusted: Sequence[TrustedIdentity], trust: Trust) -> FileResult:
    """Verify one file by the signatures beside it, against these entries whatever its name.

    Raises:
        Missing, Invalid, Refused, Unavailable: as :func:`verify`.
    """
    (subject,) = find_subjects([file], None)
    with open_verifiers([subject], trust, processes=1) as verifiers:
        return _judged(FileResult(name=subject.name, digest=None), subject, trusted, verifiers)


@dataclass(frozen=True)
class _Judge:
    """What is the same for all files; used from several threads."""

    identities: TrustedIdentities
    version: Version | None
    required: tuple[SignatureKind, ...]
    verifiers: Verifiers

    def file(self, subject: Subject) -> FileResult:
        version = self.version or subject.version or version_in(subject.name)
        stream, unknown = self.identities.stream_for(version)
        if stream is None:
            digest, problem = _digest(subject)
            return FileResult(name=subject.name, digest=digest, version=version, problem=problem or unknown)
        required = tuple(dict.fromkeys([*stream.requires, *self.required]))
        facts = FileResult(name=subject.name, digest=None, version=version, stream=stream.name, required=required)
        return _judged(facts, subject, stream.trusted, self.verifiers)


def _judged(
    facts: FileResult, subject: Subject, trusted: Sequence[TrustedIdentity], verifiers: Verifiers
) -> FileResult:
    """The facts with what the file and its signatures say."""
    digest, problem = _digest(subject)
    if problem or digest is None:
        return facts.model_copy(update={"digest": digest, "problem": problem})
    if not subject.signatures:
        return facts.model_copy(update={"digest": digest, "problem": "no signature lies beside it"})
    results = tuple(verifiers.verify(signature, subject, digest, trusted) for signature in subject.signatures)
    return facts.model_copy(update={"digest": digest, "signatures": results})


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
