"""What is attested of a release: how each file was made, and what people agreed to before all of it was published.

It is the contract between workflows and activities, and what those who make files put on record for those who sign.
The records are in the store, where a worker finds what another did; nothing of them comes from a workflow's state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import AwareDatetime

from baton.model.base import Commit, Digest, Text, Value
from baton.model.building import Step
from baton.model.code_signing import PlatformStep
from baton.model.gate import GateResult
from baton.model.manifest import Artifact, ManifestRef, SetRef
from baton.model.outside import OutsideRun
from baton.model.plan import Plan, SourcePlan
from baton.model.signing import SigstoreSigner
from baton.model.work import ReleaseRef, Work

if TYPE_CHECKING:
    from collections.abc import Iterable

    from baton.model.signing import Signer

PROVENANCE_SUFFIX = ".provenance.sigstore.json"
"""What is appended to a file's name for the signed statement of how it was made."""

RELEASE_SUFFIX = ".release.sigstore.json"
"""What is appended to a manifest's name for the signed statement of who agreed to the release."""

MANIFEST_FILE = "manifest.json"
"""What a manifest is called where it lies as a file."""

NO_ATTESTATIONS = "no attestations: none of those who sign is a machine with a Sigstore identity"
"""Why a release has none, in words."""


def attester(signers: Iterable[Signer]) -> SigstoreSigner | None:
    """Who of these signs attestations: the machine with a Sigstore identity, or nobody.

    A person can sign what they agree to, and a team's key what is released; how a file was made only the machines that
    made it can know.
    """
    return next((signer for signer in signers if isinstance(signer, SigstoreSigner)), None)


def planned_attester(plan: Plan) -> SigstoreSigner | None:
    """Who states how the files of a release were made; nobody where files are only signed anew, made long before."""
    return attester(plan.signers) if plan.resigning is None else None


class Ordered(Value):
    """The worker that holds an outside system's credential started this run for a step."""

    step: Step
    run: OutsideRun


class Prepared(Value):
    """The worker that prepares sources made this commit as the plan's source says."""

    source: SourcePlan
    commit: Commit


class Making(Value):
    """A worker had these files made by a step's builder, and put that on record itself.

    Attributes:
        repository: of the source that it was given.
        commit: the commit that the builder proves it built.
        artifacts: the set of files that came of it.
        by: the machine, or the outside system and its run, in words.
        log: digest of the build's log in the store.
        attempt: which of the release's attempts at the step it was; None for an outside run, which counts its own.
        run: the outside run.
        started: when it began; of an outside run, when it was dispatched.
        finished: when it had ended; None where only the outside system knows.
    """

    step: Step
    repository: str
    commit: Commit
    artifacts: Digest
    by: Text
    log: Digest | None = None
    attempt: int | None = None
    run: OutsideRun | None = None
    started: AwareDatetime
    finished: AwareDatetime | None = None


class Reworking(Value):
    """A worker made files out of a set of files: it signed inside them, or described them.

    Attributes:
        step: the platform step; None for the SPDX documents that describe the released files.
        of: the set that it was given.
        artifacts: the set that came of it.
    """

    step: PlatformStep | None
    of: Digest
    artifacts: Digest


class AttestFiles(Value):
    """Sign a statement of provenance for each file of the manifest.

    Attributes:
        decisions: the envelopes of what people decided about steps; where somebody handed files in, the signing worker
            proves that by one of them.
        gates: what people have agreed to; the signing worker proves it again before it signs.
    """

    release: ReleaseRef
    signer: SigstoreSigner
    manifest: ManifestRef
    decisions: tuple[Digest, ...] = ()
    gates: tuple[GateResult, ...]


class AttestRelease(Value):
    """Sign a statement of what people agreed to: plan, manifest and gates.

    Attributes:
        gates: what people have agreed to; the signing worker states only what it has proven again.
    """

    release: ReleaseRef
    signer: SigstoreSigner
    manifest: ManifestRef
    gates: tuple[GateResult, ...]


ATTEST_FILES = Work("attest_files", AttestFiles, SetRef)
ATTEST_RELEASE = Work("attest_release", AttestRelease, Artifact)
