"""Signers beside the release's own workers: people on their own machines, and a workflow that signs digests.

What each signs is the manifest's files by their digests; whose signatures count is fixed in the plan.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from baton.model.base import Name, Value
from baton.model.outside import GitHubBuilder
from baton.model.plan import SigstoreInstance
from baton.model.roster import OpenPgpKey, SigstoreIdentity


class SigstorePerson(Value):
    """Someone on the roster, and the identities whose bundles count as theirs."""

    person: Name
    identities: tuple[SigstoreIdentity, ...] = Field(min_length=1, max_length=20)


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
