from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.model.acts import SignOff
from baton.model.gate import GateResult, consider
from baton.model.roster import Person, Roster

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
SUBJECT = "sha256:" + "a" * 64
ROLES = ("release-manager", "windows-expert", "macos-expert")
PEOPLE = ("ada", "grace", "katherine", "mallory")


def opened(**changes: Any) -> GateResult:
    facts = {
        "gate": "publish", "attempt": 1, "run": "run-1", "subject": SUBJECT, "needs": {"release-manager": 2},
        "opened": NOW, **changes,
    }  # fmt: skip
    return GateResult.model_validate(facts)


def said(by: str, role: str = "release-manager", **changes: Any) -> SignOff:
    facts = {
        "release": {"project": "hello", "version": "1.0.0"},
        "gate": "publish",
        "attempt": 1,
        "run": "run-1",
        "subject": SUBJECT,
        "by": by,
        "role": role,
        **changes,
    }
    return SignOff.model_validate(facts)


ROSTER = Roster(
    people=(
        Person(id="ada", name="Ada", roles=("release-manager", "windows-expert")),
        Person(id="grace", name="Grace", roles=("release-manager",)),
        Person(id="katherine", name="Katherine", roles=("macos-expert",)),
    )
)


def test_a_gate_says_what_it_has_and_what_is_missing() -> None:
    gate, answer = consider(opened(), said("ada"), ROSTER, NOW)
    assert str(gate) == answer.message == "gate publish has 1 of 2 sign-offs; missing: 1 release-manager"
    assert not gate
    gate, answer = consider(gate, said("grace"), ROSTER, NOW)
    assert str(gate) == "gate publish has 2 of 2 sign-offs"
    assert gate


def test_a_person_with_two_roles_counts_in_one_only() -> None:
    gate, _ = consider(opened(needs={"release-manager": 1, "windows-expert": 1}), said("ada"), ROSTER, NOW)
    again, answer = consider(gate, said("ada", "windows-expert"), ROSTER, NOW)
    assert again.given == gate.given
    assert answer.message == "ada has signed off as release-manager already; one person counts once"


def test_a_sign_off_more_than_needed_is_not_counted() -> None:
    gate, _ = consider(opened(needs={"release-manager": 1, "macos-expert": 1}), said("ada"), ROSTER, NOW)
    _, answer = consider(gate, said("grace"), ROSTER, NOW)
    assert (
        "needs no other release-manager sign-off: gate publish has 1 of 2 sign-offs; missing: 1 macos-expert"
        in answer.message
    )


def test_the_people_who_can_still_help_are_named() -> None:
    gate, _ = consider(opened(), said("ada"), ROSTER, NOW)
    assert gate.waiting_people(ROSTER) == ("grace",)
    assert opened(excluded=("grace",)).waiting_people(ROSTER) == ("ada",)


people = st.sampled_from(PEOPLE)
sign_offs = st.builds(
    said,
    by=people,
    role=st.sampled_from(ROLES),
    run=st.sampled_from(["run-1", "run-1", "run-1", "run-2"]),
    attempt=st.sampled_from([1, 1, 1, 2]),
    subject=st.sampled_from([SUBJECT, SUBJECT, SUBJECT, "sha256:" + "b" * 64]),
)
rosters = st.builds(
    lambda held: Roster(
        people=tuple(Person(id=who, name=who, roles=tuple(sorted(roles))) for who, roles in held.items() if roles)
    ),
    st.dictionaries(people, st.sets(st.sampled_from(ROLES)), max_size=4),
)
quorums = st.dictionaries(st.sampled_from(ROLES), st.integers(1, 3), min_size=1)


@given(rosters, quorums, st.lists(sign_offs, max_size=25), st.sets(people, max_size=2))
def test_whatever_comes_in_only_distinct_holders_of_the_asked_roles_pass_a_gate(
    roster: Roster, needs: dict[str, int], incoming: list[SignOff], excluded: set[str]
) -> None:
    gate = opened(needs=needs, excluded=tuple(sorted(excluded)))
    for sign_off in incoming:
        before = gate
        gate, answer = consider(gate, sign_off, roster, NOW)
        assert answer.message
        if not answer.accepted:
            assert gate.given == before.given
        assert len(gate.given) - len(before.given) in (0, 1)
    counted = [given.by for given in gate.given]
    assert len(counted) == len(set(counted))
    assert not set(counted) & excluded
    for given_ in gate.given:
        person = roster.find(given_.by)
        assert person is not None
        assert given_.role in person.roles
        assert any(
            (s.by, s.role, s.run, s.attempt, s.subject) == (given_.by, given_.role, "run-1", 1, SUBJECT)
            for s in incoming
        )
    enough = all(sum(g.role == role for g in gate.given) == count for role, count in needs.items())
    assert bool(gate) is enough


@given(rosters, quorums, st.lists(sign_offs, max_size=10))
def test_saying_everything_again_changes_nothing(
    roster: Roster, needs: dict[str, int], incoming: list[SignOff]
) -> None:
    gate = opened(needs=needs)
    for sign_off in incoming:
        gate, _ = consider(gate, sign_off, roster, NOW)
    for sign_off in incoming:
        again, _ = consider(gate, sign_off, roster, NOW)
        if any(given_.by == sign_off.by for given_ in gate.given):
            assert again.given == gate.given


@pytest.mark.parametrize("field", ["gate", "by", "role"])
def test_a_sign_off_with_a_name_that_is_none_is_not_read(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        said("ada", **{field: "Not a name"}) if field != "by" else said("Not a name")
