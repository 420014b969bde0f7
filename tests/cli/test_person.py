"""Who acts, in which role: nothing is guessed where more than one answer is possible."""

from __future__ import annotations

import pytest

from baton.cli.person import GitIdentity, find_person, fitting_roles, only_role
from baton.model.errors import Refused
from baton.model.roster import Person, Roster, SigstoreIdentity

ADA = Person(
    id="ada",
    name="Ada Okonkwo",
    roles=("release-manager", "windows-expert"),
    keys=(SigstoreIdentity(identity="ada@example.org", issuer="https://issuer.example.org"),),
)
GRACE = Person(id="grace", name="Grace", roles=("macos-expert",))
NAMESAKE = Person(id="grace2", name="Grace", roles=("macos-expert",))
ROSTER = Roster(people=(ADA, GRACE))


@pytest.mark.parametrize(
    ("asked", "git", "who"),
    [
        ("grace", GitIdentity(email="ada@example.org"), "grace"),
        (None, GitIdentity(email="ada@example.org", name="Somebody"), "ada"),
        (None, GitIdentity(name="Grace"), "grace"),
    ],
)
def test_what_was_said_decides_and_git_helps_out(asked: str | None, git: GitIdentity, who: str) -> None:
    assert find_person(ROSTER, asked, git).id == who


@pytest.mark.parametrize(
    ("roster", "asked", "git", "fact"),
    [
        (ROSTER, "adam", GitIdentity(), "adam is not on the roster; on it: ada, grace"),
        (ROSTER, None, GitIdentity(), r"\(not set, not set\) name nobody on the roster \(ada, grace\)"),
        (ROSTER, None, GitIdentity(name="Bob", email="bob@example.org"), r"\(bob@example.org, Bob\) name nobody"),
        (Roster(people=(GRACE, NAMESAKE)), None, GitIdentity(name="Grace"), "name 2 people on the roster"),
        (Roster(), None, GitIdentity(), r"on the roster \(nobody\)"),
    ],
)
def test_nobody_is_taken_for_somebody(roster: Roster, asked: str | None, git: GitIdentity, fact: str) -> None:
    with pytest.raises(Refused, match=fact):
        find_person(roster, asked, git)


def test_the_role_is_the_one_that_is_still_missing() -> None:
    assert fitting_roles(ADA, ["windows-expert"], None, what="gate x") == ("windows-expert",)
    assert only_role(("windows-expert",), what="gate x") == "windows-expert"


def test_where_several_roles_would_do_the_person_chooses() -> None:
    both = fitting_roles(ADA, ["release-manager", "windows-expert"], None, what="gate x")

    with pytest.raises(Refused, match=r"gate x takes you as release-manager or windows-expert, .* choose with --role"):
        only_role(both, what="gate x")
    assert fitting_roles(ADA, both, "windows-expert", what="gate x") == ("windows-expert",)


@pytest.mark.parametrize(
    ("wanted", "asked", "fact"),
    [
        (["macos-expert"], None, "gate x takes macos-expert now; ada holds: release-manager, windows-expert"),
        (["windows-expert"], "release-manager", "gate x takes windows-expert now, not release-manager"),
        (["windows-expert"], "macos-expert", "ada holds: release-manager, windows-expert, not macos-expert"),
        ([], None, "gate x takes nobody now"),
    ],
)
def test_a_role_that_does_not_fit_is_refused(wanted: list[str], asked: str | None, fact: str) -> None:
    with pytest.raises(Refused, match=fact):
        fitting_roles(ADA, wanted, asked, what="gate x")
