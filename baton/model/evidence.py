"""What a release leaves behind for anyone to check, and the contract between workflows and activities about it."""

from __future__ import annotations

from datetime import datetime  # pydantic reads it at run time
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from baton.model.acts import Heard
from baton.model.base import Digest, Text, Value
from baton.model.gate import GateResult
from baton.model.manifest import Artifact, ManifestRef, SetRef
from baton.model.plan import Target
from baton.model.signing import Signer
from baton.model.status import Entry, Phase, Published, StepStatus
from baton.model.version import ReleaseId
from baton.model.work import Built, ReleaseRef, Signed, Source, Work

INDEX = "evidence.json"
"""The document that lists all others; it is what is signed."""

DocumentPath = Annotated[
    str, StringConstraints(pattern=r"^([a-z]+/)?[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=120, strict=True)
]
"""Where a document is in the evidence: a file name, in one folder at most."""


class Document(Artifact):
    """One document of the evidence: like an artifact, but its name may lead into a folder."""

    name: DocumentPath


class Record(Value):
    """What a release tells of itself.

    Attributes:
        complete: whether it tells it at its end; else this is what was known so far.
        at: when it tells it.
        source: what was built; None when it is not known.
        built: who built what from it, for each step whose files are released.
        signed: the signatures that each signer made.
        attested: the signed statements of how each file was made, where a machine signs.
        attestation: the signed statement of who agreed to the release, where a machine signs.
        joint: the joint gate of the security release that it went public with, as it had passed.
        journal: the latest lines of the log, long ones cut.
    """

    kind: Literal["urn:baton:record:v1"] = "urn:baton:record:v1"
    release: ReleaseId
    run: str
    sandbox: bool
    plan: Digest
    phase: Phase
    complete: bool
    at: datetime
    manifest: Digest | None
    source: Source | None = None
    built: tuple[Built, ...] = ()
    signed: tuple[Signed, ...] = ()
    attested: SetRef | None = None
    attestation: Artifact | None = None
    steps: tuple[StepStatus, ...]
    gates: tuple[GateResult, ...]
    joint: GateResult | None = None
    published: tuple[Published, ...]
    journal: tuple[Entry, ...]


class Evidence(Value):
    """The list of everything that the evidence of a release holds.

    Attributes:
        acts: how many the release heard, accepted and refused.
        head: the digest of the last link of their chain; of the first plan if there is none.
        documents: every other document, sorted by name.
    """

    kind: Literal["urn:baton:evidence:v1"] = "urn:baton:evidence:v1"
    release: ReleaseId
    run: str
    sandbox: bool
    plan: Digest
    manifest: Digest | None
    complete: bool
    at: datetime
    acts: Annotated[int, Field(ge=0)]
    head: Digest
    documents: tuple[Document, ...]


class WriteEvidence(Value):
    """Write the record that anyone can check later without Temporal.

    Attributes:
        heard: every act, in order, each a link of a chain; their envelopes are in the store.
    """

    release: ReleaseRef
    record: Record
    heard: tuple[Heard, ...]


class SignEvidence(Value):
    """Sign the list of a release's evidence with one signer.

    Attributes:
        evidence: the set that holds :data:`INDEX` and the signatures of it so far.
        gates: what people have agreed to; the signing worker proves it again before it signs.
    """

    release: ReleaseRef
    signer: Signer
    manifest: ManifestRef
    evidence: SetRef
    gates: tuple[GateResult, ...]


class PublishEvidence(Value):
    """Make the evidence public on one target, and fetch it back.

    Attributes:
        evidence: the set that holds :data:`INDEX` and its signatures.
        gates: what people have agreed to; the publishing worker proves it again.
    """

    release: ReleaseRef
    target: Target
    manifest: ManifestRef
    evidence: SetRef
    gates: tuple[GateResult, ...]


class Shown(Value):
    """The evidence is public at this address, and this many documents were fetched back and found right."""

    url: Text
    documents: int


WRITE_EVIDENCE = Work("write_evidence", WriteEvidence, SetRef)
SIGN_EVIDENCE = Work("sign_evidence", SignEvidence, SetRef)
PUBLISH_EVIDENCE = Work("publish_evidence", PublishEvidence, Shown)
