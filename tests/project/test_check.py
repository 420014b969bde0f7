from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from baton.project.check import check_file, check_project, queues_of
from baton.project.finding import Finding, Severity, error
from baton.project.read import FILE_NAME
from baton.trust.gnupg_home import open_home, temporary_home
from tests.project.conftest import REAL, certificate
from tests.project.test_platform_signing import MACOS, WINDOWS

if TYPE_CHECKING:
    from baton.project.read import Project
    from tests.project.conftest import Writer

TODAY = date(2026, 11, 1)


def ssh_key() -> str:
    return Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def keys(person: str, more: str = "", key: str | None = None) -> tuple[str, str]:
    """The change that gives a person of the valid file an SSH key."""
    line = f'name = "{person}"'
    return line, f'{line}\nkeys = [{{ kind = "ssh", public-key = "{key or ssh_key()}"{more} }}]'


def found(project: Project, severity: Severity, environment: dict[str, str] | None = None) -> dict[str, str]:
    """What is found of one severity, as `message (hint)` by subject."""
    findings = check_project(project, environment=environment, today=TODAY)
    return {
        finding.subject: f"{finding.message} ({finding.hint})" if finding.hint else finding.message
        for finding in findings
        if finding.severity is severity
    }


def test_a_file_that_can_not_be_used_is_told_line_by_line(release_toml: Writer) -> None:
    file = release_toml.folder / FILE_NAME
    file.write_text(REAL.replace("queue =", "quue =").replace("path =", "paht ="), encoding="utf-8")

    project, findings = check_file(file)

    assert project is None
    assert {finding.severity for finding in findings} == {Severity.ERROR}
    assert [finding.subject for finding in findings] == [f"{file}:{line}" for line in (23, 25, 47, 50)]
    assert findings[1].message == 'steps[0].quue: unknown key; did you mean "queue"?'


def test_a_project_in_order_has_no_errors_or_warnings_but_its_credentials(release_toml: Writer) -> None:
    third = f"""
[[roster]]
id = "katherine"
name = "Katherine"
roles = ["release-manager"]
keys = [{{ kind = "ssh", public-key = "{ssh_key()}" }}]
"""
    project = release_toml.changed(keys("Ada"), keys("Grace"), more=third)

    assert found(project, Severity.ERROR) == {}
    assert set(found(project, Severity.WARNING)) == {
        "BATON_PROJECTS",
        "BATON_IDENTITY_TOKEN_FILE or BATON_IDENTITY_TOKEN_COMMAND or BATON_IDENTITY_TOKEN_URL",
    }


def test_people_without_keys_can_not_pass_a_real_gate(release_toml: Writer) -> None:
    project = release_toml.changed(keys("Ada"))

    assert found(project, Severity.WARNING)["roster grace"] == (
        "release-manager, windows-expert; no key that counts today, so nothing that they say counts (add a key)"
    )
    assert found(project, Severity.ERROR) == {
        "gate files": "asks for 2 as release-manager, but only one person can act as that with a key that counts today "
        "(add keys or people to the roster)"
    }


def test_a_gate_that_does_not_count_the_starter_needs_others_with_keys(release_toml: Writer) -> None:
    others = ("release-manager = 1 }", "release-manager = 1 }\nstarter-counts = false")
    only_ada = ('roles = ["release-manager", "windows-expert"]', 'roles = ["windows-expert"]')
    one = ("release-manager = 2", "release-manager = 1")

    warned = found(release_toml.changed(others, only_ada, one, keys("Ada")), Severity.WARNING)["gate commit"]
    assert "without ada it can't pass, nor can a release pass that they start" in warned


def test_a_handed_in_step_needs_somebody_with_a_key(release_toml: Writer) -> None:
    step = (
        '[[steps]]\nname = "mac"\nqueue = "q"\nfiles = ["x"]\nrole = "windows-expert"\n'
        'builder = { kind = "handed-in" }\n'
    )

    errors = found(release_toml.changed(keys("Ada"), more=step), Severity.ERROR)
    assert errors["step mac"] == "handed in by a windows-expert, none of whom has a key that counts today (add a key)"
    assert found(release_toml.changed(keys("Grace"), more=step), Severity.OK)["step mac"] == "handed in by grace"


