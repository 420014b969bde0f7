"""A real release that three people have agreed to with their own SSH keys, as the workers that act on it see it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import rfc8785

from baton.model import work
from baton.model.acts import Proof, SignOff
from baton.model.attesting import PROVENANCE_SUFFIX, attester
from baton.model.base import canonical_json, digest_of
from baton.model.gate import GateResult, Given
from baton.model.manifest import Artifact, ArtifactSet, Manifest, ManifestFile, ManifestRef
from baton.model.plan import GatePoint
from baton.model.statement import statement_of
from baton.project.read import read_project
from baton.project.resolve import resolve
from baton.proof import seal
from baton.proof.ssh_key import SshSigningKey
from baton.settings import WorkerSettings
from baton.store import LocalStore
from tests.proof.conftest import make_ssh_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from baton.model.acts import Act
    from baton.model.manifest import SetRef
    from baton.model.plan import Gate, Plan

RUN = "first-run"
COMMIT = "c" * 40
PEOPLE = ("ada", "grace", "katherine", "mallory")
"""Mallory has a key, and is not on the roster."""

RELEASE_TOML = """\
[project]
name = "hello"
title = "Hello"
repository = "https://git.example/hello.git"

[streams."1.0"]
status = "bugfix"
{roster}
[[steps]]
name = "source"
queue = "build"
files = ["hello.tar.gz"]
builder = {{ kind = "command", commands = [["make"]] }}

[signing]
sigstore = "machine"
gpg = "none"

[signing.machine]
identity = "https://example.org/machine"
issuer = "https://issuer.example.org"

[[gates]]
name = "commit"
before = "build"
needs = {{ release-manager = 2 }}
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
url = "https://downloads.example"
"""

PERSON = """
[[roster]]
id = "{id}"
name = "{id}"
roles = ["release-manager"]
keys = [{{ kind = "ssh", public-key = "{key}"{more} }}]
"""


@dataclass(frozen=True)
class World:
    """One release that ada has started, and the workers' own copy of what the project says.

    Attributes:
        folder: of everything.
        keys: people's keys.
        unknown: what of a plan the version of Baton did not know that made the release's.
    """

    folder: Path
    keys: Mapping[str, SshSigningKey]
    unknown: frozenset[str] = frozenset()

    @classmethod
    def make(cls, folder: Path) -> World:
        keys = {}
        for name in PEOPLE:
            file = folder / f"{name}-key"
            keys[name] = SshSigningKey(make_ssh_key(file), file)
        world = cls(folder, keys)
        world.served.mkdir()
        world.write_rules()
        return world

    @property
    def rules(self) -> Path:
        return self.folder / "release.toml"

    @property
    def served(self) -> Path:
        return self.folder / "served"

    @property
    def store(self) -> LocalStore:
        return LocalStore(self.folder / "store")

    @property
    def settings(self) -> WorkerSettings:
        return WorkerSettings(
            store=str(self.folder / "store"), workspace=self.folder / "work", projects=(self.rules,), sandbox=None
        )

    def write_rules(
        self, *people: str, more: Mapping[str, str] | None = None, changes: Mapping[str, str] | None = None
    ) -> Path:
        """Write the workers' own release.toml: with these people, more about their keys, other texts changed."""
        roster = "".join(
            PERSON.format(id=name, key=self.keys[name].credential.public_key.strip(), more=(more or {}).get(name, ""))
            for name in people or PEOPLE[:3]
        )
        text = RELEASE_TOML.format(roster=roster, served=self.served)
        for old, new in (changes or {}).items():
            assert old in text, old
            text = text.replace(old, new)
        self.rules.write_text(text)
        return self.rules

    def plan(self, **changes: Any) -> Plan:
        """The plan that the project's own rules make, changed as whoever forges one likes."""
        plan = resolve(read_project(self.rules), "1.0.0", COMMIT, started_by="ada", sandbox=None)
        return plan.model_validate({**plan.model_dump(by_alias=True), **changes})

    def ref(self, plan: Plan) -> work.ReleaseRef:
        """The plan is in the store, where anybody can have it put."""
        digest = self.store.put_bytes(self._written(plan))
        return work.ReleaseRef(release=plan.release, run=RUN, plan=digest, sandbox=plan.sandbox)

    def _written(self, plan: Plan) -> bytes:
        return rfc8785.dumps(plan.model_dump(mode="json", by_alias=True, exclude=set(self.unknown)))

    def _name_of(self, plan: Plan) -> str:
        return digest_of(self._written(plan))

    def manifest(self, plan: Plan, content: bytes = b"hello") -> ManifestRef:
        file = Artifact(name="hello.tar.gz", digest=self.store.put_bytes(content), size=len(content))
        manifest = Manifest(
            project=plan.release.project,
            version=plan.release.version,
            plan=self._name_of(plan),
            commit=COMMIT,
            files=(ManifestFile(**file.model_dump(), step="source"),),
        )
        self.store.put_bytes(canonical_json(manifest))
        return ManifestRef.to(manifest)

    def signed(self, plan: Plan, *others: str) -> tuple[work.Signed, ...]:
        """What stands in for the signatures, and other files that came along with them."""
        made = []
        for signer in plan.signers:
            names = (f"hello.tar.gz{signer.suffix}", *others)
            files = [Artifact(name=name, digest=self.store.put_bytes(name.encode()), size=len(name)) for name in names]
            made.append(work.Signed(signer=signer, signatures=self.store.put_set(ArtifactSet.of(files))))
        return tuple(made)

    def attested(self, plan: Plan) -> SetRef | None:
        """What stands in for the statements of how files were made, where a machine signs."""
        if attester(plan.signers) is None:
            return None
        name = f"hello.tar.gz{PROVENANCE_SUFFIX}"
        statement = Artifact(name=name, digest=self.store.put_bytes(name.encode()), size=len(name))
        return self.store.put_set(ArtifactSet.of([statement]))

    def given(self, act: Act, *, by: str | None = None, signer: str | None = None) -> Given:
        """A sign-off as the workflow tells it, with its envelope in the store."""
        key = self.keys[signer or act.by]
        envelope = self.store.put_bytes(seal(statement_of(act), key).encode())
        proof = Proof(envelope=envelope, credential=key.name)
        return Given(by=by or act.by, role=act.role, at=datetime.now(UTC), proof=proof)

    def passed(self, plan: Plan, manifest: ManifestRef) -> tuple[GateResult, ...]:
        """Every gate, passed by grace and katherine."""
        return tuple(self._passed(plan, gate, manifest) for gate in plan.gates)

    def _passed(self, plan: Plan, gate: Gate, manifest: ManifestRef) -> GateResult:
        now = datetime.now(UTC)
        asked = GateResult(
            gate=gate.name,
            attempt=1,
            run=RUN,
            subject=self._name_of(plan) if gate.before is GatePoint.BUILD else manifest.digest,
            needs=gate.needs,
            opened=now,
            passed_at=now,
        )
        given = tuple(self.given(sign_off(plan, by, asked)) for by in ("grace", "katherine"))
        return asked.model_copy(update={"given": given})


def sign_off(plan: Plan, by: str, about: GateResult, **changes: object) -> SignOff:
    """What somebody says who agrees to what a gate asks about, or, with changes, to something else."""
    facts: dict[str, Any] = {
        "release": plan.release,
        "run": RUN,
        "subject": about.subject,
        "by": by,
        "role": "release-manager",
        "at": datetime.now(UTC),
        "nonce": secrets.token_hex(16),
        "gate": about.gate,
        "attempt": about.attempt,
    }
    return SignOff.model_validate({**facts, **changes})
