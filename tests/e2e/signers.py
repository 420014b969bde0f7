"""A real project whose people sign on their own machines, with a Sigstore instance that stands for the public one."""

from __future__ import annotations

import contextlib
import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from baton.model.signing import SigstoreInstance
from baton.sandbox.sigstore import ISSUER
from baton.sandbox.sigstore.server import LocalSigstore, local_sigstore
from baton.signers.personal import sign_with_sigstore
from baton.store import LocalStore
from baton.trust.instances import trust_configuration
from tests.e2e.conftest import tiny_project
from tests.e2e.desks import Desk, serving, with_ssh_key
from tests.e2e.real import Site, Watched

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from temporalio.client import Client

    from baton.model.manifest import Artifact
    from baton.model.roster import SigstoreIdentity
    from baton.proof.ssh_key import SshSigningKey
    from tests.proof.conftest import Gnupg

RELEASE_TOML = """\
[project]
name = "tiny"
title = "Tiny"
repository = "{repository}"
sboms = true

[streams."1"]
status = "bugfix"

[[roster]]
id = "ada"
name = "Ada"
roles = ["release-manager"]
keys = [{{ kind = "sigstore", identity = "ada@example.org", issuer = "{issuer}" }}]

[[roster]]
id = "hedy"
name = "Hedy"
roles = ["release-manager"]
keys = [
    {{ kind = "ssh", public-key = "{hedy}" }},
    {{ kind = "sigstore", identity = "hedy@example.org", issuer = "{issuer}" }},
]

[[roster]]
id = "grace"
name = "Grace"
roles = ["release-manager"]
keys = [{{ kind = "openpgp", fingerprint = "{grace}", public-key-file = "grace.asc" }}]

[[roster]]
id = "katherine"
name = "Katherine"
roles = ["release-manager"]
keys = [
    {{ kind = "ssh", public-key = "{katherine}" }},
    {{ kind = "sigstore", identity = "katherine@example.org", issuer = "{issuer}" }},
]

[[steps]]
name = "text"
queue = "build"
files = ["tiny.txt"]
builder = {{ kind = "command", commands = [["python3", "build.py"]] }}

[signing]
sigstore = "human"
gpg = "human"
people = {{ ids = ["ada", "hedy", "grace"] }}

[[gates]]
name = "commit"
before = "build"
needs = {{ release-manager = 1 }}
starter-counts = false

[[gates]]
name = "files"
before = "publish"
needs = {{ release-manager = 1 }}
starter-counts = false

[[targets]]
kind = "directory"
name = "downloads"
path = "{served}"
url = "{url}"
"""


@dataclass(frozen=True)
class Signers(Watched):
    """People who sign, each at their own machine: ada by a sign-in alone, grace with gpg; katherine may not sign.

    Attributes:
        trust_config: of the Sigstore instance, as if it were the public one.
    """

    project: Path
    served: Path
    site: Site
    store: LocalStore
    sigstore: LocalSigstore
    trust_config: Path
    ada: Desk
    grace: Desk
    hedy: Desk
    katherine: Desk
    hedys_key: SshSigningKey
    gnupg: Path

    def bundles(self, files: Sequence[Artifact], who: SigstoreIdentity) -> dict[str, bytes]:
        """What somebody signs, by the bundles' names."""
        token = SecretStr(self.sigstore.tokens.for_person(who.identity))
        config = trust_configuration(SigstoreInstance.PUBLIC, self.trust_config)
        made = sign_with_sigstore(files, who, config, lambda: token)
        return {f"{file.name}.sigstore.json": bundle for file, bundle in made.items()}


@contextlib.asynccontextmanager
async def signers_world(folder: Path, gnupg: Gnupg, client: Client) -> AsyncIterator[Signers]:
    """Makes everything in a folder with a short path; grace's key is in the GnuPG home."""
    served = folder / "served"
    served.mkdir()
    site = Site(served)
    grace = gnupg.make("Grace <grace@example.org>")
    keys = {name: with_ssh_key(folder / name) for name in ("hedy", "katherine")}
    repository, _ = tiny_project(folder)
    (repository / "grace.asc").write_text(gnupg.listed(grace).public_key or "")
    (repository / "release.toml").write_text(
        RELEASE_TOML.format(
            repository=repository,
            issuer=ISSUER,
            hedy=keys["hedy"].credential.public_key,
            katherine=keys["katherine"].credential.public_key,
            grace=grace,
            served=served,
            url=site.url,
        )
    )
    git = ["git", "-C", str(repository), "-c", "user.name=Tiny", "-c", "user.email=tiny@example.org"]
    for command in (["add", "."], ["commit", "-q", "-m", "How it is released"]):
        subprocess.run([*git, *command], check=True)
    subprocess.run(["git", "clone", "-q", repository, folder / "rules-publish"], check=True)
    with local_sigstore(folder / "sigstore") as sigstore, site.up():
        trust = _as_public(sigstore.trust_config, folder / "trust.json")
        here = {
            "TEMPORAL_ADDRESS": client.service_client.config.target_host,
            "BATON_STORE": str(folder / "store"),
            "BATON_SIGSTORE_TRUST_CONFIG": str(trust),
        }
        workers = {"release": here, "build": here, "publish": {**here, "BATON_PROJECTS": str(folder / "rules-publish")}}
        (folder / "ada").mkdir()
        (folder / "grace").mkdir()
        (folder / "ada/token").write_text(sigstore.tokens.for_person("ada@example.org"))
        async with serving(folder / "workers", workers):
            yield Signers(
                client=client,
                project=repository,
                served=served,
                site=site,
                store=LocalStore(folder / "store"),
                sigstore=sigstore,
                trust_config=trust,
                ada=Desk(folder / "ada", "ada", BATON_IDENTITY_TOKEN_FILE=str(folder / "ada/token"), **here),
                grace=Desk(folder / "grace", "grace", GNUPGHOME=str(gnupg.home), **here),
                hedy=Desk(folder / "hedy", "hedy", **here),
                katherine=Desk(folder / "katherine", "katherine", **here),
                hedys_key=keys["hedy"],
                gnupg=gnupg.home,
            )


def _as_public(config: Path, to: Path) -> Path:
    """The trust configuration with the name of the public authority, which the guard against mix-ups looks for."""
    content = json.loads(config.read_text())
    for authority in content["trustedRoot"]["certificateAuthorities"]:
        authority["uri"] = "https://fulcio.sigstore.dev"
    to.write_text(json.dumps(content))
    return to