def test_a_gate_that_hangs_on_one_person_is_told(release_toml: Writer) -> None:
    warnings = found(release_toml.changed(keys("Ada"), keys("Grace")), Severity.WARNING)

    assert warnings["gate files"] == (
        "asks for 2 release-manager; without ada or grace it can't pass (give the role to more people)"
    )
    assert "gate commit" not in warnings


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (", until = 2026-10-31", "ended on 2026-10-31"),
        (", until = 2026-11-20", "ends on 2026-11-20"),
        (", from = 2026-11-02", "counts only from 2026-11-02"),
    ],
)
def test_the_window_of_a_key_is_told_when_it_matters(release_toml: Writer, window: str, expected: str) -> None:
    warnings = found(release_toml.changed(keys("Ada", window)), Severity.WARNING)

    assert warnings["roster ada keys[0]"].startswith(expected)


def test_a_person_whose_keys_are_all_over_or_revoked_is_told_with_the_reasons(release_toml: Writer) -> None:
    old = f', until = 2026-10-31 }}, {{ kind = "ssh", public-key = "{ssh_key()}", revoked = 2026-03-01'
    project = release_toml.changed(keys("Ada", old))

    assert found(project, Severity.WARNING)["roster ada"] == (
        "release-manager; no key that counts today (one counts from the beginning until 2026-10-31; one counts never, "
        "revoked on 2026-03-01), so nothing that they say counts (add a key)"
    )
    assert found(project, Severity.OK)["roster ada keys[1]"] == (
        "revoked on 2026-03-01; nothing that it ever signed counts"
    )


def test_a_key_that_only_looks_like_one_is_an_error(release_toml: Writer) -> None:
    project = release_toml.changed(keys("Ada", key=ssh_key()[:-6]))

    assert found(project, Severity.ERROR)["roster ada keys[0]"].startswith("no SSH public key that can be read")


def test_a_short_rsa_key_is_an_error(release_toml: Writer) -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()  # noqa: S505  # short on purpose
    line = short.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    errors = found(release_toml.changed(keys("Ada", key=line)), Severity.ERROR)

    assert errors["roster ada keys[0]"].startswith("an RSA key of 1024 bits; accepted: 2048 or more")


def test_an_openpgp_key_without_its_file_proves_nothing(release_toml: Writer) -> None:
    key = f'name = "Ada"\nkeys = [{{ kind = "openpgp", fingerprint = "{"E" * 40}" }}]'

    warnings = found(release_toml.changed(('name = "Ada"', key)), Severity.WARNING)

    assert "can't be verified without its public key" in warnings["roster ada keys[0]"]
    assert "no key that counts today" in warnings["roster ada"]


def test_a_project_that_is_only_rehearsed_needs_neither_keys_nor_credentials() -> None:
    project, valid = check_file(Path(__file__).parents[2] / "examples" / "hello")
    assert project is not None

    findings = [*valid, *check_project(project, environment=os.environ, today=TODAY)]

    assert {finding.severity for finding in findings} == {Severity.OK}, findings


def test_a_stream_past_its_end_is_told(release_toml: Writer) -> None:
    warnings = found(release_toml.changed(("2030-10-01", "2026-10-01")), Severity.WARNING)

    assert warnings["stream 3.14"].startswith("its status is prerelease, but its end of life was on 2026-10-01")


def test_a_folder_as_repository_is_told(release_toml: Writer) -> None:
    warnings = found(release_toml.changed(("https://git.example/spam.git", ".")), Severity.WARNING)

    assert "every worker that prepares a release must have it" in warnings["repository"]


def test_credentials_are_told_by_name_and_their_values_never(release_toml: Writer) -> None:
    project = release_toml.changed(more='[[announcers]]\nkind = "webhook"\nname = "chat"\nurl-from = "CHAT_WEBHOOK"\n')
    environment = {"PATH": "", "CHAT_WEBHOOK": "https://chat.example/hunter2"}

    assert found(project, Severity.OK, environment)["CHAT_WEBHOOK"] == "set here: the address of announcer chat"
    assert "hunter2" not in str(check_project(project, environment=environment, today=TODAY))
    missing = found(project, Severity.WARNING, {"PATH": ""})["CHAT_WEBHOOK"]
    assert missing == "not set here: the address of announcer chat (set it for the worker that polls release)"


