from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from baton.model.envelope import read_envelope
from baton.model.errors import Failed, Missing, Refused
from baton.model.roster import OpenPgpKey, SigstoreIdentity
from baton.proof import find_key, prove, seal
from baton.proof.openpgp_key import OpenPgpSigningKey
from baton.proof.sigstore_key import SigstoreSigningKey
from baton.proof.ssh_key import SshSigningKey
from tests.proof.conftest import NO_SIGSTORE, make_ssh_key, person, roster, ssh_agent, statement

if TYPE_CHECKING:
    from pathlib import Path

    from baton.model.roster import Credential, SshKey
    from baton.proof.find import SigningKey
    from tests.proof.conftest import Gnupg

TODAY = datetime.now(UTC).date()
PASSPHRASE = "open sesame"  # noqa: S105  # of keys that these tests make
ADA = SigstoreIdentity(identity="ada@example.org", issuer="https://issuer.example.org")


def find(*keys: Credential, wish: str | None = None, today: date = TODAY) -> SigningKey:
    return find_key(person(roster(ada=keys)), wish, sigstore=NO_SIGSTORE, today=today)


def refusal(*keys: Credential, wish: str | None = None, kind: type[Exception] = Refused) -> str:
    with pytest.raises(kind) as caught:
        find(*keys, wish=wish)
    return str(caught.value)


def proves(key: SigningKey, credential: Credential) -> bool:
    """Whether what the key signs counts by this entry of the roster."""
    people, said = roster(ada=credential), read_envelope(seal(statement(), key))
    return prove(said, person(people), datetime.now(UTC), roster=people, sigstore=NO_SIGSTORE) == credential


