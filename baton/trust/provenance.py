"""How files were made, as machines state it beside them: verified against the list of trusted identities.

A statement counts when a machine that the stream's list trusts signed it, it is about this very file, and it says what
the verifier requires. A person's signature does not count for it: how a file was made only machines know.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from baton.attestation import release as release_statement
from baton.attestation import slsa
from baton.attestation.provenance import source_uri
from baton.attestation.statement import Document, Statement, read_statement
from baton.model.attesting import PROVENANCE_SUFFIX, RELEASE_SUFFIX
from baton.model.errors import BatonError, Invalid, Missing
from baton.model.manifest import Manifest
from baton.model.statement import facts_of
from baton.store.files import digest_of_file
from baton.trust.attested import Made, ProvenanceReport, ProvenanceResult, ReleaseResult
from baton.trust.identities import Who
from baton.trust.subjects import version_in
from baton.trust.verifiers import usable_cores

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from baton.model.base import Digest
    from baton.trust.identities import TrustedIdentity, TrustedStream
    from baton.trust.result import SignatureResult
    from baton.trust.sigstore import SigstoreTrust
    from baton.trust.verifiers import Trust

_Predicate = TypeVar("_Predicate", bound=Document)

_LARGEST = 64 * 1024**2


@dataclass(frozen=True)
class Expected:
    """What the verifier requires of every file's provenance, beside that it counts.

    Attributes:
        version: which version the files are of; by default what each file's name says.
        repository: the source's address, as in ``release.toml``.
        commit: the whole id of the commit that was built.
    """

    version: str | None = None
    repository: str | None = None
    commit: str | None = None


def verify_provenance(
    files: Sequence[Path], trust: Trust, *, expected: Expected | None = None, manifest: Path | None = None
) -> ProvenanceReport:
    """Verify how files were made by the signed statements beside them (``FILE.provenance.sigstore.json``).

    Args:
        files: the files themselves; see :func:`baton.trust.subjects.attested_files`.
        trust: whom to trust.
        expected: what else is required.
        manifest: a release's manifest, beside which the statement of who agreed to it lies
            (``manifest.json.release.sigstore.json``): then each file has to be listed there.

    Returns:
        What was found for each file; true when all of them count.

    Raises:
        Missing: the manifest, or the sandbox's trust configuration, is not there.
        Invalid, Refused, Unavailable: as :func:`baton.trust.instances.trust_configuration`.
    """
    # Importing the sigstore library takes half a second, which only those wait for who verify something.
    from baton.trust.instances import trust_configuration  # noqa: PLC0415
    from baton.trust.sigstore import SigstoreTrust  # noqa: PLC0415

    config = trust_configuration(trust.identities.sigstore, trust.trust_config, offline=trust.offline)
    judge = _Judge(trust, SigstoreTrust(config), expected or Expected())
    release = None if manifest is None else judge.release(manifest)
    with ThreadPoolExecutor(2 * usable_cores()) as pool:
        results = tuple(pool.map(lambda file: judge.file(file, release), files))
    return ProvenanceReport(files=results, release=release)


@dataclass(frozen=True)
class _Judge:
    """What is the same for all files; used from several threads."""

    trust: Trust
    sigstore: SigstoreTrust
    expected: Expected

    def file(self, file: Path, release: ReleaseResult | None) -> ProvenanceResult:
        """What is known of how a file was made."""
        version = self.expected.version or version_in(file.name)
        stream, unknown = self.trust.identities.stream_for(version)
        try:
            digest, _ = digest_of_file(file)
        except BatonError as error:
            return ProvenanceResult(name=file.name, digest=None, version=version, problems=(str(error),))
        if stream is None:
            return ProvenanceResult(name=file.name, digest=digest, version=version, problems=(unknown or "",))
        facts = ProvenanceResult(name=file.name, digest=digest, version=version, stream=stream.name)
        beside = file.with_name(file.name + PROVENANCE_SUFFIX)
        try:
            signature, statement = self._signed(beside, _machines(stream))
            if statement is None:
                return facts.model_copy(update={"signature": signature, "problems": (signature.reason,)})
            facts = facts.model_copy(update={"signature": signature})
            provenance = _predicate(statement, digest, slsa.PREDICATE_TYPE, slsa.Provenance)
        except BatonError as error:
            return facts.model_copy(update={"problems": (f"{beside.name}: {error}",)})
        made = Made.of(provenance)
        problems = [*self._unlike(made, version), *_unlisted(file.name, digest, made, release)]
        return facts.model_copy(update={"made": made, "problems": tuple(problems)})

    def release(self, manifest: Path) -> ReleaseResult:
        """What is known of who agreed to a release, by the statement beside its manifest."""
        content = _content(manifest)
        digest, _ = digest_of_file(manifest)
        try:
            listed = Manifest.model_validate_json(content)
        except ValidationError as error:
            raise Invalid(f"{manifest} is no manifest of a release: {facts_of(error)}") from error
        facts = ReleaseResult(name=manifest.name, digest=digest, manifest=listed)
        stream, unknown = self.trust.identities.stream_for(listed.version)
        if stream is None:
            return facts.model_copy(update={"problems": (unknown or "",)})
        beside = manifest.with_name(manifest.name + RELEASE_SUFFIX)
        try:
            signature, statement = self._signed(beside, _machines(stream))
            if statement is None:
                return facts.model_copy(update={"signature": signature, "problems": (signature.reason,)})
            facts = facts.model_copy(update={"signature": signature})
            stated = _predicate(statement, digest, release_statement.PREDICATE_TYPE, release_statement.ReleasePredicate)
        except BatonError as error:
            return facts.model_copy(update={"problems": (f"{beside.name}: {error}",)})
        return facts.model_copy(update={"stated": stated, "problems": tuple(self._other_release(stated, facts))})

    def _signed(self, bundle: Path, trusted: Sequence[TrustedIdentity]) -> tuple[SignatureResult, Statement | None]:
        """Who signed a statement, and the statement if that counts."""
        if not bundle.is_file():
            raise Missing("it is not there: nothing says how the file was made")
        signature, payload = self.sigstore.verify_statement(_content(bundle), trusted, source=bundle.name)
        return signature, None if payload is None else read_statement(payload)

    def _unlike(self, made: Made, version: str | None) -> Sequence[str]:
        """What the provenance says otherwise than the verifier requires."""
        required = [("project", made.project, self.trust.identities.project), ("version", made.version, version)]
        if self.expected.repository is not None:
            required.append(("source repository", made.repository, source_uri(self.expected.repository)))
        if self.expected.commit is not None:
            required.append(("source commit", made.commit, self.expected.commit))
        return [
            f"it is made of {what} {came or 'that nothing proves'}; expected {wanted}"
            if what.startswith("source")
            else f"it is stated to be of {what} {came}; expected {wanted}"
            for what, came, wanted in required
            if wanted is not None and came != wanted
        ]

    def _other_release(self, stated: release_statement.ReleasePredicate, facts: ReleaseResult) -> Sequence[str]:
        listed = facts.manifest
        required = (
            ("project", stated.project, self.trust.identities.project),
            ("version", stated.version, listed.version),
            ("project", listed.project, stated.project),
            ("plan", stated.plan, listed.plan),
            ("manifest", stated.manifest, facts.digest),
            ("commit", stated.commit, listed.commit),
        )
        wrong = [f"it states {what} {came}; expected {wanted}" for what, came, wanted in required if came != wanted]
        return [*wrong, *([] if stated.gates else ["it states no gate, so that nobody agreed"])]


def _machines(stream: TrustedStream) -> list[TrustedIdentity]:
    return [trusted for trusted in stream.trusted if trusted.who is Who.MACHINE]


def _predicate(statement: Statement, digest: Digest, kind: str, form: type[_Predicate]) -> _Predicate:
    """What a statement says of the content with this digest.

    Raises:
        Invalid: it is about another content, or says something of another kind.
    """
    if statement.predicate_type != kind:
        raise Invalid(f"its predicate type is {statement.predicate_type!r}; expected {kind}")
    if not statement.is_about(digest):
        subjects = ", ".join(f"{one.name} ({(one.digest or {}).get('sha256')})" for one in statement.subject[:5])
        raise Invalid(f"it is about {subjects}; the file is {digest}")
    try:
        return form.model_validate(statement.predicate)
    except ValidationError as error:
        raise Invalid(f"its predicate is not {kind}: {facts_of(error)}") from error


def _unlisted(name: str, digest: Digest, made: Made, release: ReleaseResult | None) -> Sequence[str]:
    """Why a file does not belong to the release that is required, if one is."""
    if release is None:
        return ()
    listed = next((file for file in release.manifest.files if file.name == name), None)
    if listed is None or listed.digest != digest:
        has = "no such file" if listed is None else listed.digest
        return (f"the manifest {release.digest} has {has}; the file is {digest}",)
    if (made.manifest, made.plan) != (release.digest, release.manifest.plan):
        return (f"it is stated to be of manifest {made.manifest}, plan {made.plan}; expected {release.digest}",)
    return ()


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise Missing(f"can't read {path}: {error.strerror}") from error
    if len(content) > _LARGEST:
        raise Invalid(f"{path} has more than {_LARGEST:,} bytes")
    return content