def test_tools_are_found_by_their_version(release_toml: Writer, tmp_path: Path) -> None:
    project = release_toml.read()

    assert found(project, Severity.ERROR, {"PATH": str(tmp_path)})["git"] == (
        "not on the PATH (install git 2.32 or later)"
    )
    old = tmp_path / "git"
    old.write_text("#!/bin/sh\necho git version 2.11.0\n", encoding="utf-8")
    old.chmod(0o755)
    assert found(project, Severity.ERROR, {"PATH": str(tmp_path)})["git"] == (
        f"{old} is version 2.11.0 (install git 2.32 or later)"
    )
    old.write_text("#!/bin/sh\necho git version 2.47.1\n", encoding="utf-8")
    assert found(project, Severity.OK, {"PATH": str(tmp_path)})["git"] == f"{old}, version 2.47.1"


def test_what_is_known_of_queues_is_passed_through_errors_first(release_toml: Writer) -> None:
    silent = error("queue linux", "no worker is polling linux")

    findings = check_project(release_toml.read(), findings_here=[silent], today=TODAY)

    assert silent in findings
    ranks = [list(Severity).index(finding.severity) for finding in findings]
    assert ranks == sorted(ranks)
    assert all(isinstance(finding, Finding) for finding in findings)


OUTSIDE = """
[[steps]]
name = "windows"
queue = "ci"
files = ["spam.exe"]
[steps.builder]
kind = "github-actions"
repository = "spam/spam"
workflow = "build.yml"
ref = "{ref}"
inputs = {{ order = "{{key}}", commit = "{{commit}}", branch = "{told}" }}
artifacts = ["windows"]
proof = "{proof}"
token-from = "SPAM_TOKEN"
"""
COMMITS = ('repository = "', 'prepare = [["sh", "-c", "make news && git commit -am News"]]\nrepository = "')
BRANCH = "baton/spam-{version}"


@pytest.mark.parametrize(
    ("proof", "ref", "told", "is_told"),
    [
        ("head-sha", "main", "", True),
        ("head-sha", "main", BRANCH, True),
        ("head-sha", BRANCH, "", False),
        ("run-name", "main", "", True),
        ("run-name", "main", BRANCH, False),
    ],
)
def test_a_commit_that_nothing_brings_to_where_it_is_built_is_told(
    release_toml: Writer, proof: str, ref: str, told: str, *, is_told: bool
) -> None:
    more = OUTSIDE.format(proof=proof, ref=ref, told=told)

    messages = [f"{each}" for each in check_project(release_toml.changed(COMMITS, more=more), environment={})]
    without = [f"{each}" for each in check_project(release_toml.changed(more=more), environment={})]

    assert any(BRANCH in message for message in messages) is is_told
    assert not any(BRANCH in message for message in without)


@pytest.mark.parametrize(
    ("security", "is_told"),
    [
        ("", True),
        ("embargo = false", False),
        ('repository = "https://git.example/spam-private.git"', False),
    ],
)
def test_a_fix_under_embargo_that_is_built_elsewhere_from_a_public_place_is_told(
    release_toml: Writer, security: str, *, is_told: bool
) -> None:
    outside = OUTSIDE.format(proof="head-sha", ref="main", told="")
    more = f"{outside}\n[security]\nneeds = {{ release-manager = 1 }}\n{security}\n"

    findings = check_project(release_toml.changed(more=more), environment={})
    without = check_project(release_toml.changed(more=outside), environment={})

    assert any("build windows from" in finding.message for finding in findings) is is_told
    assert not any(finding.subject == "security" for finding in without)


