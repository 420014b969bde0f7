"""The gate's rules, whatever anybody says in whatever order: a second, simpler telling of them has to agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from baton.model.acts import AboutGate, Rejection, SignOff, Withdrawal
from baton.model.gate import GateResult, consider
from baton.model.roster import Person, Roster

BEGAN = datetime(2026, 11, 22, tzinfo=UTC)
SUBJECT = "sha256:" + "a" * 64
RIGHT: dict[str, Any] = {"run": "run-1", "attempt": 1, "subject": SUBJECT}
WRONG = (
    {"run": "run-2"},
    {"attempt": 2},
    {"subject": "sha256:" + "b" * 64},
)
NAMES = ["ada", "grace", "hedy", "joan", "katherine", "mallory"]
ROLES = ["release-manager", "windows-expert", "macos-expert"]
KINDS: tuple[type[AboutGate], ...] = (SignOff, Rejection, Withdrawal)

names = st.sampled_from(NAMES)
roles = st.sampled_from(ROLES)


class GateRules(RuleBasedStateMachine):
    """Random people with random roles at a random gate, beside two dictionaries: who agrees and who objects."""

    @initialize(
        held=st.dictionaries(st.sampled_from(NAMES[:-1]), st.sets(roles, min_size=1), min_size=1),
        needs=st.dictionaries(roles, st.integers(1, 3), min_size=1),
        excluded=st.sets(names, max_size=2),
    )
    def open(self, held: dict[str, set[str]], needs: dict[str, int], excluded: set[str]) -> None:
        self.held, self.needs, self.excluded = held, needs, excluded
        self.roster = Roster(people=tuple(Person(id=who, name=who, roles=tuple(sorted(held[who]))) for who in held))
        self.agreeing: dict[str, str] = {}
        self.objecting: set[str] = set()
        self.now = BEGAN
        self.gate = GateResult(gate="publish", needs=needs, excluded=tuple(sorted(excluded)), opened=BEGAN, **RIGHT)

    @rule(kind=st.sampled_from(KINDS), by=names, role=roles)
    def someone_acts(self, kind: type[AboutGate], by: str, role: str) -> None:
        accepted = self.expected(kind, by, role)
        self.take(kind, by, role, {}, accepted=accepted)
        if not accepted:
            return
        if kind is SignOff:
            self.agreeing.setdefault(by, role)
        else:
            self.agreeing.pop(by, None)
            self.objecting.discard(by)
        if kind is Rejection:
            self.objecting.add(by)

    @rule(kind=st.sampled_from(KINDS), by=names, role=roles, wrong=st.sampled_from(WRONG))
    def someone_acts_on_something_else(self, kind: type[AboutGate], by: str, role: str, wrong: dict[str, Any]) -> None:
        self.take(kind, by, role, wrong, accepted=False)

    @precondition(lambda self: not self.gate and self.gate.waiting_people(self.roster))
    @rule(data=st.data())
    def someone_who_is_waited_for_acts(self, data: st.DataObject) -> None:
        by = data.draw(st.sampled_from(self.gate.waiting_people(self.roster)))
        if by in self.objecting:
            role = next(role for role in self.held[by] if role in self.needs)
            self.take(Withdrawal, by, role, {}, accepted=True)
            self.objecting.discard(by)
        else:
            role = next(role for role in sorted(self.held[by]) if role in self.gate.missing)
            self.take(SignOff, by, role, {}, accepted=True)
            self.agreeing[by] = role

    @precondition(lambda self: bool(self.gate))
    @rule()
    def the_release_goes_on(self) -> None:
        self.gate = self.gate.model_copy(update={"passed_at": self.now})

    def expected(self, kind: type[AboutGate], by: str, role: str) -> bool:
        if self.gate.passed_at is not None or role not in self.held.get(by, ()) or role not in self.needs:
            return False
        if kind is Withdrawal:
            return by in self.agreeing or by in self.objecting
        if kind is Rejection:
            return True
        if by in self.excluded or by in self.objecting:
            return False
        if by in self.agreeing:
            return self.agreeing[by] == role
        return list(self.agreeing.values()).count(role) < self.needs[role]

    def take(self, kind: type[AboutGate], by: str, role: str, wrong: dict[str, Any], *, accepted: bool) -> None:
        self.now += timedelta(minutes=1)
        release = {"project": "hello", "version": "1.0.0"}
        act = kind.model_validate({"release": release, "gate": "publish", "by": by, "role": role, **RIGHT, **wrong})
        before = self.gate
        self.gate, answer = consider(before, act, self.roster, self.now)
        assert answer.accepted is accepted, (answer.message, act)
        assert answer.message
        if not accepted:
            assert self.gate.model_copy(update={"refused": before.refused}) == before
            assert self.gate.refused[-1].why == answer.message
            assert self.gate.refused[-1].by == by

    @invariant()
    def the_gate_holds_what_was_said(self) -> None:
        assert {given.by: given.role for given in self.gate.given} == self.agreeing
        assert {given.by for given in self.gate.rejected} == self.objecting
        assert len(self.gate.given) == len(self.agreeing)
        assert not self.excluded & set(self.agreeing)

    @invariant()
    def the_gate_passes_with_its_quorum_and_no_objection_only(self) -> None:
        for_role = {role: {who for who, acted in self.agreeing.items() if acted == role} for role in self.needs}
        quorum = all(len(for_role[role]) >= count for role, count in self.needs.items())
        assert bool(self.gate) is (quorum and not self.objecting)

    @invariant()
    def nobody_who_could_help_goes_unnamed(self) -> None:
        if self.gate.passed_at is None:
            able = {
                who
                for who in self.held
                for role in self.held[who]
                if who in self.objecting or (who not in self.agreeing and self.expected(SignOff, who, role))
            }
            assert set(self.gate.waiting_people(self.roster)) == able


GateRules.TestCase.settings = settings(max_examples=200, stateful_step_count=30)
TestGateRules = GateRules.TestCase


def test_refusals_without_end_leave_a_gate_that_can_be_told() -> None:
    gate = GateResult(gate="publish", needs={"release-manager": 1}, opened=BEGAN, **RIGHT)
    crowd = Roster(people=tuple(Person(id=f"person-{n:03}-{'x' * 50}", name="P", roles=("m",)) for n in range(100)))
    about = {"release": {"project": "hello", "version": "1.0.0"}, "gate": "publish", "role": "m", **RIGHT}
    for number in range(100):
        gate, answer = consider(gate, SignOff.model_validate({**about, "by": f"nobody-{number}"}), crowd, BEGAN)
        assert not answer.accepted
    assert len(gate.model_dump_json()) < 100_000
    needs = {"m": 1}
    gate = gate.model_copy(update={"needs": needs})
    for person in crowd.people:
        gate, answer = consider(gate, Rejection.model_validate({**about, "by": person.id}), crowd, BEGAN)
        assert answer.accepted
