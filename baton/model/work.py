"""The contract between workflows and activities: the name, argument and result of every activity.

A workflow asks for a piece of :class:`Work` and an activity of the same name does it; neither imports the other.
Arguments carry no more of the plan than the activity needs, and references instead of lists of files.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import AwareDatetime

from baton.model.announcing import Announcer, Event
from baton.model.base import Commit, Digest, Name, Text, Value
from baton.model.building import Check, Step
from baton.model.gate import GateResult
from baton.model.manifest import ManifestRef, SetRef
from baton.model.outside import OutsideOrder, OutsideRun, RunReport, RunState
from baton.model.plan import ArchiveLimits, SourcePlan, Target
from baton.model.signing import Signer
from baton.model.version import ReleaseId, SecurityId


class ReleaseRef(Value):
    """Which run of which release an activity works for.

    Attributes:
        run: the first execution run id of the workflow: the same after a reset, another after a new start.
        plan: the plan's digest.
        sandbox: whether the plan is a rehearsal; a worker refuses work of the other kind.
    """

    release: ReleaseId
    run: str
    plan: Digest
    sandbox: bool


class SecurityRef(Value):
    """Which run of which security release an activity works for.

    Attributes:
        run: the first execution run id of the workflow: the same after a reset, another after a new start.
        plan: the plan's digest.
        sandbox: whether the plan is a rehearsal; a worker refuses work of the other kind.
    """

    release: SecurityId
    run: str
    plan: Digest
    sandbox: bool


class PrepareSource(Value):
    """Make a fresh clone at the commit, run the project's preparation, make the tag."""

    release: ReleaseRef
    source: SourcePlan
    attempt: int


class Source(Value):
    """The prepared source.

    Attributes:
        commit: the tagged commit, which is the plan's unless preparation made commits on top of it.
        bundle: digest of a git bundle in the store that holds the commit and its tag.
        epoch: the commit's time in seconds since 1970, for ``SOURCE_DATE_EPOCH``.
    """

    repository: str
    commit: Commit
    tag: str
    bundle: Digest
    epoch: int


class OfferSource(Value):
    """Put the prepared commit where outside CI systems find it, on a branch of its own; or take that branch away.

    Attributes:
        gates: what people have agreed to; the worker proves it again before it pushes.
    """

    release: ReleaseRef
    source: Source
    gates: tuple[GateResult, ...]

    @property
    def branch(self) -> str:
        """The branch: no other release has it, and nobody works on it."""
        return self.release.release.branch


class Offered(Value):
    """The repository has the branch on the prepared commit."""

    branch: str


class BuildStep(Value):
    """Run one step's builder on the prepared source."""

    release: ReleaseRef
    step: Step
    source: Source
    attempt: int


class Built(Value):
    """What a step made.

    Attributes:
        commit: the commit that the builder proves it built.
        log: digest of the build log in the store.
        builder: who built it, for provenance: the machine and the worker.
    """

    step: Name
    commit: Commit
    artifacts: SetRef
    log: Digest | None = None
    builder: Text = ""


class OrderRun(Value):
    """Start the outside run that makes a step's files, or find the one that this order started already.

    Attributes:
        number: which order of the step it is, from 1; each starts at most one run.
        asked: when it was first given.
        gates: what people have agreed to; the worker proves it again before it starts anything.
    """

    release: ReleaseRef
    step: Step
    source: Source
    number: int
    asked: AwareDatetime
    gates: tuple[GateResult, ...]

    @property
    def order(self) -> OutsideOrder:
        """What is ordered; its key is that of no other release run, plan, step or number."""
        ref = self.release
        about = "\n".join((str(ref.release), ref.run, ref.plan, self.step.name, str(self.number)))
        digest = hashlib.sha256(about.encode()).hexdigest()
        return OutsideOrder(
            key=f"{self.step.name}-{self.number}-{digest[:32]}",
            version=str(ref.release.version),
            tag=self.source.tag,
            commit=self.source.commit,
            asked=self.asked,
        )


class RetryRun(Value):
    """Have what failed of an outside run run again."""

    release: ReleaseRef
    step: Step
    run: OutsideRun


class FollowRun(Value):
    """Follow an outside run until it is elsewhere than it was, as far as a release's record goes.

    Attributes:
        seen: where it was last.
        until: when it has taken longer than the step may.
    """

    release: ReleaseRef
    step: Step
    run: OutsideRun
    seen: RunState | None
    until: AwareDatetime


class CollectRun(Value):
    """Take in what an outside run made."""

    release: ReleaseRef
    step: Step
    run: OutsideRun
    source: Source
    limits: ArchiveLimits


class Beat(Value):
    """What a running activity says of itself with each heartbeat.

    Attributes:
        step: the step or check that it works for, as the release's status names it; may be empty.
        line: how far it is.
        link: where people see it, if its work is done elsewhere.
    """

    step: str = ""
    line: str = ""
    link: str = ""


class InspectStep(Value):
    """Check what a step made or a person handed in: the commit, the expected files, that archives are safe to open.

    Attributes:
        commit: what the builder proves it built.
        expected: what it was to build.
    """

    release: ReleaseRef
    step: Step
    artifacts: SetRef
    limits: ArchiveLimits
    commit: Commit
    expected: Commit


class ProvidedStep(Value):
    """Take an artifact set that a person put into the store for a step."""

    release: ReleaseRef
    step: Step
    provided: Digest
    source: Source


class Inspected(Value):
    """A step's files are what the plan expects."""

    files: int
    archives: int


class CompareSteps(Value):
    """Require that two steps made the same bytes."""

    release: ReleaseRef
    first: Built
    second: Built


class Agreed(Value):
    """Two independent builds made the same bytes."""

    files: int


