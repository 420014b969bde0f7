"""The plan: what one release will do, resolved from ``release.toml`` when it starts and fixed from then on."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from baton.model.announcing import Announcer
from baton.model.base import Commit, Digest, Name, Text, Value, canonical_json, digest_of
from baton.model.building import Check, Command, Seconds, Step
from baton.model.code_signing import Notarization, PlatformStep
from baton.model.resigning import Resigning
from baton.model.roster import Roster
from baton.model.signing import (
    DispatchedSigner,
    GpgSigner,
    HumanGpgSigner,
    HumanSigner,
    Signer,
    SigstoreInstance,
)
from baton.model.version import Purpose, ReleaseId, ReleaseKind, SecurityId, Stream, Version


class SourcePlan(Value):
    """Where the release is made from.

    Attributes:
        repository: a git URL or an absolute path; cloned with the worker's own git credentials.
        commit: the whole id of the commit.
        tag: the tag that the release makes on the prepared commit, and pushes once it is public.
        prepare: the project's own commands, run in order in the clone before the tag is made.
        push_tag: whether the tag is pushed at the end.
        push_to: the repository that the tag is pushed to, if that is another: the public one, where a fix that is not
            public yet is built from a private one.
    """

    repository: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    commit: Commit
    tag: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/+-]*$", max_length=200)]
    prepare: tuple[Command, ...] = ()
    push_tag: bool = True
    push_to: Annotated[str, StringConstraints(min_length=1, max_length=1000)] | None = Field(
        default=None, exclude_if=lambda repository: repository is None
    )


class GatePoint(StrEnum):
    """What a gate stands before."""

    BUILD = "build"
    SIGN = "sign"
    PUBLISH = "publish"


class Gate(Value):
    """A point where people must agree.

    Attributes:
        before: what waits for it. Before ``build`` people agree to the plan's digest, later to the manifest's.
        needs: how many distinct people of each role.
        starter_counts: whether the sign-off of the person who started the release counts.
    """

    name: Name
    before: GatePoint
    needs: dict[Name, Annotated[int, Field(ge=1, le=20)]] = Field(min_length=1, max_length=10)
    starter_counts: bool = True


JOINT_GATE: Name = "joint"
"""The gate of a security release, where people agree to what all of its streams ship; no other gate is called so."""


class SignWhen(StrEnum):
    """When the files of a security release are signed: after its barrier has opened, or before, as soon as they are."""

    AT_BARRIER = "at-barrier"
    EARLY = "early"


class Barrier(Value):
    """What a release waits for that goes public together with the releases of other streams.

    Attributes:
        security: the security release that it belongs to.
        gate: where people agree to all streams' files at once, in place of this release's own gates before signing
            and publishing.
        sign: when its files are signed.
    """

    security: SecurityId
    gate: Gate
    sign: SignWhen = SignWhen.AT_BARRIER

    @model_validator(mode="after")
    def _the_joint_gate(self) -> Self:
        if self.gate.name != JOINT_GATE or self.gate.before is not GatePoint.PUBLISH:
            raise ValueError(f"the gate of a barrier is called {JOINT_GATE} and stands before publishing")
        return self


class DirectoryTarget(Value):
    """A folder that a web server serves; a release becomes public by one atomic rename.

    Attributes:
        path: the absolute path of the served folder on the publishing worker.
        url: the address under which people see it.
    """

    kind: Literal["directory"] = "directory"
    name: Name
    path: Annotated[str, StringConstraints(pattern=r"^/", max_length=1000)]
    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=1000)]
    queue: Name = "publish"


class SandboxTarget(Value):
    """The sandbox's own served folder; the publishing worker of the sandbox knows where it is."""

    kind: Literal["sandbox"] = "sandbox"
    name: Name
    queue: Name = "publish"


Target = Annotated[DirectoryTarget | SandboxTarget, Field(discriminator="kind")]
"""Where files go."""


class Audience(StrEnum):
    """Who is reminded of what waits."""

    ROLES = "roles"
    EVERYONE = "everyone"


