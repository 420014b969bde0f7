"""From `release.toml` to the plan of a security release."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from baton.model.errors import Refused
from baton.model.plan import GatePoint, SignWhen
from baton.model.security import new_security_id
from baton.project.problem import CannotPlan
from baton.project.security import SecurityWish, barrier_of, behind, resolve_security

if TYPE_CHECKING:
    from baton.model.security import SecurityPlan
    from baton.project.read import Project
    from tests.project.conftest import Writer

TODAY = date(2026, 11, 1)
UNTIL = datetime(2026, 12, 1, 14, tzinfo=UTC)
SECURITY = "[security]\nneeds = { release-manager = 2 }\n"
WISH = SecurityWish(advisory="GHSA-1", streams=(("3.13.9", "a" * 40), ("3.14.1", "b" * 40)), until=UNTIL)


def resolved(project: Project, wish: SecurityWish = WISH) -> SecurityPlan:
    return resolve_security(project, wish, started_by="ada", sandbox=None, today=TODAY)


def test_each_stream_gets_a_release_behind_the_one_barrier(release_toml: Writer) -> None:
    plan = resolved(release_toml.changed(more=SECURITY))
    assert [(each.version, each.source.commit[0]) for each in plan.plans] == [("3.13.9", "a"), ("3.14.1", "b")]
    assert [each.barrier for each in plan.plans] == [plan.barrier] * 2
    assert plan.gate.needs == {"release-manager": 2}
    assert plan.until == UNTIL
    assert plan.embargoed
    assert plan.barrier.sign is SignWhen.AT_BARRIER
    assert plan.leaks == ""
    # The joint gate stands in for those before signing and publishing; and one announcement for all of them.
    assert {gate.before for each in plan.plans for gate in each.gates} <= {GatePoint.BUILD}
    assert not [each for each in plan.plans if each.announcers]


def test_ids_under_an_embargo_are_random_and_tell_no_version(release_toml: Writer) -> None:
    project = release_toml.changed(more=SECURITY)
    plan, another = resolved(project), resolved(project)
    assert plan.release != another.release
    assert plan.workflow_id("3.14.1") == f"{plan.release.workflow_id}/2"
    open_plan = resolved(release_toml.changed(more=SECURITY + "embargo = false\n"))
    assert open_plan.workflow_id("3.14.1") == f"release/{open_plan.release.project}/3.14.1"


def test_who_signs_early_keeps_the_gates_that_protect_the_key(release_toml: Writer) -> None:
    gate = '[[gates]]\nname = "sign"\nbefore = "sign"\nneeds = { release-manager = 1 }\n'
    early = resolved(release_toml.changed(more=f'{gate}{SECURITY}sign = "early"\npause = "10m"\n'))
    late = resolved(release_toml.changed(more=gate + SECURITY))
    assert "sign" in [gate.name for gate in early.plans[0].gates]
    assert "sign" not in [gate.name for gate in late.plans[0].gates]
    assert "transparency log" in early.leaks
    assert early.pause == 600


def test_a_stream_that_is_planned_anew_keeps_its_barrier(release_toml: Writer) -> None:
    project = release_toml.changed(more=SECURITY)
    plan = resolved(project)
    assert behind(project, plan.plans[0], plan.barrier) == plan.plans[0]


def test_a_fix_that_is_not_public_is_built_from_where_it_is_and_its_tag_goes_to_the_project(
    release_toml: Writer,
) -> None:
    private = "https://git.example/spam-security.git"
    project = release_toml.changed(more=f'{SECURITY}repository = "{private}"\n')
    (source, _) = (plan.source for plan in resolved(project).plans)
    assert (source.repository, source.push_to) == (private, "https://git.example/spam.git")


def test_without_the_table_there_is_no_security_release(release_toml: Writer) -> None:
    project = release_toml.read()
    with pytest.raises(CannotPlan, match=r"has no table \[security\]"):
        resolved(project)
    with pytest.raises(Refused, match=r"has no table \[security\]"):
        barrier_of(project, new_security_id("spam"))


@pytest.mark.parametrize(
    ("streams", "match"),
    [
        ((), "no stream is named"),
        ((("9.9.9", "a" * 40), ("3.14.1", "b")), "9.9.9: .* belongs to no stream"),
        ((("3.14.1", "a" * 40), ("3.14.1", "b" * 40)), "3.14.1 is released twice"),
    ],
)
def test_everything_that_stands_against_it_is_told(
    release_toml: Writer, streams: tuple[tuple[str, str], ...], match: str
) -> None:
    with pytest.raises(CannotPlan, match=match):
        resolved(release_toml.changed(more=SECURITY), SecurityWish(advisory="GHSA-1", streams=streams))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[security]\nneeds = { wizard = 1 }\n", "security.needs.wizard: nobody holds this role"),
        ("[security]\nneeds = { release-manager = 9 }\n", "gate joint asks for 9"),
        ('[[gates]]\nname = "joint"\nbefore = "sign"\nneeds = { release-manager = 1 }\n', 'found "joint"'),
    ],
)
def test_a_joint_gate_that_can_never_pass_is_refused(release_toml: Writer, text: str, match: str) -> None:
    assert any(match in problem for problem in release_toml.problems(more=text))
