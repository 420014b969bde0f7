"""What signing a public version anew will do, by the project's rules of today."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from baton.model.plan import Gate, GatePoint
from baton.model.resigning import PublicFile, Resigning
from baton.project.problem import CannotPlan
from baton.project.read import read_project
from baton.project.resigning import gates_to_sign_anew, resolve_to_sign_anew
from tests.activities.agreed import COMMIT, World

if TYPE_CHECKING:
    from pathlib import Path

    from baton.model.plan import Plan

RECORDED = Resigning(evidence="sha256:" + "e" * 64, dated="2026-11-23")
LISTED = Resigning(files=(PublicFile(name="hello.tar.gz", digest="sha256:" + "d" * 64),), dated="2026-11-23")


def planned(
    folder: Path, resigning: Resigning = RECORDED, *, only: tuple[str, ...] = (), changes: dict[str, str] | None = None
) -> Plan:
    world = World.make(folder)
    world.write_rules(changes=changes)
    project = read_project(world.rules)
    return resolve_to_sign_anew(
        project, "1.0.0", COMMIT, started_by="ada", sandbox=None, resigning=resigning, only=only
    )


def test_nothing_is_built_and_no_gate_before_a_build_stands(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    assert plan.release.workflow_id == "resign/hello/1.0.0"
    assert (plan.steps, plan.source.prepare, plan.source.push_tag) == ((), (), False)
    assert [gate.name for gate in plan.gates] == ["files"]
    assert plan.queues == ("publish", "release", "sign")


def test_a_stream_at_its_end_of_life_can_be_signed_anew(tmp_path: Path) -> None:
    assert planned(tmp_path, changes={'status = "bugfix"': 'status = "end-of-life"'}).stream.status == "end-of-life"


def test_only_what_the_stream_has_can_be_chosen(tmp_path: Path) -> None:
    with pytest.raises(CannotPlan, match="is not signed by gpg; it is signed by: sigstore"):
        planned(tmp_path, only=("gpg",))


def test_a_list_is_agreed_to_before_it_is_signed() -> None:
    early, late = (
        Gate(name=name, before=point, needs={"release-manager": 1})
        for name, point in (("early", GatePoint.SIGN), ("late", GatePoint.PUBLISH))
    )
    assert gates_to_sign_anew((early, late), LISTED) == (early, late)
    [first, last] = gates_to_sign_anew((late,), LISTED)
    assert (first.name, first.before, first.needs, last) == ("late-files", GatePoint.SIGN, late.needs, late)
    assert gates_to_sign_anew((late,), RECORDED) == (late,)
    with pytest.raises(CannotPlan, match='no gate stands before "publish"'):
        gates_to_sign_anew((early,), RECORDED)


def test_kept_signatures_have_the_day_before_their_last_suffix() -> None:
    assert RECORDED.dated_name("a.tgz.sigstore.json") == "a.tgz.sigstore.2026-11-23.json"
    assert RECORDED.dated_name("a.tgz.asc") == "a.tgz.2026-11-23.asc"
