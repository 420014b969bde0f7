from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from baton.model.announcing import LogAnnouncer, WebhookAnnouncer
from baton.model.building import CommandBuilder
from baton.model.plan import DirectoryTarget, GatePoint, SandboxTarget
from baton.model.roster import OpenPgpKey, SigstoreIdentity
from baton.model.signing import GpgSigner, SigstoreInstance, SigstoreSigner
from baton.model.version import ReleaseKind
from baton.project.problem import CannotPlan
from baton.project.read import read_project
from baton.project.resolve import SandboxFacts, resolve

if TYPE_CHECKING:
    from baton.model.plan import Plan
    from baton.project.read import Project
    from tests.project.conftest import Writer

COMMIT = "0123456789abcdef" * 2 + "01234567"
TODAY = date(2026, 11, 1)
ROOT = Path(__file__).parents[2]
SANDBOX = SandboxFacts(
    machine=SigstoreIdentity(identity="machine@sandbox.invalid", issuer="http://127.0.0.1:5556"),
    team_key=OpenPgpKey(fingerprint="A" * 40, public_key="-----BEGIN PGP PUBLIC KEY BLOCK-----"),
    repository=Path("/state/spam.git"),
)
CHAT = '[[announcers]]\nkind = "webhook"\nname = "chat"\nurl-from = "CHAT"\non = ["released"]\n'
TEAM_KEY = (
    '[streams."3.13".signing]\ngpg = "team"\n'
    '[streams."3.13".signing.team]\nfingerprint = "' + "B" * 40 + '"\npublic-key-file = "team.asc"\n'
)


def plan_of(project: Project, version: str = "3.14.0", sandbox: SandboxFacts | None = None) -> Plan:
    return resolve(project, version, COMMIT, started_by="ada", sandbox=sandbox, today=TODAY)


def test_the_plan_says_from_when_until_when_and_whether_a_key_counts(release_toml: Writer) -> None:
    dates = "from = 2026-01-01, until = 2026-12-31, revoked = 2026-03-01"
    kinds = (
        f'{{ kind = "ssh", public-key = "ssh-ed25519 AAAA", {dates} }}',
        f'{{ kind = "openpgp", fingerprint = "{"A" * 40}", {dates} }}',
        f'{{ kind = "sigstore", identity = "ada@example.org", issuer = "https://example.org", {dates} }}',
    )
    project = release_toml.changed(('id = "ada"', f'id = "ada"\nkeys = [{", ".join(kinds)}]'))

    (ada, _) = plan_of(project).roster.people
    assert [key.kind for key in ada.keys] == ["ssh", "openpgp", "sigstore"]
    for key in ada.keys:
        assert (key.first, key.last, key.revoked) == (date(2026, 1, 1), date(2026, 12, 31), date(2026, 3, 1))


def reasons(project: Project, version: str = "3.14.0", commit: str = COMMIT, started_by: str = "ada") -> list[str]:
    with pytest.raises(CannotPlan) as caught:
        resolve(project, version, commit, started_by=started_by, sandbox=None, today=TODAY)
    return str(caught.value).splitlines()


def test_a_real_plan_says_what_the_file_says(release_toml: Writer) -> None:
    plan = plan_of(release_toml.read())

    assert not plan.sandbox
    assert (plan.title, plan.stream.name, plan.release_kind) == ("Spam", "3.14", ReleaseKind.FINAL)
    assert plan.source.repository == "https://git.example/spam.git"
    assert (plan.source.commit, plan.source.tag, plan.source.push_tag) == (COMMIT, "v3.14.0", True)
    assert plan.steps[0].files == ("spam-3.14.0.tar.gz",)
    builder = plan.steps[0].builder
    assert isinstance(builder, CommandBuilder)
    assert builder.commands == (("make", "dist", "VERSION=3.14.0"),)
    assert (plan.steps[0].timeout, plan.steps[0].wait_for_runner) == (3600, 900)
    assert [gate.before for gate in plan.gates] == [GatePoint.BUILD, GatePoint.PUBLISH]
    assert plan.targets == (DirectoryTarget(name="site", path="/srv/spam", url="https://spam.example/releases"),)
    (signer,) = plan.signers
    assert isinstance(signer, SigstoreSigner)
    assert signer.instance is SigstoreInstance.PUBLIC
    assert signer.identity.issuer == "https://token.actions.githubusercontent.com"
    assert [person.id for person in plan.roster.people] == ["ada", "grace"]


