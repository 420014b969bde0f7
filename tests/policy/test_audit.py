"""``baton policy audit``: a disagreement of every kind is found, and nothing else is."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from baton.cli.main import run
from baton.model.base import canonical_json, digest_of
from baton.model.manifest import Manifest, ManifestFile
from baton.model.signing import SigstoreInstance
from baton.policy.expected import policy_of_project
from baton.project.read import read_project
from baton.sandbox.sigstore import ISSUER, machine_identity
from baton.trust.identities import (
    SignatureKind,
    TrustedIdentities,
    TrustedKey,
    TrustedSigstoreIdentity,
    TrustedStream,
    Who,
)
from tests.project.conftest import REAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from baton.sandbox.sigstore.server import LocalSigstore
    from tests.trust.conftest import Gnupg

BUNDLES = Path(__file__).parents[1] / "trust" / "bundles"
LONG_AGO = date(2020, 1, 31)
CHANGES = """
[identities]
document = "identities.json"

[streams."3.13".signing]
gpg = "team"

[streams."3.13".signing.team]
fingerprint = "{team}"
public-key-file = "team.asc"
"""


@dataclass(frozen=True)
class Keys:
    """One key of each sort; making them takes a while."""

    team: str
    stranger: str
    left: str
    stolen: str
    public: dict[str, str]


@pytest.fixture(scope="module")
def keys(gnupg: Gnupg) -> Keys:
    made = {
        "team": gnupg.make("Team of spam"),
        "stranger": gnupg.make("A stranger"),
        "left": gnupg.make("Left the team", *gnupg.long_ago, expires="30d"),
        "stolen": gnupg.make("Stolen"),
    }
    return Keys(**made, public={name: gnupg.export(key).decode() for name, key in made.items()})


class Site:
    """What spam has published, in the layout of Baton's directory target; every signature is real."""

    def __init__(self, folder: Path, keys: Keys, sandbox: LocalSigstore, bundle: Callable[[str, bytes], bytes]) -> None:
        self.keys, self.sandbox, self._bundle = keys, sandbox, bundle
        self.project = folder / "project"
        self.served = folder / "www"
        self.project.mkdir()
        self.served.mkdir()
        text = REAL.replace(
            "https://git.example/spam/.github/workflows/sign.yml@refs/heads/main", machine_identity("signer")
        )
        text = text.replace("https://token.actions.githubusercontent.com", ISSUER)
        (self.project / "release.toml").write_text(text + CHANGES.format(team=keys.team))
        (self.project / "team.asc").write_text(keys.public["team"])
        (self.project / "identities.json").write_bytes(canonical_json(self._listed()))

    def _listed(self) -> TrustedIdentities:
        machine = TrustedSigstoreIdentity(identity=machine_identity("signer"), issuer=ISSUER, who=Who.MACHINE)
        ada = TrustedSigstoreIdentity(identity="ada@example.org", issuer=ISSUER, who=Who.HUMAN)
        grace = TrustedSigstoreIdentity(identity="grace@example.org", issuer=ISSUER, who=Who.HUMAN, last=LONG_AGO)
        openpgp = [
            TrustedKey(fingerprint=getattr(self.keys, name), public_key=self.keys.public[name], who=Who.HUMAN)
            for name in ("team", "left", "stolen")
        ]
        streams = (
            TrustedStream(name="3.13", trusted=(machine, ada, *openpgp)),
            TrustedStream(name="3.14", requires=(SignatureKind.SIGSTORE,), trusted=(machine, grace)),
        )
        return TrustedIdentities(
            project="spam", sigstore=SigstoreInstance.SANDBOX, issued=date(2026, 1, 1), streams=streams
        )

    def file(self, place: str, content: bytes | None = None) -> Path:
        path = self.served / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content or place.encode())
        return path

    def sigstore(
        self, file: Path, *, person: str = "", machine: str = "signer", suffix: str = ".sigstore.json"
    ) -> Path:
        tokens = self.sandbox.tokens
        token = tokens.for_person(person) if person else tokens.for_machine(machine)
        signature = file.with_name(file.name + suffix)
        signature.write_bytes(self._bundle(token, file.read_bytes()))
        return signature

    def release(self, gnupg: Gnupg) -> None:
        """Two releases that are signed as the policy says."""
        for name in ("spam-3.13.1.tar.gz", "spam-3.13.1.zip"):
            file = self.file(f"spam/3.13.1/{name}")
            self.sigstore(file)
            file.with_name(f"{name}.asc").write_bytes(gnupg.sign(self.keys.team, file))
        self.sigstore(self.file("spam/3.14.0/spam-3.14.0.tar.gz"), suffix=".sigstore")

    def audit(self, where: Path | str, *options: str | Path, by: tuple[str, ...] | None = None) -> int:
        given = by if by is not None else ("-C", str(self.project))
        trust = ("--trust-config", str(self.sandbox.trust_config))
        return run(["policy", "audit", str(where), *given, *trust, *map(str, options)])


