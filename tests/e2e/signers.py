"""A real project that people or a workflow elsewhere sign, with a Sigstore instance that stands for the public one."""

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
from tests.e2e.elsewhere import DEATHS, Elsewhere, signing_elsewhere
from tests.e2e.real import Site, Watched
from tests.e2e.test_deaths import mortal

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

[streams."2"]
status = "bugfix"
signing = {{ gpg = "none" }}

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
{elsewhere}"""


@dataclass(frozen=True)
class Signers(Watched):
    """People who sign, each at their own machine: ada by a sign-in alone, grace with gpg; katherine may not sign.

    Both of them sign stream 1; stream 2 needs no OpenPGP, and stream 3 is signed elsewhere, by a worker that dies.

    Attributes:
        elsewhere: the workflow that signs stream 3.
        deaths: of that worker; those that are still to come are files in there.
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
    elsewhere: Elsewhere
    deaths: Path

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
    keys = {name: with_ssh_key(folder / name) for name in ("hedy", "katherine")}
    repository, _ = tiny_project(folder)
    async with contextlib.AsyncExitStack() as stack:
        sigstore = stack.enter_context(local_sigstore(folder / "sigstore"))
        elsewhere = stack.enter_context(signing_elsewhere(folder / "github", repository, sigstore))
        stack.enter_context(site.up())
        grace = gnupg.make("Grace <grace@example.org>")
        (repository / "grace.asc").write_text(gnupg.listed(grace).public_key or "")
        rules = RELEASE_TOML.format(
            repository=repository,
            issuer=ISSUER,
            hedy=keys["hedy"].credential.public_key,
            katherine=keys["katherine"].credential.public_key,
            grace=grace,
            served=served,
            url=site.url,
            elsewhere=elsewhere.stream,
        )
        trust = _as_public(sigstore.trust_config, folder / "trust.json")
        here = {
            "TEMPORAL_ADDRESS": client.service_client.config.target_host,
            "BATON_STORE": str(folder / "store"),
            "BATON_SIGSTORE_TRUST_CONFIG": str(trust),
        }
        own_rules = {**here, "BATON_PROJECTS": str(_committed(repository, rules, folder / "rules"))}
        (folder / "ada").mkdir()
        (folder / "grace").mkdir()
        (folder / "ada/token").write_text(sigstore.tokens.for_person("ada@example.org"))
        # By this one's heartbeats it is seen soon that the other is dead.
        await stack.enter_async_context(mortal(folder / "release", (), ("release",), own_rules))
        signing = mortal(folder / "sign", DEATHS, ("sign",), {**own_rules, **elsewhere.worker})
        deaths = await stack.enter_async_context(signing)
        await stack.enter_async_context(serving(folder / "workers", {"build": here, "publish": own_rules}))
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
            elsewhere=elsewhere,
            deaths=deaths,
        )


def _committed(repository: Path, rules: str, clone: Path) -> Path:
    """A clone of the repository with these rules in it, for workers that believe no other."""
    (repository / "release.toml").write_text(rules)
    git = ["git", "-C", str(repository), "-c", "user.name=Tiny", "-c", "user.email=tiny@example.org"]
    for command in (["add", "."], ["commit", "-q", "-m", "How it is released"]):
        subprocess.run([*git, *command], check=True)
    subprocess.run(["git", "clone", "-q", repository, clone], check=True)
    return clone


def _as_public(config: Path, to: Path) -> Path:
    """The trust configuration with the name of the public authority, which the guard against mix-ups looks for."""
    content = json.loads(config.read_text())
    for authority in content["trustedRoot"]["certificateAuthorities"]:
        authority["uri"] = "https://fulcio.sigstore.dev"
    to.write_text(json.dumps(content))
    return to