def test_the_same_file_gives_the_same_plan(release_toml: Writer) -> None:
    assert plan_of(release_toml.read()).digest == plan_of(release_toml.read()).digest


def test_a_stream_signs_as_it_says_itself(release_toml: Writer) -> None:
    (release_toml.folder / "team.asc").write_text("-----BEGIN PGP PUBLIC KEY BLOCK-----\n", encoding="ascii")
    project = release_toml.changed(more=TEAM_KEY)

    older, newer = plan_of(project, "3.13.5"), plan_of(project, "3.14.0")

    assert [signer.kind for signer in older.signers] == ["sigstore", "gpg"]
    assert isinstance(older.signers[1], GpgSigner)
    assert older.signers[1].key.public_key == "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
    assert [signer.kind for signer in newer.signers] == ["sigstore"]


def test_a_rehearsal_signs_publishes_and_tells_in_the_sandbox_alone(release_toml: Writer) -> None:
    (release_toml.folder / "team.asc").write_text("-----BEGIN PGP PUBLIC KEY BLOCK-----\n", encoding="ascii")
    more_targets = '[[targets]]\nkind = "directory"\nname = "mirror"\npath = "/m"\nurl = "https://m.example"\n'
    project = release_toml.changed(more=TEAM_KEY + CHAT + more_targets)

    plan = plan_of(project, "3.13.5", SANDBOX)

    assert plan.sandbox
    sigstore, gpg = plan.signers
    assert isinstance(sigstore, SigstoreSigner)
    assert sigstore.instance is SigstoreInstance.SANDBOX
    assert sigstore.identity == SANDBOX.machine
    assert isinstance(gpg, GpgSigner)
    assert gpg.key == SANDBOX.team_key
    assert plan.targets == (SandboxTarget(name="site"),)
    assert plan.announcers == (LogAnnouncer(name="chat", on=plan.announcers[0].on),)
    assert (plan.source.repository, plan.source.push_tag) == ("/state/spam.git", True)


def test_a_rehearsal_builds_and_asks_as_the_real_release_does(release_toml: Writer) -> None:
    project = release_toml.read()

    real, rehearsed = plan_of(project), plan_of(project, sandbox=SANDBOX)

    same = ("release", "stream", "steps", "checks", "gates", "roster", "limits", "sboms", "queue")
    assert {part: getattr(rehearsed, part) for part in same} == {part: getattr(real, part) for part in same}


def test_a_rehearsal_from_the_real_repository_pushes_nothing(release_toml: Writer) -> None:
    facts = SandboxFacts(machine=SANDBOX.machine, team_key=SANDBOX.team_key)

    source = plan_of(release_toml.read(), sandbox=facts).source

    assert (source.repository, source.push_tag) == ("https://git.example/spam.git", False)


def test_secret_addresses_stay_names(release_toml: Writer) -> None:
    (announcer,) = plan_of(release_toml.changed(more=CHAT)).announcers

    assert isinstance(announcer, WebhookAnnouncer)
    assert announcer.url_from == "CHAT"


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("3.12.1", "3.12.1 belongs to no stream of the project; its streams: 3.13, 3.14"),
        ("3.1", "3.1 belongs to no stream of the project; its streams: 3.13, 3.14"),
        ("3.14.0-rc1", "3.14.0-rc1 is not in normal form; write 3.14.0rc1"),
        ("next", "'next' is not a version; expected the form of PEP 440, such as 3.14.1 or 3.15.0rc2"),
    ],
)
def test_a_version_of_no_stream_is_refused(release_toml: Writer, version: str, expected: str) -> None:
    assert reasons(release_toml.read(), version) == [expected]


