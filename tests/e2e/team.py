"""Three people who release together, each at a machine of their own and with another kind of key."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from baton.cli.connect import connect
from baton.model.evidence import INDEX, Evidence
from baton.sandbox.sigstore.tokens import TokenIssuer
from baton.store import LocalStore
from tests.conftest import PATIENCE
from tests.e2e.conftest import tiny_project
from tests.e2e.desks import Desk, with_ssh_key
from workflows.release import ReleaseWorkflow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from temporalio.client import WorkflowHandle

    from baton.model.acts import Heard
    from baton.model.roster import OpenPgpKey
    from baton.model.status import ReleaseStatus
    from baton.proof.ssh_key import SshSigningKey
    from baton.sandbox.embedded import EmbeddedWorld
    from tests.proof.conftest import Gnupg

MARGARET = "margaret@example.org"

RELEASE_TOML = """\
[project]
name = "team"
title = "Team"
repository = "."
sandbox = true
signed-rehearsals = true
sboms = false

[streams."*"]
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
id = "margaret"
name = "Margaret"
roles = ["release-manager"]
keys = [{{ kind = "sigstore", identity = "{margaret}", issuer = "{issuer}" }}]

[[steps]]
name = "text"
queue = "build"
files = ["tiny.txt"]
builder = {{ kind = "command", commands = [["python3", "build.py"]], environment = {{ NEEDS = "{tool}" }} }}

[signing]
sigstore = "machine"
gpg = "team"

[[gates]]
name = "commit"
before = "build"
needs = {{ release-manager = 1 }}
starter-counts = false

[[gates]]
name = "files"
before = "publish"
needs = {{ release-manager = 2 }}

[[targets]]
kind = "sandbox"
name = "downloads"
"""


@dataclass(frozen=True)
class Team:
    """Three people, each at a machine of their own, and what proves who they are."""

    world: EmbeddedWorld
    project: tuple[Path, str]
    ada: Desk
    grace: Desk
    margaret: Desk
    ssh_key: SshSigningKey
    openpgp_key: OpenPgpKey

    @classmethod
    def make(cls, world: EmbeddedWorld, folder: Path, gnupg: Gnupg) -> Team:
        """Three people whose homes are in a folder; grace's key is in the GnuPG home."""
        state = {"BATON_STATE": str(world.facts.state), "TEMPORAL_ADDRESS": world.facts.temporal_address}
        grace = gnupg.make("Grace <grace@example.org>")
        token = folder / "margaret/token"
        token.parent.mkdir()
        token.write_text(TokenIssuer(world.state.sigstore).for_person(MARGARET))
        return cls(
            world=world,
            project=tiny_project(folder),
            ssh_key=with_ssh_key(folder / "ada"),
            openpgp_key=gnupg.listed(grace),
            ada=Desk(folder / "ada", "ada", **state),
            grace=Desk(folder / "grace", "grace", GNUPGHOME=str(gnupg.home), **state),
            margaret=Desk(folder / "margaret", "margaret", BATON_IDENTITY_TOKEN_FILE=str(token), **state),
        )

    def checked_out(self, tool: Path) -> Path:
        """The project with its rules, as ada has it when she starts the release."""
        project, _ = self.project
        (project / "grace.asc").write_text(self.openpgp_key.public_key or "")
        (project / "release.toml").write_text(
            RELEASE_TOML.format(
                ada=self.ssh_key.credential.public_key,
                grace=self.openpgp_key.fingerprint,
                margaret=MARGARET,
                issuer=self.world.facts.issuer,
                tool=tool,
            )
        )
        return project

    async def release(self, name: str) -> WorkflowHandle[Any, Any]:
        client = await connect(address=self.world.facts.temporal_address, codec_keys=self.world.facts.codec_keys)
        return client.get_workflow_handle(f"release/{name}")

    async def until(self, name: str, condition: Callable[[ReleaseStatus], bool]) -> ReleaseStatus:
        release = await self.release(name)
        async with asyncio.timeout(PATIENCE):
            while not condition(status := await release.query(ReleaseWorkflow.status)):
                await asyncio.sleep(0.1)
        return status

    async def until_waiting(self, name: str, what: str) -> ReleaseStatus:
        return await self.until(name, lambda status: any(waiting.what == what for waiting in status.waiting))

    async def heard(self, name: str) -> list[Heard]:
        return await (await self.release(name)).query(ReleaseWorkflow.acts)

    def evidence_of(self, status: ReleaseStatus) -> dict[str, bytes]:
        """The documents of a release's evidence by their names."""
        store = LocalStore(self.world.facts.store)
        assert status.evidence is not None
        [index] = [one for one in store.read_set(status.evidence).artifacts if one.name == INDEX]
        listed = Evidence.model_validate_json(store.read(index.digest)).documents
        return {document.name: store.read(document.digest) for document in listed}
