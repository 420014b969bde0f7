"""What a release shows of itself: the one place where its state changes, and from which people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from baton.model.acts import Choice, Decision
    from baton.model.announcing import Event
    from baton.model.plan import Plan
    from baton.model.status import Carried, Phase, ReleaseStatus, StepState, StepStatus, Waiting, WaitKind
    from baton.model.work import ReleaseRef
    from workflows.asking import waiting_for_gate, who_might
    from workflows.floor import RELEASE_MANAGER, Floor
    from workflows.page import page
    from workflows.visibility import PHASE, WAITING_FOR, WAITING_ON

if TYPE_CHECKING:
    from datetime import datetime

    from baton.model.gate import GateResult
    from baton.model.manifest import ManifestRef
    from baton.model.status import Published

_FILL_IN = "sha256:" + "0" * 64
"""Stands where a person puts the digest of what they hand in; nothing in a store has it."""


class Board(Floor[Plan, ReleaseRef]):
    """The state of one release as people see it, mirrored to search attributes and the Web UI's details.

    Attributes:
        planners: who started the release, and who planned it anew last.
        joint: the joint gate of the security release that it belongs to, once that has passed.
        bound: whether the release has said that it is ready to be public with others, and so stays as it is.
    """

    def __init__(self, plan: Plan, carried: Carried | None) -> None:
        run = workflow.info().first_execution_run_id
        super().__init__(plan, ReleaseRef(release=plan.release, run=run, plan=plan.digest, sandbox=plan.sandbox))
        self.phase = Phase.PREPARE
        self.manifest: ManifestRef | None = None
        self.published: list[Published] = []
        self.evidence: str | None = None
        self.planners: tuple[str, ...] = (plan.started_by,)
        self.joint: GateResult | None = None
        self.bound = False
        if carried is not None:
            self.take_up(carried.journal)
            self.heard, self.nonces = list(carried.heard), set(carried.nonces)
            self.driver = carried.driver
            self.earlier_gates = {gate.gate: gate for gate in carried.gates}
            self.planners = tuple(dict.fromkeys((plan.started_by, carried.replanned_by)))
        self._since: dict[str, datetime] = {}
        self._shown: tuple[str, tuple[str, ...], tuple[str, ...]] | None = None

    @property
    def subject(self) -> str:
        """The digest that people look at: the manifest's, or the plan's before there is one."""
        return self.ref.plan if self.manifest is None else self.manifest.digest

    @property
    def agreed(self) -> tuple[GateResult, ...]:
        """Every gate that was opened, as workers that hold secrets are told of it."""
        return (*self.gates.values(), *((self.joint,) if self.joint is not None else ()))

    def carry(self, replanned_by: str) -> Carried:
        """What the release takes along to another plan."""
        return Carried(
            gates=tuple((self.earlier_gates | self.gates).values()),
            heard=tuple(self.heard),
            nonces=tuple(sorted(self.nonces)),
            journal=tuple(self.journal),
            replanned_by=replanned_by,
            driver=self.driver,
        )

    def enter(self, phase: Phase) -> None:
        """Go on to a phase."""
        self.phase = phase
        self.note("baton", f"phase {phase}")
        self.show()

    def add(self, step: StepStatus) -> None:
        """List a unit of work that is to come."""
        self.steps[step.name] = step

    def change(self, name: str, state: StepState, **facts: object) -> None:
        """Record where a unit of work is now, with what else changed about it."""
        self.steps[name] = self.steps[name].model_copy(update={"state": state, **facts})
        if state is StepState.NEEDS_DECISION:
            self._since[name] = workflow.now()
        self.show()

    def status(self) -> ReleaseStatus:
        """Everything that a person asks first."""
        return ReleaseStatus(
            release=self.plan.release,
            release_kind=self.plan.release_kind,
            stream=self.plan.stream.name,
            sandbox=self.plan.sandbox,
            run=self.ref.run,
            plan=self.ref.plan,
            phase=self.phase,
            unsigned_acts=self.plan.unsigned_acts,
            driver=self.driver,
            heard=len(self.heard),
            refused=sum(not heard.accepted for heard in self.heard),
            steps=tuple(self.steps.values()),
            gates=tuple(self.gates.values()),
            waiting=self.waiting(),
            manifest=self.manifest,
            published=tuple(self.published),
            evidence=self.evidence,
        )

    def waiting(self) -> tuple[Waiting, ...]:
        """What the release waits for from people, gates first."""
        if self.leaving is not None:
            return ()
        gates = [
            waiting_for_gate(self, result, command=f"baton {{}} {self._name} {result.gate}")
            for result in self.gates.values()
            if result.passed_at is None
        ]
        steps = [
            self._waiting_for_decision(step) for step in self.steps.values() if step.state is StepState.NEEDS_DECISION
        ]
        return (*gates, *steps)

    def ending(self) -> tuple[Event, str] | None:
        """What people are told at the end, or None."""
        match self.phase:
            case Phase.RELEASED:
                return self._public()
            case Phase.CANCELLED:
                return Event.CANCELLED, f"{self.plan.release} was cancelled; nothing became public"
        return None

    def _public(self) -> tuple[Event, str]:
        plan, where = self.plan, ", ".join(published.url for published in self.published)
        if plan.resigning is None:
            return Event.RELEASED, f"{plan.release} is public: {where}"
        kinds = " and ".join(signer.kind for signer in plan.signers)
        return Event.RESIGNED, (
            f"{plan.title} {plan.version} has new {kinds} signatures: {where}. The files are the same, byte for byte; "
            f"older signatures of these kinds are {plan.resigning.fate}"
        )

    def deciders(self, step: StepStatus) -> tuple[str, ...]:
        """The roles that may decide about a unit of work."""
        return tuple(dict.fromkeys((step.role, RELEASE_MANAGER)))

    def show(self) -> None:
        """Mirror the state to where people look: search attributes only when they changed, since each is an event."""
        waiting = self.waiting()
        roles = tuple(sorted({role for item in waiting for role in item.roles}))
        wanted = tuple(f"{item.kind}:{item.what}" for item in waiting)
        shown = (self.phase.value, roles, wanted)
        if shown != self._shown:
            self._shown = shown
            workflow.upsert_search_attributes(
                [PHASE.value_set(self.phase.value), WAITING_ON.value_set(roles), WAITING_FOR.value_set(wanted)]
            )
        workflow.set_current_details(page(self.plan, self.status()))

    def _waiting_for_decision(self, step: StepStatus) -> Waiting:
        hand_in = step.choices[0] is Choice.PROVIDE
        signers = [person for person in self.plan.roster.people if hand_in and person.id in step.signed_by]
        roles = (step.role,) if hand_in else self.deciders(step)
        if signers:
            roles = tuple(dict.fromkeys(role for person in signers for role in person.roles))
        people = tuple(
            person.id for person in signers or self.plan.roster.people if any(role in roles for role in person.roles)
        )
        if signers:
            command = f"baton sign {self._name}"
        elif hand_in:
            command = f"baton provide {self._name} {step.name} FILE…"
        else:
            command = f"baton decide {self._name} {step.name} {step.choices[0]}"
        by, role = who_might(self.plan.roster, people, roles)
        message = Decision(
            release=self.plan.release,
            step=step.name,
            attempt=step.attempt,
            run=self.ref.run,
            subject=self.subject,
            choice=step.choices[0],
            provided=_FILL_IN if hand_in else None,
            by=by,
            role=role,
        )
        return Waiting(
            kind=WaitKind.SIGNATURES if signers else WaitKind.HAND_IN if hand_in else WaitKind.DECISION,
            what=step.name,
            since=self._since[step.name],
            roles=roles,
            people=people,
            why=step.detail,
            command=command,
            message=message.model_dump_json(),
        )

    @property
    def _name(self) -> str:
        return self.plan.release.typed
