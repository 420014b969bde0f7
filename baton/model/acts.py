"""What people say to a release, and what it answers.

Every act names exactly what it is about: the run of the release, the gate or step and its attempt, and the digest that
people look at (the manifest's, or the plan's before there is a manifest). It counts there and nowhere else.
"""

from __future__ import annotations

from datetime import datetime  # pydantic reads it at run time
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints, model_validator

from baton.model.base import Digest, Name, Text, Value
from baton.model.version import ReleaseId, SecurityId, Version

Run = Annotated[str, StringConstraints(max_length=100)]
"""The first execution run id of a release's workflow: the same after a reset, another after a new start."""

Attempt = Annotated[int, Field(ge=1, le=10_000)]
"""Which attempt of a gate or step is meant, counted from one."""

Nonce = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{32})?$")]
"""128 random bits in hexadecimal that make a signed act unlike every other; empty in an unsigned one."""


class Act(Value):
    """What every act says.

    Attributes:
        release: which release, or which security release of several streams together.
        run: which run of it, so that a later release of the same name can't use the act.
        subject: the digest of the manifest, or of the plan before there is a manifest.
        by: the person, by their roster id.
        role: the role in which they act.
        reason: why, for the record.
        at: when they said it; a signed act has it.
        nonce: a signed act has it, and counts once.
    """

    kind: ClassVar[str]
    """The act's name in the statement's predicate type and in the record."""

    noun: ClassVar[str]
    """The same for sentences: a ``rejection``."""

    release: ReleaseId | SecurityId
    run: Run
    subject: Digest
    by: Name
    role: Name
    reason: Text = ""
    at: AwareDatetime | None = None
    nonce: Nonce = ""

    @property
    def about(self) -> str:
        """What the act is about, in words: ``gate publish``."""
        return "the release"

    @property
    def said(self) -> str:
        """The act as the log tells it once it counts: ``signed off gate publish``."""
        raise NotImplementedError


class AboutGate(Act):
    """An act about one attempt of one gate."""

    gate: Name
    attempt: Attempt

    @property
    def about(self) -> str:
        """The gate."""
        return f"gate {self.gate}"


class SignOff(AboutGate):
    """A person agrees to what a gate asks about."""

    kind = "sign-off"
    noun = "sign-off"

    @property
    def said(self) -> str:
        """As the log tells it."""
        return f"signed off {self.about}"


class Rejection(AboutGate):
    """A person objects: the gate can't pass until they withdraw it."""

    kind = "reject"
    noun = "rejection"

    @property
    def said(self) -> str:
        """As the log tells it."""
        return f"rejected {self.about}"


class Withdrawal(AboutGate):
    """A person takes back their own sign-off or rejection; possible until the gate has passed."""

    kind = "withdraw"
    noun = "withdrawal"

    @property
    def said(self) -> str:
        """As the log tells it."""
        return f"withdrew what they said about {self.about}"


class Choice(StrEnum):
    """What can be done about a step that could not finish."""

    RETRY = "retry"
    SKIP = "skip"
    ABORT = "abort"
    PROVIDE = "provide"


class Decision(Act):
    """A person decides about one attempt of one step, or hands in what it should make.

    Attributes:
        attempt: the attempt that failed; a decision about an earlier one no longer counts.
        provided: with ``provide``, the digest of the artifact set in the store that takes the step's place.
    """

    kind = "decide"
    noun = "decision"

    step: Name
    attempt: Attempt
    choice: Choice
    provided: Digest | None = None

    @property
    def said(self) -> str:
        """As the log tells it."""
        return f"decided: {self.choice} {self.step}"

    @property
    def about(self) -> str:
        """The step."""
        return f"step {self.step}"

    @model_validator(mode="after")
    def _provided_with_provide(self) -> Self:
        if (self.choice is Choice.PROVIDE) != (self.provided is not None):
            raise ValueError("`provided` names an artifact set with the choice `provide`, and only then")
        return self


