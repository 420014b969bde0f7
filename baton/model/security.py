"""Several streams behind one barrier: the plan of a security release, what people agree to, and how its parts speak.

A security release runs one release for each stream up to ready, waits at the barrier for every stream, the end of the
embargo and the joint gate, and then has all of them go public together.

The workflow is :data:`WORKFLOW`, started with a :class:`SecurityPlan` under its ``release.workflow_id``. People speak
to it by updates and signals of the same names, as to a release, each taking an act that names the :class:`SecurityId`:
``sign_off``, ``reject``, ``withdraw`` (gate :data:`baton.model.plan.JOINT_GATE`), ``claim``, ``hand_off``, ``cancel``,
``take_out``, ``start_again``, ``move_date``. Its queries: ``status`` (:class:`SecurityStatus`), ``joint``
(:class:`JointManifest` or None), ``acts`` and ``journal`` as a release has them. A stream's own steps are decided about
at the stream's own release, whose workflow id the status has.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from baton.model.acts import Attempt, Run
from baton.model.announcing import Announcer
from baton.model.base import Commit, Digest, Name, Text, Value, canonical_json, digest_of
from baton.model.gate import GateResult
from baton.model.plan import Barrier, Gate, Plan, Reminder, SignWhen
from baton.model.roster import Roster
from baton.model.status import Entry, Phase, Waiting
from baton.model.version import ReleaseId, SecurityId, Version
from baton.model.work import SecurityRef, Work

WORKFLOW = "SecurityRelease"
"""The name of the workflow's type."""

Advisory = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$", max_length=200)]
"""What the security release mends, by a reference that says nothing by itself: ``GHSA-…``, ``CVE-…``, a number."""


def new_security_id(project: Name) -> SecurityId:
    """A security release that there has not been."""
    return SecurityId(project=project, security=secrets.token_hex(16))


class SecurityPlan(Value):
    """What a security release will do. Its digest is its name.

    Attributes:
        advisory: what it mends.
        embargoed: whether nothing may tell of it before the barrier opens; then ids and search attributes name no
            version either.
        until: when the embargo ends. None: as soon as people have agreed.
        plans: one release for each stream, in the order in which they go public; each has the barrier.
        pause: seconds between the promotions of two streams; 0 for all at once.
        announcers: who is told of the security release as a whole; its streams tell nobody.
        reminders: when people are told again of what waits, in order of time.
        roster: who may act in it; the same as of each release.
        queue: the task queue of the workflow itself.
    """

    kind: Literal["urn:baton:security-plan:v1"] = "urn:baton:security-plan:v1"
    release: SecurityId
    title: Text
    advisory: Advisory
    embargoed: bool = True
    until: AwareDatetime | None = None
    started_by: Name
    sandbox: bool
    unsigned_acts: bool = False
    plans: tuple[Plan, ...] = Field(min_length=1, max_length=20)
    pause: Annotated[int, Field(ge=0, le=86_400)] = 0
    announcers: tuple[Announcer, ...] = Field(default=(), max_length=20)
    reminders: tuple[Reminder, ...] = Field(default=(), max_length=10)
    roster: Roster
    queue: Name = "release"

    @model_validator(mode="after")
    def _one_barrier(self) -> Self:
        versions = [plan.version for plan in self.plans]
        if twice := sorted({version for version in versions if versions.count(version) > 1}):
            raise ValueError(f"{twice[0]} is released twice")
        for plan in self.plans:
            if plan.barrier is None or plan.barrier.security != self.release:
                raise ValueError(f"{plan.release} does not stand before the barrier of {self.release}")
            if plan.barrier != self.barrier:
                raise ValueError(f"{plan.release} stands before another barrier than {self.plans[0].release}")
            if plan.release.project != self.release.project:
                raise ValueError(f"{plan.release} is of another project than {self.release}")
            for what in ("sandbox", "unsigned_acts", "roster", "started_by"):
                if getattr(plan, what) != getattr(self, what):
                    raise ValueError(f"{plan.release} has another {what} than the security release")
        return self

    @property
    def digest(self) -> Digest:
        """The plan's name: the digest of its canonical JSON."""
        return digest_of(canonical_json(self))

    @property
    def barrier(self) -> Barrier:
        """What every stream waits for.

        Raises:
            ValueError: the first stream has none; no valid plan is like that.
        """
        barrier = self.plans[0].barrier
        if barrier is None:
            raise ValueError(f"{self.plans[0].release} stands before no barrier")
        return barrier

    @property
    def gate(self) -> Gate:
        """The joint gate."""
        return self.barrier.gate

    @property
    def leaks(self) -> Text:
        """What the plan lets the world see before the barrier opens, in words; empty if nothing."""
        return leaks_of(self.barrier.sign)

    def plan_of(self, version: Version) -> Plan | None:
        """The release of that version, or None."""
        return next((plan for plan in self.plans if plan.version == version), None)

    def workflow_id(self, version: Version) -> str:
        """The workflow id of a stream's release.

        Without an embargo it is the one that the release has if it goes alone, so that it can't run twice. Under an
        embargo it is ``security/PROJECT/RANDOM/NUMBER``, which says no version.

        Raises:
            ValueError: no stream releases that version.
        """
        numbers = {plan.version: number for number, plan in enumerate(self.plans, start=1)}
        if version not in numbers:
            raise ValueError(f"{self.release} releases no {version}")
        if self.embargoed:
            return f"{self.release.workflow_id}/{numbers[version]}"
        return ReleaseId(project=self.release.project, version=version).workflow_id


