"""How a release's steps follow from the file: their builders, and for which releases they are meant."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from baton.model.building import CommandBuilder, HandedInBuilder
from baton.model.outside import GitHubBuilder
from baton.model.outside_azure import AzureBuilder, EntraCredential
from baton.model.plan import Audience, Plan, Reminder
from baton.model.roster import OpenPgpKey, SigstoreIdentity
from baton.project.builder_parts import Simulators
from baton.project.check import check_project
from baton.project.problem import CannotPlan
from baton.project.resolve import SandboxFacts, resolve
from tests.project.test_published import complaints

if TYPE_CHECKING:
    from tests.project.conftest import Writer

COMMIT = "0123456789abcdef" * 2 + "01234567"
TODAY = date(2026, 11, 1)
STATUS = ('status = "bugfix"', 'status = "security"')

MACOS = """
[[steps]]
name = "macos"
queue = "linux"
files = ["spam-{version}.pkg"]
builder = { kind = "handed-in", instructions = "Build {version} and notarize it." }
"""

GITHUB = """
[[steps]]
name = "android"
queue = "github"
files = ["spam-{version}-android.tar.gz"]
[steps.builder]
kind = "github-actions"
repository = "spam/release-tools"
workflow = "build-release.yml"
ref = "main"
inputs = { git_commit = "{commit}", baton = "{key}" }
artifacts = ["android-{version}"]
proof = "run-name"
token-from = "SPAM_GITHUB_TOKEN"
"""

AZURE = """
[[steps]]
name = "windows"
queue = "azure"
files = ["spam-{version}.exe"]
statuses = ["prerelease", "bugfix"]
[steps.builder]
kind = "azure-pipelines"
organization = "https://dev.azure.com/Spam"
project = "our spam"
pipeline = 21
commit-in = "SourceCommit"
parameters = { SourceTag = "{tag}", SourceCommit = "{commit}", DoGPG = "false", DoJIT = "true" }
variables = { BatonKey = "{key}" }
skip-stages = ["Publish"]
artifacts = ["windows"]
checksums = "SHA256SUMS-{version}"
accept-partial = true
keep-days = 30
[steps.builder.credential]
kind = "entra"
tenant = "00000000-0000-0000-0000-000000000001"
client = "00000000-0000-0000-0000-000000000002"
secret-from = "SPAM_ENTRA_SECRET"
"""

LOG = '[[announcers]]\nkind = "log"\nname = "log"\n'

VARIANT = """
[[steps.variants]]
streams = ["3.13"]
parameters = { DoGPG = "true" }
"""


def plan_of(writer: Writer, more: str, version: str = "3.14.0", *changes: tuple[str, str], **sandbox: object) -> Plan:
    project = writer.changed(*changes, more=more)
    facts = None
    if sandbox:
        facts = SandboxFacts(
            machine=SigstoreIdentity(identity="machine@sandbox.invalid", issuer="http://127.0.0.1:5556"),
            team_key=OpenPgpKey(fingerprint="A" * 40, public_key="-----BEGIN PGP PUBLIC KEY BLOCK-----"),
            repository=Path("/state/spam.git"),
            simulators=Simulators(**sandbox),  # type: ignore[arg-type]  # texts or None, as each test says
        )
    return resolve(project, version, COMMIT, started_by="ada", sandbox=facts, today=TODAY)


def names(plan: Plan) -> list[str]:
    return [step.name for step in plan.steps]


def test_a_builder_that_does_not_say_its_kind_runs_commands(release_toml: Writer) -> None:
    short = ('{ kind = "command", ', "{ ")

    (step,) = plan_of(release_toml, "", "3.14.0", short).steps

    assert isinstance(step.builder, CommandBuilder)
    assert complaints((release_toml.folder / "release.toml").read_text(encoding="utf-8")) == []
    (problem,) = release_toml.problems(short, ("commands =", "comands ="))[:1]
    assert problem.endswith('steps[0].builder.comands: unknown key; did you mean "commands"?') or "missing" in problem


def test_people_are_told_what_to_hand_in(release_toml: Writer) -> None:
    builder = plan_of(release_toml, MACOS).steps[1].builder

    assert builder == HandedInBuilder(instructions="Build 3.14.0 and notarize it.")


def test_a_workflow_of_github_gets_what_the_file_says(release_toml: Writer) -> None:
    step = plan_of(release_toml, GITHUB).steps[1]

    assert step.queue == "github"
    assert step.builder == GitHubBuilder(
        repository="spam/release-tools",
        workflow="build-release.yml",
        ref="main",
        inputs={"git_commit": "{commit}", "baton": "{key}"},
        artifacts=("android-3.14.0",),
        proof="run-name",
        token_from="SPAM_GITHUB_TOKEN",  # noqa: S106  # a variable's name
    )


def test_a_pipeline_of_azure_gets_what_the_file_says(release_toml: Writer) -> None:
    builder = plan_of(release_toml, AZURE).steps[1].builder

    assert builder == AzureBuilder(
        organization="https://dev.azure.com/Spam",
        project="our spam",
        pipeline=21,
        credential=EntraCredential(
            tenant="00000000-0000-0000-0000-000000000001",
            client="00000000-0000-0000-0000-000000000002",
            secret_from="SPAM_ENTRA_SECRET",  # noqa: S106  # a variable's name
        ),
        commit_in="SourceCommit",
        parameters={"SourceTag": "{tag}", "SourceCommit": "{commit}", "DoGPG": "false", "DoJIT": "true"},
        variables={"BatonKey": "{key}"},
        skip_stages=("Publish",),
        artifacts=("windows",),
        checksums="SHA256SUMS-3.14.0",
        accept_partial=True,
        keep_days=30,
    )


@pytest.mark.parametrize(
    ("more", "old", "new", "expected"),
    [
        (
            GITHUB,
            'baton = "{key}"',
            'baton = "{number}"',
            "builder.inputs.baton: unknown placeholder {number}; accepted: {version}, {tag}, {commit}, {key}",
        ),
        (
            GITHUB,
            ', baton = "{key}"',
            "",
            "builder: no input holds {key}, by which a run is found again: add one, and show it in `run-name`",
        ),
        (
            GITHUB,
            'token-from = "SPAM_GITHUB_TOKEN"\n',
            "",
            "builder: a worker needs either token-from or app to act on GitHub",
        ),
        (
            GITHUB,
            'token-from = "SPAM_GITHUB_TOKEN"',
            'token-from = "ghp_0123456789"',
            'builder.token-from: accepted: the name of an environment variable, such as "BATON_WEBHOOK"',
        ),
        (
            GITHUB,
            "proof =",
            'api = "http://127.0.0.1:8080"\nproof =',
            'builder.api: found "http://127.0.0.1:8080", a simulator, which only counts where project.sandbox is true',
        ),
        (
            AZURE,
            'SourceCommit = "{commit}"',
            'SourceCommit = "{tag}"',
            'builder: the parameter SourceCommit, which `commit-in` names, has to be "{commit}"',
        ),
        (
            AZURE,
            'secret-from = "SPAM_ENTRA_SECRET"',
            'secret-from = "SPAM_ENTRA_SECRET"\nauthority = "http://localhost:1"',
            (
                'builder.credential.authority: found "http://localhost:1", a simulator, which only counts where '
                "project.sandbox is true"
            ),
        ),
        (AZURE, 'DoJIT = "true"', "DoJIT = true", "builder.parameters.DoJIT: found true; accepted: text in quotes"),
        (
            AZURE,
            'statuses = ["prerelease", "bugfix"]',
            'streams = ["3.15"]',
            'streams[0]: found "3.15"; accepted: 3.13, 3.14; did you mean "3.14"?',
        ),
        (AZURE + VARIANT, "DoGPG", "DoGpg", ""),
        (
            AZURE + VARIANT,
            'streams = ["3.13"]\n',
            "",
            "variants[0]: meant for every release; name its streams, statuses or kinds, or change the step",
        ),
        (
            AZURE + VARIANT,
            'parameters = { DoGPG = "true" }',
            'inputs = { DoGPG = "true" }',
            "variants[0].inputs: a builder of kind azure-pipelines has no such key",
        ),
        (
            AZURE + VARIANT,
            'parameters = { DoGPG = "true" }',
            'parameters = { SourceCommit = "main" }',
            'variants[0]: the parameter SourceCommit, which `commit-in` names, has to be "{commit}"',
        ),
        (
            AZURE + VARIANT,
            'parameters = { DoGPG = "true" }',
            'files = ["spam-{version}.tar.gz"]',
            'files[0]: found "spam-{version}.tar.gz" a second time; a release has one file of a name',
        ),
        (
            MACOS + VARIANT,
            'parameters = { DoGPG = "true" }',
            'add-artifacts = ["more"]',
            "variants[0].add-artifacts: a builder of kind handed-in has no such key",
        ),
        (
            AZURE + VARIANT,
            'parameters = { DoGPG = "true" }',
            "",
            "variants[0]: changes nothing; name what the step does otherwise",
        ),
    ],
)
def test_what_a_builder_lacks_is_told_where_it_stands(
    release_toml: Writer, more: str, old: str, new: str, expected: str
) -> None:
    assert old in more
    changed = more.replace(old, new, 1)
    if not expected:
        release_toml.changed(more=changed)
        return
    told = [problem.partition(": ")[2] for problem in release_toml.problems(more=changed)]
    assert told == [f"steps[1].{expected}"]


def test_a_step_is_built_for_the_releases_that_it_is_meant_for(release_toml: Writer) -> None:
    docs = (
        MACOS.replace("macos", "docs").replace(".pkg", ".zip").replace("queue", 'kinds = ["candidate", "final"]\nqueue')
    )
    more = AZURE + docs

    assert names(plan_of(release_toml, more, "3.14.0")) == ["source", "windows", "docs"]
    assert names(plan_of(release_toml, more, "3.14.0rc1")) == ["source", "windows", "docs"]
    assert names(plan_of(release_toml, more, "3.14.0b1")) == ["source", "windows"]
    assert names(plan_of(release_toml, more, "3.13.9", STATUS)) == ["source"]


def test_checks_too_are_made_for_some_releases_only(release_toml: Writer) -> None:
    check = '[[checks]]\nname = "{0}"\nqueue = "linux"\ncommands = [["{0}"]]\nkinds = ["{0}"]\n'
    more = "".join(map(check.format, ("security", "prerelease", "final")))

    assert [check.name for check in plan_of(release_toml, more, "3.13.9", STATUS).checks] == ["security"]
    assert [check.name for check in plan_of(release_toml, more, "3.14.0a1").checks] == ["prerelease"]
    assert [check.name for check in plan_of(release_toml, more, "3.14.0").checks] == ["final"]


def test_a_variant_changes_the_keys_that_it_names_and_the_later_one_wins(release_toml: Writer) -> None:
    later = VARIANT.replace('DoGPG = "true"', 'DoJIT = "maybe"').replace('["3.13"]', '["3.13"]\nkinds = ["final"]')
    files = '[[steps.variants]]\nkinds = ["alpha"]\nfiles = ["spam-{version}-amd64.exe"]\nskip-stages = []\n'
    more = AZURE + VARIANT + later + files

    def windows(version: str) -> tuple[tuple[str, ...], str, str, tuple[str, ...]]:
        step = plan_of(release_toml, more, version).steps[1]
        assert isinstance(step.builder, AzureBuilder)
        given = step.builder.parameters
        assert given["SourceCommit"] == "{commit}"
        return step.files, given["DoGPG"], given["DoJIT"], step.builder.skip_stages

    assert windows("3.13.5") == (("spam-3.13.5.exe",), "true", "maybe", ("Publish",))
    assert windows("3.13.5b1") == (("spam-3.13.5b1.exe",), "true", "true", ("Publish",))
    assert windows("3.14.0a1") == (("spam-3.14.0a1-amd64.exe",), "false", "true", ())


def test_variants_add_up(release_toml: Writer) -> None:
    android = (
        '[[steps.variants]]\nstreams = ["3.14"]\n'
        'add-files = ["more-{version}.zip"]\nadd-artifacts = ["more-{version}"]\n'
    )
    final = '[[steps.variants]]\nkinds = ["final"]\nadd-files = ["docs.zip"]\nadd-artifacts = ["docs"]\n'

    def made(version: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        step = plan_of(release_toml, GITHUB + android + final, version).steps[1]
        assert isinstance(step.builder, GitHubBuilder)
        return step.files, step.builder.artifacts

    assert made("3.14.0") == (
        ("spam-3.14.0-android.tar.gz", "more-3.14.0.zip", "docs.zip"),
        ("android-3.14.0", "more-3.14.0", "docs"),
    )
    assert made("3.14.0a1") == (
        ("spam-3.14.0a1-android.tar.gz", "more-3.14.0a1.zip"),
        ("android-3.14.0a1", "more-3.14.0a1"),
    )
    assert made("3.13.1") == (("spam-3.13.1-android.tar.gz", "docs.zip"), ("android-3.13.1", "docs"))


def test_steps_must_agree_in_every_release_that_has_them(release_toml: Writer) -> None:
    again = MACOS.replace(".pkg", ".exe").replace("queue", 'agrees-with = "windows"\nqueue')

    (problem,) = release_toml.problems(STATUS, more=AZURE + again)[:1]

    assert "steps[2].agrees-with: windows is not built in alpha releases of stream 3.13, where macos is" in problem


def test_the_same_file_may_come_from_different_steps_in_different_releases(release_toml: Writer) -> None:
    older = MACOS.replace(".pkg", ".exe").replace("queue", 'statuses = ["security"]\nqueue')

    assert names(plan_of(release_toml, AZURE + older, "3.13.9", STATUS)) == ["source", "macos"]


def test_a_release_of_which_nothing_is_built_is_refused(release_toml: Writer) -> None:
    source = ('name = "source"', 'name = "source"\nkinds = ["final"]')

    with pytest.raises(CannotPlan, match=r"no step releases a file in beta releases of stream 3\.14; see streams"):
        plan_of(release_toml, "", "3.14.0b1", source)
    (problem,) = release_toml.problems(source, STATUS)
    assert problem.endswith('streams."3.13": no step is meant for this stream, so nothing would be released from it')


def test_a_rehearsal_starts_nothing_elsewhere(release_toml: Writer) -> None:
    _, github, azure = plan_of(release_toml, GITHUB + AZURE, github="http://127.0.0.1:1", azure=None).steps

    assert isinstance(github.builder, GitHubBuilder)
    assert github.builder.api == "http://127.0.0.1:1"
    assert azure.builder == HandedInBuilder(
        instructions="A rehearsal does not start pipeline 21 of https://dev.azure.com/Spam/our spam; "
        "any files of these names will do."
    )
    _, github, azure = plan_of(release_toml, GITHUB + AZURE, github=None, azure="http://127.0.0.1:2/fake").steps
    assert isinstance(github.builder, HandedInBuilder)
    assert isinstance(azure.builder, AzureBuilder)
    assert isinstance(azure.builder.credential, EntraCredential)
    assert (azure.builder.organization, azure.builder.credential.authority) == (
        "http://127.0.0.1:2/fake",
        "http://127.0.0.1:2",
    )


def test_a_real_plan_can_not_name_simulators(release_toml: Writer) -> None:
    rehearsed = plan_of(release_toml, GITHUB, github="http://127.0.0.1:1")
    real = plan_of(release_toml, GITHUB).model_dump()

    with pytest.raises(ValidationError, match="can't have its files built or signed by simulators: http"):
        Plan.model_validate({**real, "steps": rehearsed.model_dump()["steps"]})


def test_reminders_come_in_order_and_once(release_toml: Writer) -> None:
    more = "".join(
        f'[[reminders]]\nafter = "{after}"\n{to}'
        for after, to in [("1d", 'to = "everyone"\n'), ("4h", ""), ("24h", 'to = "everyone"\n'), ("240m", "")]
    )

    plan = plan_of(release_toml, more + LOG + "[evidence]\npublish = true\n")

    assert plan.reminders == (Reminder(after=4 * 3600), Reminder(after=24 * 3600, to=Audience.EVERYONE))
    assert plan.publish_evidence
    assert not plan_of(release_toml, "").publish_evidence


def test_the_check_tells_files_by_release_and_credentials_by_name(release_toml: Writer) -> None:
    project = release_toml.changed(STATUS, more=AZURE + GITHUB)

    told = {finding.subject: finding.message for finding in check_project(project, environment={}, today=TODAY)}

    assert told["files of 3.13 (alpha, beta, candidate, security)"].startswith("2 expected: spam-{version}.tar.gz")
    assert told["files of 3.14 (alpha, beta, candidate, final)"].startswith("3 expected: ")
    by_name = {subject: message for subject, message in told.items() if subject.startswith("SPAM")}
    assert by_name == {
        "SPAM_ENTRA_SECRET or SPAM_ENTRA_SECRET_FILE": "not set here: the Entra application's secret of step windows",
        "SPAM_GITHUB_TOKEN or SPAM_GITHUB_TOKEN_FILE": "not set here: the GitHub token of step android",
    }
