"""A person signs a release on their own machine: Sigstore by digest alone, OpenPGP with the files at hand."""

from __future__ import annotations

import subprocess
import threading
import webbrowser
from datetime import date, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from pydantic import SecretStr
from sigstore.models import Bundle, ClientTrustConfig

from baton.model.base import digest_of
from baton.model.errors import Conflict, Missing, Refused, Unavailable
from baton.model.manifest import Artifact
from baton.model.roster import OpenPgpKey, SigstoreIdentity
from baton.model.signing import SigstoreInstance
from baton.sandbox.sigstore import ISSUER
from baton.sandbox.sigstore.server import local_sigstore
from baton.signers.personal import (
    browser_sign_in,
    files_in,
    identity_of,
    own_gpg_home,
    sign_in,
    sign_with_openpgp,
    sign_with_sigstore,
)
from baton.trust.identities import TrustedKey, TrustedSigstoreIdentity, Who
from baton.trust.instances import trust_configuration
from baton.trust.openpgp import open_keyring
from baton.trust.sigstore import SigstoreTrust

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from baton.sandbox.sigstore.server import LocalSigstore
    from baton.signers.port import File
    from tests.signers.conftest import Gnupg, Kept

ADA = SigstoreIdentity(identity="ada@example.org", issuer=ISSUER)