class DescribeFiles(Value):
    """Make an SPDX document for each file that the steps made."""

    release: ReleaseRef
    built: tuple[Built, ...]
    source: Source


class MakeManifest(Value):
    """Make the complete list of the release's files."""

    release: ReleaseRef
    built: tuple[Built, ...]
    sboms: SetRef | None
    source: Source


class RunCheck(Value):
    """Run one of the project's own checks on the manifest's files."""

    release: ReleaseRef
    check: Check
    source: Source
    manifest: ManifestRef
    attempt: int


class Checked(Value):
    """A project's own check passed."""

    log: Digest


class SignFiles(Value):
    """Sign every file of the manifest with one signer.

    Attributes:
        gates: what people have agreed to; the signing worker proves it again before it signs.
    """

    release: ReleaseRef
    signer: Signer
    manifest: ManifestRef
    gates: tuple[GateResult, ...]


class Signed(Value):
    """One signer's signatures, one for each file of the manifest."""

    signer: Signer
    signatures: SetRef


class TakeSignatures(Value):
    """Take the signatures that a person made and put into the store, if they count.

    Attributes:
        signer: the people who may.
        provided: digest of the set of them, one for each file of the manifest.
    """

    release: ReleaseRef
    signer: Signer
    manifest: ManifestRef
    provided: Digest


class VerifySignatures(Value):
    """Verify every signature as a stranger would: the right file, the identity that the plan names, none missing.

    Attributes:
        signers: the plan's; each must have signed every file.
        attested: a signed statement of how each file was made, if a machine signs.
    """

    release: ReleaseRef
    signers: tuple[Signer, ...]
    manifest: ManifestRef
    signed: tuple[Signed, ...]
    attested: SetRef | None = None


class Verified(Value):
    """Every file has one good signature of each kind."""

    files: int
    signatures: int


class Publish(Value):
    """Stage, promote, or check one target.

    Attributes:
        attested: a signed statement of how each file was made, if a machine signs.
        gates: what people have agreed to; the publishing worker proves it again before it promotes.
    """

    release: ReleaseRef
    target: Target
    manifest: ManifestRef
    signed: tuple[Signed, ...]
    attested: SetRef | None = None
    gates: tuple[GateResult, ...]


class WithdrawStaging(Value):
    """Take away what a target's staging holds for this release; what is public stays."""

    release: ReleaseRef
    target: Target


class Staged(Value):
    """Everything is in the target's staging, where nobody sees it."""

    files: int
    total_bytes: int


class Promoted(Value):
    """The release is public at this address."""

    target: Name
    url: str


class Seen(Value):
    """This many files were fetched back from the public side and found right."""

    files: int


class PushTag(Value):
    """Push the release's tag to the repository.

    Attributes:
        manifest: what was made public of that source.
        gates: what people have agreed to; the worker proves it again before it pushes.
    """

    release: ReleaseRef
    source: Source
    manifest: ManifestRef
    gates: tuple[GateResult, ...]


class Pushed(Value):
    """The repository has the tag on the released commit."""

    commit: Commit


class Tell(Value):
    """Tell people about an event by one announcer."""

    release: ReleaseRef | SecurityRef
    announcer: Announcer
    event: Event
    text: Text
    link: str = ""


class Told(Value):
    """The message went out; or did not, with the reason: telling never holds a release."""

    sent: bool
    detail: Text = ""


class ForgetSource(Value):
    """Undo the preparation of a cancelled release: its tag was never pushed and is dropped."""

    release: ReleaseRef


class Undone(Value):
    """What was undone, in words."""

    detail: Text


Argument = TypeVar("Argument", bound=Value)
Result = TypeVar("Result", bound=Value)


@dataclass(frozen=True)
class Work(Generic[Argument, Result]):
    """A piece of work: the activity's name, the type it takes and the type it gives."""

    name: str
    takes: type[Argument]
    gives: type[Result]


PREPARE_SOURCE = Work("prepare_source", PrepareSource, Source)
OFFER_SOURCE = Work("offer_source", OfferSource, Offered)
WITHDRAW_SOURCE = Work("withdraw_source", OfferSource, Undone)
BUILD_STEP = Work("build_step", BuildStep, Built)
ORDER_RUN = Work("order_run", OrderRun, OutsideRun)
FOLLOW_RUN = Work("follow_run", FollowRun, RunReport)
RETRY_RUN = Work("retry_run", RetryRun, OutsideRun)
COLLECT_RUN = Work("collect_run", CollectRun, Built)
CANCEL_RUN = Work("cancel_run", OrderRun, Undone)
TAKE_PROVIDED = Work("take_provided", ProvidedStep, Built)
INSPECT_STEP = Work("inspect_step", InspectStep, Inspected)
COMPARE_STEPS = Work("compare_steps", CompareSteps, Agreed)
DESCRIBE_FILES = Work("describe_files", DescribeFiles, SetRef)
MAKE_MANIFEST = Work("make_manifest", MakeManifest, ManifestRef)
RUN_CHECK = Work("run_check", RunCheck, Checked)
SIGN_FILES = Work("sign_files", SignFiles, Signed)
TAKE_SIGNATURES = Work("take_signatures", TakeSignatures, Signed)
VERIFY_SIGNATURES = Work("verify_signatures", VerifySignatures, Verified)
STAGE = Work("stage", Publish, Staged)
PROMOTE = Work("promote", Publish, Promoted)
CHECK_PUBLIC = Work("check_public", Publish, Seen)
UNSTAGE = Work("unstage", WithdrawStaging, Undone)
PUSH_TAG = Work("push_tag", PushTag, Pushed)
FORGET_SOURCE = Work("forget_source", ForgetSource, Undone)
TELL = Work("tell", Tell, Told)
