"""What `examples/cpython` says: plans that a release manager recognises, and a project without errors.

With BATON_UPDATE_PAGES=1 the plans in `pages/` are written anew; then read what changed before you commit it.
"""

from __future__ import annotations

import io
import os
import re
import runpy
import subprocess
import sys
import tarfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from rich.console import Console
from sigstore.models import ClientTrustConfig

from baton.cli.plan_page import plan_page
from baton.model.base import digest_of
from baton.project.check import check_project
from baton.project.finding import Severity
from baton.project.python_releases import read_calendar
from baton.project.read import read_project
from baton.project.resolve import resolve
from baton.project.stream_tables import with_streams
from baton.sandbox.sigstore.server import local_sigstore
from baton.sandbox.sigstore.tokens import github_claims
from baton.trust.documents import shipped_identities
from baton.trust.identities import TrustedSigstoreIdentity, Who, trusted_signers
from baton.trust.sigstore import SigstoreTrust
from tests.project.test_published import complaints

if TYPE_CHECKING:
    from baton.model.plan import Plan

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "cpython"
PAGES = Path(__file__).parent / "pages"
CALENDAR = Path(__file__).parent / "python-releases.toml"
README = (EXAMPLE / "README.md").read_text(encoding="utf-8")
SIGNING = EXAMPLE / ".github" / "workflows" / "sign-release.yml"
WHEN = date(2026, 8, 22)


def planned(version: str, started_by: str) -> Plan:
    return resolve(read_project(EXAMPLE), version, "0123" * 10, started_by=started_by, sandbox=None, today=WHEN)


@pytest.mark.parametrize(("version", "person"), [("3.14.8", "hugovk"), ("3.13.14", "thomas"), ("3.11.16", "savannah")])
def test_a_release_manager_recognises_the_plan(version: str, person: str) -> None:
    with io.StringIO() as out:
        Console(file=out, width=120, highlight=False, markup=False, emoji=False).print(
            plan_page(planned(version, person))
        )
        shown = re.sub(r"plan sha256:[0-9a-f]{64}", "plan sha256:…", out.getvalue())
    shown = "".join(f"{line.rstrip()}\n" for line in shown.splitlines())
    page = PAGES / f"cpython-{version}.txt"
    if os.environ.get("BATON_UPDATE_PAGES"):
        page.write_text(shown, encoding="utf-8")

    assert shown == page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("version", "files", "parameters"),
    [
        ("3.12.14", 9, {}),
        ("3.13.16", 17, {"DoGPG": "true", "DoMSIX": "true", "DoJIT": "false"}),
        ("3.14.8", 19, {}),
        ("3.15.0rc2", 20, {"Post315OutputDir": "true", "DoTailCalling": "true"}),
        ("3.16.0a1", 10, {"Post315OutputDir": "true", "DoTailCalling": "true", "DoMSI": "false"}),
    ],
)
def test_each_stream_has_its_files_and_its_parameters(version: str, files: int, parameters: dict[str, str]) -> None:
    plan = planned(version, "hugovk")
    builders = {step.name: step.builder.model_dump() for step in plan.steps}
    usual = {"GitRemote", "SourceTag", "SourceCommit", "DoPublish", "SigningCertificate"}

    given = builders.get("windows", {}).get("parameters", {})
    assert sum(len(step.files) for step in plan.steps) == files
    assert {name: value for name, value in given.items() if name not in usual} == parameters
    assert given.get("DoPublish", "false") == "false"


def test_openpgp_ends_with_3_13_and_a_machine_takes_over_with_3_16() -> None:
    kinds = {
        version: [(signer.kind, signer.suffix) for signer in planned(version, "hugovk").signers]
        for version in ("3.10.21", "3.13.16", "3.14.8", "3.15.0rc2", "3.16.0a1")
    }

    person, machine, gpg = ("sigstore-human", ".sigstore"), ("sigstore-dispatched", ".sigstore"), ("gpg", ".asc")
    assert kinds == {
        "3.10.21": [person, gpg],
        "3.13.16": [person, gpg],
        "3.14.8": [person],
        "3.15.0rc2": [person],
        "3.16.0a1": [machine],
    }


