"""The trusted-identities document: for each stream, everyone whose signature counts, and when.

A project publishes it as one JSON file, signed like any other file, with a rising serial number; CPython's comes with
Baton. Where it is read from is in :mod:`baton.trust.documents`, who may replace it in :mod:`baton.trust.succession`.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal, Self

from packaging.version import Version as _Pep440
from pydantic import Field, StringConstraints, model_validator

from baton.model.base import Digest, Name, Value, canonical_json, digest_of
from baton.model.errors import Invalid
from baton.model.roster import OpenPgpKey, SigstoreIdentity, Window
from baton.model.signing import (
    DispatchedSigner,
    GpgSigner,
    HumanGpgSigner,
    HumanSigstoreSigner,
    Signer,
    SigstoreInstance,
    SigstoreSigner,
)

if TYPE_CHECKING:
    from baton.model.plan import Plan
    from baton.model.version import Version

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
"""The issuer of the tokens that GitHub Actions gives to workflow runs."""


class SignatureKind(StrEnum):
    """What sort of signature it is."""

    SIGSTORE = "sigstore"
    OPENPGP = "openpgp"


class Who(StrEnum):
    """Whether a person or a machine makes the signature."""

    HUMAN = "human"
    MACHINE = "machine"


class TrustedSigstoreIdentity(SigstoreIdentity):
    """A Sigstore identity whose signatures count: the subject alternative name and the issuer, both exact."""

    who: Who

    def __str__(self) -> str:
        return f"{self.identity} (issuer {self.issuer})"


class TrustedWorkflow(Window):
    """A GitHub Actions workflow whose signatures count when it runs on a GitHub-hosted runner.

    Attributes:
        repository: ``owner/name``.
        workflow: the file under ``.github/workflows`` that the run started with; what it calls does not count.
        ref: the whole git ref that it must run on, or the beginning of one followed by ``*``: ``refs/tags/v*``.
    """

    kind: Literal["github-workflow"] = "github-workflow"
    repository: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", max_length=200)]
    workflow: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+\.ya?ml$", max_length=200)]
    ref: Annotated[str, StringConstraints(pattern=r"^refs/(heads|tags)/[A-Za-z0-9._/+-]*\*?$", max_length=200)]
    who: Literal[Who.MACHINE] = Who.MACHINE

    def allows_ref(self, ref: str) -> bool:
        """Whether a run on this git ref counts."""
        if self.ref.endswith("*"):
            return ref.startswith(self.ref.removesuffix("*"))
        return ref == self.ref

    def __str__(self) -> str:
        return (
            f"https://github.com/{self.repository}/.github/workflows/{self.workflow}@{self.ref} "
            f"(issuer {GITHUB_ISSUER})"
        )


class TrustedKey(OpenPgpKey):
    """An OpenPGP primary key whose signatures, and those of its signing subkeys, count.

    A key that has expired meanwhile still counts for signatures from within its window, if that has an end.
    """

    who: Who

    def __str__(self) -> str:
        return f"OpenPGP key {self.fingerprint}"


TrustedIdentity = Annotated[TrustedSigstoreIdentity | TrustedWorkflow | TrustedKey, Field(discriminator="kind")]
"""Someone whose signature counts, from a day to a day, both included."""


class TrustedStream(Value):
    """Everyone whose signature counts for one stream.

    Attributes:
        name: as in :class:`baton.model.version.Stream`: the versions' common beginning, or ``*``.
        requires: each file must have a signature of each of these kinds that counts; with none of them, any one does.
    """

    name: Annotated[str, StringConstraints(pattern=r"^(\*|[0-9]+(\.[0-9]+)*)$", max_length=32)]
    requires: tuple[SignatureKind, ...] = ()
    trusted: tuple[TrustedIdentity, ...] = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        kinds = {signature_kind(entry) for entry in self.trusted}
        if unmet := [kind for kind in self.requires if kind not in kinds]:
            raise ValueError(f"a signature of kind {', '.join(unmet)} is required, but nobody is listed who makes one")
        return self

    @property
    def prefix(self) -> tuple[int, ...]:
        """The release numbers that the stream's versions begin with; none for ``*``."""
        return () if self.name == "*" else _Pep440(self.name).release

    def holds(self, version: Version) -> bool:
        """Whether the version belongs to this stream; ``3.1`` does not hold ``3.14.1``."""
        return _Pep440(version).release[: len(self.prefix)] == self.prefix