def leaks_of(sign: SignWhen) -> Text:
    """What anybody can see before the barrier opens if files are signed then, in words; empty if nothing."""
    if sign is SignWhen.AT_BARRIER:
        return ""
    return (
        "signed early: the transparency log shows, before the barrier opens, the digest of each file, the signing "
        "identity and the time; so that something is about to be released, and how many files of it"
    )


class JointStream(Value):
    """What one stream ships.

    Attributes:
        commit: the commit that it is made from.
        manifest: digest of the list of all its files.
        plan: digest of the plan that its release follows.
    """

    version: Version
    commit: Commit
    manifest: Digest
    plan: Digest


class JointManifest(Value):
    """What all streams of a security release ship; its digest is what people sign off at the joint gate.

    It is kept in the store, in canonical JSON, where each worker that signs or publishes one of the streams reads it.

    Attributes:
        run: the first run of the security release's workflow.
        advisory: what is mended.
        until: when the embargo ends; nothing is signed at the barrier or becomes public before. None: there is no date.
        streams: every stream that takes part, in the order in which they go public.
    """

    kind: Literal["urn:baton:joint-manifest:v1"] = "urn:baton:joint-manifest:v1"
    release: SecurityId
    run: Run
    advisory: Advisory
    until: AwareDatetime | None = None
    streams: tuple[JointStream, ...] = Field(min_length=1, max_length=20)

    @property
    def digest(self) -> Digest:
        """Its name: the digest of its canonical JSON."""
        return digest_of(canonical_json(self))

    def stream(self, version: Version) -> JointStream | None:
        """What is shipped as that version, or None."""
        return next((stream for stream in self.streams if stream.version == version), None)

    def objection_to(self, security: SecurityId, ours: JointStream) -> str | None:
        """Why it is not what people had to agree to before a stream goes public as one of a security release, or None.

        Args:
            security: which the stream's plan belongs to.
            ours: the stream, as it is in hand.
        """
        named = f"{security.project} {ours.version}"
        if self.release != security:
            return f"{self.digest} is what {self.release} ships; {named} is of {security}"
        agreed = self.stream(ours.version)
        if agreed == ours:
            return None
        told = "nothing" if agreed is None else f"manifest {agreed.manifest} of plan {agreed.plan}"
        return f"people agreed to {told} for {named}; this is manifest {ours.manifest} of plan {ours.plan}"


class KeepJoint(Value):
    """Put what people are asked to agree to into the store."""

    release: SecurityRef
    joint: JointManifest


class KeptJoint(Value):
    """It is in the store."""

    digest: Digest


KEEP_JOINT = Work("keep_joint", KeepJoint, KeptJoint)