def test_the_keys_that_sign_inside_files_are_told_by_name(release_toml: Writer) -> None:
    for name in ("code.pem", "time.pem"):
        (release_toml.folder / name).write_text(certificate(name), encoding="ascii")
    token = (
        '{ kind = "pkcs12", file-from = "CODE_KEY" }',
        '{ kind = "pkcs11", module-from = "TOKEN", key = "pkcs11:id=k", certificates-from = "CERTS", pin-from = "P" }',
    )

    def told(more: str) -> dict[str, str]:
        findings = check_project(release_toml.changed(more=more), environment={"CODE_KEY": "/key"}, today=TODAY)
        return {
            finding.subject: "; ".join(filter(None, (finding.message, finding.hint)))
            for finding in findings
            if finding.message.endswith(("of signed", "of notarized"))
        }

    assert told(WINDOWS) == {"CODE_KEY": "set here: the PKCS #12 file with the key of signed"}
    assert set(told(WINDOWS.replace(*token))) == {"TOKEN", "CERTS", "P or P_FILE"}
    assert told(MACOS) == {
        "NOTARY_KEY or NOTARY_KEY_FILE": "not set here: the App Store Connect key of notarized; "
        "set it for the worker that polls sign"
    }


def test_every_queue_of_every_stream_is_named(release_toml: Writer) -> None:
    more = '[streams."3.13".signing.machine]\nidentity = "other"\nissuer = "https://id.example"\nqueue = "old-sign"\n'

    assert queues_of(release_toml.changed(more=more)) == ("linux", "old-sign", "publish", "release", "sign")
    assert "sign-macos" in queues_of(release_toml.changed(more=MACOS))


def _team_key(usage: str, expires: str) -> tuple[str, str]:
    """A new key's fingerprint and armoured public key."""
    parameters = (
        f"Key-Type: eddsa\nKey-Curve: ed25519\nKey-Usage: {usage}\nName-Real: Team\nName-Email: team@spam.example\n"
        f"Expire-Date: {expires}\n%no-protection\n%commit\n"
    )
    with temporary_home() as home:
        gpg = open_home(home, ["--faked-system-time", "20200101T120000!"])
        fingerprint = str(gpg.gen_key(parameters).fingerprint)
        return fingerprint, str(gpg.export_keys(fingerprint))


def _with_team_key(release_toml: Writer, fingerprint: str, block: str) -> Project:
    (release_toml.folder / "team.asc").write_text(block, encoding="ascii")
    team = f'[signing.team]\nfingerprint = "{fingerprint}"\npublic-key-file = "team.asc"\n'
    return release_toml.changed(('gpg = "none"', 'gpg = "team"'), more=team)


TEAM = "signing.team team.asc"


@pytest.mark.parametrize(
    ("usage", "expires", "severity", "expected"),
    [
        ("sign", "0", Severity.OK, "is the key that is named"),
        ("sign", "2027-06-01", Severity.OK, "is the key that is named, valid until 2027-06-01"),
        ("sign", "2026-11-15", Severity.WARNING, "ends on 2026-11-15"),
        ("sign", "2026-10-31", Severity.ERROR, "expired on 2026-10-31"),
        ("cert", "0", Severity.ERROR, "no part of the key can sign"),
    ],
)
def test_the_teams_key_is_looked_into(
    release_toml: Writer, usage: str, expires: str, severity: Severity, expected: str
) -> None:
    fingerprint, block = _team_key(usage, expires)

    assert found(_with_team_key(release_toml, fingerprint, block), severity)[TEAM].startswith(expected)


def test_a_revoked_key_of_the_team_is_an_error(release_toml: Writer) -> None:
    with temporary_home() as home:
        gpg = open_home(home)
        made = gpg.gen_key(
            "Key-Type: eddsa\nKey-Curve: ed25519\nKey-Usage: sign\nName-Real: Team\n%no-protection\n%commit\n"
        )
        fingerprint = str(made.fingerprint)
        certificate = (home / "openpgp-revocs.d" / f"{fingerprint}.rev").read_text()
        gpg.import_keys(certificate.replace(":-----BEGIN", "-----BEGIN"))
        block = str(gpg.export_keys(fingerprint))

    errors = found(_with_team_key(release_toml, fingerprint, block), Severity.ERROR)

    assert errors[TEAM].startswith("its primary key has been revoked")


def test_another_key_than_the_one_that_is_named_is_an_error(release_toml: Writer) -> None:
    fingerprint, block = _team_key("sign", "0")

    errors = found(_with_team_key(release_toml, "D" * 40, block), Severity.ERROR)

    assert errors[TEAM].startswith(f"holds {fingerprint}; expected {'D' * 40}")
