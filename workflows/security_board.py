"""What a security release shows of itself: its streams side by side, the joint gate, and whom it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from baton.model.acts import TakeOut
    from baton.model.announcing import Event
    from baton.model.base import counted
    from baton.model.plan import JOINT_GATE
    from baton.model.security import (
        JointManifest,
        JointStream,
        SecurityPhase,
        SecurityPlan,
        SecurityStatus,
        StreamState,
        StreamStatus,
    )
    from baton.model.status import Waiting, WaitKind
    from baton.model.work import SecurityRef
    from workflows.asking import waiting_for_gate, who_might
    from workflows.floor import RELEASE_MANAGER, Floor
    from workflows.security_page import page
    from workflows.visibility import PHASE, WAITING_FOR, WAITING_ON

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from baton.model.gate import GateResult

BEFORE = (StreamState.PREPARING, StreamState.READY, StreamState.SIGNED, StreamState.LEFT)
"""The states of a stream that is not going public yet."""


class SecurityBoard(Floor[SecurityPlan, SecurityRef]):
    """The state of one security release as people see it.

    Attributes:
        streams: by their versions, in the plan's order.
        until: when the embargo ends, as it was moved last.
        joint: what people are asked to agree to, or None.
    """

    def __init__(self, plan: SecurityPlan) -> None:
        run = workflow.info().first_execution_run_id
        super().__init__(plan, SecurityRef(release=plan.release, run=run, plan=plan.digest, sandbox=plan.sandbox))
        self.phase = SecurityPhase.PREPARING
        self.until = plan.until
        self.joint: JointManifest | None = None
        self.streams = {
            each.version: StreamStatus(
                version=each.version, workflow_id=plan.workflow_id(each.version), state=StreamState.PREPARING
            )
            for each in plan.plans
        }
        self._left: dict[str, datetime] = {}
        self._stuck: dict[str, datetime] = {}
        self._shown: tuple[str, tuple[str, ...], tuple[str, ...]] | None = None

    @property
    def subject(self) -> str:
        """The digest that people look at: the joint manifest's, or the plan's while there is none."""
        return self.ref.plan if self.joint is None else self.joint.digest

    @property
    def planners(self) -> tuple[str, ...]:
        """Who started the security release, and who planned one of its streams anew."""
        anew = (planner for stream in self.taking_part() if stream.report for planner in stream.report.planners)
        return tuple(dict.fromkeys((self.plan.started_by, *anew)))

    @property
    def may_decide(self) -> tuple[str, ...]:
        """The roles that may take out a stream, start it again or move the date."""
        return tuple(dict.fromkeys((RELEASE_MANAGER, *self.plan.gate.needs)))

    def taking_part(self) -> tuple[StreamStatus, ...]:
        """Every stream but those that people took out."""
        return tuple(stream for stream in self.streams.values() if stream.state is not StreamState.TAKEN_OUT)

    def before(self) -> tuple[StreamStatus, ...]:
        """The streams that take part and are not going public yet."""
        return tuple(stream for stream in self.streams.values() if stream.state in BEFORE)

    def not_ready(self) -> tuple[StreamStatus, ...]:
        """Those of them for which the others wait."""
        return tuple(s for s in self.before() if s.state in (StreamState.PREPARING, StreamState.LEFT))

    def all_are(self, is_so: Callable[[StreamState], bool]) -> bool:
        """Whether the state of every stream that takes part is so."""
        return all(is_so(stream.state) for stream in self.taking_part())

    def change(self, version: str, state: StreamState, **facts: object) -> None:
        """Record where a stream is now, with what else changed about it."""
        before = self.streams[version]
        if before.state is not state:
            self.note("baton", f"{version}: {state}")
        if state.going_public and not self.going_public:
            # Told by a stream that went so far before this run of the security release began, or before its reset.
            self.going_public = True
            self.enter(SecurityPhase.PUBLISHING)
        if state is StreamState.LEFT and before.state is not state:
            self._left[version] = workflow.now()
        self.streams[version] = after = before.model_copy(update={"state": state, **facts})
        if _hindered(after) and not _hindered(before):
            self._stuck[version] = workflow.now()
        self.show()

    def enter(self, phase: SecurityPhase) -> None:
        """Go on to a phase."""
        if phase is not self.phase:
            self.phase = phase
            self.note("baton", f"phase {phase}")
            self.show()

    def to_agree_to(self) -> JointManifest | None:
        """What the streams ship as they stand, or None while one of them is not ready."""
        streams = self.taking_part()
        if not streams or self.not_ready():
            return None
        shipped = (
            JointStream(
                version=s.version, commit=s.report.commit, manifest=s.report.shipped.manifest, plan=s.report.plan
            )
            for s in streams
            if s.report is not None and s.report.shipped is not None
        )
        return JointManifest(
            release=self.plan.release,
            run=self.ref.run,
            advisory=self.plan.advisory,
            until=self.until,
            streams=tuple(shipped),
        )

    def status(self) -> SecurityStatus:
        """Everything that a person asks first."""
        return SecurityStatus(
            release=self.plan.release,
            title=self.plan.title,
            advisory=self.plan.advisory,
            sandbox=self.plan.sandbox,
            run=self.ref.run,
            plan=self.ref.plan,
            phase=self.phase,
            unsigned_acts=self.plan.unsigned_acts,
            embargoed=self.plan.embargoed,
            until=self.until,
            going_public=self.going_public,
            driver=self.driver,
            streams=tuple(self.streams.values()),
            gate=self.gates.get(JOINT_GATE),
            joint=None if self.joint is None else self.joint.digest,
            leaks=self.plan.leaks,
            waiting=self.waiting(),
            heard=len(self.heard),
            refused=sum(not heard.accepted for heard in self.heard),
            last=self.journal[-1] if self.journal else None,
        )

    def waiting(self) -> tuple[Waiting, ...]:
        """What is waited for from people; it names streams by their numbers, since announcements tell it."""
        if self.leaving is not None:
            return ()
        gate = self.gates.get(JOINT_GATE)
        joint = [] if gate is None or gate.passed_at is not None or gate else [self._waiting_for(gate)]
        left = (self._waiting_for_stream(s) for s in self.before() if s.state is StreamState.LEFT)
        stuck = (self._waiting_for_decision(s) for s in self.taking_part() if _hindered(s))
        return (*joint, *left, *stuck)

    def ending(self) -> tuple[Event, str] | None:
        """What people are told at the end: of all streams at once."""
        match self.phase:
            case SecurityPhase.RELEASED:
                return Event.RELEASED, self._all_public()
            case SecurityPhase.CANCELLED:
                gone = ", ".join(stream.version for stream in self.taking_part() if stream.state.going_public)
                went = f"on their way to the public nevertheless: {gone}" if gone else "nothing became public"
                return Event.CANCELLED, f"{self.plan.release} was cancelled; {went}"
        return None

    def show(self) -> None:
        """Mirror the state to where people look; a search attribute names a stream by its number alone."""
        waiting = self.waiting()
        roles = tuple(sorted({role for item in waiting for role in item.roles}))
        wanted = tuple(f"{item.kind}:{item.what}" for item in waiting)
        shown = (self.phase.value, roles, wanted)
        if shown != self._shown:
            self._shown = shown
            workflow.upsert_search_attributes(
                [PHASE.value_set(self.phase.value), WAITING_ON.value_set(roles), WAITING_FOR.value_set(wanted)]
            )
        workflow.set_current_details(page(self.status()))

    def _number(self, stream: StreamStatus) -> str:
        """A name for a stream that tells nobody its version."""
        return f"stream-{list(self.streams).index(stream.version) + 1}"

    def _people(self, roles: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(person.id for person in self.plan.roster.people if any(role in roles for role in person.roles))

    def _waiting_for(self, gate: GateResult) -> Waiting:
        return waiting_for_gate(self, gate, command=f"baton security {{}} {self._name}")

    def _waiting_for_stream(self, stream: StreamStatus) -> Waiting:
        roles = self.may_decide
        people = self._people(roles)
        by, role = who_might(self.plan.roster, people, roles)
        message = TakeOut(
            release=self.plan.release,
            version=stream.version,
            run=self.ref.run,
            subject=self.subject,
            by=by,
            role=role,
        )
        return Waiting(
            kind=WaitKind.DECISION,
            what=self._number(stream),
            since=self._left[stream.version],
            roles=roles,
            people=people,
            why="its release ended before it was public; start it again, or take it out",
            command=f"baton security status {self._name}",
            message=message.model_dump_json(),
        )

    def _waiting_for_decision(self, stream: StreamStatus) -> Waiting:
        """What a stream's release waits for is decided there, and its own status says how."""
        hindrances = () if stream.report is None else stream.report.hindrances
        roles = tuple(dict.fromkeys(role for hindrance in hindrances for role in hindrance.roles))
        return Waiting(
            kind=WaitKind.DECISION,
            what=self._number(stream),
            since=self._stuck[stream.version],
            roles=roles,
            people=self._people(roles),
            why=f"{counted(len(hindrances), 'step')} could not finish; decide about it at {stream.workflow_id}"
            if self.plan.embargoed
            else f"{', '.join(hindrance.step for hindrance in hindrances)} of {stream.version} could not finish",
            command=f"baton security status {self._name}",
            message="",
        )

    def _all_public(self) -> str:
        """Every stream with its places, for the one announcement."""
        public = [
            f"{stream.version}: {', '.join(target.url for target in stream.report.targets if target.url)}"
            for stream in self.taking_part()
            if stream.report is not None
        ]
        return f"{self.plan.title} security release for {self.plan.advisory} is public: {'; '.join(public)}"

    @property
    def _name(self) -> str:
        return f"{self.plan.release.project}/{self.plan.release.security}"


def _hindered(stream: StreamStatus) -> bool:
    """Whether its release waits for a decision about a step."""
    if stream.state is StreamState.LEFT:
        return False
    return stream.report is not None and bool(stream.report.hindrances)
