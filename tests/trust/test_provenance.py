"""How files were made, as machines state it: what counts, and what only looks like it."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sigstore.dsse import Statement as SigstoreStatement
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext
from sigstore.verify import Verifier, policy

from baton.attestation.provenance import Context, HandedIn, Origin, provenance_of, source_uri
from baton.attestation.release import release_statement
from baton.cli.main import run
from baton.model.attesting import Making
from baton.model.base import canonical_json, digest_of
from baton.model.gate import GateResult, Given
from baton.model.manifest import Manifest, ManifestFile
from baton.model.plan import Plan
from baton.model.work import ReleaseRef
from baton.sandbox.sigstore import ISSUER, machine_identity
from baton.trust import Expected, Trust, TrustedIdentities, verify_provenance
from baton.trust.identities import TrustedSigstoreIdentity, Who
from tests.conftest import PLAN, executable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from baton.attestation.statement import Statement
    from baton.model.building import Step
    from baton.sandbox.sigstore.server import LocalSigstore
    from baton.trust import ProvenanceReport

NAME = "hello-1.0.0.tar.gz"
CONTENT = b"hello"
COMMIT = "c" * 40
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
FILE = ManifestFile(name=NAME, digest=digest_of(CONTENT), size=len(CONTENT), step="source")


def plan_of(**changes: Any) -> Plan:
    machine = {"identity": {"identity": machine_identity("signer"), "issuer": ISSUER}}
    source = {"repository": "https://git.example/hello.git", "commit": COMMIT, "tag": "v1.0.0"}
    signers = [{"kind": "sigstore", "instance": "sandbox", **machine}]
    return Plan.model_validate({**PLAN, "signers": signers, "source": source, **changes})


def context_of(plan: Plan) -> tuple[Context, Manifest]:
    manifest = Manifest(
        project="hello", version=plan.release.version, plan=plan.digest, commit=plan.source.commit, files=(FILE,)
    )
    ref = ReleaseRef(release=plan.release, run="first-run", plan=plan.digest, sandbox=True)
    return Context(ref, plan, plan.source.commit, manifest.digest), manifest


def made_by(step: Step, **changes: Any) -> Origin:
    making = {
        "step": step,
        "repository": "https://git.example/hello.git",
        "commit": COMMIT,
        "artifacts": "sha256:" + "a" * 64,
        "by": "a machine",
        "attempt": 1,
        "started": NOW,
        "finished": NOW,
    }
    return Origin(Making.model_validate({**making, **changes}))


class Downloads:
    """A file with what a machine states of it, as somebody has downloaded both; a test changes what is stated."""

    def __init__(self, folder: Path, sandbox: LocalSigstore) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.plan = plan_of()
        self.file = folder / NAME
        self.file.write_bytes(CONTENT)
        self.manifest = folder / "manifest.json"
        release, manifest = context_of(self.plan)
        self.manifest.write_bytes(canonical_json(manifest))
        self.release = release

    @property
    def beside(self) -> Path:
        return self.folder / f"{NAME}.provenance.sigstore.json"

    def provenance(self, **changes: Any) -> Statement:
        plan = self.plan if not changes else plan_of(**changes)
        return provenance_of(FILE, made_by(plan.steps[0], commit=plan.source.commit), context_of(plan)[0])

    def state(self, content: bytes, *, by: str | None = None, beside: Path | None = None) -> None:
        token = by or self.sandbox.tokens.for_machine("signer")
        config = ClientTrustConfig.from_json(self.sandbox.trust_config.read_text())
        with SigningContext.from_trust_config(config).signer(IdentityToken(token)) as signer:
            bundle = signer.sign_dsse(SigstoreStatement(content))
        (beside or self.beside).write_text(bundle.to_json())

    def state_release(self, *, gates: int = 1, plan: Plan | None = None) -> None:
        release = context_of(plan or self.plan)[0]
        asked = GateResult(
            gate="publish",
            attempt=1,
            run="first-run",
            subject=release.manifest,
            needs={"release-manager": 1},
            opened=NOW,
        )
        passed = asked.model_copy(update={"given": (Given(by="grace", role="release-manager", at=NOW),)})
        statement = release_statement(release, [(release.plan.gates[0], passed)][:gates])
        self.state(statement.content(), beside=self.folder / "manifest.json.release.sigstore.json")

    @property
    def trust(self) -> Trust:
        return Trust(TrustedIdentities.of_plan(self.plan, date(2026, 11, 22)), trust_config=self.sandbox.trust_config)

    def verify(self, *, manifest: bool = False, trust: Trust | None = None, **expected: str) -> ProvenanceReport:
        return verify_provenance(
            [self.file],
            trust or self.trust,
            expected=Expected(**expected),
            manifest=self.manifest if manifest else None,
        )

    def refused(self, match: str, **how: Any) -> None:
        report = self.verify(**how)
        assert not report
        assert match in "\n".join(report.failures)


@pytest.fixture(scope="module")
def stated(tmp_path_factory: pytest.TempPathFactory, sandbox: LocalSigstore) -> Path:
    """The downloads as they should be."""
    folder = tmp_path_factory.mktemp("downloads")
    downloads = Downloads(folder, sandbox)
    downloads.state(downloads.provenance().content())
    downloads.state_release()
    return folder


@pytest.fixture
def downloads(stated: Path, tmp_path: Path, sandbox: LocalSigstore) -> Downloads:
    return Downloads(shutil.copytree(stated, tmp_path / "downloads"), sandbox)


def test_a_file_with_its_statement_tells_how_it_was_made(downloads: Downloads) -> None:
    report = downloads.verify(repository="https://git.example/hello.git", commit=COMMIT, manifest=True)
    assert report, report.failures
    (result,) = report.files
    assert result.made is not None
    assert (result.made.builder, result.made.commit) == ("urn:baton:builder:worker:build-source", COMMIT)
    assert result.made.repository == "git+https://git.example/hello.git"
    assert result.made.run == "urn:baton:run:first-run:source:1"
    assert result.made.parameters["step"]["builder"]["commands"] == [["make"]]
    assert report.release is not None
    assert report.release.stated is not None
    assert [given.by for given in report.release.stated.gates[0].given] == ["grace"]


def test_sigstores_own_client_accepts_it_as_slsa_provenance(downloads: Downloads) -> None:
    config = ClientTrustConfig.from_json(downloads.sandbox.trust_config.read_text())
    identity = policy.Identity(identity=machine_identity("signer"), issuer=ISSUER)
    bundle = Bundle.from_json(downloads.beside.read_text())
    kind, payload = Verifier(trusted_root=config.trusted_root).verify_dsse(bundle, identity)
    statement = json.loads(payload)
    assert (kind, statement["_type"]) == ("application/vnd.in-toto+json", "https://in-toto.io/Statement/v1")
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    (source,) = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert source["digest"] == {"gitCommit": COMMIT}

    command = [executable("sigstore"), "--trust-config", str(downloads.sandbox.trust_config), "verify", "identity"]
    command += ["--cert-identity", machine_identity("signer"), "--cert-oidc-issuer", ISSUER]
    done = [
        subprocess.run(
            [*command, "--bundle", downloads.beside, file], capture_output=True, text=True, timeout=120, check=False
        )
        for file in (downloads.file, downloads.manifest)
    ]
    assert [one.returncode for one in done] == [0, 1], [one.stderr for one in done]


def test_a_file_without_a_statement_fails(downloads: Downloads) -> None:
    downloads.beside.unlink()
    downloads.refused("it is not there: nothing says how the file was made")


def test_a_changed_file_fails(downloads: Downloads) -> None:
    downloads.file.write_bytes(b"other")
    downloads.refused(f"is about {NAME} ({FILE.sha256}); the file is {digest_of(b'other')}")


def test_a_statement_about_another_file_fails(downloads: Downloads) -> None:
    statement = json.loads(downloads.provenance().content())
    statement["subject"][0]["digest"]["sha256"] = "0" * 64
    downloads.state(json.dumps(statement).encode())
    downloads.refused("it is about " + NAME)


@pytest.mark.parametrize(
    ("path", "value", "match"),
    [
        (("predicateType",), "https://slsa.dev/provenance/v0.2", "its predicate type is"),
        (("predicateType",), "urn:baton:release:v1", "its predicate type is"),
        (("predicate", "buildDefinition"), {}, "its predicate is not https://slsa.dev/provenance/v1"),
        (("predicate", "runDetails"), {}, "its predicate is not https://slsa.dev/provenance/v1"),
        (("predicate", "buildDefinition", "externalParameters", "project"), "other", "of project other"),
        (("predicate", "buildDefinition", "externalParameters", "version"), "1.0.1", "of version 1.0.1"),
        (("predicate", "buildDefinition", "resolvedDependencies"), [], "that nothing proves"),
        (("predicate", "buildDefinition", "resolvedDependencies", 0, "uri"), "git+https://x.example", "repository"),
        (("predicate", "buildDefinition", "resolvedDependencies", 0, "digest", "gitCommit"), "d" * 40, "commit dddd"),
        (("predicate", "buildDefinition", "internalParameters", "manifest"), "sha256:" + "0" * 64, "of manifest"),
        (("predicate", "buildDefinition", "internalParameters", "plan"), "sha256:" + "0" * 64, "of manifest"),
    ],
)
def test_a_statement_of_something_else_fails(
    downloads: Downloads, path: tuple[str | int, ...], value: object, match: str
) -> None:
    statement = json.loads(downloads.provenance().content())
    part = statement
    for name in path[:-1]:
        part = part[name]
    assert path[-1] in part or isinstance(path[-1], int)
    part[path[-1]] = value
    downloads.state(json.dumps(statement).encode())
    downloads.refused(match, repository="https://git.example/hello.git", commit=COMMIT, manifest=True)


def test_a_statement_by_somebody_else_fails(downloads: Downloads) -> None:
    content = downloads.provenance().content()
    downloads.state(content, by=downloads.sandbox.tokens.for_machine("other"))
    downloads.refused("who does not count here")


def test_a_statement_by_a_person_fails_though_their_signatures_count(downloads: Downloads) -> None:
    document = downloads.trust.identities
    (stream,) = document.streams
    (machine,) = stream.trusted
    assert isinstance(machine, TrustedSigstoreIdentity)
    person = machine.model_copy(update={"who": Who.HUMAN})
    trusted = document.model_copy(update={"streams": (stream.model_copy(update={"trusted": (person,)}),)})
    downloads.refused("does not count here", trust=Trust(trusted, trust_config=downloads.sandbox.trust_config))


def test_an_altered_statement_fails(downloads: Downloads) -> None:
    bundle = json.loads(downloads.beside.read_text())
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"]).replace(b'"a machine"', b'"b machine"')
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    downloads.beside.write_text(json.dumps(bundle))
    downloads.refused(f"{NAME}: ")
    downloads.beside.write_text("{}")
    downloads.refused("it is not a Sigstore bundle")


def test_a_signature_is_no_statement(downloads: Downloads, bundle: Callable[[str, bytes], bytes]) -> None:
    downloads.beside.write_bytes(bundle(downloads.sandbox.tokens.for_machine("signer"), CONTENT))
    downloads.refused(f"{NAME}: ")


def test_the_statement_of_another_release_fails(downloads: Downloads) -> None:
    other = {"release": {"project": "hello", "version": "1.0.1"}}
    downloads.state(downloads.provenance(**other).content())
    downloads.refused("it is stated to be of version 1.0.1; expected 1.0.0")


def test_what_a_person_handed_in_is_of_no_commit(downloads: Downloads) -> None:
    step = downloads.plan.steps[0]
    origin = Origin(HandedIn(step, "katherine", "macos-expert", "ssh SHA256:abc", "sha256:" + "e" * 64))
    downloads.state(provenance_of(FILE, origin, downloads.release).content())
    assert downloads.verify()
    downloads.refused("made of source commit that nothing proves", commit=COMMIT)


def test_a_release_that_does_not_list_the_file_fails(downloads: Downloads) -> None:
    other = FILE.model_copy(update={"digest": "sha256:" + "0" * 64})
    manifest = Manifest.model_validate_json(downloads.manifest.read_bytes())
    downloads.manifest.write_bytes(canonical_json(manifest.model_copy(update={"files": (other,)})))
    downloads.refused("manifest.json.release.sigstore.json: it is about manifest.json", manifest=True)
    downloads.refused(f"has {other.digest}; the file is {FILE.digest}", manifest=True)


def test_a_release_to_which_nobody_agreed_fails(downloads: Downloads) -> None:
    downloads.state_release(gates=0)
    downloads.refused("it states no gate, so that nobody agreed", manifest=True)
    (downloads.folder / "manifest.json.release.sigstore.json").unlink()
    downloads.refused("manifest.json.release.sigstore.json: it is not there", manifest=True)


def test_the_statement_of_another_releases_gates_fails(downloads: Downloads) -> None:
    # Of the very same files, but by another plan.
    statement = release_statement(context_of(plan_of(title="Other"))[0], [])
    forged = json.loads(statement.content())
    forged["subject"][0]["digest"]["sha256"] = downloads.release.manifest.removeprefix("sha256:")
    downloads.state(json.dumps(forged).encode(), beside=downloads.folder / "manifest.json.release.sigstore.json")
    downloads.refused("it states plan ", manifest=True)


def test_the_command_says_who_made_what_and_fails_where_something_is_missing(
    downloads: Downloads, capsys: pytest.CaptureFixture[str]
) -> None:
    identities = downloads.folder.parent / "identities.json"
    identities.write_bytes(canonical_json(downloads.trust.identities))
    whom = ["--identities", str(identities), "--trust-config", str(downloads.sandbox.trust_config)]
    command = ["verify", "--provenance", *whom]
    with_release = ["--manifest", str(downloads.manifest), "--source-commit", COMMIT]
    assert run([*command, *with_release, str(downloads.file)]) == 0
    shown = capsys.readouterr().out
    assert "OK: the provenance of 1 of 1 file counts" in shown
    assert "grace as release-manager, UNSIGNED" in shown
    assert run([*command, "--json", "--source-commit", "d" * 40, str(downloads.beside)]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["files"][0]["made"]["commit"]) == (False, COMMIT)
    # A statement is no file of its own, and a file that has none fails.
    assert run([*command, str(downloads.folder)]) == 1
    assert "manifest.json: manifest.json.provenance.sigstore.json: it is not there" in capsys.readouterr().out
    for wrong in (["--source-commit", "abc"], ["--require", "sigstore"]):
        assert run([*command, *wrong, str(downloads.file)]) == 2
    assert run(["verify", *whom, "--source-commit", COMMIT, str(downloads.file)]) == 2


@pytest.mark.parametrize(
    ("repository", "uri"),
    [
        ("https://git.example/hello.git", "git+https://git.example/hello.git"),
        ("ssh://git@git.example/hello.git", "git+ssh://git@git.example/hello.git"),
        ("git@git.example:hello.git", "git+ssh://git@git.example/hello.git"),
        ("/srv/git/hello", "git+file:///srv/git/hello"),
    ],
)
def test_a_repository_is_named_by_a_uri(repository: str, uri: str) -> None:
    assert source_uri(repository) == uri
