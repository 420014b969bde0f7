"""Who signs a release's files: a worker of the team's, a person on their own machine, or a workflow elsewhere.

What each signs is the manifest's files by their digests; whose signatures count is fixed in the plan.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints

from baton.model.base import Name, Value
from baton.model.outside import GitHubBuilder
from baton.model.roster import OpenPgpKey, SigstoreIdentity

if TYPE_CHECKING:
    from collections.abc import Iterable


class SigstoreInstance(StrEnum):
    """Which Sigstore: the public instance, its staging twin, or the sandbox's own, which proves nothing."""

    PUBLIC = "public"
    STAGING = "staging"
    SANDBOX = "sandbox"


class SigstoreSigner(Value):
    """A machine identity signs every file of the manifest with Sigstore.

    Attributes:
        identity: whose signature it has to be.
        suffix: what is appended to a file's name for its bundle.
    """

    kind: Literal["sigstore"] = "sigstore"
    instance: SigstoreInstance
    identity: SigstoreIdentity
    queue: Name = "sign"
    suffix: Literal[".sigstore.json", ".sigstore"] = ".sigstore.json"


class GpgSigner(Value):
    """The team's key, held by the signing worker alone, signs every file of the manifest with OpenPGP.

    Attributes:
        key: the primary key whose signature it has to be, with its public key block.
    """

    kind: Literal["gpg"] = "gpg"
    key: OpenPgpKey
    queue: Name = "sign"
    suffix: Literal[".asc"] = ".asc"


class SigstorePerson(Value):
    """Someone on the roster, and the identities whose bundles count as theirs."""

    person: Name
    identities: tuple[SigstoreIdentity, ...] = Field(min_length=1, max_length=20)

    def __str__(self) -> str:
        return f"{self.person} as {' or '.join(one.identity for one in self.identities)}"


class HumanSigstoreSigner(Value):
    """Any one of these people signs every file of the manifest with Sigstore, in one sign-in.

    Attributes:
        people: who may.
        suffix: what is appended to a file's name for its bundle.
    """

    kind: Literal["sigstore-human"] = "sigstore-human"
    instance: SigstoreInstance
    people: tuple[SigstorePerson, ...] = Field(min_length=1, max_length=200)
    suffix: Literal[".sigstore.json", ".sigstore"] = ".sigstore.json"


class OpenPgpPerson(Value):
    """Someone on the roster, and the keys whose signatures count as theirs."""

    person: Name
    keys: tuple[OpenPgpKey, ...] = Field(min_length=1, max_length=20)

    def __str__(self) -> str:
        return f"{self.person} with {' or '.join(key.fingerprint for key in self.keys)}"


class HumanGpgSigner(Value):
    """Any one of these people signs every file of the manifest with a key of their own.

    Attributes:
        people: who may.
    """

    kind: Literal["gpg-human"] = "gpg-human"
    people: tuple[OpenPgpPerson, ...] = Field(min_length=1, max_length=200)
    suffix: Literal[".asc"] = ".asc"


class DispatchedSigner(Value):
    """A GitHub Actions workflow signs every file of the manifest with Sigstore as itself, by digest alone.

    Attributes:
        identity: whose signature it has to be.
        run: how the workflow is started, and which of its artifacts hold the bundles.
        digests_in: the input that gets the files' digests, as ``sha256sum`` prints them.
        queue: polled by the worker that holds what ``run`` needs.
        suffix: what is appended to a file's name for its bundle.
    """

    kind: Literal["sigstore-dispatched"] = "sigstore-dispatched"
    instance: SigstoreInstance
    identity: SigstoreIdentity
    run: GitHubBuilder
    digests_in: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$", max_length=100)]
    queue: Name = "sign"
    suffix: Literal[".sigstore.json", ".sigstore"] = ".sigstore.json"


HumanSigner: TypeAlias = HumanSigstoreSigner | HumanGpgSigner
"""People, any one of whom signs all files on a machine of their own."""

OwnSigner: TypeAlias = SigstoreSigner | GpgSigner
"""A worker of the team's, which holds the key or the token itself."""

Signer = Annotated[
    SigstoreSigner | GpgSigner | HumanSigstoreSigner | HumanGpgSigner | DispatchedSigner, Field(discriminator="kind")
]
"""How files are signed; one entry per kind of signature that each file must have."""


def own_signers(signers: Iterable[Signer]) -> tuple[OwnSigner, ...]:
    """Those of a plan's signers that are workers of the team's.

    They sign the evidence of a release as well. Neither people nor a workflow elsewhere are asked a second time for
    that: what people agreed to is proven in the evidence by each act's own signature.
    """
    return tuple(signer for signer in signers if isinstance(signer, SigstoreSigner | GpgSigner))


def who_may_sign(signer: Signer) -> str:
    """A sentence that names everyone whose signatures count as this signer's."""
    match signer:
        case HumanSigstoreSigner(people=people):
            return f"Who may sign, all files at once: {', or '.join(map(str, people))}"
        case HumanGpgSigner(people=owners):
            return f"Who may sign, all files at once: {', or '.join(map(str, owners))}"
        case GpgSigner(key=key):
            return f"Who has to sign: the key {key.fingerprint}"
        case SigstoreSigner(identity=identity) | DispatchedSigner(identity=identity):
            return f"Who has to sign: {identity.identity}"
