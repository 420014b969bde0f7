"""The team's key through its life, from the command line, with real gpg on the other side."""

from __future__ import annotations

import io
import json
import logging
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from baton.cli.main import run
from baton.model.base import digest_of
from baton.model.manifest import Artifact
from baton.model.roster import OpenPgpKey
from baton.model.signing import GpgSigner
from baton.settings import WorkerSettings
from baton.signers import open_signer
from baton.trust.identities import trusted_signers
from baton.trust.openpgp import open_keyring
from baton.trust.result import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from baton.trust.result import SignatureResult

OWN, WORKERS = "correct hörse", "battery staple"
USER = ("--name", "Spam team", "--email", "Team@Spam.Example")


class Desk:
    """Where the key is kept, and where its files go.

    Attributes:
        home: the offline part.
        out: what the commands write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = new_home(folder / "offline")
        self.out = folder / "keys"
        for name, passphrase in (("own", OWN), ("workers", WORKERS), ("wrong", "wrong-4711")):
            (folder / name).write_text(f"{passphrase}\n")

    def type(self, verb: str, *arguments: str, own: str | None = "own") -> int:
        protected = () if verb == "export" or own is None else ("--passphrase-file", str(self.folder / own))
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            code = run(["keys", verb, str(self.home), "--out", str(self.out), *protected, *arguments])
        self.said, self.answer = err.getvalue(), out.getvalue()
        return code

    def do(self, verb: str, *arguments: str, own: str | None = "own") -> dict[str, Any]:
        """Run a command that succeeds, and return its JSON."""
        assert self.type(verb, *arguments, "--json", own=own) == 0, self.said
        document: dict[str, Any] = json.loads(self.answer)
        return document

    def gpg(self, home: str, *arguments: str | Path) -> str:
        command = ["gpg", "--homedir", new_home(self.folder / home), "--batch", "--quiet", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def worker(self, made: dict[str, Any], name: str = "worker") -> WorkerSettings:
        """A worker that has imported its file."""
        [file] = made["files"]["worker"]
        self.gpg(name, "--import", file)
        return WorkerSettings(gpg_home=self.folder / name, gpg_passphrase_file=self.folder / "workers")

    def signer(self, made: dict[str, Any]) -> GpgSigner:
        public = (self.out / "public/team-key.asc").read_text()
        return GpgSigner(key=OpenPgpKey(fingerprint=made["key"]["primary"]["fingerprint"], public_key=public))

    def signed(self, made: dict[str, Any], worker: WorkerSettings) -> Callable[[], SignatureResult]:
        """Have a worker sign something; gives what a stranger finds with the public key of the moment."""
        file = self.folder / "file"
        file.write_bytes(b"released")
        artifact = Artifact(name="file", digest=digest_of(b"released"), size=8)
        signatures: list[bytes] = []
        open_signer(self.signer(made), worker).sign([(artifact, file)], lambda _, made: signatures.append(made))

        def verified() -> SignatureResult:
            signer = self.signer(made)
            assert signer.key.public_key is not None
            with open_keyring([signer.key.public_key.encode()]) as keyring:
                return keyring.verify(signatures[0], file, trusted_signers(signer), source="file.asc")

        return verified


def new_home(folder: Path) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    # The fewest rounds that there may be between a passphrase and its key.
    (folder / "gpg-agent.conf").write_text("s2k-count 65536\n")
    return folder


@contextmanager
def short_folder() -> Iterator[Path]:
    """Not in pytest's folder: its path is too long for the agents' sockets."""
    folder = Path(tempfile.mkdtemp(prefix="k-"))
    try:
        yield folder
    finally:
        for home in folder.iterdir():
            if home.is_dir():
                subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    for name in ("BATON_KEYS_PASSPHRASE", "BATON_KEYS_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    with short_folder() as folder:
        yield Desk(folder)


@pytest.fixture(scope="module")
def first_made() -> Iterator[tuple[Path, dict[str, Any], str]]:
    """A key as ``init`` makes it: the folder that it is in, and what was answered and said."""
    with short_folder() as folder:
        desk = Desk(folder)
        answer = desk.do("init", *USER, "--worker-passphrase-file", str(folder / "workers"))
        yield folder, answer, desk.said


@pytest.fixture
def made(first_made: tuple[Path, dict[str, Any], str], desk: Desk) -> dict[str, Any]:
    """A copy of that key on the desk, and its JSON."""
    folder, answer, desk.said = first_made
    shutil.copytree(folder, desk.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("S.*"))
    copied: dict[str, Any] = json.loads(json.dumps(answer).replace(str(folder), str(desk.folder)))
    return copied


def in_two_years() -> set[str]:
    today = datetime.now(UTC).date()
    return {(today + timedelta(days=days)).isoformat() for days in (729, 730, 731)}


def test_a_new_key_has_a_primary_part_that_only_certifies_and_a_subkey_that_signs(
    desk: Desk, made: dict[str, Any]
) -> None:

    assert not made["key"]["primary"]["signs"]
    [subkey] = made["key"]["subkeys"]
    assert subkey["signs"]
    assert {made["key"]["primary"]["expires"], subkey["expires"]} <= in_two_years()
    listed = desk.gpg("stranger", "--show-keys", "--with-colons", desk.out / "public/team-key.asc")
    assert "ed25519" in listed
    assert "Keep HOME offline" in desk.said
    assert made["schema"] == "urn:baton:keys:v1"


def test_a_worker_gets_its_subkey_alone_under_its_own_passphrase_and_signs_with_it(
    desk: Desk, made: dict[str, Any]
) -> None:
    [file] = map(Path, made["files"]["worker"])
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700

    verified = desk.signed(made, desk.worker(made))

    assert verified()
    assert verified().signing_key == made["key"]["subkeys"][0]["fingerprint"]
    secrets = desk.gpg("worker", "--list-secret-keys", "--with-colons")
    assert [line.split(":")[14] for line in secrets.split("\n") if line[:3] in {"sec", "ssb"}] == ["#", "+"]


def test_secrets_are_for_their_owner_alone_and_the_public_files_for_everyone(made: dict[str, Any]) -> None:
    [certificate] = map(Path, made["files"]["revocation"])
    assert certificate.stat().st_mode & 0o777 == 0o600
    for path in map(Path, made["files"]["public"]):
        assert path.stat().st_mode & 0o777 == 0o644
        assert b"PRIVATE KEY" not in path.read_bytes()


def test_a_web_key_directory_has_the_key_where_gpg_looks_for_it(desk: Desk, made: dict[str, Any]) -> None:
    fingerprint = made["key"]["primary"]["fingerprint"]
    [name] = re.findall(r"\s(\S{32})@spam\.example", desk.gpg("offline", "--with-wkd-hash", "-k", fingerprint).lower())

    folder = desk.out / "public/.well-known/openpgpkey"
    for place in (folder, folder / "spam.example"):
        key = (place / f"hu/{name}").read_bytes()
        assert (
            fingerprint.encode() in desk.gpg("stranger", "--show-keys", "--with-colons", place / f"hu/{name}").encode()
        )
        assert not key.startswith(b"-----")
        assert (place / "policy").exists()
    assert made["web_key_urls"] == [
        f"https://openpgpkey.spam.example/.well-known/openpgpkey/spam.example/hu/{name}?l=Team",
        f"https://spam.example/.well-known/openpgpkey/hu/{name}?l=Team",
    ]


def test_the_revocation_certificate_ends_the_key(desk: Desk, made: dict[str, Any]) -> None:
    verified = desk.signed(made, desk.worker(made))
    [certificate] = map(Path, made["files"]["revocation"])
    (desk.folder / "armed").write_text(certificate.read_text().replace(":-----BEGIN", "-----BEGIN"))
    public = desk.out / "public/team-key.asc"
    desk.gpg("stranger", "--import", public, desk.folder / "armed")
    public.write_text(desk.gpg("stranger", "--armor", "--export"))
    assert verified().fault is Fault.REVOKED


def test_a_second_subkey_leaves_the_first_one_good(desk: Desk, made: dict[str, Any]) -> None:
    first = made
    old = desk.signed(first, desk.worker(first))

    second = desk.do("rotate", "--expires", "30d", "--worker-passphrase-file", str(desk.folder / "workers"))
    new = desk.signed(second, desk.worker(second, "second"))

    assert old()
    assert new()
    assert [new().signing_key] == [
        part["fingerprint"] for part in second["key"]["subkeys"] if part not in first["key"]["subkeys"]
    ]
    assert old().signing_key != new().signing_key
    assert "before the new subkey signs" in desk.said


def test_extending_moves_the_last_day_and_changes_no_secret(desk: Desk, made: dict[str, Any]) -> None:
    worker = desk.worker(made)

    longer = desk.do("extend", "--expires", "2040-01-31")

    ends = {part["expires"] for part in (longer["key"]["primary"], *longer["key"]["subkeys"])}
    assert ends == {"2040-01-31"}
    listed = desk.gpg("stranger", "--show-keys", desk.out / "public/team-key.asc")
    assert "2040-01-31" in listed
    assert desk.signed(longer, worker)()


def test_extending_one_part_leaves_the_others(desk: Desk, made: dict[str, Any]) -> None:
    [subkey] = made["key"]["subkeys"]
    longer = desk.do("extend", "--part", subkey["fingerprint"], "--expires", "2027-06-30")
    assert longer["key"]["primary"] == made["key"]["primary"]
    assert longer["key"]["subkeys"][0]["expires"] == "2027-06-30"


def test_what_a_revoked_subkey_signed_stops_counting_and_the_key_goes_on_with_another(
    desk: Desk, made: dict[str, Any]
) -> None:
    first = made
    old = desk.signed(first, desk.worker(first))
    [subkey] = first["key"]["subkeys"]
    second = desk.do("rotate", "--worker-passphrase-file", str(desk.folder / "workers"))
    worker = desk.worker(second, "second")

    withdrawn = desk.do("revoke", subkey["fingerprint"], "--reason", "compromised", "--text", "broken into", "--yes")

    assert [part["revoked"] for part in withdrawn["key"]["subkeys"]] == [True, False]
    assert old().fault is Fault.REVOKED
    assert desk.signed(second, worker)()
    packets = desk.gpg("stranger", "--list-packets", desk.out / "public/team-key.asc")
    assert "revocation reason 0x02 (broken into)" in packets, "compromised, by RFC 9580's number"


def test_a_revoked_key_can_not_be_changed_any_more(desk: Desk, made: dict[str, Any]) -> None:
    withdrawn = desk.do("revoke", made["key"]["primary"]["fingerprint"], "--reason", "retired", "--yes")
    assert withdrawn["key"]["primary"]["revoked"]

    assert desk.type("rotate") == 1
    assert "has been revoked: make a new one" in desk.said


def test_revoking_says_what_it_does_and_asks_first(desk: Desk, made: dict[str, Any]) -> None:
    [subkey] = made["key"]["subkeys"]
    assert desk.type("revoke", subkey["fingerprint"], "--reason", "superseded") == 2
    assert "makes everything that it has signed stop verifying" in desk.said
    assert desk.do("export")["key"] == made["key"]


def test_exporting_writes_the_same_files_again_without_a_passphrase(desk: Desk, made: dict[str, Any]) -> None:
    public = desk.out / "public"
    before = {path.relative_to(public): path.read_bytes() for path in public.rglob("*") if path.is_file()}
    shutil.rmtree(public)
    assert desk.do("export")["files"] == {"public": made["files"]["public"]}
    assert before == {path.relative_to(public): path.read_bytes() for path in public.rglob("*") if path.is_file()}


def test_a_second_key_in_the_same_home_is_a_conflict(desk: Desk, made: dict[str, Any]) -> None:
    assert desk.type("init", *USER) == 4
    assert made["key"]["primary"]["fingerprint"] in desk.said


def test_a_home_that_others_can_read_is_refused(desk: Desk) -> None:
    desk.home.chmod(0o750)
    assert desk.type("init", *USER) == 1
    assert "mode 0750; expected 0700" in desk.said


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (["--name", "Spam", "--email", "nobody"], "is no user id"),
        (["--name", "Sp\nam", "--email", "a@spam.example"], "is no user id"),
        ([*USER, "--expires", "soon"], "is no lifetime"),
    ],
)
def test_what_can_not_be_a_key_is_refused_before_anything_is_made(desk: Desk, arguments: list[str], fact: str) -> None:
    assert desk.type("init", *arguments) == 1
    assert fact in desk.said
    assert not desk.gpg("offline", "--list-secret-keys")


def test_a_wrong_passphrase_is_refused_and_no_passphrase_is_ever_shown(
    desk: Desk, made: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    shown = desk.said + json.dumps(made)
    with caplog.at_level(logging.DEBUG):
        [subkey] = made["key"]["subkeys"]
        for verb in (["rotate"], ["extend"], ["revoke", subkey["fingerprint"], "--reason", "retired", "--yes"]):
            assert desk.type(*verb, own="wrong") == 1
            assert "gpg refuses the passphrase" in desk.said
            shown += desk.said + desk.answer
    assert desk.do("export")["key"] == made["key"]
    for secret in (OWN, WORKERS, "4711"):
        assert secret not in shown + caplog.text


def test_the_passphrase_can_come_from_the_environment(
    desk: Desk, made: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATON_KEYS_PASSPHRASE", OWN)
    longer = desk.do("extend", "--expires", "2040-01-31", own=None)
    assert longer["key"]["primary"]["expires"] == "2040-01-31" != made["key"]["primary"]["expires"]


def test_without_a_passphrase_pinentry_is_asked(desk: Desk) -> None:
    asked = desk.folder / "asked"
    pinentry = desk.folder / "pinentry"
    # The assuan protocol's few words: https://www.gnupg.org/documentation/manuals/pinentry/Protocol.html
    pinentry.write_text(
        f"#!/bin/sh\necho asked >> {asked}\necho OK\nwhile read -r word rest; do\n"
        f'  case $word in GETPIN) echo "D {OWN}"; echo OK;; BYE) echo OK; exit;; *) echo OK;; esac\ndone\n'
    )
    pinentry.chmod(0o755)
    with (desk.home / "gpg-agent.conf").open("a") as settings:
        settings.write(f"pinentry-program {pinentry}\n")

    assert desk.type("init", *USER, own=None) == 0, desk.said

    assert asked.exists()
    assert desk.type("extend") == 0, "the passphrase that pinentry gave is the key's"


def test_a_page_tells_people_the_parts_and_their_files(desk: Desk) -> None:
    assert desk.type("init", *USER) == 0
    assert "Spam team <Team@Spam.Example>" in desk.answer
    assert re.search(r"primary [0-9A-F]{40}  certifies, until 20", desk.answer)
    assert re.search(r"subkey  [0-9A-F]{40}  signs, until 20", desk.answer)
    assert str(desk.out / "public/team-key.asc") in desk.answer
    assert "better is one of its own" in desk.said
