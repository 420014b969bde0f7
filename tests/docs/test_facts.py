"""What the pages state in tables and examples agrees with the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from temporalio.envconfig import ClientConfig

from activities.duties import Duty
from baton.model.acts import Choice
from baton.settings import WorkerSettings
from baton.trust.identities import TrustedIdentities
from tests.docs.pages import ROOT, blocks
from workflows import orders

if TYPE_CHECKING:
    from collections.abc import Iterator

OPERATE = (ROOT / "docs/operate.md").read_text(encoding="utf-8")


def _rows(text: str) -> list[list[str]]:
    """The cells of a page's first table, without its heading."""
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert table is not None
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table[0].splitlines()[2:]]


def test_the_table_of_variables_has_every_setting_of_a_worker_in_its_order() -> None:
    [table] = re.findall(r"<!-- settings of WorkerSettings -->(.*?)<!-- end -->", OPERATE, re.DOTALL)
    prefix = WorkerSettings.model_config["env_prefix"]
    assert [row[0] for row in _rows(table)] == [f"`{prefix}{field}`".upper() for field in WorkerSettings.model_fields]


def test_the_table_of_variables_names_duties() -> None:
    [table] = re.findall(r"<!-- settings of WorkerSettings -->(.*?)<!-- end -->", OPERATE, re.DOTALL)
    for variable, read_by, *_ in _rows(table):
        assert read_by == "all" or set(read_by.split(", ")) <= set(Duty), variable


def test_the_table_of_duties_has_every_duty() -> None:
    assert {row[0].strip("`") for row in _rows(OPERATE)} == set(Duty)


def test_the_table_of_choices_has_every_choice() -> None:
    decisions = OPERATE.partition("## Retries, and decisions")[2]
    assert {row[0].strip("`") for row in _rows(decisions)} == set(Choice)


def test_a_lost_worker_is_missed_after_the_time_that_the_page_says() -> None:
    assert f"missed after {orders.HEARTBEAT.seconds} seconds" in OPERATE


def _profiles() -> Iterator[str]:
    for block in blocks("toml"):
        yield from tomllib.loads(block.text).get("profile", {})


@pytest.mark.parametrize("profile", list(_profiles()))
def test_a_connection_profile_is_one_that_temporal_accepts(profile: str, tmp_path: Path) -> None:
    [text] = [block.text for block in blocks("toml") if "[profile." in block.text]
    file = tmp_path / "temporal.toml"
    for path in re.findall(r'"(/etc/baton/[^"]+)"', text):
        (tmp_path / Path(path).name).write_text("PEM")
    file.write_text(text.replace("/etc/baton", str(tmp_path)))

    found = ClientConfig.load_client_connect_config(
        profile=profile,
        config_file=str(file),
        config_file_strict=True,
        override_env_vars={"TEMPORAL_API_KEY": "key"} if profile == "cloud-key" else {},
    )

    assert found["target_host"].endswith(":7233")
    assert found["namespace"]
    assert bool(found.get("tls")) == (profile != "default")


def test_the_example_of_a_list_of_trusted_identities_is_one() -> None:
    [example] = [block.text for block in blocks("json") if "trusted-identities" in block.text]
    assert TrustedIdentities.model_validate_json(example).project == "hello"


def test_every_dependency_says_why_it_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    required = [*project["project"]["dependencies"]]
    for group in (*project["project"]["optional-dependencies"].values(), *project["dependency-groups"].values()):
        required += [entry for entry in group if isinstance(entry, str)]
    names = {re.split(r"[\[>=<~ ]", entry)[0] for entry in required}
    said = re.findall(r"^- `([^`]+)`: \S", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE)
    assert set(said) == names
    assert len(said) == len(set(said))
