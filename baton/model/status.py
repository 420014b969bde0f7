"""What a release says of itself to people: its phase, its steps, and whom it waits for."""

from __future__ import annotations

from datetime import datetime  # pydantic reads it at run time
from enum import StrEnum

from baton.model.acts import Choice, Heard  # pydantic reads it at run time
from baton.model.base import Digest, Name, Text, Value
from baton.model.gate import GateResult  # pydantic reads it at run time
from baton.model.manifest import ManifestRef  # pydantic reads it at run time
from baton.model.plan import Plan  # pydantic reads it at run time
from baton.model.version import ReleaseId, ReleaseKind  # pydantic reads it at run time


class Phase(StrEnum):
    """Where a release is; the sections of the runbook."""

    PREPARE = "prepare"
    BUILD = "build"
    COLLECT = "collect"
    SIGN = "sign"
    STAGE = "stage"
    PUBLISH = "publish"
    ANNOUNCE = "announce"
    RELEASED = "released"
    CANCELLED = "cancelled"


class StepState(StrEnum):
    """Where a unit of work is."""

    PENDING = "pending"
    RUNNING = "running"
    NEEDS_DECISION = "needs-decision"
    SKIPPED = "skipped"
    DONE = "done"


class StepStatus(Value):
    """One unit of work as people see it.

    Attributes:
        attempt: which attempt is meant; a decision to retry starts the next.
        queue: the task queue whose worker does it.
        detail: what came out, or why it could not finish.
        signed_by: the people any one of whom signs the files on a machine of their own; none if it is no such unit.
        choices: what may be decided while it needs a decision.
        log: digest of the last attempt's log in the store.
        link: where people see the outside run that does it, or the page of what went wrong.
    """

    name: Name
    phase: Phase
    state: StepState
    attempt: int
    queue: Name
    role: Name
    signed_by: tuple[Name, ...] = ()
    detail: str = ""
    choices: tuple[Choice, ...] = ()
    log: Digest | None = None
    link: str = ""


class WaitKind(StrEnum):
    """What sort of act would bring the release forward."""

    SIGN_OFF = "sign-off"
    WITHDRAWAL = "withdrawal"
    DECISION = "decision"
    HAND_IN = "hand-in"
    SIGNATURES = "signatures"


class Waiting(Value):
    """One thing that the release waits for.

    Attributes:
        what: the gate's or step's name.
        roles: who can unblock it.
        people: the same as roster ids.
        why: one line of facts.
        command: what to type.
        message: the JSON to send as signal or update from the Web UI; the sender fills in who they are.
    """

    kind: WaitKind
    what: Name
    since: datetime
    roles: tuple[Name, ...]
    people: tuple[Name, ...]
    why: str
    command: str
    message: str

    @property
    def asked(self) -> str:
        """Who can give it, in words: everyone of a role, or for signatures these people and nobody else."""
        if self.kind is WaitKind.SIGNATURES:
            return "One of those who may sign"
        return f"Any {' or '.join(self.roles)}"


class Entry(Value):
    """One line of the release's log: who did what, when."""

    at: datetime
    who: str
    what: Text


class Published(Value):
    """A target where the release is public.

    Attributes:
        url: where people find it.
        checked: how many files were fetched back and found right.
    """

    target: Name
    url: str
    checked: int


class ReleaseStatus(Value):
    """Everything about a release that a person asks first.

    Attributes:
        unsigned_acts: whether it accepts acts that nothing proves.
        driver: who says that they are driving it; advice for the others.
        heard: how many acts it has heard.
        refused: how many of them did not count.
    """

    release: ReleaseId
    release_kind: ReleaseKind
    stream: str
    sandbox: bool
    run: str
    plan: Digest
    phase: Phase
    unsigned_acts: bool = False
    driver: Name | None = None
    steps: tuple[StepStatus, ...]
    gates: tuple[GateResult, ...]
    waiting: tuple[Waiting, ...]
    heard: int = 0
    refused: int = 0
    manifest: ManifestRef | None
    published: tuple[Published, ...]
    evidence: Digest | None

    @property
    def subject(self) -> Digest:
        """The digest that people look at: the manifest's, or the plan's before there is one."""
        return self.plan if self.manifest is None else self.manifest.digest


class Carried(Value):
    """What a release that is planned anew takes along: what people said before the new plan still is on the record.

    Attributes:
        gates: as the plan before left them; their sign-offs are void.
        heard: every act so far.
        nonces: those of the signed acts that were heard, which count once, each after its person and a colon.
        replanned_by: who planned it anew last.
        driver: who says that they are driving it.
    """

    gates: tuple[GateResult, ...]
    heard: tuple[Heard, ...]
    nonces: tuple[str, ...]
    journal: tuple[Entry, ...]
    replanned_by: Name
    driver: Name | None


class Beginning(Value):
    """What a release starts with.

    Attributes:
        plan: what to do.
        carried: what the same release brings along from the plan that it followed before.
    """

    plan: Plan
    carried: Carried | None = None
