"""What the project publishes about `release.toml`: the JSON Schema and the reference page."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it publishes no types

from baton.project.json_schema import json_schema, published
from tests.project.conftest import REAL, certificate

if TYPE_CHECKING:
    from tests.project.conftest import Writer

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGE = (DOCS / "release-toml.md").read_text(encoding="utf-8")


def as_json(value: Any) -> Any:
    """A TOML document as editors hand it to a JSON Schema: dates are texts."""
    match value:
        case dict():
            return {key: as_json(inner) for key, inner in value.items()}
        case list():
            return [as_json(inner) for inner in value]
        case date():
            return value.isoformat()
        case _:
            return value


def complaints(document: str) -> list[str]:
    validator = Draft202012Validator(json_schema())
    return [error.message for error in validator.iter_errors(as_json(tomllib.loads(document)))]


def test_the_published_schema_is_current() -> None:
    schema = (DOCS / "release.schema.json").read_text(encoding="utf-8")

    assert schema == published(), "run: python -m baton.project.json_schema > docs/release.schema.json"


def test_the_module_prints_the_schema_that_is_published() -> None:
    command = [sys.executable, "-m", "baton.project.json_schema"]

    assert subprocess.check_output(command, text=True, encoding="utf-8") == published()


def test_the_schema_is_one_and_explains_every_key() -> None:
    schema = json_schema()

    Draft202012Validator.check_schema(schema)
    for name, table in schema["$defs"].items():
        for key, node in table.get("properties", {}).items():
            target = schema["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else {}
            assert node.get("description") or target.get("description"), f"{name}.{key}"


@pytest.mark.parametrize("file", ["release.toml", "examples/hello/release.toml"])
def test_editors_accept_what_baton_accepts(file: str) -> None:
    assert complaints((ROOT / file).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("queue =", "quue ="),
        ('status = "bugfix"', 'status = "bugfx"'),
        ('[streams."3.13"]', '[streams."3,13"]'),
        ('name = "spam"', 'name = "Spam"'),
        ('kind = "directory"', 'kind = "s3"'),
        ("release-manager = 2", "release-manager = 0"),
        ('"spam-{version}.tar.gz"', '"folder/spam-{version}.tar.gz"'),
    ],
)
def test_editors_mark_what_baton_refuses(old: str, new: str) -> None:
    assert complaints(REAL) == []
    assert complaints(REAL.replace(old, new, 1))


def test_the_tables_of_the_page_are_current() -> None:
    with_tables = runpy.run_path(str(DOCS / "reference.py"))["with_tables"]

    assert with_tables(PAGE) == PAGE, "run: python docs/reference.py"


def test_the_page_has_every_table() -> None:
    tables = {name for name, node in json_schema()["$defs"].items() if node.get("type") == "object"}

    assert set(re.findall(r"<!-- keys of (\w+) -->", PAGE)) == tables


def test_the_examples_of_the_page_are_together_one_valid_file(release_toml: Writer) -> None:
    (release_toml.folder / "keys").mkdir()
    for key in ("team.asc", "team-2024.asc"):
        (release_toml.folder / "keys" / key).write_text("-----BEGIN PGP PUBLIC KEY BLOCK-----\n", encoding="ascii")
    for authority in ("code.pem", "time.pem"):
        (release_toml.folder / "keys" / authority).write_text(certificate(authority), encoding="ascii")
    examples = "\n".join(re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))

    project = release_toml.read(examples)

    assert project.name == "spam"
    assert complaints(examples) == []


def test_the_mistakes_that_the_page_shows_are_told_like_that(release_toml: Writer) -> None:
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    syntax = release_toml.problems(("queue =", "quue ="), ('before = "publish"', 'before = "pubish"'))
    quorum = release_toml.problems(("release-manager = 2", "release-manager = 3"))

    told = {re.sub(r"\[\d+\]", "[]", problem.partition(": ")[2]) for problem in syntax + quorum}
    for line in shown.splitlines():
        assert re.sub(r"\[\d+\]", "[]", line.partition(": ")[2]) in told, line