@pytest.mark.parametrize("version", ["3.10.21", "3.11.16", "3.12.14", "3.13.16", "3.14.8", "3.15.0rc2"])
def test_whoever_signs_is_who_people_know_for_the_stream(version: str) -> None:
    plan = planned(version, "hugovk")
    trusted = shipped_identities("cpython").matching(plan.stream.name, WHEN)

    assert trusted_signers(plan.signers[0]) == tuple(one for one in trusted if one.kind == "sigstore")


def test_a_check_finds_no_error_and_warns_of_what_the_readme_explains() -> None:
    findings = check_project(read_project(EXAMPLE), environment={"PATH": os.environ["PATH"]}, today=date(2026, 11, 22))
    (explained,) = re.findall(r"```text\n(.*?)```", README, re.DOTALL)

    assert [finding for finding in findings if finding.severity is Severity.ERROR] == []
    warnings = [f"{found.subject}: {found.message}" for found in findings if found.severity is Severity.WARNING]
    assert warnings == explained.splitlines()


@pytest.mark.parametrize(("made", "tested", "passes"), [("3627", "3627", True), ("3627", "3625", False)])
def test_a_final_needs_the_magic_number_that_is_tested_for(
    tmp_path: Path, made: str, tested: str, *, passes: bool
) -> None:
    header = tmp_path / "Include" / "internal" / "pycore_magic_number.h"
    test = tmp_path / "Lib" / "test" / "test_importlib" / "test_util.py"
    for file, line in ((header, f"#define PYC_MAGIC_NUMBER {made}"), (test, f"    EXPECTED_MAGIC_NUMBER = {tested}")):
        file.parent.mkdir(parents=True)
        file.write_text(f"before\n{line}\n", encoding="utf-8")

    assert ran("magic-number", tmp_path) is passes


@pytest.mark.parametrize(
    ("page", "passes"), [("Added in version 3.14.", True), ("Added in version 3.15 (unreleased).", False)]
)
def test_documentation_of_what_is_not_released_stops_a_final(tmp_path: Path, page: str, *, passes: bool) -> None:
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    with tarfile.open(tmp_path / "python-3.14.8-docs-html.tar.bz2", "w:bz2") as archive:
        archive.add(tmp_path / "index.html", "python-3.14.8-docs-html/index.html")

    assert ran("docs-released", tmp_path) is passes


def ran(check: str, folder: Path) -> bool:
    """Whether a check passes in a folder that is both checkout and artifacts."""
    (found,) = (found for found in planned("3.14.8", "hugovk").checks if found.name == check)
    environment = {**os.environ, "BATON_ARTIFACTS": str(folder)}
    return all(
        subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False).returncode == 0
        for command in found.commands
    )


def test_no_gate_waits_for_one_person() -> None:
    project = read_project(EXAMPLE)

    findings = check_project(project, environment={"PATH": os.environ["PATH"]}, today=WHEN)

    gates = [finding for finding in findings if finding.subject.startswith("gate ")]
    assert len(gates) == len(project.settings.gates)
    assert all(finding.message.endswith("passes without any one person") for finding in gates)


def test_the_streams_are_those_of_the_calendar() -> None:
    document = (EXAMPLE / "release.toml").read_bytes()

    assert with_streams(document, read_calendar(str(CALENDAR))) == document


def test_editors_accept_the_file() -> None:
    assert complaints((EXAMPLE / "release.toml").read_text(encoding="utf-8")) == []


