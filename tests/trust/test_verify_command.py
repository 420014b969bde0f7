"""``baton verify`` as people and scripts use it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from datetime import date
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from baton.cli.main import run
from baton.model.base import canonical_json
from baton.model.signing import SigstoreInstance
from baton.sandbox.sigstore import ISSUER, machine_identity
from baton.trust.identities import TrustedIdentities, TrustedKey, TrustedSigstoreIdentity, TrustedStream, Who

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from baton.sandbox.sigstore.server import LocalSigstore
    from tests.trust.conftest import Gnupg

BUNDLES = Path(__file__).parent / "bundles"
DIGESTS = json.loads((BUNDLES / "digests.json").read_text())
NAMES = ("hello-1.0.tar.gz", "hello-1.0.zip")


@pytest.fixture
def released(
    tmp_path: Path, sandbox: LocalSigstore, bundle: Callable[[str, bytes], bytes], *, gnupg: Gnupg
) -> tuple[Path, list[str]]:
    """A release as Baton publishes it, and the options that a stranger verifies it with."""
    team = gnupg.make(f"Team of {tmp_path.name}")
    machine = TrustedSigstoreIdentity(identity=machine_identity("signer"), issuer=ISSUER, who=Who.MACHINE)
    key = TrustedKey(fingerprint=team, public_key=gnupg.export(team).decode(), who=Who.MACHINE)
    document = TrustedIdentities(
        project="hello",
        sigstore=SigstoreInstance.SANDBOX,
        issued=date(2026, 1, 1),
        streams=(TrustedStream(name="*", trusted=(machine, key)),),
    )
    identities = tmp_path / "identities.json"
    identities.write_bytes(canonical_json(document))
    folder = tmp_path / "hello" / "1.0"
    folder.mkdir(parents=True)
    token = sandbox.tokens.for_machine("signer")
    for name in NAMES:
        (folder / name).write_bytes(name.encode())
        (folder / f"{name}.sigstore.json").write_bytes(bundle(token, name.encode()))
        (folder / f"{name}.asc").write_bytes(gnupg.sign(team, folder / name))
    return folder, ["--identities", str(identities), "--trust-config", str(sandbox.trust_config)]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The test's folder on a web server that lists its folders, and has its files again under names of a store."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            if not self.path.startswith("/releases/"):
                super().do_GET()
                return
            self.send_response(302)
            self.send_header("Location", f"/store/{self.path.removeprefix('/releases/').encode().hex()}?key=1")
            self.end_headers()

        def translate_path(self, path: str) -> str:
            _, store, name = path.partition("/store/")
            return super().translate_path(f"/{bytes.fromhex(name.partition('?')[0]).decode()}" if store else path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Outcome:
    """What a command left behind."""

    def __init__(self, code: int, output: str, errors: str) -> None:
        self.code, self.output, self.errors = code, output, errors

    @property
    def document(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.output)
        return parsed


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    def verify_with(*arguments: str | Path) -> Outcome:
        code = run(["verify", *map(str, arguments)])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return Outcome(code, printed.out, printed.err)

    return verify_with


def test_a_released_folder_verifies(released: tuple[Path, list[str]], verify: Callable[..., Outcome]) -> None:
    folder, options = released
    outcome = verify(folder, *options)
    assert outcome.code == 0, outcome.errors
    for name in NAMES:
        assert name in outcome.output
    assert "OK: 2 files verify by the trusted identities of hello" in outcome.output
    assert outcome.errors == ""


def test_a_released_address_verifies_by_folder_and_by_file(
    released: tuple[Path, list[str]], verify: Callable[..., Outcome], served: str
) -> None:
    _, options = released
    for address in (f"{served}/hello/1.0/", f"{served}/hello/1.0"):
        outcome = verify(address, *options, "--json")
        assert outcome.code == 0, outcome.output + outcome.errors
        assert [file["name"] for file in outcome.document["files"]] == list(NAMES)
    one = verify(f"{served}/hello/1.0/{NAMES[1]}", *options, "--json").document
    assert [len(file["signatures"]) for file in one["files"]] == [2]


def test_a_changed_file_at_an_address_fails(
    released: tuple[Path, list[str]], verify: Callable[..., Outcome], served: str
) -> None:
    folder, options = released
    (folder / NAMES[0]).write_bytes(b"changed")
    outcome = verify(f"{served}/hello/1.0/", *options)
    assert outcome.code == 1
    assert f"{NAMES[0]}: {NAMES[0]}.asc: it does not fit the file" in outcome.output
    assert "FAILED: 1 of 2 files verify" in outcome.output


def test_an_address_with_nothing_to_verify_is_told(
    released: tuple[Path, list[str]], verify: Callable[..., Outcome], served: str, tmp_path: Path
) -> None:
    _, options = released
    missing = verify(f"{served}/hello/1.0/nothing", *options)
    assert (missing.code, missing.output) == (1, "")
    assert "is not there (404)" in missing.errors

    (tmp_path / "empty").mkdir()
    assert "lists no files" in verify(f"{served}/empty/", *options).errors
    assert "could not be fetched" in verify("http://127.0.0.1:1/hello-1.0.zip", *options).errors


def test_addresses_of_files_and_of_signatures_are_each_fetched_with_what_lies_beside_them(
    released: tuple[Path, list[str]], verify: Callable[..., Outcome], served: str
) -> None:
    _, options = released
    addresses = [f"{served}/hello/1.0/{NAMES[0]}.asc", f"{served}/hello/1.0/{NAMES[1]}?download=1"]
    outcome = verify(*addresses, *options, "--json")
    assert outcome.code == 0, outcome.output + outcome.errors
    assert [(file["name"], len(file["signatures"])) for file in outcome.document["files"]] == [(n, 2) for n in NAMES]


def test_signatures_lie_beside_the_address_that_was_named_not_where_it_leads(
    released: tuple[Path, list[str]], verify: Callable[..., Outcome], served: str
) -> None:
    _, options = released
    outcome = verify(f"{served}/releases/hello/1.0/{NAMES[0]}", *options, "--json")
    assert outcome.code == 0, outcome.output + outcome.errors
    assert [(file["name"], len(file["signatures"])) for file in outcome.document["files"]] == [(NAMES[0], 2)]


def test_a_required_kind_of_signature_has_to_be_there_and_count(
    released: tuple[Path, list[str]], verify: Callable[..., Outcome]
) -> None:
    folder, options = released
    both = ["--require", "sigstore", "--require", "openpgp"]
    assert verify(folder, *options, *both).code == 0

    (folder / f"{NAMES[0]}.asc").unlink()
    assert verify(folder, *options).code == 0
    outcome = verify(folder, *options, *both)
    assert outcome.code == 1
    assert f"{NAMES[0]}: it has no openpgp signature, which is required" in outcome.output
    listed = verify(folder, *options, *both, "--json").document["files"]
    assert [file["missing"] for file in listed] == [["openpgp"], []]
    assert [bool(file["failures"]) for file in listed] == [True, False]


def test_a_list_that_requires_a_kind_holds_without_being_asked(
    released: tuple[Path, list[str]], verify: Callable[..., Outcome]
) -> None:
    folder, options = released
    file = Path(options[1])
    document = json.loads(file.read_text())
    document["streams"][0]["requires"] = ["openpgp"]
    file.write_text(json.dumps(document))
    assert verify(folder, *options).code == 0

    bundle = folder / f"{NAMES[0]}.sigstore.json"
    digest = f"sha256:{hashlib.sha256(NAMES[0].encode()).hexdigest()}"
    by_digest = verify("--digest", digest, "--bundle", bundle, *options)
    assert by_digest.code == 1
    assert "it has no openpgp signature, which is required" in by_digest.output


def test_a_list_that_is_named_is_trusted_as_it_is_and_the_output_says_so(
    released: tuple[Path, list[str]], verify: Callable[..., Outcome]
) -> None:
    folder, options = released
    file = Path(options[1])
    document = {**json.loads(file.read_text()), "serial": 7, "expires": "2026-01-02"}
    file.write_text(json.dumps(document))

    outcome = verify(folder, *options, "--json")
    assert outcome.code == 0
    assert outcome.document["identities"]["source"] == f"{file}, trusted because you name it"
    assert outcome.document["identities"]["serial"] == 7
    assert "expired on 2026-01-02; used all the same" in " ".join(outcome.errors.split())


def test_a_digest_and_a_bundle_stand_for_a_published_file(verify: Callable[..., Outcome]) -> None:
    digest = f"sha256:{DIGESTS['3.14.0']['Python-3.14.0.tgz']['sha256']}"
    given = [
        "--project",
        "cpython",
        "--digest",
        digest,
        "--bundle",
        BUNDLES / "Python-3.14.0.tgz.sigstore",
        "--offline",
    ]

    good = verify(*given, "--version", "3.14.0", "--json")
    assert good.code == 0
    assert good.document["schema"] == "urn:baton:verification:v1"
    assert good.document["ok"] is True
    (file,) = good.document["files"]
    assert (file["name"], file["digest"], file["stream"]) == ("Python-3.14.0.tgz", digest, "3.14")
    (signature,) = file["signatures"]
    assert signature["ok"] is True
    assert signature["identity"] == "hugo@python.org"
    assert signature["matched"]["who"] == "human"

    wrong = verify(*given, "--version", "3.13.0", "--json")
    assert wrong.code == 1
    assert wrong.document["ok"] is False
    (signature,) = wrong.document["files"][0]["signatures"]
    assert (signature["ok"], signature["fault"]) == (False, "untrusted")
    assert "thomas@python.org" in signature["expected"][0]


def test_a_digests_file_stands_for_a_folder_of_published_files(verify: Callable[..., Outcome]) -> None:
    outcome = verify(BUNDLES, "--project", "cpython", "--digests", BUNDLES / "digests.json", "--offline", "--json")
    assert outcome.code == 0
    assert {file["stream"] for file in outcome.document["files"]} == {"3.7", "3.10", "3.13", "3.14"}


def test_a_key_file_is_used_for_openpgp_signatures(
    tmp_path: Path, gnupg: Gnupg, verify: Callable[..., Outcome]
) -> None:
    key = gnupg.make("Signs CPython here only")
    (tmp_path / "key.asc").write_bytes(gnupg.export(key))
    file = tmp_path / "Python-3.13.9.tgz"
    file.write_bytes(b"source")
    Path(f"{file}.asc").write_bytes(gnupg.sign(key, file))

    unchecked = verify(file, "--project", "cpython", "--offline")
    assert unchecked.code == 1
    assert "not checked" in unchecked.output

    checked = verify(file, "--project", "cpython", "--gpg-key", tmp_path / "key.asc")
    assert checked.code == 1
    assert key in checked.output
    assert "7169605F62C751356D054A26A821E680E5FA6305" in checked.output, "who may sign instead"


@pytest.mark.parametrize(
    "arguments",
    [
        ["file"],
        ["--project", "cpython"],
        ["file", "--project", "cpython", "--identities", "x"],
        ["file", "--project", "cpython", "--digest", "sha256:" + "0" * 64, "--bundle", "x"],
        ["--project", "cpython", "--bundle", "x"],
        ["--project", "cpython", "--digest", "0" * 64, "--bundle", "x"],
        ["file", "--project", "cpython", "--version", "v3.13.9"],
        ["file", "--project", "cpython", "--require", "ssh"],
        ["file", "--nonsense"],
    ],
)
def test_a_wrong_call_is_told_how_to_call(verify: Callable[..., Outcome], arguments: list[str]) -> None:
    outcome = verify(*arguments)
    assert outcome.code == 2
    assert "Usage: baton verify" in outcome.errors
    assert outcome.output == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere", "--project", "cpython"], "nowhere is not there"),
        (["nowhere", "--project", "perl"], "only those of: cpython"),
        (["nowhere", "--identities", "nowhere.json"], "nowhere.json"),
        (["nowhere", "--project", "cpython", "--digests", "nowhere.txt"], "nowhere.txt"),
        (["nowhere", "--project", "cpython", "--gpg-key", "nowhere.asc"], "nowhere.asc"),
        (["--project", "cpython", "--digest", "sha256:" + "0" * 64, "--bundle", "nowhere"], "the bundle nowhere"),
    ],
)
def test_what_is_not_there_is_named(verify: Callable[..., Outcome], arguments: list[str], says: str) -> None:
    outcome = verify(*arguments)
    assert outcome.code == 1
    assert says in outcome.errors
    assert outcome.output == ""


def test_help_does_not_wait_for_the_sigstore_library() -> None:
    script = (
        "import sys; from baton.cli.main import run; run(['verify', '--help']); assert 'sigstore' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
