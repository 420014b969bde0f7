"""What must agree between tables; each case breaks one rule of an otherwise valid file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.project.quorum import shortages

if TYPE_CHECKING:
    from tests.project.conftest import Writer

STEP = """
[[steps]]
name = "{name}"
queue = "linux"
files = [{files}]
{more}
builder = {{ kind = "command", commands = [["make"]] }}
"""


def step(name: str, *files: str, more: str = "") -> str:
    return STEP.format(name=name, files=", ".join(f'"{file}"' for file in files), more=more)


def facts(problems: list[str]) -> list[str]:
    return [problem.partition(": ")[2] for problem in problems]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            '[streams."3.13.1"]\nstatus = "bugfix"\n',
            'streams."3.13.1": its versions belong to stream 3.13 as well; keep one of the two',
        ),
        (
            '[streams."*"]\nstatus = "bugfix"\n',
            'streams."3.13": its versions belong to stream * as well; keep one of the two',
        ),
        (
            '[streams."4"]\nstatus = "bugfix"\nfirst-release = 2026-01-02\nend-of-life = 2026-01-02\n',
            "streams.4.end-of-life: found 2026-01-02, which is not after first-release 2026-01-02",
        ),
        (
            '[[checks]]\nname = "reads"\nqueue = "release"\ncommands = [["true"]]\n',
            (
                'checks[0].queue: found "release", which project gives the duty release; this takes workers of the '
                "duty build: name another queue"
            ),
        ),
        (
            step("windows", "x").replace("linux", "publish"),
            (
                'targets[0].queue: found "publish", which steps[1] gives the duty build; this takes workers of the '
                "duty publish: name another queue"
            ),
        ),
        (step("source", "x"), 'steps[1].name: found "source", which steps[0] is called already'),
        (step("verify", "x"), 'steps[1].name: found "verify", which is a name of Baton\'s own work; take another'),
        (
            step("release-branch", "x"),
            'steps[1].name: found "release-branch", which is a name of Baton\'s own work; take another',
        ),
        (step("sign-gpg", "x"), 'steps[1].name: found "sign-gpg", which is a name of Baton\'s own work; take another'),
        (
            step("windows", "x", "spam-{version}.tar.gz"),
            'steps[1].files[1]: found "spam-{version}.tar.gz" a second time; a release has one file of a name',
        ),
        (
            step("windows", "x.asc", "x"),
            'steps[1].files[0]: found "x.asc", which is what Baton makes beside "x"',
        ),
        (
            step("again", "x", more='agrees-with = "sourec"'),
            'steps[1].agrees-with: found "sourec"; accepted: source; did you mean "source"?',
        ),
        (
            step("again", "x", more='agrees-with = "again"'),
            'steps[1].agrees-with: found "again"; accepted: source',
        ),
        (
            step("again", "x", "spam-{version}.tar.gz", more='agrees-with = "source"'),
            "steps[1].agrees-with: again and source have to make the same files; only one makes x",
        ),
        (
            step("mac", "x", more='role = "macos-expert"'),
            'steps[1].role: found "macos-expert", which nobody holds; held: release-manager, windows-expert',
        ),
        (
            '[[gates]]\nname = "s"\nbefore = "sign"\nneeds = { macos-expert = 1 }\n',
            "gates[2].needs.macos-expert: nobody holds this role; held: release-manager, windows-expert",
        ),
        (
            '[[gates]]\nname = "s"\nbefore = "sign"\nneeds = { release-manager = 3 }\n',
            "gates[2].needs: gate s asks for 3 as release-manager, but only 2 people can act as that",
        ),
        (
            '[[gates]]\nname = "s"\nbefore = "sign"\nneeds = { release-manager = 2, windows-expert = 1 }\n',
            "gates[2].needs: gate s asks for 3 as release-manager or windows-expert, but only 2 people can act as that",
        ),
        (
            '[[targets]]\nkind = "sandbox"\nname = "x"\n',
            'targets[1].kind: found "sandbox", which only counts where project.sandbox is true',
        ),
        (
            '[streams."3.13".signing]\nsigstore = "none"\n',
            'streams."3.13".signing: nobody signs the files; accepted: sigstore, gpg or both',
        ),
        (
            '[streams."3.13".signing]\ngpg = "team"\n',
            (
                'streams."3.13".signing.team: required, but missing: gpg = "team" needs its fingerprint and '
                "public-key-file"
            ),
        ),
        (
            '[streams."3.13".signing.machine]\nidentity = "somebody"\n',
            'streams."3.13".signing.machine.issuer: required, but missing: instance "public" needs it',
        ),
        (
            '[[roster]]\nid = "ada"\nname = "Another Ada"\nroles = ["editor", "editor"]\n',
            'roster[2].id: found "ada", which roster[0] is called already',
        ),
        (
            (
                '[[roster]]\nid = "eve"\nname = "Eve"\nroles = ["editor"]\n[[roster.keys]]\nkind = "sigstore"\n'
                'identity = "eve@spam.example"\nissuer = "https://id.example"\nfrom = 2026-02-01\nuntil = 2026-01-31\n'
            ),
            "roster[2].keys[0].until: found 2026-01-31, which is before its first day 2026-02-01",
        ),
    ],
)
def test_what_disagrees_is_told_where_it_stands(release_toml: Writer, more: str, expected: str) -> None:
    assert expected in facts(release_toml.problems(more=more))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ('before = "build"', 'before = "sign"'),
            'gates: no gate stands before "build"; a real release needs one, where people agree to the plan',
        ),
        (
            ('before = "publish"', 'before = "sign"'),
            'gates: no gate stands before "publish"; a real release needs one, where people agree to the manifest',
        ),
        (
            ('identity = "https', 'instance = "sandbox"\nidentity = "https'),
            'signing.machine.instance: found "sandbox", which proves nothing; accepted: "public", "staging"',
        ),
        (
            ("[signing.machine]", '[streams."3.13".signing.machine]'),
            'signing.machine: required, but missing: sigstore = "machine" needs its identity and issuer',
        ),
    ],
)
def test_a_real_project_says_what_a_real_release_needs(
    release_toml: Writer, change: tuple[str, str], expected: str
) -> None:
    assert expected in facts(release_toml.problems(change))


def test_a_rehearsed_project_needs_fewer_gates_and_no_signers_of_its_own(release_toml: Writer) -> None:
    project = release_toml.changed(
        ('[[gates]]\nname = "commit"\nbefore = "build"\nneeds = { release-manager = 1 }\n', ""),
        ('title = "Spam"', 'title = "Spam"\nsandbox = true'),
        ('gpg = "none"', 'gpg = "team"'),
        ('identity = "https://git.example/spam/.github/workflows/sign.yml@refs/heads/main"\n', ""),
        ('issuer = "https://token.actions.githubusercontent.com"', 'instance = "sandbox"'),
        ('kind = "directory"\nname = "site"\npath = "/srv/spam"\nurl = "https://spam.example/releases"',
         'kind = "sandbox"\nname = "site"'),
    )  # fmt: skip

    assert project.settings.project.sandbox


def test_without_release_managers_nobody_could_decide(release_toml: Writer) -> None:
    problems = release_toml.problems(
        ('["release-manager"]', '["editor"]'), ('["release-manager", "windows-expert"]', '["editor"]')
    )

    assert "roster: nobody holds the role release-manager, which decides when something goes wrong" in facts(problems)


def test_a_release_of_nothing_is_refused(release_toml: Writer) -> None:
    problems = release_toml.problems(
        ("files = [", 'agrees-with = "again"\nfiles = ['), more=step("again", "x", more='agrees-with = "source"')
    )

    assert "steps: every step only agrees with another, so nothing would be released" in facts(problems)


def test_a_key_belongs_to_one_person(release_toml: Writer) -> None:
    def key(comment: str) -> str:
        return f'keys = [{{ kind = "ssh", public-key = "ssh-ed25519 AAAA {comment}" }}]'

    ada, grace = ('id = "ada"', f'id = "ada"\n{key("ada")}'), ('id = "grace"', f'id = "grace"\n{key("grace")}')
    (problem,) = release_toml.problems(ada, grace)

    assert problem.endswith("roster[1].keys[0]: found a key of ada for grace as well; a key proves who one person is")


def test_a_gate_that_can_not_pass_whoever_starts_is_refused(release_toml: Writer) -> None:
    (problem,) = release_toml.problems(("release-manager = 2 }", "release-manager = 2 }\nstarter-counts = false"))

    assert problem == (
        "46: gates[1].starter-counts: gate files can't pass: without the one who starts the release there are too few, "
        "whoever it is"
    )


def test_reminders_that_nobody_hears_are_refused(release_toml: Writer) -> None:
    reminder = '[[reminders]]\nafter = "4h"\n'
    log = '[[announcers]]\nkind = "log"\nname = "log"\non = ["{}"]\n'

    (problem,) = release_toml.problems(more=reminder + log.format("released"))
    assert problem.endswith(': reminders: no announcer tells of a "reminder", so nobody would hear them')
    assert release_toml.changed(more=reminder + log.format("reminder")).settings.reminders


ROLES = st.sampled_from(["a", "b", "c"])


@given(
    needs=st.dictionaries(ROLES, st.integers(1, 3), min_size=1),
    people=st.lists(st.frozensets(ROLES, max_size=3), max_size=5),
)
def test_a_gate_can_pass_exactly_when_its_roles_can_be_given_to_different_people(
    needs: dict[str, int], people: list[frozenset[str]]
) -> None:
    seats = tuple(role for role, number in needs.items() for _ in range(number))

    assert (not list(shortages(needs, people))) == _can_be_seated(seats, people)


def _can_be_seated(seats: tuple[str, ...], people: list[frozenset[str]]) -> bool:
    """Try everything: slow, and plainly right."""
    if not seats:
        return True
    return any(
        seats[0] in held and _can_be_seated(seats[1:], people[:index] + people[index + 1 :])
        for index, held in enumerate(people)
    )