def absent(number: int) -> list[Artifact]:
    """Artifacts of which there is no file."""
    return [Artifact(name=f"f{n}", digest=digest_of(b"%d" % n), size=1 + n // 10) for n in range(number)]


@pytest.fixture(scope="module")
def signed_in_as_ada(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSigstore]:
    """A Sigstore instance that lets Ada in without asking, as one does where she has signed in before."""
    with local_sigstore(tmp_path_factory.mktemp("ada"), person=ADA.identity) as running:
        yield running


@pytest.fixture
def config(signed_in_as_ada: LocalSigstore) -> ClientTrustConfig:
    return trust_configuration(SigstoreInstance.SANDBOX, signed_in_as_ada.trust_config)


class Browser:
    """Goes where it is sent, through every redirection, as Ada's browser does."""

    def __init__(self) -> None:
        self.opened = 0
        self._threads: list[threading.Thread] = []

    def open(self, address: str) -> bool:
        self.opened += 1
        self._threads.append(threading.Thread(target=httpx.get, args=(address,), kwargs={"follow_redirects": True}))
        self._threads[-1].start()
        return True

    def close(self) -> None:
        for thread in self._threads:
            thread.join()


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    opened = Browser()
    monkeypatch.setattr(webbrowser, "open", opened.open)
    yield opened
    opened.close()


def test_one_sign_in_signs_every_digest_and_no_file_is_there(config: ClientTrustConfig, browser: Browser) -> None:
    artifacts = absent(20)

    bundles = sign_with_sigstore(artifacts, ADA, config, browser_sign_in(config))

    assert browser.opened == 1
    assert set(bundles) == set(artifacts)
    assert len({Bundle.from_json(bundle).signing_certificate.serial_number for bundle in bundles.values()}) == 1
    trusted = [TrustedSigstoreIdentity(**ADA.model_dump(), who=Who.HUMAN)]
    trust = SigstoreTrust(config)
    for artifact, bundle in bundles.items():
        assert trust.verify(bundle, artifact.digest, trusted, source=artifact.name)


def test_one_sign_in_does_for_the_files_and_for_what_hands_them_in(
    config: ClientTrustConfig, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BATON_IDENTITY_TOKEN_FILE", raising=False)
    tokens = sign_in(config)
    assert identity_of(tokens, [ADA], "who may sign: ada") == ADA
    assert set(sign_with_sigstore(absent(2), ADA, config, tokens)) == set(absent(2))
    assert tokens() == tokens()
    assert browser.opened == 1


def test_a_token_that_has_expired_is_asked_for_again_where_it_came_from(
    config: ClientTrustConfig, browser: Browser, signed_in_as_ada: LocalSigstore, tmp_path: Path
) -> None:
    file, mint = tmp_path / "token", signed_in_as_ada.tokens.mint
    claims = {"sub": ADA.identity, "email": ADA.identity, "email_verified": True}
    tokens = sign_in(config, token_file=file)
    with pytest.raises(Missing, match="BATON_IDENTITY_TOKEN_FILE"):
        tokens()
    file.write_text(mint(claims, lifetime=timedelta(seconds=-10)))
    with pytest.raises(Refused, match="expired"):
        identity_of(tokens, [ADA], "who may sign: ada")
    file.write_text(mint(claims))
    assert identity_of(tokens, [ADA], "who may sign: ada") == ADA
    assert browser.opened == 0


def test_who_is_signed_in_must_be_listed_and_count_today(config: ClientTrustConfig, browser: Browser) -> None:
    tokens = sign_in(config)
    grace = ADA.model_copy(update={"identity": "grace@example.org"})
    with pytest.raises(Refused, match=r"signed in as ada@example\.org .*\. Who may sign: grace\. Nothing was signed"):
        identity_of(tokens, [grace], "Who may sign: grace")
    elsewhere = ADA.model_copy(update={"issuer": "https://accounts.google.com"})
    with pytest.raises(Refused, match=rf"signed in as ada@example\.org \(issuer {ISSUER}\)\. Who may sign: ada"):
        identity_of(tokens, [elsewhere], "Who may sign: ada")
    past = ADA.model_copy(update={"last": date(2020, 1, 1)})
    with pytest.raises(Refused, match="that counts from the beginning until 2020-01-01"):
        identity_of(tokens, [past], "Who may sign: grace")
    assert browser.opened == 1


def test_who_signs_in_as_somebody_else_signs_nothing(
    signed_in_as_ada: LocalSigstore, config: ClientTrustConfig, browser: Browser
) -> None:
    before = signed_in_as_ada.log.head()
    grace = ADA.model_copy(update={"identity": "grace@example.org"})
    with pytest.raises(Refused, match=r"is of ada@example\.org .*who is to sign is grace@example\.org"):
        sign_with_sigstore(absent(3), grace, config, browser_sign_in(config))
    assert browser.opened == 1
    assert signed_in_as_ada.log.head() == before


def test_a_sign_in_that_is_not_there_is_unavailable(config: ClientTrustConfig, tmp_path: Path) -> None:
    with local_sigstore(tmp_path) as gone:
        elsewhere = trust_configuration(SigstoreInstance.SANDBOX, gone.trust_config)
    with pytest.raises(Unavailable, match="sign-in does not answer"):
        sign_with_sigstore(absent(1), ADA, config, browser_sign_in(elsewhere))


def test_a_sign_in_that_is_declined_is_refused(config: ClientTrustConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    def decline(address: str) -> bool:
        threading.Thread(target=httpx.get, args=(f"{address}/auth/callback?error=access_denied",)).start()
        return True

    monkeypatch.setattr(webbrowser, "open", decline)
    with pytest.raises(Refused, match="access_denied"):
        sign_with_sigstore(absent(1), ADA, config, browser_sign_in(config))


def test_what_was_made_before_a_failure_is_kept(
    config: ClientTrustConfig, signed_in_as_ada: LocalSigstore, kept: Kept
) -> None:
    def full(artifact: Artifact, bundle: bytes) -> None:
        if artifact.name == "f1":
            raise Conflict("the disk is full")
        kept(artifact, bundle)

    def token() -> SecretStr:
        return SecretStr(signed_in_as_ada.tokens.for_person(ADA.identity))

    with pytest.raises(Conflict, match="full"):
        sign_with_sigstore(absent(2), ADA, config, token, full)
    assert set(kept) <= {"f0"}


@pytest.fixture
def own_key(gnupg: Gnupg) -> OpenPgpKey:
    """Ada's own key, under a passphrase that only her agent can ask for."""
    fingerprint = gnupg.make("Ada <ada@example.org>", passphrase="hers")  # noqa: S106  # a test's
    return OpenPgpKey(fingerprint=fingerprint, public_key=gnupg.public(fingerprint))


def let_pinentry_answer(gnupg: Gnupg, passphrase: str) -> Path:
    """Set the agent up with a pinentry that gives the passphrase; returns the file that counts how often."""
    asked, program = gnupg.home / "asked", gnupg.home / "pinentry"
    # The assuan protocol's few words: https://www.gnupg.org/documentation/manuals/pinentry/Protocol.html
    program.write_text(
        f"#!/bin/sh\necho OK\nwhile read -r word rest; do\n  case $word in "
        f'GETPIN) echo once >> {asked}; echo "D {passphrase}"; echo OK;; BYE) echo OK; exit;; *) echo OK;; esac\ndone\n'
    )
    program.chmod(0o755)
    with (gnupg.home / "gpg-agent.conf").open("a") as settings:
        settings.write(f"pinentry-program {program}\n")
    subprocess.run(["gpgconf", "--homedir", gnupg.home, "--kill", "all"], check=True)
    return asked


def test_files_at_hand_are_signed_with_ones_own_key_and_the_passphrase_is_asked_for_once(
    gnupg: Gnupg, own_key: OpenPgpKey, files: list[File]
) -> None:
    asked = let_pinentry_answer(gnupg, "hers")
    folder = files[0][1].parent

    signatures = sign_with_openpgp(files_in(folder, [artifact for artifact, _ in files]), own_key, gnupg.home)

    assert asked.read_text().split() == ["once"]
    assert own_key.public_key is not None
    trusted = TrustedKey(**own_key.model_dump(), who=Who.HUMAN)
    with open_keyring([own_key.public_key.encode()]) as keyring:
        for artifact, path in files:
            assert keyring.verify(signatures[artifact], path, [trusted], source=artifact.name)


def test_a_file_that_is_not_what_the_manifest_says_is_not_signed(
    gnupg: Gnupg, own_key: OpenPgpKey, files: list[File]
) -> None:
    files[1][1].write_bytes(b"something else")
    with pytest.raises(Conflict, match=digest_of(b"something else")):
        sign_with_openpgp(files, own_key, gnupg.home, SecretStr("hers"))


def test_all_files_that_are_not_at_hand_are_named(files: list[File]) -> None:
    folder = files[0][1].parent
    with pytest.raises(Missing, match="lacks f0, f1: fetch"):
        files_in(folder, [files[0][0], *absent(2)])


def test_ones_own_home_is_the_one_that_gpg_uses(gnupg: Gnupg, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNUPGHOME", str(gnupg.home))
    assert own_gpg_home() == gnupg.home
