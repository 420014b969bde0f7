"""A world where nothing is a sandbox's: a project, its people, the team's key, and workers with rules of their own."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import threading
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from temporalio.service import RPCError

from baton.sandbox.state import State
from baton.sandbox.team_key import TeamKey
from baton.store import LocalStore
from tests.conftest import PATIENCE, own_port
from tests.e2e.conftest import tiny_project
from tests.e2e.desks import Desk, serving, with_ssh_key
from workflows.release import ReleaseWorkflow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from temporalio.client import Client, WorkflowHandle

    from baton.model.status import ReleaseStatus
    from baton.proof.ssh_key import SshSigningKey
    from tests.proof.conftest import Gnupg

RELEASE_TOML = """\
[project]
name = "tiny"
title = "Tiny"
repository = "{repository}"
sboms = false

[streams."1"]
status = "bugfix"

[[roster]]
id = "ada"
name = "Ada"
roles = ["release-manager"]
keys = [{{ kind = "ssh", public-key = "{ada}" }}]

[[roster]]
id = "grace"
name = "Grace"
roles = ["release-manager"]
keys = [{{ kind = "openpgp", fingerprint = "{grace}", public-key-file = "grace.asc" }}]

[[roster]]
id = "katherine"
name = "Katherine"
roles = ["release-manager"]
keys = [{{ kind = "ssh", public-key = "{katherine}" }}]

[[steps]]
name = "text"
queue = "build"
files = ["tiny.txt"]
builder = {{ kind = "command", commands = [["python3", "build.py"]] }}

[signing]
sigstore = "none"
gpg = "team"

[signing.team]
fingerprint = "{team}"
public-key-file = "team.asc"

[[gates]]
name = "commit"
before = "build"
needs = {{ release-manager = 1 }}
starter-counts = false

[[gates]]
name = "files"
before = "publish"
needs = {{ release-manager = 2 }}
starter-counts = false

[[targets]]
kind = "directory"
name = "downloads"
path = "{served}"
url = "{url}"
"""


class Site:
    """A web server that is down until somebody starts it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = own_port()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def up(self) -> Iterator[None]:
        handler = partial(SimpleHTTPRequestHandler, directory=str(self.folder))
        with ThreadingHTTPServer(("127.0.0.1", self.port), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                yield
            finally:
                server.shutdown()


@dataclass(frozen=True)
class Watched:
    """A world whose releases of the project tiny can be looked at."""

    client: Client

    def release(self, version: str, purpose: str = "release") -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(f"{purpose}/tiny/{version}")

    async def until(
        self, version: str, condition: Callable[[ReleaseStatus], bool], *, purpose: str = "release"
    ) -> ReleaseStatus:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        waits = "no worker answers"
        while True:
            # Until a worker is up, nobody answers.
            with contextlib.suppress(RPCError):
                status = await self.release(version, purpose).query(ReleaseWorkflow.status)
                if condition(status):
                    return status
                waits = f"in phase {status.phase}, " + "; ".join(f"{each.what}: {each.why}" for each in status.waiting)
            assert asyncio.get_running_loop().time() < deadline, waits
            await asyncio.sleep(0.1)

    async def until_waiting(self, version: str, what: str, *, purpose: str = "release") -> ReleaseStatus:
        def waits(status: ReleaseStatus) -> bool:
            return any(waiting.what == what for waiting in status.waiting)

        return await self.until(version, waits, purpose=purpose)


@dataclass(frozen=True)
class Real(Watched):
    """A project, its people at their own machines, and workers that know its rules."""

    project: Path
    served: Path
    site: Site
    store: LocalStore
    team_key: Path
    ada: Desk
    grace: Desk
    katherine: Desk
    mallory: SshSigningKey


@contextlib.asynccontextmanager
async def real_world(folder: Path, gnupg: Gnupg, client: Client) -> AsyncIterator[Real]:
    """Makes everything in a folder with a short path; grace's key is in the GnuPG home."""
    address = client.service_client.config.target_host
    served = folder / "served"
    served.mkdir()
    site = Site(served)
    team = TeamKey(State.at(folder / "team"))
    (folder / "team").mkdir(mode=0o700)
    team_key = team.make()
    grace = gnupg.make("Grace <grace@example.org>")
    keys = {name: with_ssh_key(folder / name) for name in ("ada", "katherine", "mallory")}
    repository, _ = tiny_project(folder)
    (repository / "team.asc").write_bytes(team_key.file.read_bytes())
    (repository / "grace.asc").write_text(gnupg.listed(grace).public_key or "")
    (repository / "release.toml").write_text(
        RELEASE_TOML.format(
            repository=repository,
            ada=keys["ada"].credential.public_key,
            katherine=keys["katherine"].credential.public_key,
            grace=grace,
            team=team_key.fingerprint,
            served=served,
            url=site.url,
        )
    )
    git = ["git", "-C", str(repository), "-c", "user.name=Tiny", "-c", "user.email=tiny@example.org"]
    for command in (["add", "."], ["commit", "-q", "-m", "How it is released"]):
        subprocess.run([*git, *command], check=True)
    # The workers that hold secrets have copies that nobody changes but whoever runs them.
    for duty in ("release", "sign", "publish"):
        subprocess.run(["git", "clone", "-q", repository, folder / f"rules-{duty}"], check=True)
    common = {"TEMPORAL_ADDRESS": address, "BATON_STORE": str(folder / "store")}
    workers = {
        "release": {**common, "BATON_PROJECTS": str(folder / "rules-release")},
        "build": common,
        "sign": {
            **common,
            "BATON_GPG_HOME": str(team.home()),
            "BATON_PROJECTS": str(folder / "rules-sign/release.toml"),
        },
        "publish": {**common, "BATON_PROJECTS": str(folder / "rules-publish")},
    }
    try:
        async with serving(folder / "workers", workers):
            yield Real(
                client=client,
                project=repository,
                served=served,
                site=site,
                store=LocalStore(folder / "store"),
                team_key=team_key.file,
                ada=Desk(folder / "ada", "ada", TEMPORAL_ADDRESS=address),
                grace=Desk(folder / "grace", "grace", TEMPORAL_ADDRESS=address, GNUPGHOME=str(gnupg.home)),
                katherine=Desk(folder / "katherine", "katherine", TEMPORAL_ADDRESS=address),
                mallory=keys["mallory"],
            )
    finally:
        team.end_agent()
