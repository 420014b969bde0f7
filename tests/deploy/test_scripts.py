"""The scripts that the compose file runs, run for real: with a server, with the ``temporal`` CLI, with a shell."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

from tests.deploy.conftest import ROOT, run, set_up_namespace, tool
from workflows.visibility import SEARCH_ATTRIBUTES

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from temporalio.testing import WorkflowEnvironment

SCRIPTS = ROOT / "deploy/temporal"
A_YEAR = timedelta(days=365)


@pytest.mark.parametrize(
    "script", [*SCRIPTS.glob("*.sh"), ROOT / ".ci/run"], ids=lambda path: str(path.relative_to(ROOT))
)
def test_scripts_are_clean(script: Path) -> None:
    done = run(tool("shellcheck"), "--enable=quote-safe-variables,check-unassigned-uppercase", str(script))
    assert done.returncode == 0, done.stdout


async def test_the_namespace_gets_what_releases_are_found_by(namespace: str, temporal: WorkflowEnvironment) -> None:
    client = temporal.client
    attributes = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace=namespace))
    assert dict(attributes.custom_attributes) == {key.name: key.indexed_value_type.value for key in SEARCH_ATTRIBUTES}
    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
    assert described.config.workflow_execution_retention_ttl.ToTimedelta() > A_YEAR


def test_a_namespace_may_be_set_up_again(namespace: str, temporal: WorkflowEnvironment) -> None:
    done = set_up_namespace(namespace, temporal)
    assert done.returncode == 0, done.stderr


def test_a_namespace_that_cannot_be_made_is_an_error(temporal: WorkflowEnvironment) -> None:
    done = set_up_namespace("no such name can be", temporal, RETENTION="none")
    assert done.returncode != 0
    assert done.stderr


def test_the_database_password_comes_from_its_file(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("s3cr3t $HOME\n")
    show = 'printf "%s|%s|%s" "$POSTGRES_PWD" "$SQL_PASSWORD" "$*"'

    done = run(
        "/bin/sh", str(SCRIPTS / "with-database-password.sh"), "/bin/sh", "-c", show, "sh", "one two", "three",
        env={"DATABASE_PASSWORD_FILE": str(secret)},
    )  # fmt: skip

    assert done.stdout == "s3cr3t $HOME|s3cr3t $HOME|one two three"


@pytest.mark.parametrize("content", [None, ""], ids=["missing", "empty"])
def test_nothing_starts_without_a_database_password(content: str | None, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    if content is not None:
        secret.write_text(content)

    done = run(
        "/bin/sh", str(SCRIPTS / "with-database-password.sh"), "echo", "started",
        env={"DATABASE_PASSWORD_FILE": str(secret)},
    )  # fmt: skip

    assert done.returncode != 0
    assert "started" not in done.stdout
    assert str(secret) in done.stderr


@pytest.fixture
def sql_tool(tmp_path: Path) -> Path:
    """A stand-in for temporal-sql-tool, which only Temporal's image has: notes its arguments, fails if told to."""
    program = tmp_path / "bin/temporal-sql-tool"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$@" >> "$0.log"\ncase "$*" in *"$FAIL_AT"*) exit 1 ;; esac\n')
    program.chmod(0o755)
    return program


def test_both_databases_are_made_and_brought_up_to_date(sql_tool: Path) -> None:
    done = _make_schema(sql_tool, fail_at="nothing at all")

    assert done.returncode == 0
    assert [line.split()[1:3] for line in _log_of(sql_tool)] == [
        ["temporal", "create"],
        ["temporal", "setup-schema"],
        ["temporal", "update-schema"],
        ["temporal_visibility", "create"],
        ["temporal_visibility", "setup-schema"],
        ["temporal_visibility", "update-schema"],
    ]


def test_a_schema_that_fails_stops_everything_behind_it(sql_tool: Path) -> None:
    done = _make_schema(sql_tool, fail_at="update-schema")

    assert done.returncode != 0
    assert _log_of(sql_tool)[-1].startswith("--db temporal update-schema")


def _make_schema(sql_tool: Path, *, fail_at: str) -> subprocess.CompletedProcess[str]:
    path = f"{sql_tool.parent}{os.pathsep}{os.environ['PATH']}"
    return run("/bin/sh", str(SCRIPTS / "schema.sh"), env={"PATH": path, "FAIL_AT": fail_at})


def _log_of(sql_tool: Path) -> list[str]:
    return sql_tool.with_suffix(".log").read_text().splitlines()
