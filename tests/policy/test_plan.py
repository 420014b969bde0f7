"""``baton policy plan``: what it writes can be applied, and what it refuses would have broken what people rely on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from baton.cli.main import run
from baton.project.check import check_project
from baton.project.finding import Severity
from baton.project.read import read_project
from baton.project.signing_policy import policy_of
from baton.trust import Trust, load_identities, verify
from baton.trust.digests import load_digests
from baton.trust.withdrawal import withdrawn
from tests.policy.conftest import MACHINE, TEAM

if TYPE_CHECKING:
    import pytest

    from tests.policy.conftest import Copy

TODAY = datetime.now(UTC).date()
DAY = TODAY + timedelta(days=60)
EVE = DAY - timedelta(days=1)
BUNDLES = Path(__file__).parents[1] / "trust" / "bundles"
HELLO = Path(__file__).parents[2] / "examples" / "hello" / "release.toml"
PAGES = {"signers.md", "announcement.md", "deprecation.md", "verifiers.md"}
ISSUE = ("--machine-from", "3.16", "--no-gpg-from", "3.14")


def plan(copy: Copy, *options: str, out: str = "out") -> Path:
    folder = copy.folder.parent / out
    assert run(["policy", "plan", "-C", str(copy.folder), "--on", f"{DAY}", "--out", str(folder), *options]) == 0
    return folder


def refusal(copy: Copy, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    folder = copy.folder.parent / "refused"
    assert run(["policy", "plan", "-C", str(copy.folder), "--out", str(folder), *options]) == 1
    assert not folder.exists(), "nothing is written of what is refused"
    return capsys.readouterr().err


def apply(copy: Copy, out: Path) -> None:
    if (out / "release.toml.diff").exists():
        subprocess.run(["git", "apply", out / "release.toml.diff"], cwd=copy.folder, check=True)


def errors(copy: Copy, today: date) -> list[str]:
    findings = check_project(read_project(copy.folder), environment={"PATH": os.environ["PATH"]}, today=today)
    return [f"{one.subject}: {one.message}" for one in findings if one.severity is Severity.ERROR]


def test_the_example_has_only_its_list_to_change(cpython: Copy) -> None:
    before = load_identities(cpython.list)
    out = plan(cpython, *ISSUE)
    assert {path.name for path in out.iterdir()} == {*PAGES, "identities.json"}

    shutil.copy(out / "identities.json", cpython.list)
    after = load_identities(cpython.list)
    assert after.serial == before.serial + 1
    assert not withdrawn(before, after, today=DAY - timedelta(days=1))
    for stream in ("3.16", "3.17"):
        assert [str(one) for one in after.matching(stream, DAY)] == [
            f"{MACHINE} (issuer https://token.actions.githubusercontent.com)"
        ]
        assert "savannah@python.org" in str(after.matching(stream, EVE)[0])
    assert errors(cpython, TODAY) == errors(cpython, DAY) == []


def test_what_is_published_verifies_by_the_new_list(cpython: Copy) -> None:
    listed = load_identities(plan(cpython, *ISSUE) / "identities.json")
    mine = {stream.name for stream in listed.streams}
    digests = load_digests(BUNDLES / "digests.json")
    report = verify([BUNDLES], Trust(listed, offline=True), digests=digests)
    known = [file for file in report.files if file.stream in mine]
    assert len(known) >= 3
    assert all(known)


def test_the_change_adds_dated_tables_and_is_accepted(by_people: Copy, capsys: pytest.CaptureFixture[str]) -> None:
    assert errors(by_people, TODAY) == []
    before = by_people.file.read_text(encoding="utf-8").splitlines()
    out = plan(by_people, *ISSUE)
    apply(by_people, out)

    after = by_people.file.read_text(encoding="utf-8").splitlines()
    added = ['[[streams."3.16".signing.changes]]', f"from = {DAY}", 'sigstore = "dispatched"', 'gpg = "none"']
    at = after.index(added[0])
    assert after[at : at + 4] == added
    assert after[: at - 1] + after[at + 4 :] == before, "nothing else has changed, no comment and no empty line"

    settings = read_project(by_people.folder).settings
    assert policy_of(settings, "3.16", EVE).sigstore == "human"
    assert (policy_of(settings, "3.16", DAY).sigstore, policy_of(settings, "3.16", DAY).gpg) == ("dispatched", "none")
    assert policy_of(settings, "3.15", DAY).sigstore == "human"
    assert errors(by_people, TODAY) == [], "until the new list is published"
    shutil.copy(out / "identities.json", by_people.list)
    assert errors(by_people, TODAY) == errors(by_people, DAY) == []

    again = plan(by_people, *ISSUE, out="again")
    assert not (again / "release.toml.diff").exists()
    assert not (again / "identities.json").exists()
    assert "says so already" in capsys.readouterr().out


def test_a_change_comes_after_those_that_are_there_and_wins(by_people: Copy) -> None:
    earlier = '[[streams."3.16".signing.changes]]\nfrom = 2026-01-01\ngpg = "team"  # for the alphas\n# until betas\n\n'
    by_people.change(("# Who may act, as the release PEPs", f"{earlier}# Who may act, as the release PEPs"))
    apply(by_people, plan(by_people, *ISSUE))
    assert policy_of(read_project(by_people.folder).settings, "3.16", DAY).gpg == "none"
    added = f'[[streams."3.16".signing.changes]]\nfrom = {DAY}\n'
    assert f"# for the alphas\n# until betas\n\n{added}" in by_people.file.read_text(encoding="utf-8")


def test_a_file_with_another_layout_keeps_it(by_people: Copy) -> None:
    by_people.file.write_bytes(by_people.file.read_bytes().replace(b"\n", b"\r\n"))
    apply(by_people, plan(by_people, *ISSUE))
    lines = by_people.file.read_bytes().split(b"\n")
    assert all(line.endswith(b"\r") for line in lines[:-1])
    assert b'[[streams."3.16".signing.changes]]\r' in lines


def test_a_project_without_a_list_goes_by_its_policy(by_people: Copy) -> None:
    by_people.change(('[identities]\ndocument = "identities.json"\n', ""))
    out = plan(by_people, *ISSUE)
    assert {path.name for path in out.iterdir()} == {*PAGES, "release.toml.diff"}
    rows = (out / "signers.md").read_text(encoding="utf-8")
    hugo = "| 3.16 | feature | Sigstore, human | `hugo@python.org` | https://github.com/login/oauth |"
    assert f"{hugo} its first release | {EVE} |" in rows
    assert f"| 3.16 | feature | OpenPGP, machine | `{TEAM}` |  | its first release | {EVE} |" in rows
    assert f"`{MACHINE}` | https://token.actions.githubusercontent.com | {DAY} | 2032-10-01, its end of life |" in rows


def test_the_documents_say_which_pin_stops_and_what_takes_its_place(cpython: Copy) -> None:
    out = plan(cpython, *ISSUE)
    told = {name: (out / name).read_text(encoding="utf-8") for name in PAGES}

    sections = dict(part.split("\n", 1) for part in told["verifiers.md"].split("\n## "))
    first = sections["3.16"]
    issuer = "https://github.com/login/oauth"
    assert f"Stop: Sigstore `savannah@python.org` (issuer {issuer}).\n      What it signed until {EVE} keeps" in first
    assert f"Stop: Sigstore `hugo@python.org` (issuer {issuer}).\n      It is of 3.15, and never counts" in first
    by_machine = f"--cert-identity {MACHINE} --cert-oidc-issuer https://token.actions.githubusercontent.com FILE"
    assert f"sigstore verify identity --bundle FILE.sigstore {by_machine}" in first
    assert "baton verify --project cpython FILE" in first
    assert "Stop: OpenPGP `7169605F62C751356D054A26A821E680E5FA6305`.\n      It is of 3.13" in sections["3.14"]
    assert "savannah" not in sections["3.14"]
    assert "hugo@python.org --cert-oidc-issuer https://github.com/login/oauth FILE" in sections["3.14"]
    assert "3.13, until its end of life on 2029-10-01: `thomas@python.org`" in sections["Streams that stay as they are"]

    pattern = next(line for line in told["verifiers.md"].splitlines() if line.startswith("$ grep")).split("'")[1]
    pins = b"ENV GPG_KEY 7169605F62C751356D054A26A821E680E5FA6305\ncert-identity: hugo@python.org\nother@python.org\n"
    found = subprocess.run(["grep", "-E", pattern], input=pins, capture_output=True, check=True).stdout
    assert found.splitlines() == pins.splitlines()[:2]

    assert f"they end on {EVE}, and with 3.16" in told["deprecation.md"]
    assert f"*Deprecated on {TODAY}; there are none in 3.14 and later.*" in told["deprecation.md"]
    assert f"| 3.16 | until {EVE} | none |" in told["announcement.md"]
    assert "| 3.13 | as before, until its end of life on 2029-10-01 | as before, " in told["announcement.md"]


def test_a_stream_that_is_published_stays_as_it_is(cpython: Copy, capsys: pytest.CaptureFixture[str]) -> None:
    told = refusal(cpython, capsys, "--machine-from", "3.14")
    assert "stream 3.14 is public" in told
    assert "hugo@python.org (issuer https://github.com/login/oauth)" in told
    assert "can begin otherwise: 3.16" in told
    assert "7169605F62C751356D054A26A821E680E5FA6305" in refusal(cpython, capsys, "--no-gpg-from", "3.13")


def test_what_is_missing_is_said_with_what_to_add(by_people: Copy, capsys: pytest.CaptureFixture[str]) -> None:
    told = refusal(by_people, capsys, "--machine-from", "3.18")
    assert "no such stream, only 3.10" in told
    assert '[streams."3.18"] and status = "feature"' in told

    after = by_people.file.read_text(encoding="utf-8").split("\n[signing.dispatched]\n")[1]
    workflow = after.split("\n[signing.team]")[0]
    by_people.change((f"\n[signing.dispatched]\n{workflow}", ""))
    told = refusal(by_people, capsys, *ISSUE)
    assert "names no machine that could sign stream 3.16" in told
    assert '[streams."3.16".signing.machine]\nidentity = ' in told


def test_nobody_is_left_without_a_signature(by_people: Copy, capsys: pytest.CaptureFixture[str]) -> None:
    by_people.change(('[streams."3.16"]', '[streams."3.16".signing]\nsigstore = "none"\n\n[streams."3.16"]'))
    assert "give --machine-from 3.16 too" in refusal(by_people, capsys, "--no-gpg-from", "3.14")
    plan(by_people, *ISSUE)


def test_a_day_that_has_come_is_refused(cpython: Copy, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is not after today" in refusal(cpython, capsys, *ISSUE, "--on", f"{TODAY}")


def test_a_project_that_is_only_rehearsed_is_refused(cpython: Copy, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(HELLO, cpython.file)
    assert "project.sandbox is true" in refusal(cpython, capsys, *ISSUE)
    assert run(["policy", "audit", str(cpython.folder), "-C", str(cpython.folder)]) == 1
    assert "project.sandbox is true" in capsys.readouterr().err


def test_a_wrong_call_is_one(cpython: Copy, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "plan", "-C", str(cpython.folder)]) == 2
    assert "--no-gpg-from" in capsys.readouterr().err
    assert run(["policy", "plan", *ISSUE, "--on", "soon"]) == 2


def test_a_form_that_cant_be_added_to_is_said(by_people: Copy, capsys: pytest.CaptureFixture[str]) -> None:
    by_people.change(('[streams."3.16"]\n', '[streams."3.16"]\nsigning = { gpg = "team" }\n'))
    assert "write each stream's signing as tables under headers" in refusal(by_people, capsys, *ISSUE)


def test_what_somebody_else_wrote_stays(cpython: Copy, capsys: pytest.CaptureFixture[str]) -> None:
    out = plan(cpython, *ISSUE)
    plan(cpython, *ISSUE)
    (out / "announcement.md").write_text("as edited by hand")
    (out / "release.toml.diff").write_text("of an earlier plan")
    command = ["policy", "plan", "-C", str(cpython.folder), "--on", f"{DAY}", "--out", str(out), *ISSUE]
    assert run(command) == 4
    assert "release.toml.diff, announcement.md with other content" in capsys.readouterr().err
    assert (out / "announcement.md").read_text() == "as edited by hand"

    assert run([*command, "--overwrite-other-content", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {entry["name"] for entry in told["files"]} == {path.name for path in out.iterdir()}
    assert "release.toml.diff" not in {path.name for path in out.iterdir()}, "a difference of another plan misleads"
