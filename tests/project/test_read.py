from __future__ import annotations

import contextlib
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baton.model.errors import BatonError, Missing
from baton.project.explain import PATTERNS
from baton.project.json_schema import json_schema
from baton.project.problem import InvalidProject
from baton.project.read import LARGEST, read_project
from tests.project.conftest import REAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.project.conftest import Writer


def test_values_are_read_as_they_are_written(release_toml: Writer) -> None:
    project = release_toml.read()

    assert project.name == "spam"
    assert project.settings.streams["3.14"].end_of_life == date(2030, 10, 1)
    assert project.settings.gates[1].needs == {"release-manager": 2}
    assert project.settings.steps[0].timeout == "1h"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("queue =", "quue ="),
            '25: steps[0].quue: unknown key; did you mean "queue"?',
        ),
        (
            ('name = "spam"', 'name = "Spam"'),
            (
                '2: project.name: found "Spam"; accepted: a name of lower-case letters, digits, ".", "_" and "-", '
                'such as "build-windows"'
            ),
        ),
        (
            ('status = "bugfix"', 'status = "bugfx"'),
            (
                '7: streams."3.13".status: found "bugfx"; accepted: "feature", "prerelease", "bugfix", "security", '
                '"end-of-life"; did you mean "bugfix"?'
            ),
        ),
        (
            ('title = "Spam"', ""),
            "1: project.title: required, but missing. The project's name as people write it.",
        ),
        (
            ("end-of-life = 2030-10-01", 'end-of-life = "2030-10-01"'),
            '11: streams."3.14".end-of-life: found "2030-10-01"; accepted: a date without quotes, such as 2026-10-01',
        ),
        (
            ('kind = "command"', 'kind = "comand"'),
            (
                '27: steps[0].builder.kind: found "comand"; accepted: "azure-pipelines", "command", '
                '"github-actions", "handed-in"; did you mean "command"?'
            ),
        ),
        (
            ('kind = "directory"', 'kind = "direktory"'),
            '48: targets[0].kind: found "direktory"; accepted: "directory", "sandbox"; did you mean "directory"?',
        ),
        (
            ('kind = "directory"\n', ""),
            '47: targets[0].kind: required, but missing; accepted: "directory", "sandbox"',
        ),
        (
            ('path = "/srv/spam"', 'path = "/srv/spam"\npaht = "/srv"'),
            '51: targets[0].paht: unknown key; did you mean "path"?',
        ),
        (
            ("needs = { release-manager = 2 }", "needs = { release-manager = 0 }"),
            "45: gates[1].needs.release-manager: found 0; accepted: 1 or more",
        ),
        (
            ('"release-manager", "windows-expert"]', '"release-manager", 7]'),
            "21: roster[1].roles[1]: found 7; accepted: text in quotes",
        ),
        (
            ('queue = "linux"', 'queue = "linux"\ntimeout = "30 min"'),
            '26: steps[0].timeout: found "30 min"; accepted: a whole number and s, m, h or d, such as "30m" or "2h"',
        ),
        (
            ('queue = "linux"', 'queue = "linux"\ntimeout = "15d"'),
            '26: steps[0].timeout: found "15d"; accepted: from 1s to 14d',
        ),
        (
            ('queue = "linux"', 'queue = "linux"\nskippable = "no"'),
            '26: steps[0].skippable: found "no"; accepted: true or false',
        ),
        (
            ("spam-{version}.tar.gz", "spam-{verison}.tar.gz"),
            (
                "26: steps[0].files[0]: unknown placeholder {verison}; accepted: {version}, or {{verison}} for the "
                "text itself"
            ),
        ),
        (
            ('[streams."3.13"]', '[streams."3,13"]'),
            '6: streams."3,13": found "3,13"; accepted: the beginning of its versions, such as "3.14", or "*"',
        ),
        (
            ("release-manager = 2", f"release-manager = {2**100}"),
            "45: gates[1].needs.release-manager: found a very large number; accepted: 20 or less",
        ),
        (
            ("2030-10-01", "2030-10-01T12:00:00"),
            (
                '11: streams."3.14".end-of-life: found 2030-10-01 12:00:00; accepted: a date without quotes, such as '
                "2026-10-01"
            ),
        ),
        (
            ("https://git.example/spam.git", "https://[spam"),
            "4: project.repository: accepted: a git URL or a path; as a URL this is malformed: Invalid IPv6 URL",
        ),
        (
            ('repository = "', 'tag = "nightly"\nrepository = "'),
            '4: project.tag: found "nightly"; accepted: a name with {version} in it, since no two tags are equal',
        ),
        (
            ('repository = "', 'tag = "a..{version}"\nrepository = "'),
            '4: project.tag: found "a..{version}"; accepted: what git takes as a tag, see git-check-ref-format(1)',
        ),
    ],
)
def test_an_error_names_line_key_what_was_found_and_what_is_accepted(
    release_toml: Writer, change: tuple[str, str], expected: str
) -> None:
    assert expected in release_toml.problems(change)