class TestSsh:
    def test_key_in_the_home_is_found_by_its_public_half(self, home: Path) -> None:
        make_ssh_key(home / ".ssh" / "id_rsa", "ecdsa")
        listed = make_ssh_key(home / ".ssh" / "work")

        key = find(ADA, listed)
        assert key == SshSigningKey(listed, home / ".ssh" / "work")
        assert proves(key, listed)

    def test_key_without_its_public_half_is_found_too(self, home: Path) -> None:
        listed = make_ssh_key(home / ".ssh" / "id_ed25519")
        (home / ".ssh" / "id_ed25519.pub").unlink()

        key = find(listed)
        assert key == SshSigningKey(listed, home / ".ssh" / "id_ed25519")
        assert proves(key, listed)

    def test_key_in_the_agent_needs_no_file(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        other, listed = make_ssh_key(home / "other"), make_ssh_key(home / "key", passphrase="")
        with ssh_agent(home / "other", home / "key") as socket:
            monkeypatch.setenv("SSH_AUTH_SOCK", socket)
            (home / "key").unlink()
            key = find(listed)
            assert key == SshSigningKey(listed)
            assert "in the agent" in key.name
            assert proves(key, listed)
            assert find(listed, other, wish=str(home / "key.pub")) == key

    def test_key_with_a_passphrase_asks_for_it(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        listed = make_ssh_key(home / ".ssh" / "key", passphrase=PASSPHRASE)
        key = find(listed)
        assert key.asks == "type the key's passphrase if it asks for one"
        answer = home / "askpass"
        monkeypatch.setenv("SSH_ASKPASS", str(answer))
        monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")

        answer.write_text(f"#!/bin/sh\necho {PASSPHRASE}\n")
        answer.chmod(0o700)
        assert proves(key, listed)

        answer.write_text("#!/bin/sh\necho wrong\n")
        with pytest.raises(Failed, match=r"ssh-keygen does not sign with the ssh key SHA256:.* incorrect passphrase"):
            seal(statement(), key)

    def test_key_that_is_named_is_the_one_that_signs(self, home: Path) -> None:
        first, second = make_ssh_key(home / ".ssh" / "first"), make_ssh_key(home / "second")
        expected = SshSigningKey(second, home / "second")

        assert find(first, second, wish=str(home / "second")) == expected
        assert find(first, second, wish=str(home / "second.pub")) == expected
        assert find(first, second, wish="~/second") == expected
        fingerprint = SshSigningKey(first).keyid
        assert find(second, first, wish=fingerprint) == SshSigningKey(first, home / ".ssh" / "first")

    def test_file_that_holds_none_of_the_persons_keys_is_refused(self, home: Path) -> None:
        listed = make_ssh_key(home / ".ssh" / "mine")
        other = make_ssh_key(home / "other")
        told = refusal(listed, wish=str(home / "other"))
        assert told == (
            f"the roster does not list the ssh key {SshSigningKey(other).keyid[4:]} for ada; "
            f"it lists: ssh key {SshSigningKey(listed).keyid[4:]}"
        )

    def test_file_that_is_not_there_or_no_key_is_told(self, home: Path) -> None:
        listed = make_ssh_key(home / ".ssh" / "mine")
        assert "or sigstore" in refusal(listed, wish=str(home / "nothing"), kind=Missing)
        (home / "text").write_text("no key")
        assert "ssh-keygen can't tell which key is in" in refusal(listed, wish=str(home / "text"))

    def test_security_key_says_that_it_wants_to_be_touched(self, home: Path) -> None:
        listed = make_ssh_key(home / "key")
        security_key = listed.model_copy(update={"public_key": f"sk-{listed.public_key}"})
        assert SshSigningKey(security_key).asks == "touch the security key when it blinks"

    def test_key_file_that_holds_another_key_than_it_says_is_told(self, home: Path) -> None:
        listed = make_ssh_key(home / ".ssh" / "mine")
        make_ssh_key(home / "other")
        shutil.copy(home / "other", home / ".ssh" / "mine")
        (home / ".ssh" / "mine.pub").unlink()
        with pytest.raises(Failed, match=r"ssh-keygen signed with the ssh key SHA256:.*; expected the ssh key"):
            seal(statement(), SshSigningKey(listed, home / ".ssh" / "mine"))


@pytest.fixture(scope="module")
def listed(gnupg: Gnupg) -> OpenPgpKey:
    return gnupg.listed(gnupg.make("Ada at her desk <desk@example.org>"))


class TestOpenPgp:
    @pytest.fixture(autouse=True)
    def _at_home(self, gnupg: Gnupg, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GNUPGHOME", str(gnupg.home))

    def test_key_comes_after_ssh_and_before_sigstore(self, listed: OpenPgpKey, home: Path) -> None:
        assert find(ADA, listed) == OpenPgpSigningKey(listed, listed.fingerprint)
        ssh = make_ssh_key(home / ".ssh" / "key")
        assert isinstance(find(ADA, listed, ssh), SshSigningKey)
        wish = f"openpgp:{listed.fingerprint.lower()}"
        assert find(ADA, listed, ssh, wish=wish) == OpenPgpSigningKey(listed, listed.fingerprint)

    def test_key_that_gpg_lacks_is_told(self, listed: OpenPgpKey) -> None:
        other = listed.model_copy(update={"fingerprint": "F" * 40})
        told = refusal(other, wish=f"openpgp:{'F' * 40}", kind=Missing)
        assert told == f"gpg has no secret part of the openpgp key {'F' * 40} that can sign"

    def test_key_without_its_public_key_in_the_roster_is_of_no_use(self, listed: OpenPgpKey) -> None:
        bare = OpenPgpKey(fingerprint=listed.fingerprint)
        assert "without its public key" in refusal(bare, wish=f"openpgp:{listed.fingerprint}")

    def test_agent_asks_for_the_passphrase(self, gnupg: Gnupg, home: Path) -> None:
        pinentry = home / "pinentry"
        pinentry.write_text(
            f"#!/bin/sh\necho OK\nwhile read line; do case $line in GETPIN*) echo D {PASSPHRASE}; esac; echo OK; done\n"
        )
        pinentry.chmod(0o700)
        with (gnupg.home / "gpg-agent.conf").open("a") as settings:
            settings.write(f"pinentry-program {pinentry}\n")
        gnupg.run("--quick-generate-key", "Locked <locked@example.org>", "ed25519", "sign", "0", passphrase=PASSPHRASE)
        gnupg.forget_passphrases()

        listed = gnupg.listed(gnupg.fingerprints("locked@example.org")[0])
        assert proves(find(listed), listed)


class TestSigstore:
    def test_identity_is_the_last_resort_and_can_be_asked_for(self, home: Path) -> None:
        ssh = make_ssh_key(home / ".ssh" / "key")
        other = ADA.model_copy(update={"identity": "ada@work.example.org"})
        over = ADA.model_copy(update={"last": TODAY - timedelta(days=1)})

        key = find(ssh, ADA, over, other, wish="sigstore")
        assert key == SigstoreSigningKey((ADA, other), NO_SIGSTORE)
        assert key.asks == "sign in as ada@example.org or ada@work.example.org in the browser"
        assert find(ADA) == SigstoreSigningKey((ADA,), NO_SIGSTORE)

    def test_person_without_one_is_told(self, home: Path) -> None:
        ssh = make_ssh_key(home / ".ssh" / "key")
        assert refusal(ssh, wish="sigstore") == "the roster lists no Sigstore identity for ada"


def test_what_was_looked_for_is_told(home: Path, gnupg: Gnupg) -> None:
    away, revoked = make_ssh_key(home / "away"), make_ssh_key(home / ".ssh" / "revoked")
    gpg = gnupg.listed(gnupg.make("Away <away@example.org>"))
    told = refusal(away, revoked.model_copy(update={"revoked": TODAY}), gpg, kind=Missing)

    assert told == (
        "there is no key here that ada can sign with: "
        f"the ssh key {SshSigningKey(away).keyid[4:]} is neither in the SSH agent nor in {home / '.ssh'}; "
        f"the ssh key {SshSigningKey(revoked).keyid[4:]} of ada counts never, revoked on {TODAY}; today is {TODAY}; "
        f"gpg has no secret part of the openpgp key {gpg.fingerprint} that can sign"
    )
    assert "the roster lists no key for ada" in refusal(kind=Missing)


def test_a_key_that_does_not_count_today_is_not_signed_with(home: Path) -> None:
    listed = make_ssh_key(home / ".ssh" / "key")
    over = listed.model_copy(update={"last": TODAY - timedelta(days=1)})
    assert refusal(over, wish=str(home / ".ssh" / "key")).endswith(
        f"of ada counts from the beginning until {TODAY - timedelta(days=1)}; today is {TODAY}"
    )


def test_programs_that_are_not_installed_are_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed: SshKey = make_ssh_key(home / ".ssh" / "key")
    monkeypatch.setenv("PATH", str(home))
    with pytest.raises(Missing, match=r"ssh-keygen does not run here .*: install OpenSSH"):
        seal(statement(), find(listed))