def test_nothing_is_released_from_a_stream_at_its_end_of_life(release_toml: Writer) -> None:
    ended = release_toml.changed(('status = "bugfix"', 'status = "end-of-life"'))
    assert reasons(ended, "3.13.1") == ["stream 3.13 is at its end of life; nothing is released from it any more"]

    forgotten = release_toml.changed(("2030-10-01", "2026-11-01"))
    assert reasons(forgotten) == [
        "stream 3.14 reached its end of life on 2026-11-01; if that was put off, correct its end-of-life"
    ]
    assert plan_of(release_toml.changed(("2030-10-01", "2026-11-02"))).stream.name == "3.14"


def test_everything_that_stands_against_a_release_comes_at_once(release_toml: Writer) -> None:
    project = release_toml.changed(('title = "Spam"', 'title = "Spam"\nsandbox = true'))

    version, commit, sandbox, roster = reasons(project, "3.12.1", "HEAD", "eve")

    assert version.startswith("3.12.1 belongs to no stream")
    assert commit == "'HEAD' is not the whole id of a commit; expected 40 or 64 hexadecimal digits"
    assert sandbox.startswith("spam is only ever rehearsed, since project.sandbox is true")
    assert roster == "eve is not on the roster, so can't start a release; on it: ada, grace"


def test_a_gate_that_does_not_count_the_starter_needs_others(release_toml: Writer) -> None:
    alone = ("needs = { release-manager = 2 }", "needs = { release-manager = 2 }\nstarter-counts = false")

    editor = '[[roster]]\nid = "katherine"\nname = "Katherine"\nroles = ["editor"]\n'

    project = release_toml.changed(alone, more=editor)

    assert resolve(project, "3.14.0", COMMIT, started_by="katherine", sandbox=None, today=TODAY).gates[1].needs
    assert reasons(project) == [
        (
            "gate files does not count ada, who starts the release: "
            "it asks for 2 as release-manager, but only one person can act as that"
        )
    ]


def test_two_names_that_a_version_makes_equal_are_refused(release_toml: Writer) -> None:
    project = release_toml.changed(('"spam-{version}.tar.gz"', '"spam-{version}.tar.gz", "spam-3.14.0.tar.gz"'))

    assert reasons(project) == ["spam-3.14.0.tar.gz would be released twice: version 3.14.0 makes two names equal"]
    assert plan_of(project, "3.14.1").steps[0].files == ("spam-3.14.1.tar.gz", "spam-3.14.0.tar.gz")


def test_a_version_that_no_file_can_be_named_after_is_refused(release_toml: Writer) -> None:
    project = release_toml.changed(('[streams."3.13"]', '[streams."7"]'))

    assert any(reason.startswith("steps.0.files.0: ") or "tag: " in reason for reason in reasons(project, "1!7.0"))


def test_baton_and_the_example_can_both_be_rehearsed() -> None:
    hello = resolve(read_project(ROOT / "examples/hello"), "1.0.0", COMMIT, started_by="ada", sandbox=SANDBOX)
    baton = resolve(read_project(ROOT), "0.1.0", COMMIT, started_by="maya", sandbox=SANDBOX)

    assert {signer.kind for signer in hello.signers} == {"sigstore", "gpg"}
    assert {signer.kind for signer in baton.signers} == {"sigstore"}
    assert set(hello.queues) & set(baton.queues) == set()


def test_baton_can_be_released_for_real_and_the_example_can_not() -> None:
    baton = resolve(read_project(ROOT), "0.1.0", COMMIT, started_by="maya", sandbox=None)
    assert not baton.sandbox

    with pytest.raises(CannotPlan, match="hello is only ever rehearsed"):
        resolve(read_project(ROOT / "examples/hello"), "1.0.0", COMMIT, started_by="ada", sandbox=None)