def test_all_errors_come_at_once_in_the_order_of_the_file(release_toml: Writer) -> None:
    problems = release_toml.problems(
        ('status = "prerelease"', 'status = "soon"'), ('title = "Spam"', "title = 3"), ("path =", "paht =")
    )

    assert [problem.split(":")[1].strip() for problem in problems] == [
        "project.title",
        'streams."3.14".status',
        "targets[0].path",
        "targets[0].paht",
    ]


def test_array_elements_that_do_not_count_are_not_told_again_of_the_array(release_toml: Writer) -> None:
    problems = release_toml.problems(("queue =", "quue ="))

    assert len(problems) == 2, problems


def test_elements_within_arrays_over_several_lines_have_their_own_line(release_toml: Writer) -> None:
    keys = """
[[roster]]
id = "katherine"
name = "Katherine"
roles = ["macos-expert"]
keys = [
  # The first key is fine.
  { kind = "sigstore", identity = "k@spam.example", issuer = "https://accounts.google.com" },
  { kind = "openpgp", fingerprint = "abcd" },
]
"""
    (problem,) = release_toml.problems(more=keys)

    line = REAL.count("\n") + 1 + keys[: keys.index("fingerprint")].count("\n")
    assert problem == (
        f'{line}: roster[2].keys[1].fingerprint: found "abcd"; '
        "accepted: 40 or 64 hexadecimal digits in upper case, without spaces"
    )


def test_a_remark_behind_a_table_in_braces_hides_none_of_its_lines(release_toml: Writer) -> None:
    more = """
[[steps]]
name = "again"
queue = "linux"
files = ["x"]
builder = { kind = "command", commands = [
  ["make"],
  [3],
] } # a remark
"""
    (problem,) = release_toml.problems(more=more)[:1]

    line = REAL.count("\n") + 1 + more[: more.index("[3]")].count("\n")
    assert problem.startswith(f"{line}: steps[1].builder.commands[1][0]: ")


def test_a_key_below_a_quoted_and_dotted_header_has_its_own_line(release_toml: Writer) -> None:
    (problem,) = release_toml.problems(more='[streams."3.13".signing]\n\nsigstore = "humans"\n')

    assert problem.startswith(f'{REAL.count(chr(10)) + 3}: streams."3.13".signing.sigstore: found "humans"')


def test_a_syntax_error_names_its_line(release_toml: Writer) -> None:
    (problem,) = release_toml.problems(('name = "spam"', "name = spam"))

    assert problem == "2: not TOML: invalid value (column 8)"


def test_a_key_given_twice_is_an_error(release_toml: Writer) -> None:
    (problem,) = release_toml.problems(('name = "spam"', 'name = "spam"\nname = "eggs"'))

    assert problem.startswith("3: not TOML: ")


@pytest.mark.parametrize(
    "document",
    [b"\xff", b"a = " + b"[" * 100_000, b"a = " + b"9" * 10_000, b"a." * 5_000 + b"b = 1", b"#" * (LARGEST + 1), b""],
    ids=["not UTF-8", "deep arrays", "huge number", "deep keys", "large", "empty"],
)
def test_a_hostile_document_is_an_invalid_project(tmp_path: Path, document: bytes) -> None:
    (tmp_path / "release.toml").write_bytes(document)

    with pytest.raises(InvalidProject):
        read_project(tmp_path)


def test_a_file_full_of_mistakes_is_told_of_briefly(release_toml: Writer) -> None:
    problems = release_toml.problems(more="[archive-limits]\n" + "".join(f"kye{n} = 1\n" for n in range(20_000)))

    assert len(problems) == 101
    assert problems[-1].endswith("and 19900 more problems")