@pytest.fixture
def site(tmp_path: Path, keys: Keys, sandbox: LocalSigstore, bundle: Callable[[str, bytes], bytes]) -> Site:
    return Site(tmp_path, keys, sandbox, bundle)


@pytest.fixture
def web(site: Site) -> Iterator[str]:
    """The site's address, on a server that lists its folders."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site.served)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def document(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def disagreements(capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    """What is wrong with each file, in order."""
    found: dict[str, list[str]] = {}
    for one in document(capsys)["disagreements"]:
        found.setdefault(one["file"], []).append(one["wrong"])
    return found


def test_what_is_signed_as_the_policy_says_agrees(site: Site, gnupg: Gnupg, capsys: pytest.CaptureFixture[str]) -> None:
    site.release(gnupg)
    site.file("index.html")
    site.file("spam/evidence/3.13.1/evidence.json")
    site.file("spam/evidence/3.13.1/acts/1.json")

    assert site.audit(site.served) == 0
    assert "OK: 3 files of 2 versions are signed as the policy says; 1 file of no release" in capsys.readouterr().out
    assert site.audit(site.served, "--json") == 0
    told = document(capsys)
    assert (told["ok"], told["project"], told["passed_over"]) == (True, "spam", ["index.html"])
    assert set(told["released"]) == {"3.13.1", "3.14.0"}


def test_every_kind_of_disagreement_is_found(site: Site, gnupg: Gnupg, capsys: pytest.CaptureFixture[str]) -> None:
    site.release(gnupg)
    wrong: dict[str, list[str]] = {}

    def plant(
        name: str, *kinds: str, key: str | None = site.keys.team, version: str = "3.13.1", options: tuple[str, ...] = ()
    ) -> Path:
        file = site.file(f"spam/{version}/{name}")
        if key is not None:
            file.with_name(f"{name}.asc").write_bytes(gnupg.sign(key, file, *options))
        wrong[f"spam/{version}/{name}"] = list(kinds)
        return file

    plant("unsigned.txt", "missing", "missing", key=None)
    plant("no-bundle.txt", "missing")
    site.sigstore(plant("no-asc.txt", "missing", key=None))
    site.sigstore(plant("by-ada-alone.txt", "missing"), person="ada@example.org")
    site.sigstore(plant("by-eve.txt", "untrusted"), person="eve@example.org")
    site.sigstore(plant("stand-in.txt", "untrusted"), machine="stand-in")
    site.sigstore(plant("by-a-stranger.txt", "unknown-key", key=site.keys.stranger))
    site.sigstore(plant("left.txt", "expired", key=site.keys.left, options=gnupg.long_ago))
    site.sigstore(plant("stolen.txt", "revoked", key=site.keys.stolen))
    changed = plant("changed.txt", "bad", "bad")
    site.sigstore(changed)
    changed.write_bytes(b"changed")
    plant("garbage.txt", "malformed").with_name("garbage.txt.sigstore").write_bytes(b"{}")
    gone = plant("gone.txt", "stray", key=None)
    site.sigstore(gone)
    gone.unlink()
    site.sigstore(plant("extra.txt", "extra", version="3.14.0"))
    site.sigstore(plant("by-grace.txt", "outside-window", key=None, version="3.14.0"), person="grace@example.org")
    site.sigstore(plant("spam-9.9.tar.gz", "unknown-stream", key=None, version="9.9"))
    gnupg.revoke(site.keys.stolen)
    listed = json.loads((site.project / "identities.json").read_text())
    for entry in listed["streams"][0]["trusted"]:
        if entry.get("fingerprint") == site.keys.stolen:
            entry["public_key"] = gnupg.export(site.keys.stolen).decode()
    (site.project / "identities.json").write_text(json.dumps(listed))

    assert site.audit(site.served, "--json") == 1
    assert disagreements(capsys) == wrong

    assert site.audit(site.served) == 1
    page = " ".join(capsys.readouterr().out.split())
    assert f"FAILED: {len(wrong)} of {len(wrong) + 3} files of 3 versions are signed otherwise" in page

    kept = [option for place in wrong for option in ("--ignore", Path(place).name)]
    assert site.audit(site.served, *kept) == 0


def test_without_a_list_the_policy_of_the_day_says_who_signs(site: Site) -> None:
    file = site.project / "release.toml"
    text = file.read_text().replace('[identities]\ndocument = "identities.json"\n', "")
    file.write_text(f'{text}\n[[streams."3.13".signing.changes]]\nuntil = {LONG_AGO}\ngpg = "none"\n')
    policy = policy_of_project(read_project(site.project), LONG_AGO)

    before, after = policy.on("3.13", LONG_AGO), policy.on("3.13", LONG_AGO + timedelta(days=1))
    assert set(before.required) == before.allowed == {SignatureKind.SIGSTORE}
    assert set(after.required) == after.allowed == {SignatureKind.SIGSTORE, SignatureKind.OPENPGP}
    assert [str(one) for one in after.required[SignatureKind.OPENPGP]] == [f"OpenPGP key {site.keys.team}"]


def test_cpythons_layout_is_read_and_the_day_decides(
    site: Site, gnupg: Gnupg, capsys: pytest.CaptureFixture[str]
) -> None:
    root = site.served / "ftp"
    file = site.file("ftp/3.13.1/Python-3.13.1.tgz")
    site.sigstore(file, suffix=".sigstore")
    file.with_name(f"{file.name}.asc").write_bytes(gnupg.sign(site.keys.team, file))
    site.file("ftp/3.13.1/Python-3.13.1.tgz.crt")
    site.sigstore(site.file("ftp/3.14.0/windows.json"), suffix=".sigstore")
    assert site.audit(root) == 0
    assert site.audit(root / "3.14.0", "--json") == 0, "one release, whose version is the folder's"
    capsys.readouterr()

    change = f'\n[[streams."3.13".signing.changes]]\nuntil = {LONG_AGO}\ngpg = "none"\n'
    settings = site.project / "release.toml"
    settings.write_text(settings.read_text() + change)
    listed = json.loads((site.project / "identities.json").read_text())
    for entry in listed["streams"][0]["trusted"]:
        if entry["kind"] == "openpgp":
            entry["from"] = "2020-02-01"
    (site.project / "identities.json").write_text(json.dumps(listed))
    assert site.audit(root) == 0
    capsys.readouterr()
    assert site.audit(root, "--released", f"{LONG_AGO}", "--json") == 1
    assert disagreements(capsys) == {"3.13.1/Python-3.13.1.tgz": ["extra"]}


def test_a_list_alone_is_enough(site: Site, gnupg: Gnupg, capsys: pytest.CaptureFixture[str]) -> None:
    site.release(gnupg)
    by = ("--identities", str(site.project / "identities.json"))
    assert site.audit(site.served, by=by) == 0
    (site.served / "spam/3.14.0/spam-3.14.0.tar.gz.sigstore").unlink()
    (site.served / "spam/3.13.1/spam-3.13.1.zip.asc").unlink()
    capsys.readouterr()
    assert site.audit(site.served, "--json", by=by) == 1
    assert disagreements(capsys) == {"spam/3.14.0/spam-3.14.0.tar.gz": ["missing"]}, "3.13 requires no kind"


def test_what_cant_be_checked_is_told_and_proves_nothing(
    site: Site, gnupg: Gnupg, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.release(gnupg)
    listed = json.loads((site.project / "identities.json").read_text())
    for entry in listed["streams"][0]["trusted"]:
        entry.pop("public_key", None)
    keyless = tmp_path / "keyless.json"
    keyless.write_text(json.dumps(listed))
    by = ("--identities", str(keyless))
    assert site.audit(site.served, by=by) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "2 OpenPGP signatures not checked" in told, "wherever the lines of a page break"

    (site.served / "spam/3.13.1/spam-3.13.1.zip.sigstore.json").unlink()
    assert site.audit(site.served, "--json", by=by) == 1
    assert disagreements(capsys) == {"spam/3.13.1/spam-3.13.1.zip": ["missing"]}
    assert site.audit(site.served, "--gpg-key", site.project / "team.asc", by=by) == 0


def test_an_address_is_read_by_its_listing(
    site: Site, gnupg: Gnupg, web: str, capsys: pytest.CaptureFixture[str]
) -> None:
    site.release(gnupg)
    for address in (f"{web}/spam/", f"{web}/spam/3.13.1/", f"{web}/spam/3.13.1"):
        assert site.audit(address) == 0, capsys.readouterr().out
    (site.served / "spam/3.14.0/spam-3.14.0.tar.gz.sigstore").unlink()
    capsys.readouterr()
    assert site.audit(f"{web}/spam/", "--json") == 1
    assert disagreements(capsys) == {"3.14.0/spam-3.14.0.tar.gz": ["missing"]}

    assert site.audit(f"{web}/nothing/") == 1
    assert "is not there (404)" in capsys.readouterr().err


def test_an_address_is_read_by_the_record_of_the_release(
    site: Site, gnupg: Gnupg, web: str, capsys: pytest.CaptureFixture[str]
) -> None:
    site.release(gnupg)
    folder = site.served / "spam/3.13.1"
    files = tuple(
        ManifestFile(name=path.name, digest=digest_of(path.read_bytes()), size=path.stat().st_size, step="source")
        for path in sorted(folder.iterdir())
        if path.suffix in (".gz", ".zip")
    )
    digest = f"sha256:{'0' * 64}"
    manifest = Manifest(project="spam", version="3.13.1", plan=digest, commit="c" * 40, files=files)
    site.file("spam/evidence/3.13.1/manifest.json", canonical_json(manifest))
    record = f"{web}/spam/evidence/3.13.1/manifest.json"
    assert site.audit(record) == 0, capsys.readouterr().out

    changed = folder / "spam-3.13.1.zip"
    changed.write_bytes(b"another")
    site.sigstore(changed)
    (folder / f"{changed.name}.asc").write_bytes(gnupg.sign(site.keys.team, changed))
    capsys.readouterr()
    assert site.audit(record, "--json") == 1
    assert disagreements(capsys) == {"3.13.1/spam-3.13.1.zip": ["file"]}, "well signed, and another than was agreed to"

    site.file("spam/evidence/3.13.1/manifest.json", b"{}")
    assert site.audit(record) == 1
    assert "is no manifest of a release" in capsys.readouterr().err


def test_cpythons_own_bundles_agree_and_a_wrong_digest_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = json.loads((BUNDLES / "digests.json").read_text())
    command = ["policy", "audit", str(BUNDLES), "--identities", "cpython", "--offline", "--digests"]
    assert run([*command, str(BUNDLES / "digests.json")]) == 0
    capsys.readouterr()

    known["3.14.0"]["Python-3.14.0.tgz"]["sha256"] = hashlib.sha256(b"another").hexdigest()
    (tmp_path / "digests.json").write_text(json.dumps(known))
    assert run([*command, str(tmp_path / "digests.json"), "--json"]) == 1
    assert disagreements(capsys) == {"Python-3.14.0.tgz": ["bad"]}


def test_what_cant_be_audited_is_said(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert site.audit(site.served / "nowhere") == 1
    assert "is no folder" in capsys.readouterr().err
    assert site.audit(site.served) == 1
    assert "there is no file" in capsys.readouterr().err
    assert site.audit(site.served, by=("-C", str(site.project), "--identities", "cpython")) == 2
