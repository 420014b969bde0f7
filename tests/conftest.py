"""What every test may use: a plan, and the real Temporal dev server."""

from __future__ import annotations

import fcntl
import itertools
import shutil
import sysconfig
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

import hypothesis
import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from baton.model import attesting, dispatching, evidence, hearing, platform, renewing, security, work
from baton.model.plan import Plan
from baton.sandbox.ports import Ports, is_free
from baton.sandbox.state import State
from workflows.visibility import SEARCH_ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

# The same examples everywhere and always, however long each takes: what passed here passes on a busy machine.
hypothesis.settings.register_profile(
    "anywhere",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("anywhere")

PATIENCE = 120.0
"""Seconds within which what a test waits for comes on the busiest machine; only a test that fails waits so long."""

PLAN = {
    "release": {"project": "hello", "version": "1.0.0"},
    "title": "Hello",
    "stream": {"name": "1.0", "status": "bugfix"},
    "release_kind": "final",
    "sandbox": True,
    "unsigned_acts": True,
    "started_by": "ada",
    "source": {"repository": "/nowhere/hello", "commit": "c" * 40, "tag": "v1.0.0"},
    "steps": [
        {
            "name": "source",
            "builder": {"kind": "command", "commands": [["make"]]},
            "queue": "build-source",
            "files": ["hello.tar.gz"],
        },
        {
            "name": "windows",
            "builder": {"kind": "command", "commands": [["make"]]},
            "queue": "build-windows",
            "files": ["hello.exe"],
            "role": "windows-expert",
            "skippable": True,
        },
    ],
    "signers": [
        {
            "kind": "sigstore",
            "instance": "sandbox",
            "identity": {"identity": "https://example.org/machine", "issuer": "https://issuer.example.org"},
        }
    ],
    "gates": [{"name": "publish", "before": "publish", "needs": {"release-manager": 1}}],
    "targets": [{"kind": "sandbox", "name": "downloads"}],
    "announcers": [{"kind": "log", "name": "log"}],
    "roster": {
        "people": [
            {"id": "ada", "name": "Ada", "roles": ["release-manager"]},
            {"id": "grace", "name": "Grace", "roles": ["release-manager", "windows-expert"]},
            {"id": "katherine", "name": "Katherine", "roles": ["macos-expert"]},
        ]
    },
}

REAL = {
    "sandbox": False,
    "unsigned_acts": False,
    "signers": [
        {
            "kind": "sigstore",
            "instance": "public",
            "identity": {"identity": "https://example.org/machine", "issuer": "https://issuer.example.org"},
        }
    ],
    "targets": [{"kind": "directory", "name": "downloads", "path": "/srv/downloads", "url": "https://example.org"}],
}
"""What makes the plan a real one."""

_CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"

AUTHENTICODE = {
    "kind": "authenticode",
    "tool": {"kind": "osslsigncode", "key": {"kind": "pkcs12", "file_from": "CODE_KEY"}},
    "signer": {"subject": "CN=Hello,O=Example", "roots": _CERTIFICATE, "timestamp_roots": _CERTIFICATE},
    "timestamp_url": "http://timestamp.example.org",
}
NOTARIZE = {
    "kind": "notarize",
    "issuer": "01234567-89ab-cdef-0123-456789abcdef",
    "key_id": "ABCDE12345",
    "key_from": "NOTARY_KEY",
    "queue": "notary",
}
"""What platform steps of a plan do."""

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


CONTRACT = {
    item.name: item
    for room in (work, hearing, platform, attesting, evidence, renewing, security, dispatching)
    for item in vars(room).values()
    if isinstance(item, work.Work)
}
"""Every piece of work, by name."""


@pytest.fixture
def make_plan() -> Callable[..., Plan]:
    """A small plan, with whole fields replaced as a test needs it."""

    def make(**changes: object) -> Plan:
        return Plan.model_validate({**PLAN, **changes})

    return make


@pytest.fixture
def plan(make_plan: Callable[..., Plan]) -> Plan:
    return make_plan()


def executable(name: str) -> str:
    """A program that a package put beside this interpreter, or one on the path."""
    found = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    assert found is not None, f"{name} is not installed"
    return found


_PORTS_EACH = 250


def _claim_ports() -> tuple[IO[bytes], Iterator[int]]:
    """Ports that this process alone uses, also where several runs go on at once.

    The system lends none of them to an outgoing connection (those begin at 32768 on Linux, at 49152 elsewhere), and no
    world takes one by itself. The claim ends with the open file.
    """
    for first in range(12_000, 20_000, _PORTS_EACH):
        claim = (Path(tempfile.gettempdir()) / f"baton-test-ports-{first}").open("ab")
        with suppress(BlockingIOError):
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return claim, itertools.cycle(range(first, first + _PORTS_EACH))
        claim.close()
    raise RuntimeError("every range of ports is claimed: too many test runs at once")


_CLAIM, _PORTS = _claim_ports()


def own_port() -> int:
    """A port that is free, and that nothing else will take while its server is down for a moment."""
    return next(port for port in _PORTS if is_free(port))


def own_ports(state: Path) -> Path:
    """Give the world on a state folder ports that no other test's world takes while one of its servers is down."""
    state.mkdir(mode=0o700, exist_ok=True)
    State.at(state).ports.write_text(Ports(**{name: own_port() for name in Ports.model_fields}).model_dump_json())
    return state


async def dev_server() -> WorkflowEnvironment:
    """The real dev server, in memory."""
    return await WorkflowEnvironment.start_local(
        dev_server_existing_path=executable("temporal"),
        port=own_port(),
        data_converter=pydantic_data_converter,
        search_attributes=list(SEARCH_ATTRIBUTES),
        dev_server_log_level="error",
    )


@pytest.fixture(scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    """A dev server that all tests of a run share."""
    async with await dev_server() as environment:
        yield environment