class Reminder(Value):
    """People are told again of what has waited for this long without anybody acting.

    Attributes:
        after: seconds since it began to wait, or since somebody last acted on it.
        to: those whose role can bring it forward, or everyone on the roster.
    """

    after: Seconds
    to: Audience = Audience.ROLES


class ArchiveLimits(Value):
    """Bounds that an archive's declared contents must keep, against archive bombs.

    Attributes:
        entries: at most this many.
        unpacked_bytes: in total, when unpacked.
        ratio: unpacked size divided by packed size.
    """

    entries: Annotated[int, Field(gt=0)] = 200_000
    unpacked_bytes: Annotated[int, Field(gt=0)] = 8 * 1024**3
    ratio: Annotated[int, Field(gt=0)] = 200


class Plan(Value):
    """What one release will do. Its digest is its name.

    Attributes:
        sandbox: a rehearsal: local Sigstore, local target, unsigned acts accepted, nothing pushed to a real origin.
            Production workers refuse it, and sandbox workers refuse every other.
        started_by: the person who starts the release, as on the roster.
        queue: the task queue of the release's own workflow and of activities that need no special machine.
        unsigned_acts: whether acts count that nothing proves; only a rehearsal may allow it.
        platform: signing inside the files, as Windows and macOS want it, between the builds and the manifest.
        sboms: whether each file gets an SPDX document.
        reminders: when people are told again of what waits, in order of time.
        publish_evidence: whether the record of the release becomes public beside its files.
        barrier: what the release waits for before it goes public, as one of a security release; None if it goes alone.
        resigning: what is signed anew, where that is all that is done; nothing is prepared, built or checked then.
    """

    kind: Literal["urn:baton:plan:v1"] = "urn:baton:plan:v1"
    release: ReleaseId
    title: Text
    stream: Stream
    release_kind: ReleaseKind
    sandbox: bool
    unsigned_acts: bool = False
    started_by: Name
    source: SourcePlan
    steps: tuple[Step, ...] = Field(max_length=100)
    platform: tuple[PlatformStep, ...] = Field(default=(), max_length=50)
    checks: tuple[Check, ...] = Field(default=(), max_length=50)
    sboms: bool = True
    limits: ArchiveLimits = ArchiveLimits()
    signers: tuple[Signer, ...] = Field(min_length=1, max_length=4)
    gates: tuple[Gate, ...] = Field(max_length=20)
    targets: tuple[Target, ...] = Field(min_length=1, max_length=10)
    announcers: tuple[Announcer, ...] = Field(default=(), max_length=20)
    reminders: tuple[Reminder, ...] = Field(default=(), max_length=10)
    publish_evidence: bool = False
    # Left out of the plan's JSON where there is none, so that a plan without it keeps the digest that it always had.
    barrier: Barrier | None = Field(default=None, exclude_if=lambda barrier: barrier is None)
    resigning: Resigning | None = Field(default=None, exclude_if=lambda resigning: resigning is None)
    roster: Roster
    queue: Name = "release"

    @model_validator(mode="after")
    def _people_agree(self) -> Self:
        if self.barrier is None and not self.gates:
            raise ValueError("a plan needs a gate where people agree")
        if any(gate.name == JOINT_GATE for gate in self.gates):
            raise ValueError(f"only the gate of a barrier is called {JOINT_GATE}")
        return self

    @model_validator(mode="after")
    def _builds_or_signs_anew(self) -> Self:
        source = self.source
        made = self.steps or self.platform or self.checks or source.prepare or source.push_tag or self.barrier
        if (self.release.purpose is Purpose.RESIGN) != (self.resigning is not None):
            raise ValueError("a plan says what is signed anew if that is its purpose, and only then")
        if self.resigning is None and not self.steps:
            raise ValueError("a release needs a step that builds something")
        if self.resigning is not None and made:
            raise ValueError("where files are signed anew, none is prepared, built, checked or tagged")
        return self

    @model_validator(mode="after")
    def _one_of_each_name(self) -> Self:
        parts: dict[str, list[str]] = {
            "steps": [step.name for step in self.steps],
            "gates": [gate.name for gate in self.gates],
            "targets": [target.name for target in self.targets],
            "people": [person.id for person in self.roster.people],
            "signers": [signer.kind for signer in self.signers],
        }
        for what, names in parts.items():
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"there are two {what} called {twice[0]}: what is said of one would count for both")
        return self

    @model_validator(mode="after")
    def _what_proves_nothing_only_in_a_sandbox(self) -> Self:
        signers = [
            signer
            for signer in self.signers
            if not isinstance(signer, GpgSigner | HumanGpgSigner) and signer.instance is SigstoreInstance.SANDBOX
        ]
        targets = [target for target in self.targets if isinstance(target, SandboxTarget)]
        if not self.sandbox and (signers or targets):
            raise ValueError("a real plan can't name the sandbox's Sigstore instance or target: they prove nothing")
        if not self.sandbox and self.unsigned_acts:
            raise ValueError("a real plan can't accept unsigned acts: anyone could say anything")
        return self

    @model_validator(mode="after")
    def _simulators_only_in_a_sandbox(self) -> Self:
        addresses = [each for step in self.steps for each in step.addresses]
        addresses += [signer.run.api for signer in self.signers if isinstance(signer, DispatchedSigner)]
        simulators = [each for each in addresses if each.startswith("http://")]
        if simulators and not self.sandbox:
            raise ValueError(f"a real plan can't have its files built or signed by simulators: {', '.join(simulators)}")
        return self

    @model_validator(mode="after")
    def _platform_steps_in_order(self) -> Self:
        files = {step.name: set(step.files) for step in self.steps if step.agrees_with is None}
        names = {step.name for step in self.steps}
        for step in self.platform:
            if step.name in names:
                raise ValueError(f"there are two steps {step.name}")
            if step.of not in files:
                raise ValueError(f"{step.name} signs what {step.of} made, but no step before it releases such files")
            if strangers := set(step.files) - files[step.of]:
                raise ValueError(f"{step.name} signs {', '.join(sorted(strangers))}, which {step.of} does not make")
            files[step.name] = files[step.of]
            names.add(step.name)
        signed = [step.of for step in self.platform]
        if twice := sorted({name for name in signed if signed.count(name) > 1}):
            raise ValueError(f"two steps sign what {twice[0]} made: have the second sign what the first gives")
        return self

    @property
    def digest(self) -> Digest:
        """The plan's name: the digest of its canonical JSON."""
        return digest_of(canonical_json(self))

    @property
    def version(self) -> Version:
        """The version that is released."""
        return self.release.version

    @property
    def signs_at_barrier(self) -> bool:
        """Whether nothing is signed before the barrier of a security release has opened."""
        return self.barrier is not None and self.barrier.sign is SignWhen.AT_BARRIER

    @property
    def branch(self) -> str | None:
        """The branch on which outside CI systems find the prepared commit; None if no run is told of one."""
        branch = self.release.branch
        wanted = self.source.push_tag and any(step.is_told(branch, self.version) for step in self.steps)
        return branch if wanted else None

    def gates_before(self, point: GatePoint) -> tuple[Gate, ...]:
        """The gates that stand before this point, in the plan's order."""
        return tuple(gate for gate in self.gates if gate.before is point)

    def step(self, name: str) -> Step | None:
        """The step of that name, or None."""
        return next((step for step in self.steps if step.name == name), None)

    @property
    def queues(self) -> tuple[str, ...]:
        """Every task queue that must have a worker for this plan to finish, sorted."""
        return tuple(
            sorted(
                {self.queue}
                | {step.queue for step in self.steps}
                | {step.queue for step in self.platform}
                | {step.signing.queue for step in self.platform if isinstance(step.signing, Notarization)}
                | {check.queue for check in self.checks}
                | {signer.queue for signer in self.signers if not isinstance(signer, HumanSigner)}
                | {target.queue for target in self.targets}
            )
        )