class Claim(Act):
    """A person says that they are driving the release. Advice for the others, never a lock."""

    kind = "claim"
    noun = "claim"

    @property
    def said(self) -> str:
        """As the log tells it."""
        return "is driving the release"


class HandOff(Act):
    """The person who drives the release passes it on.

    Attributes:
        to: who drives it from here on.
    """

    kind = "hand-off"
    noun = "hand-off"

    to: Name

    @property
    def said(self) -> str:
        """As the log tells it."""
        return f"passed the release on to {self.to}"


class Replan(Act):
    """A person has a release under way follow another plan; it begins again from the source.

    Attributes:
        plan: the digest of the new plan, which has to be in the store.
    """

    kind = "replan"
    noun = "new plan"

    plan: Digest

    @property
    def said(self) -> str:
        """As the log tells it."""
        return f"planned the release anew, with plan {self.plan}"


class Cancel(Act):
    """A person ends a release that is not public yet."""

    kind = "cancel"
    noun = "cancellation"

    @property
    def said(self) -> str:
        """As the log tells it."""
        return "cancelled the release"


class AboutStream(Act):
    """An act about one stream of a security release.

    Attributes:
        version: which, by the version that is released from it.
    """

    version: Version

    @property
    def about(self) -> str:
        """The stream's release."""
        return f"stream {self.version}"


class TakeOut(AboutStream):
    """A person takes a stream out of a security release: it ends and is undone, and the others go on without it."""

    kind = "take-out"
    noun = "taking out"

    @property
    def said(self) -> str:
        """As the log tells it."""
        return f"took {self.version} out"


class StartAgain(AboutStream):
    """A person starts a stream again whose release ended before the security release was over."""

    kind = "start-again"
    noun = "start"

    @property
    def said(self) -> str:
        """As the log tells it."""
        return f"started {self.version} again"


class MoveDate(Act):
    """A person moves the end of a security release's embargo, until the barrier has opened.

    Attributes:
        until: when it ends; None lets it end with the agreement of the joint gate.
    """

    kind = "move-date"
    noun = "new date"

    until: AwareDatetime | None = None

    @property
    def said(self) -> str:
        """As the log tells it."""
        to = "the joint gate's agreement" if self.until is None else f"{self.until:%Y-%m-%d %H:%M %Z}"
        return f"moved the end of the embargo to {to}"


ACTS: tuple[type[Act], ...] = (
    SignOff,
    Rejection,
    Withdrawal,
    Decision,
    Claim,
    HandOff,
    Replan,
    Cancel,
    TakeOut,
    StartAgain,
    MoveDate,
)
"""Everything that people can say."""


def _cut(text: str) -> str:
    return text[:2000]


CutText = Annotated[str, BeforeValidator(_cut)]
"""Baton's own words, cut to what a message may hold: the names that they list are many in a large project."""


class Answer(Value):
    """What became of something a person said: accepted, or why not and what to do."""

    accepted: bool
    message: CutText


class Proof(Value):
    """What proves that a person said something.

    Attributes:
        envelope: digest of the signed envelope, which is in the store.
        credential: what they signed with, in words: ``ssh key SHA256:…``.
    """

    envelope: Digest
    credential: Text


class Heard(Value):
    """One act as a release heard it: a link of the chain that the evidence holds.

    Attributes:
        number: counted from one, accepted and refused together.
        at: when the release heard it.
        kind: the act's.
        by: who it says it is from; proven only with a proof.
        about: what it is about, in words.
        accepted: whether it counted.
        proof: what proves it; None for an unsigned act, and for one that was refused because nothing proved it.
        envelope: digest of what was sent, if it was signed at all, whether it was proven or not.
        message: what became of it, cut to 300 characters.
        unsigned: the whole act as JSON if it was unsigned, which only rehearsals accept.
        previous: digest of the link before; of the plan for the first.
    """

    number: Annotated[int, Field(ge=1)]
    at: datetime
    kind: str
    by: str
    role: str
    about: str
    accepted: bool
    message: Text
    proof: Proof | None = None
    envelope: Digest | None = None
    unsigned: str = ""
    previous: Digest
