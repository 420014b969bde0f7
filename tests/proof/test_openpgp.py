from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.hearing import HearActivities
from baton.model.envelope import read_envelope
from baton.model.errors import Failed, Missing, Refused
from baton.model.hearing import ProveAct
from baton.model.version import ReleaseId
from baton.model.work import ReleaseRef
from baton.proof import find_key, prove, seal
from baton.proof.openpgp import verify_openpgp
from baton.proof.openpgp_key import find_signing_part
from baton.settings import WorkerSettings
from baton.store import LocalStore
from tests.proof.conftest import NO_SIGSTORE, NOW, person, roster, statement

if TYPE_CHECKING:
    from pathlib import Path

    from baton.model.roster import OpenPgpKey
from tests.proof.conftest import Gnupg

MESSAGE = b"first line\nsecond line\n"
LONG_AGO = datetime(2020, 1, 5, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def ada(gnupg: Gnupg) -> str:
    return gnupg.make("Ada <ada@example.org>")


@pytest.fixture(scope="module")
def grace(gnupg: Gnupg) -> str:
    return gnupg.make("Grace <grace@example.org>")


@pytest.fixture(scope="module")
def expired(gnupg: Gnupg) -> str:
    return gnupg.make("Katherine <katherine@example.org>", *gnupg.long_ago, expires="30d")


@pytest.fixture
def at_home(gnupg: Gnupg, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNUPGHOME", str(gnupg.home))


def refusal(signature: bytes, key: OpenPgpKey, when: datetime | None = None, message: bytes = MESSAGE) -> str:
    with pytest.raises(Refused) as caught:
        verify_openpgp(message, signature, key, when or datetime.now(UTC))
    return str(caught.value)


def test_a_signature_says_when_it_was_made(gnupg: Gnupg, ada: str) -> None:
    made = verify_openpgp(MESSAGE, gnupg.sign(ada, MESSAGE), gnupg.listed(ada), datetime.now(UTC))
    assert abs((datetime.now(UTC) - made).total_seconds()) < 60


def test_an_altered_statement_does_not_verify(gnupg: Gnupg, ada: str) -> None:
    told = refusal(gnupg.sign(ada, MESSAGE), gnupg.listed(ada), message=MESSAGE + b"\n")
    assert told == f"the signature by the openpgp key {ada} does not count: it does not fit the statement"


def test_only_the_key_that_is_listed_is_known(gnupg: Gnupg, ada: str, grace: str) -> None:
    told = refusal(gnupg.sign(grace, MESSAGE), gnupg.listed(ada))
    assert told.startswith(f"the signature is by the openpgp key {grace[-16:]}, which is no part of the public key")


def test_the_primary_key_has_to_be_the_one_that_is_listed(gnupg: Gnupg, ada: str, grace: str) -> None:
    wrong_block = gnupg.listed(ada).model_copy(update={"public_key": gnupg.listed(grace).public_key})
    told = refusal(gnupg.sign(grace, MESSAGE), wrong_block)
    assert told == f"the signature is by the primary openpgp key {grace}; expected {ada}"


def test_expiry_is_judged_by_when_the_statement_came(gnupg: Gnupg, expired: str) -> None:
    signature = gnupg.sign(expired, MESSAGE, *gnupg.long_ago)
    key = gnupg.listed(expired)

    assert verify_openpgp(MESSAGE, signature, key, LONG_AGO) == LONG_AGO
    told = refusal(signature, key)
    assert told.startswith(f"the openpgp key {expired} has expired, as its public key in the roster says")


def test_a_revoked_key_never_counts(gnupg: Gnupg) -> None:
    key = gnupg.make("Stolen <stolen@example.org>")
    signature = gnupg.sign(key, MESSAGE)
    gnupg.revoke(key)
    assert "the key that made it has been revoked" in refusal(signature, gnupg.listed(key))


def test_a_key_without_its_public_key_in_the_roster_can_not_prove_anything(gnupg: Gnupg, ada: str) -> None:
    bare = gnupg.listed(ada).model_copy(update={"public_key": None})
    assert "without its public key, so that nothing can be verified" in refusal(gnupg.sign(ada, MESSAGE), bare)


def test_what_is_no_detached_signature_with_a_sound_hash_is_refused(gnupg: Gnupg, ada: str) -> None:
    key, good = gnupg.listed(ada), gnupg.sign(ada, MESSAGE)
    assert "hash algorithm 2" in refusal(gnupg.sign(ada, MESSAGE, "--digest-algo", "SHA1"), key)
    assert "class 01, expected 00" in refusal(gnupg.sign(ada, MESSAGE, "--textmode"), key)
    assert "can't be read: expected exactly one block" in refusal(good + good, key)
    assert "can't be read: expected exactly one block" in refusal(b"", key)
    assert "accepted: up to 16384" in refusal(good * 100, key)


def test_signing_needs_gpg(gnupg: Gnupg, ada: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, signature = gnupg.listed(ada), gnupg.sign(ada, MESSAGE)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing, match=r"gpg does not run here .*: install GnuPG 2\.2 or later"):
        verify_openpgp(MESSAGE, signature, key, NOW)


@settings(max_examples=15)
@given(data=st.data())
def test_a_changed_signature_never_verifies_and_only_ever_is_refused(
    gnupg: Gnupg, ada: str, data: st.DataObject
) -> None:
    good = gnupg.sign(ada, MESSAGE)
    body = good.index(b"\n\n") + 2
    at = data.draw(st.integers(body, len(good) - 40))
    byte = data.draw(st.sampled_from(b"ABCxyz059+/=\n\x00\xff"))
    changed = good[:at] + bytes([byte]) + good[at + 1 :]
    if changed != good:
        with pytest.raises(Refused):
            verify_openpgp(MESSAGE, changed, gnupg.listed(ada), datetime.now(UTC))


@pytest.mark.usefixtures("at_home")
class TestSigning:
    def test_a_sealed_statement_proves_who_said_it(self, gnupg: Gnupg, ada: str, grace: str) -> None:
        listed, people = gnupg.listed(ada), roster(ada=gnupg.listed(ada), grace=gnupg.listed(grace))
        key = find_signing_part(listed)
        assert key is not None
        said = read_envelope(seal(statement(), key))
        when = datetime.now(UTC)

        assert said.keyid == f"openpgp:{ada}"
        assert prove(said, person(people), when, roster=people, sigstore=NO_SIGSTORE) == listed
        posing = read_envelope(seal(statement(by="grace"), key))
        with pytest.raises(Refused, match=f"openpgp key {ada}, which the roster lists for ada, not for grace"):
            prove(posing, person(people, "grace"), when, roster=people, sigstore=NO_SIGSTORE)
        claimed = replace(posing, keyid=f"openpgp:{grace}")
        with pytest.raises(Refused, match="is no part of the public key"):
            prove(claimed, person(people, "grace"), when, roster=people, sigstore=NO_SIGSTORE)

    def test_the_day_that_the_signature_tells_has_to_be_covered_too(self, gnupg: Gnupg, ada: str) -> None:
        listed = gnupg.listed(ada, last=date(2020, 1, 31))
        key = find_signing_part(listed)
        assert key is not None
        said = read_envelope(seal(statement(LONG_AGO), key))
        people = roster(ada=listed)
        with pytest.raises(Refused, match=rf"it was signed on {datetime.now(UTC).date()}"):
            prove(said, person(people), datetime.now(UTC), roster=people, sigstore=NO_SIGSTORE)

    def test_the_newest_usable_subkey_signs_for_its_primary(self, gnupg: Gnupg) -> None:
        primary = gnupg.make("Offline <offline@example.org>", *gnupg.long_ago, usage="cert")
        gnupg.add_subkey(primary, *gnupg.long_ago)
        newer = gnupg.add_subkey(primary, "--faked-system-time", "20210105T120000!")
        gnupg.add_subkey(primary, "--faked-system-time", "20220105T120000!", expires="30d")
        listed = gnupg.listed(primary)

        key = find_signing_part(listed)
        assert key is not None
        assert key.part == newer
        people = roster(ada=listed)
        said = read_envelope(seal(statement(), key))
        assert prove(said, person(people), datetime.now(UTC), roster=people, sigstore=NO_SIGSTORE) == listed

    def test_a_key_that_is_not_here_is_not_found(self, gnupg: Gnupg, ada: str) -> None:
        assert find_signing_part(gnupg.listed(ada).model_copy(update={"fingerprint": "0" * 40})) is None

    def test_an_expired_key_is_told_instead_of_another_being_taken(self, gnupg: Gnupg, expired: str) -> None:
        with pytest.raises(Refused, match=f"gpg has the openpgp key {expired}, but {expired} has expired"):
            find_signing_part(gnupg.listed(expired))

    def test_a_signature_that_the_roster_can_not_verify_is_not_handed_out(
        self, gnupg: Gnupg, ada: str, grace: str
    ) -> None:
        stale = gnupg.listed(ada).model_copy(update={"public_key": gnupg.listed(grace).public_key})
        key = find_signing_part(stale)
        assert key is not None
        with pytest.raises(Failed, match="gpg made a signature that does not count"):
            seal(statement(), key)


@pytest.mark.usefixtures("at_home")
def test_a_worker_without_gpg_refuses_nobody_but_fails_itself(
    gnupg: Gnupg, ada: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = roster(ada=gnupg.listed(ada))
    sealed = seal(statement(datetime.now(UTC)), find_key(person(people), None, sigstore=NO_SIGSTORE, today=NOW.date()))
    monkeypatch.setenv("PATH", str(tmp_path))
    hearing = HearActivities(LocalStore(tmp_path / "store"), WorkerSettings())
    release = ReleaseRef(
        release=ReleaseId(project="hello", version="1.0.0"), run="run", plan="sha256:" + "0" * 64, sandbox=False
    )
    with pytest.raises(Missing, match="gpg"):
        hearing.prove_act(ProveAct(release=release, envelope=sealed, by="ada", roster=people))
