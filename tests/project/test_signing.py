"""Who signs a stream's files on which day, and whether that agrees with the list that people verify with."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from baton.model.roster import OpenPgpKey, SigstoreIdentity
from baton.model.signing import (
    DispatchedSigner,
    GpgSigner,
    HumanGpgSigner,
    HumanSigstoreSigner,
    SigstoreInstance,
    SigstorePerson,
    SigstoreSigner,
)
from baton.project.check import check_project, queues_of
from baton.project.finding import Severity
from baton.project.resolve import SandboxFacts, resolve
from baton.project.signers import real_signers
from baton.project.signing_policy import policy_of, spells

if TYPE_CHECKING:
    from baton.project.read import Project
    from tests.project.conftest import Writer

COMMIT = "0123456789abcdef" * 2 + "01234567"
WORKFLOW = "https://git.example/spam/.github/workflows/sign.yml@refs/heads/main"
GITHUB = "https://token.actions.githubusercontent.com"
TODAY = date(2026, 11, 1)
KEY, OLD_KEY = "B" * 40, "C" * 40

TEAM = f"""
[streams."3.13".signing]
gpg = "team"
[streams."3.13".signing.team]
fingerprint = "{KEY}"
public-key-file = "team.asc"
"""

OLD_TEAM = f"""
[[streams."3.13".signing.changes]]
until = 2026-03-31
[streams."3.13".signing.changes.team]
fingerprint = "{OLD_KEY}"
public-key-file = "old.asc"
queue = "old-sign"
"""

GRACE = (
    'name = "Grace"',
    'name = "Grace"\nkeys = [{ kind = "sigstore", identity = "grace@spam.example", issuer = "https://id.example" }]',
)

PEOPLE = """
[streams."3.13".signing]
sigstore = "human"
people = { roles = ["windows-expert"], ids = ["ada"], suffix = ".sigstore" }
"""

DISPATCHED = f"""
[streams."3.14".signing]
sigstore = "dispatched"
[streams."3.14".signing.dispatched]
identity = "{WORKFLOW}"
digests-in = "sums"
[streams."3.14".signing.dispatched.run]
kind = "github-actions"
repository = "spam/release-tools"
workflow = "sign.yml"
ref = "main"
inputs = {{ baton = "{{key}}", commit = "{{commit}}" }}
artifacts = ["bundles"]
proof = "run-name"
token-from = "SPAM_TOKEN"
"""

NO_GPG = """
[[streams."3.13".signing.changes]]
from = 2027-10-01
gpg = "none"
"""


@pytest.fixture
def writer(release_toml: Writer) -> Writer:
    for key in ("team.asc", "old.asc"):
        block = f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n{key}\n"
        (release_toml.folder / key).write_text(block, encoding="ascii")
    return release_toml


def signed_by(project: Project, day: date, version: str = "3.13.5") -> list[str]:
    plan = resolve(project, version, COMMIT, started_by="ada", sandbox=None, today=day)
    return [
        signer.key.fingerprint if isinstance(signer, GpgSigner) else signer.identity.identity
        for signer in plan.signers
        if isinstance(signer, GpgSigner | SigstoreSigner)
    ]


def test_the_day_of_the_plan_says_who_signs(writer: Writer) -> None:
    project = writer.changed(more=TEAM + OLD_TEAM + NO_GPG)

    assert signed_by(project, date(2026, 3, 31)) == [WORKFLOW, OLD_KEY]
    assert signed_by(project, date(2026, 4, 1)) == [WORKFLOW, KEY]
    assert signed_by(project, date(2027, 9, 30)) == [WORKFLOW, KEY]
    assert signed_by(project, date(2027, 10, 1)) == [WORKFLOW]
    assert signed_by(project, date(2026, 3, 31), "3.14.0") == [WORKFLOW]


def test_a_change_of_the_project_is_one_of_every_stream_that_says_nothing_else(writer: Writer) -> None:
    machine = (
        '[[signing.changes]]\nfrom = 2027-01-01\n[signing.changes.machine]\nidentity = "new"\nissuer = "https://i"\n'
    )
    own = '[streams."3.13".signing.machine]\nidentity = "own"\nissuer = "https://i"\n'

    project = writer.changed(more=machine + own)

    assert signed_by(project, date(2026, 12, 31), "3.14.0") == [WORKFLOW]
    assert signed_by(project, date(2027, 1, 1), "3.14.0") == ["new"]
    assert signed_by(project, date(2027, 1, 1), "3.13.5") == ["own"]


def test_of_changes_for_one_day_the_later_one_wins(writer: Writer) -> None:
    change = (
        "[[signing.changes]]\nfrom = 2027-0{0}-01\nuntil = 2027-1{0}-01\n"
        'machine = {{ identity = "m-{0}", issuer = "https://i" }}\n'
    )
    project = writer.changed(more=change.format(2) + change.format(1))

    days = [
        (spell.first, spell.last, spell.policy.machine and spell.policy.machine.identity)
        for spell in spells(project.settings, "3.14")
    ]
    assert days == [
        (None, date(2026, 12, 31), WORKFLOW),
        (date(2027, 1, 1), date(2027, 1, 31), "m-1"),
        (date(2027, 2, 1), date(2027, 11, 1), "m-1"),
        (date(2027, 11, 2), date(2027, 12, 1), "m-2"),
        (date(2027, 12, 2), None, WORKFLOW),
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            '[[signing.changes]]\nuntil = 2026-01-01\nsigstore = "none"\n',
            "signing.changes[0]: nobody signs the files; accepted: sigstore, gpg or both",
        ),
        (
            '[[streams."3.13".signing.changes]]\nfrom = 2027-01-01\ngpg = "team"\n',
            (
                'streams."3.13".signing.changes[0].team: required, but missing: gpg = "team" needs its fingerprint and '
                "public-key-file"
            ),
        ),
        (
            '[[signing.changes]]\ngpg = "none"\n',
            "signing.changes[0]: meant for every day; name its from or until, or say it where it changes something",
        ),
        (
            '[[signing.changes]]\nfrom = 2027-01-02\nuntil = 2027-01-01\ngpg = "none"\n',
            "signing.changes[0].until: found 2027-01-01, which is before its first day 2027-01-02",
        ),
        (
            '[[signing.changes]]\nfrom = 2027-01-01\nmachine = { identity = "somebody" }\n',
            'signing.changes[0].machine.issuer: required, but missing: instance "public" needs it',
        ),
        (
            OLD_TEAM.replace("old.asc", "gone.asc"),
            (
                'streams."3.13".signing.changes[0].team.public-key-file: found "gone.asc"; it can\'t be read: '
                "No such file or directory"
            ),
        ),
    ],
)
def test_a_change_that_can_not_be_is_told_where_it_stands(writer: Writer, more: str, expected: str) -> None:
    assert expected in [problem.partition(": ")[2] for problem in writer.problems(more=more)]


def test_only_signers_of_today_and_later_need_a_worker(writer: Writer) -> None:
    project = writer.changed(more=TEAM + OLD_TEAM)

    assert "old-sign" in queues_of(project, date(2026, 3, 31))
    assert "old-sign" not in queues_of(project, date(2026, 4, 1))


def machine(identity: str = WORKFLOW, **window: str) -> dict[str, Any]:
    return {"kind": "sigstore", "who": "machine", "identity": identity, "issuer": GITHUB, **window}


def key(fingerprint: str, who: str = "machine", **window: str) -> dict[str, Any]:
    return {"kind": "openpgp", "who": who, "fingerprint": fingerprint, **window}


def told(
    writer: Writer,
    more: str,
    *trusted: dict[str, Any],
    requires: tuple[str, ...] = (),
    change: tuple[str, str] = ("", ""),
) -> list[str]:
    """What the check says of stream 3.13 beside a published list that trusts these for it."""
    streams = [
        {"name": "3.13", "trusted": trusted, "requires": requires},
        {"name": "3.14", "trusted": [machine()]},
    ]
    published = {"project": "spam", "issued": "2026-01-01", "serial": 7, "streams": streams}
    (writer.folder / "list.json").write_text(json.dumps(published), encoding="utf-8")
    project = writer.changed(change, more=more + '[identities]\ndocument = "list.json"\n')
    findings = check_project(project, environment={}, today=TODAY)
    by_stream = {
        stream: [each for each in findings if each.subject == f"identities of stream {stream}"]
        for stream in ("3.13", "3.14")
    }
    assert [each.severity for each in by_stream["3.14"]] == [Severity.OK]
    return [f"{each.severity}: {each.message}" for each in by_stream["3.13"]]


def test_a_policy_that_the_published_list_knows_is_well(writer: Writer) -> None:
    listed = [machine(), key(KEY, **{"from": "2026-04-01"}), key(OLD_KEY, until="2026-03-31"), key("D" * 40, "human")]

    assert told(writer, TEAM + OLD_TEAM, *listed, requires=("sigstore", "openpgp")) == [
        "ok: those of number 7 of the published list"
    ]


def test_a_signer_of_published_files_may_not_vanish_from_the_policy(writer: Writer) -> None:
    (problem,) = told(writer, TEAM, machine(), key(KEY), key(OLD_KEY, until="2026-03-31"))

    assert problem == (
        f"error: OpenPGP key {OLD_KEY} would be gone, and with it all it signed until 2026-03-31: keep it, with an "
        "until"
    )


def test_a_former_signer_must_keep_all_its_days(writer: Writer) -> None:
    listed = [machine(), key(KEY, **{"from": "2026-04-01"}), key(OLD_KEY, until="2026-04-30")]

    assert told(writer, TEAM + OLD_TEAM, *listed) == [
        (
            f"error: what OpenPGP key {OLD_KEY} signed from 2026-04-01 until 2026-04-30 would not count: "
            "widen its from and until"
        )
    ]


def test_who_signs_next_must_be_on_the_list_already(writer: Writer) -> None:
    assert told(writer, TEAM, machine()) == [
        f"error: the published list does not have OpenPGP key {KEY} today, so that the next files would not verify"
    ]


def test_who_signs_next_must_count_today_on_the_list(writer: Writer) -> None:
    (problem,) = told(writer, TEAM, machine(), key(KEY, until="2026-10-31"))

    assert problem.startswith(f"error: the published list does not have OpenPGP key {KEY} today")


def test_what_the_list_requires_must_go_on(writer: Writer) -> None:
    assert told(writer, "", machine(), key(OLD_KEY, "human"), requires=("openpgp",)) == [
        "error: the published list requires a signature of kind openpgp, which nobody makes"
    ]


def test_a_workflow_of_the_list_is_the_identity_that_its_certificates_name(writer: Writer) -> None:
    name = "https://github.com/spam/spam/.github/workflows/sign.yml@refs/heads/main"
    own = f'[streams."3.13".signing.machine]\nidentity = "{name}"\nissuer = "{GITHUB}"\n'
    workflow = {"kind": "github-workflow", "repository": "spam/spam", "workflow": "sign.yml"}

    for ref in ("refs/heads/main", "refs/heads/*"):
        assert told(writer, own, {**workflow, "ref": ref}) == ["ok: those of number 7 of the published list"]
    refused = told(writer, own, {**workflow, "ref": "refs/tags/*"})
    assert refused == [
        (
            f"error: the published list does not have {name} (issuer {GITHUB}) today, "
            "so that the next files would not verify"
        )
    ]


def test_people_who_sign_are_those_of_the_roster_with_such_a_key(writer: Writer) -> None:
    project = writer.changed(GRACE, more=PEOPLE)

    assert list(real_signers(policy_of(project.settings, "3.13", TODAY), project)) == [
        HumanSigstoreSigner(
            instance=SigstoreInstance.PUBLIC,
            people=(
                SigstorePerson(
                    person="grace",
                    identities=(SigstoreIdentity(identity="grace@spam.example", issuer="https://id.example"),),
                ),
            ),
            suffix=".sigstore",
        )
    ]
    plan = resolve(project, "3.13.5", COMMIT, started_by="ada", sandbox=None, today=TODAY)
    assert plan.signers == tuple(real_signers(policy_of(project.settings, "3.13", TODAY), project))


def test_the_sandbox_signs_for_people_and_workflows(writer: Writer) -> None:
    facts = SandboxFacts(
        machine=SigstoreIdentity(identity="machine@sandbox.invalid", issuer="http://127.0.0.1:5556"),
        team_key=OpenPgpKey(fingerprint="A" * 40, public_key="-----BEGIN PGP PUBLIC KEY BLOCK-----"),
    )
    project = writer.changed(GRACE, more=PEOPLE + DISPATCHED)

    people = resolve(project, "3.13.5", COMMIT, started_by="ada", sandbox=facts, today=TODAY)
    workflow = resolve(project, "3.14.0", COMMIT, started_by="ada", sandbox=facts, today=TODAY)

    sandbox = SigstoreSigner(instance=SigstoreInstance.SANDBOX, identity=facts.machine)
    assert people.signers == (sandbox.model_copy(update={"suffix": ".sigstore"}),)
    assert workflow.signers == (sandbox,)


def test_people_sign_who_are_named_with_the_keys_that_can_be_verified(writer: Writer) -> None:
    named = PEOPLE.replace('roles = ["windows-expert"], ids = ["ada"]', 'ids = ["grace"]')
    own = f'{{ kind = "openpgp", fingerprint = "{KEY}", public-key-file = "team.asc" }}'
    bare = f'{{ kind = "openpgp", fingerprint = "{OLD_KEY}" }}'
    keys = (GRACE[0], GRACE[1].replace("keys = [", f"keys = [{own}, {bare}, "))

    project = writer.changed(keys, more=named + 'gpg = "human"\n')

    sigstore, gpg = real_signers(policy_of(project.settings, "3.13", TODAY), project)
    assert isinstance(sigstore, HumanSigstoreSigner)
    assert [str(person) for person in sigstore.people] == ["grace as grace@spam.example"]
    assert isinstance(gpg, HumanGpgSigner)
    assert [str(person) for person in gpg.people] == [f"grace with {KEY}"]


def test_a_dispatched_workflow_signs_by_digest(writer: Writer) -> None:
    project = writer.changed(more=DISPATCHED)

    (signer,) = real_signers(policy_of(project.settings, "3.14", TODAY), project)

    assert isinstance(signer, DispatchedSigner)
    assert signer.identity == SigstoreIdentity(identity=WORKFLOW, issuer=GITHUB)
    assert (signer.digests_in, signer.run.workflow, signer.run.token_from) == ("sums", "sign.yml", "SPAM_TOKEN")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            '[streams."3.13".signing]\nsigstore = "human"\n',
            'streams."3.13".signing.people: required, but missing: sigstore = "human" needs the people who may sign',
        ),
        (
            PEOPLE.replace("windows-expert", "windos-expert"),
            (
                'streams."3.13".signing.people.roles[0]: found "windos-expert", which is not on the roster; on it: '
                'release-manager, windows-expert; did you mean "windows-expert"?'
            ),
        ),
        (
            PEOPLE,
            (
                'streams."3.13".signing.sigstore: found "human", but none of the people has a key of kind sigstore on '
                "the roster"
            ),
        ),
        (
            '[streams."3.14".signing]\nsigstore = "dispatched"\n',
            'streams."3.14".signing.dispatched: required, but missing: sigstore = "dispatched" needs its workflow',
        ),
        (
            DISPATCHED.replace('"sums"', '"baton"'),
            'streams."3.14".signing.dispatched.run.inputs.baton: this input gets the digests; leave it out',
        ),
        (
            DISPATCHED.replace('proof = "run-name"\n', ""),
            (
                'streams."3.14".signing.dispatched.run.proof: found "head-sha"; a workflow that signs builds no '
                'commit, accepted: "run-name"'
            ),
        ),
        (
            DISPATCHED.replace('baton = "{key}", ', ""),
            (
                'streams."3.14".signing.dispatched.run: no input holds {key}, by which a run is found again: add one, '
                "and show it in `run-name`"
            ),
        ),
    ],
)
def test_people_and_workflows_that_can_not_sign_are_told(writer: Writer, more: str, expected: str) -> None:
    assert expected in [problem.partition(": ")[2] for problem in writer.problems(more=more)]


def test_people_who_sign_with_openpgp_need_a_public_key_to_be_verified_by(writer: Writer) -> None:
    key = f'name = "Grace"\nkeys = [{{ kind = "openpgp", fingerprint = "{KEY}" }}]'
    more = PEOPLE.replace('sigstore = "human"', 'gpg = "human"')

    problems = writer.problems((GRACE[0], key), more=more)

    fact = 'found "human", but the roster has no public-key-file of any of the people\'s OpenPGP keys'
    assert [problem.partition(": ")[2] for problem in problems] == [f'streams."3.13".signing.gpg: {fact}']


def test_people_who_sign_must_be_on_the_list(writer: Writer) -> None:
    more = PEOPLE + '[[streams."3.13".signing.changes]]\nuntil = 2026-01-01\nsigstore = "machine"\n'
    listed = {"kind": "sigstore", "who": "human", "issuer": "https://id.example"}
    former = machine(until="2026-01-01")

    assert told(writer, more, former, {**listed, "identity": "grace@spam.example"}, change=GRACE) == [
        "ok: those of number 7 of the published list"
    ]
    (problem,) = told(writer, more, former, {**listed, "identity": "eve@spam.example"}, change=GRACE)
    assert problem.startswith("error: the published list does not have grace@spam.example (issuer https://id.example)")


def test_a_list_that_can_not_be_read_is_an_error(writer: Writer) -> None:
    project = writer.changed(more='[identities]\ndocument = "list.json"\n')

    (problem,) = [each for each in check_project(project, environment={}, today=TODAY) if each.subject == "identities"]
    assert problem.severity is Severity.ERROR
    assert "list.json: No such file" in problem.message


def test_a_stream_that_the_list_lacks_is_a_warning(writer: Writer) -> None:
    published = {"project": "spam", "issued": "2026-01-01", "streams": [{"name": "3.12", "trusted": [machine()]}]}
    (writer.folder / "list.json").write_text(json.dumps(published), encoding="utf-8")
    project = writer.changed(more='[identities]\ndocument = "list.json"\n')

    findings = {each.subject: each for each in check_project(project, environment={}, today=TODAY)}
    assert findings["identities of stream 3.14"].severity is Severity.WARNING