class TrustedIdentities(Value):
    """The document.

    Attributes:
        kind: the format, with its version.
        sigstore: the Sigstore instance whose certificates count.
        serial: which text of the document it is; each new one has a higher number than all before.
        issued: the day from which this text of the document is meant to be used.
        expires: the last day on which it may still be the newest. What is fetched has to say one, so that nobody can
            hold a newer text back for ever.
        address: where the project publishes the newest text; its signatures lie beside it.
        document_signers: whose signature lets a newer text take the place of this one.
    """

    kind: Literal["urn:baton:trusted-identities:v1"] = "urn:baton:trusted-identities:v1"
    project: Name
    sigstore: SigstoreInstance = SigstoreInstance.PUBLIC
    serial: int = Field(default=1, ge=1, le=2**53 - 1)
    issued: date
    expires: date | None = None
    address: Annotated[str, StringConstraints(pattern=r"^https?://\S+[^/\s]$", max_length=500)] | None = None
    document_signers: tuple[TrustedIdentity, ...] = Field(default=(), max_length=50)
    streams: tuple[TrustedStream, ...] = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _streams_once(self) -> Self:
        names = [stream.name for stream in self.streams]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"stream {', '.join(twice)} is listed more than once")
        return self

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.expires is not None and self.expires < self.issued:
            raise ValueError(f"it expires on {self.expires}, before it is issued on {self.issued}")
        return self

    @property
    def digest(self) -> Digest:
        """The document's name: the digest of its canonical JSON."""
        return digest_of(canonical_json(self))

    def stream_of(self, version: Version) -> TrustedStream | None:
        """The stream that the version belongs to, the most specific one if several do, or None."""
        holding = [stream for stream in self.streams if stream.holds(version)]
        return max(holding, key=lambda stream: len(stream.prefix), default=None)

    def stream_for(self, version: Version | None) -> tuple[TrustedStream | None, str | None]:
        """The stream whose signers count for a version, or None and why there is none.

        Where the version is not known, it is the only stream that there is.
        """
        names = ", ".join(stream.name for stream in self.streams)
        if version is None:
            if len(self.streams) == 1:
                return self.streams[0], None
            return None, f"its name does not tell its version, hence who may sign it; say which of {names} it is of"
        stream = self.stream_of(version)
        if stream is None:
            return None, f"nobody is known who may sign {self.project} {version}; known streams: {names}"
        return stream, None

    def matching(self, stream: str, day: date) -> tuple[TrustedIdentity, ...]:
        """Everyone whose signature of that day counts for the stream of that name, in the document's order."""
        return tuple(
            trusted
            for listed in self.streams
            if listed.name == stream
            for trusted in listed.trusted
            if trusted.covers(day)
        )

    @classmethod
    def of_plan(cls, plan: Plan, issued: date) -> Self:
        """The document that says of a release's stream what the plan says: who signs it."""
        instances = {signer.instance for signer in plan.signers if not isinstance(signer, GpgSigner | HumanGpgSigner)}
        if len(instances) > 1:
            raise Invalid(f"the plan signs with several Sigstore instances at once: {', '.join(sorted(instances))}")
        trusted = tuple(entry for signer in plan.signers for entry in trusted_signers(signer))
        requires = tuple(dict.fromkeys(map(signature_kind, trusted)))
        return cls(
            project=plan.release.project,
            sigstore=next(iter(instances), SigstoreInstance.PUBLIC),
            issued=issued,
            streams=(TrustedStream(name=plan.stream.name, requires=requires, trusted=trusted),),
        )


def signature_kind(trusted: TrustedIdentity) -> SignatureKind:
    """Which sort of signature an entry's owner makes."""
    return SignatureKind.OPENPGP if isinstance(trusted, TrustedKey) else SignatureKind.SIGSTORE


def trusted_signers(signer: Signer) -> tuple[TrustedIdentity, ...]:
    """The identities any one of which has to have signed where a plan has this signer.

    That is one for a machine, the team's key and a workflow; for people everything that the plan lists for each of
    them, with the days on which it counts.
    """
    match signer:
        case HumanSigstoreSigner(people=people):
            identities = [identity for person in people for identity in person.identities]
            return tuple(TrustedSigstoreIdentity(**identity.model_dump(), who=Who.HUMAN) for identity in identities)
        case HumanGpgSigner(people=owners):
            keys = [key for owner in owners for key in owner.keys]
            return tuple(TrustedKey(**key.model_dump(), who=Who.HUMAN) for key in keys)
        case SigstoreSigner(identity=identity) | DispatchedSigner(identity=identity):
            return (TrustedSigstoreIdentity(**identity.model_dump(), who=Who.MACHINE),)
        case GpgSigner(key=key):
            return (TrustedKey(**key.model_dump(), who=Who.MACHINE),)