def test_a_file_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"release\.toml: no such file; name the project's release\.toml or its folder"):
        read_project(tmp_path)


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_a_path_that_can_not_be_is_missing(name: str) -> None:
    with pytest.raises(Missing, match="can't be read"):
        read_project(Path(name))


def test_a_secret_that_strayed_into_the_file_is_not_repeated(release_toml: Writer) -> None:
    problems = release_toml.problems(
        ("https://git.example/spam.git", "https://user:hunter2@git.example/spam.git"),
        ('id = "ada"', 'id = "ada"\nkeys = [{ kind = "ssh", public-key = "-----BEGIN OPENSSH PRIVATE KEY-----" }]'),
        more='[[announcers]]\nkind = "webhook"\nname = "chat"\nurl-from = "https://chat.example/hunter2"\n'
        'token = "hunter2"\n',
    )

    assert len(problems) == 4, problems
    assert "hunter2" not in "\n".join(problems)
    assert "BEGIN OPENSSH" not in "\n".join(problems)


def test_a_relative_repository_lies_beside_the_file(release_toml: Writer) -> None:
    project = release_toml.changed(("https://git.example/spam.git", "../spam"))

    assert project.repository == str(release_toml.folder.parent.resolve() / "spam")


@pytest.mark.parametrize("address", ["ssh://git@git.example/spam", "git@git.example:spam.git"])
def test_an_address_stays_as_it_is_written(release_toml: Writer, address: str) -> None:
    assert release_toml.changed(("https://git.example/spam.git", address)).repository == address


def test_every_pattern_of_the_schema_has_words() -> None:
    assert set(_patterns(json_schema())) == set(PATTERNS)


def _patterns(node: Any) -> Iterator[str]:
    match node:
        case dict():
            if isinstance(pattern := node.get("pattern"), str):
                yield pattern
            yield from node.get("patternProperties", {})
            for inner in node.values():
                yield from _patterns(inner)
        case list():
            for inner in node:
                yield from _patterns(inner)


def _lines_shuffled() -> st.SearchStrategy[str]:
    lines = REAL.splitlines()
    return st.lists(st.sampled_from(lines), max_size=60).map("\n".join)


def _mutilated() -> st.SearchStrategy[str]:
    def replace(cuts: list[tuple[int, int, str]]) -> str:
        text = REAL
        for start, length, new in cuts:
            at = start % (len(text) + 1)
            text = text[:at] + new + text[at + length :]
        return text

    cut = st.tuples(st.integers(0, len(REAL)), st.integers(0, 30), st.text(max_size=12))
    return st.lists(cut, min_size=1, max_size=5).map(replace)


_VALUES = st.recursive(
    st.sampled_from(['"x"', "1", "true", "2026-01-01", "1.5", "07:32:00", '"command"', '"ssh"', "nan", '"\\u0000"']),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(st.sampled_from(["kind", "name", "command", "keys", "ssh"]), inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        ),
    ),
    max_leaves=6,
)


def _values_replaced() -> st.SearchStrategy[str]:
    assignments = [found.span(1) for found in re.finditer(r"^[a-z-]+ = (.*)$", REAL, re.MULTILINE)]

    def replace(change: tuple[tuple[int, int], str]) -> str:
        (start, end), value = change
        return REAL[:start] + value + REAL[end:]

    return st.tuples(st.sampled_from(assignments), _VALUES).map(replace)


@settings(max_examples=300)
@given(text=st.one_of(st.text(), _lines_shuffled(), _mutilated(), _values_replaced()))
def test_no_document_raises_anything_but_our_own_errors(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "release.toml").write_text(text, encoding="utf-8", errors="surrogatepass")

    with contextlib.suppress(BatonError):
        read_project(folder)


@pytest.mark.parametrize("file", ["release.toml", "examples/hello/release.toml"])
def test_the_projects_of_this_repository_are_valid_and_name_their_schema(file: str) -> None:
    path = Path(__file__).parents[2] / file

    read_project(path)

    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert (path.parent / first.removeprefix("#:schema ")).resolve() == Path(__file__).parents[2] / (
        "docs/release.schema.json"
    )
    assert tomllib.loads(path.read_text(encoding="utf-8"))