def test_the_workflows_are_those_of_github_actions(tmp_path: Path) -> None:
    (changes,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    building = tmp_path / "build-release.yml"
    building.write_text(f"{changes}\njobs:\n  any:\n    runs-on: any\n    steps: [{{run: any}}]\n", encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]

    checked = subprocess.run([*command, SIGNING, building], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout


def test_the_build_workflow_takes_and_shows_what_the_plan_gives_it() -> None:
    (changes,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    # YAML 1.1 reads `on` as true.
    inputs = yaml.safe_load(changes)[True]["workflow_dispatch"]["inputs"]
    given = planned("3.14.8", "hugovk").steps[0].builder.model_dump()["inputs"]

    assert set(given) == set(inputs)
    assert given["git_remote"] in inputs["git_remote"]["options"]
    (run_name,) = re.findall(r"^run-name: (.*)", changes)
    shown = {given[name] for name in re.findall(r"inputs\.(\w+)", run_name)}
    assert {"{commit}", "{key}"} <= shown


def test_the_signing_workflow_takes_and_shows_what_the_plan_gives_it() -> None:
    workflow = yaml.safe_load(SIGNING.read_text(encoding="utf-8"))
    # YAML 1.1 reads `on` as true.
    inputs = workflow[True]["workflow_dispatch"]["inputs"]
    (signer,) = (one.model_dump() for one in planned("3.16.0a1", "hugovk").signers)
    given = signer["run"]["inputs"]
    assert {*given, signer["digests_in"]} == set(inputs)
    assert given["suffix"] == signer["suffix"]
    assert given["suffix"] in inputs["suffix"]["options"]
    shown = {given[name] for name in re.findall(r"inputs\.(\w+)", workflow["run-name"])}
    assert {"{commit}", "{key}"} <= shown


def test_the_signing_workflow_may_do_nothing_but_sign() -> None:
    workflow = yaml.safe_load(SIGNING.read_text(encoding="utf-8"))

    assert workflow["permissions"] == {}
    assert workflow["jobs"]["sign"]["permissions"] == {"contents": "read", "id-token": "write"}
    for step in workflow["jobs"]["sign"]["steps"]:
        assert re.search(r"@[0-9a-f]{40}$", step.get("uses", "@" + "0" * 40)), "an action is pinned by its commit"
        assert "${{" not in step.get("run", ""), "inputs reach a shell as environment variables alone"


def test_a_workflow_signs_digests_as_the_identity_that_the_policy_names(tmp_path: Path) -> None:
    digests = {name: digest_of(name.encode()) for name in ("Python-3.16.0a1.tgz", "Python-3.16.0a1.tar.xz")}
    with local_sigstore(tmp_path / "sigstore") as sigstore:
        claims = github_claims("python/release-tools", workflow="sign-release.yml")
        job = sigstore.tokens.github_environment(sigstore.url, claims)
        checksums = "".join(f"{digest.removeprefix('sha256:')}  {name}\n" for name, digest in digests.items())
        done = subprocess.run(
            [sys.executable, EXAMPLE / "sign_digests.py", tmp_path / "bundles", sigstore.trust_config],
            env={**os.environ, "DIGESTS": checksums, "SUFFIX": ".sigstore", **job},
            capture_output=True,
            text=True,
            check=False,
        )
        trust = SigstoreTrust(ClientTrustConfig.from_json(sigstore.trust_config.read_text()))
    machine = planned("3.16.0a1", "hugovk").signers[0].model_dump()["identity"]
    identity = TrustedSigstoreIdentity(identity=machine["identity"], issuer=machine["issuer"], who=Who.MACHINE)

    assert done.returncode == 0, done.stderr
    for name, digest in digests.items():
        bundle = (tmp_path / "bundles" / f"{name}.sigstore").read_bytes()
        assert trust.verify(bundle, digest, [identity], source=name)
        assert not trust.verify(bundle, digest_of(b"another"), [identity], source=name)


@pytest.mark.parametrize(
    ("digests", "told"),
    [
        ("", "names no file"),
        ("0" * 64 + "  ../x", "expected 64 digits"),
        ("0" * 63 + "  x", "expected 64 digits"),
        (f"{'0' * 64}  x\n{'1' * 64}  x", "each once"),
    ],
)
def test_a_workflow_signs_nothing_that_is_no_digest_of_a_file(digests: str, told: str) -> None:
    to_sign = runpy.run_path(str(EXAMPLE / "sign_digests.py"))["to_sign"]

    with pytest.raises(SystemExit, match=told):
        to_sign(digests)