class StreamState(StrEnum):
    """Where a stream stands before the barrier, or behind it."""

    PREPARING = "preparing"
    """Not ready yet: building, checking, staging."""

    READY = "ready"
    """Everything is made, checked and staged; it waits for the barrier to open."""

    SIGNED = "signed"
    """The barrier is open, every file is signed, verified and staged; it waits for the others to be so, too."""

    PUBLISHING = "publishing"
    """It is going public, and is finished, not undone."""

    PUBLIC = "public"
    """Every target shows it, and its files were fetched back and found right."""

    RELEASED = "released"
    """All is done, the tag and the evidence as well."""

    LEFT = "left"
    """Its release ended, or could not begin: it can be started again or taken out."""

    TAKEN_OUT = "taken-out"
    """People took it out; it can be released alone."""

    @property
    def behind(self) -> bool:
        """Whether it is public as a whole."""
        return self in (StreamState.PUBLIC, StreamState.RELEASED)

    @property
    def going_public(self) -> bool:
        """Whether some of it may be public."""
        return self is StreamState.PUBLISHING or self.behind


class TargetState(Value):
    """One place where a stream's files go.

    Attributes:
        url: where it is public, or None.
        detail: what came of staging and promoting there last.
    """

    target: Name
    url: str | None = None
    detail: Text = ""


class Hindrance(Value):
    """A step of a stream that waits for a person's decision, at the stream's own release.

    Attributes:
        roles: who can decide.
    """

    step: Name
    attempt: Attempt
    roles: tuple[Name, ...]
    why: Text


class StreamFiles(Value):
    """What a stream ships: the digest of its manifest, how many files, their size."""

    manifest: Digest
    files: Annotated[int, Field(ge=1)]
    total_bytes: Annotated[int, Field(ge=0)]


class StreamReport(Value):
    """What a stream's release says of itself to the security release; sent again whenever it changes.

    Attributes:
        run: the first run of the stream's release.
        plan: digest of the plan that it follows now.
        commit: the commit that it is made from.
        planners: who started it, and who planned it anew.
    """

    release: ReleaseId
    run: Run
    plan: Digest
    commit: Commit
    state: StreamState
    phase: Phase
    shipped: StreamFiles | None = None
    planners: tuple[Name, ...] = ()
    targets: tuple[TargetState, ...] = Field(default=(), max_length=10)
    hindrances: tuple[Hindrance, ...] = Field(default=(), max_length=50)


class Word(StrEnum):
    """What a security release tells a stream's release."""

    OPEN = "open"
    """The barrier is open: sign what is not signed, and say when everything is ready to be public."""

    HOLD = "hold"
    """It is closed again: what people agreed to has changed."""

    GO = "go"
    """Every stream is ready to be public: go."""


class ParentSays(Value):
    """A word to a stream's release; it is believed only as far as the workers can prove it.

    Attributes:
        manifest: of which files it is meant; with ``open`` and ``go``.
        joint: the joint gate as it has passed; with ``open`` and ``go``.
    """

    word: Word
    manifest: Digest | None = None
    joint: GateResult | None = None


class StreamStatus(Value):
    """One stream as people see it.

    Attributes:
        workflow_id: of the stream's own release, where its steps are decided about.
        report: what that said last; None before it said anything.
        detail: why it left, or who took it out.
    """

    version: Version
    workflow_id: str
    state: StreamState
    report: StreamReport | None = None
    detail: Text = ""


class SecurityPhase(StrEnum):
    """Where a security release is."""

    PREPARING = "preparing"
    BARRIER = "barrier"
    SIGNING = "signing"
    PUBLISHING = "publishing"
    RELEASED = "released"
    CANCELLED = "cancelled"


class SecurityStatus(Value):
    """Everything about a security release that a person asks first.

    Attributes:
        plan: the plan's digest.
        until: when the embargo ends, as it was moved last.
        going_public: whether a stream may be public from here on; then it is finished, not undone.
        gate: the joint gate as it stands; None while there is nothing to agree to.
        joint: digest of what people are asked to agree to.
        leaks: what can be seen before the barrier opens.
        waiting: what the security release itself waits for from people, and what streams do.
    """

    release: SecurityId
    title: Text
    advisory: Advisory
    sandbox: bool
    run: Run
    plan: Digest
    phase: SecurityPhase
    unsigned_acts: bool = False
    embargoed: bool
    until: datetime | None
    going_public: bool = False
    driver: Name | None = None
    streams: tuple[StreamStatus, ...]
    gate: GateResult | None = None
    joint: Digest | None = None
    leaks: Text = ""
    waiting: tuple[Waiting, ...] = ()
    heard: int = 0
    refused: int = 0
    last: Entry | None = None

    @property
    def subject(self) -> Digest:
        """The digest that acts name: the joint manifest's while there is one to agree to, else the plan's."""
        return self.plan if self.joint is None else self.joint
