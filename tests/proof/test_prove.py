"""Whose key it has to be, and when it has to count; shown with SSH keys, as it is the same for every kind."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.model.envelope import Envelope, Scheme, read_envelope
from baton.model.errors import Invalid, Refused
from baton.model.roster import SshKey
from baton.proof import prove, seal
from baton.proof.ssh_key import SshSigningKey
from tests.proof.conftest import NO_SIGSTORE, NOW, make_ssh_key, person, roster, statement

if TYPE_CHECKING:
    from pathlib import Path

    from baton.model.roster import Credential, Roster
    from baton.proof import Sigstore

TODAY = NOW.date()
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def ada(folder: Path) -> SshKey:
    return make_ssh_key(folder / "ada")


@pytest.fixture(scope="module")
def grace(folder: Path) -> SshKey:
    return make_ssh_key(folder / "grace")


@pytest.fixture(scope="module")
def said(folder: Path, ada: SshKey) -> Envelope:
    """Something that Ada said now."""
    return read_envelope(seal(statement(), SshSigningKey(ada, folder / "ada")))


def dated(key: SshKey, **dates: date) -> SshKey:
    return key.model_copy(update=dates)


def proven(said: Envelope, people: Roster, name: str = "ada", when: Any = NOW) -> Credential:
    return prove(said, person(people, name), when, roster=people, sigstore=NO_SIGSTORE)


def refusal(said: Envelope, people: Roster, name: str = "ada", when: Any = NOW) -> str:
    with pytest.raises(Refused) as caught:
        proven(said, people, name, when)
    return str(caught.value)


def test_a_persons_own_key_proves_that_they_said_it(said: Envelope, ada: SshKey, grace: SshKey) -> None:
    listed = dated(ada, first=TODAY, last=TODAY)
    assert proven(said, roster(grace=grace, ada=(grace, listed))) == listed


def test_comments_and_layout_of_the_listed_key_do_not_matter(said: Envelope, ada: SshKey) -> None:
    kind, key = ada.public_key.split()[:2]
    listed = SshKey(public_key=f"{kind} {key} somebody else's comment")
    assert proven(said, roster(ada=listed)) == listed


def test_a_key_that_nobody_has_is_told(said: Envelope, grace: SshKey) -> None:
    assert refusal(said, roster(ada=grace, grace=())) == (
        f"the signature is by the ssh key {said.keyid.removeprefix('ssh:')}, which the roster lists for nobody"
    )


def test_another_persons_key_says_whose_it_is(folder: Path, ada: SshKey, grace: SshKey) -> None:
    posing = read_envelope(seal(statement(by="grace"), SshSigningKey(ada, folder / "ada")))
    told = refusal(posing, roster(ada=ada, grace=grace), "grace")
    assert told.endswith("which the roster lists for ada, not for grace")


def test_one_persons_statement_is_not_anothers(said: Envelope, ada: SshKey, grace: SshKey) -> None:
    assert refusal(said, roster(ada=ada, grace=grace), "grace") == "the statement is by ada; expected one by grace"


def test_a_key_that_two_people_have_proves_neither(said: Envelope, ada: SshKey) -> None:
    told = refusal(said, roster(ada=ada, grace=ada))
    assert "lists for ada and grace: it proves which of them spoke only" in told


def test_a_revoked_key_counts_for_nothing_whenever_it_signed(said: Envelope, ada: SshKey) -> None:
    revoked = dated(ada, revoked=TODAY + 30 * DAY)
    for keys in (revoked, (ada, revoked)):
        told = refusal(said, roster(ada=keys))
        assert told.endswith(f"of ada was revoked on {TODAY + 30 * DAY}: nothing that it signed counts")


def test_a_key_counts_from_its_first_to_its_last_day(said: Envelope, ada: SshKey) -> None:
    yesterday, tomorrow = TODAY - DAY, TODAY + DAY

    over = refusal(said, roster(ada=dated(ada, last=yesterday)))
    assert over.endswith(
        f"lists for ada from the beginning until {yesterday}; the statement is of {TODAY}, it came on {TODAY}"
    )
    early = refusal(said, roster(ada=dated(ada, first=tomorrow)))
    assert f"lists for ada from {tomorrow} until now" in early
    both = roster(ada=(dated(ada, last=yesterday), dated(ada, first=TODAY)))
    assert proven(said, both) == dated(ada, first=TODAY)


def test_both_the_day_it_was_said_and_the_day_it_came_have_to_be_covered(
    said: Envelope, ada: SshKey, folder: Path
) -> None:
    only_today = roster(ada=dated(ada, first=TODAY, last=TODAY))

    assert f"it came on {TODAY + DAY}" in refusal(said, only_today, when=NOW + DAY)
    for at in (NOW - DAY, NOW + DAY):
        other = read_envelope(seal(statement(at), SshSigningKey(ada, folder / "ada")))
        assert f"the statement is of {at.date()}, it came on {TODAY}" in refusal(other, only_today)


def test_days_are_those_of_utc(ada: SshKey, folder: Path) -> None:
    late = NOW.replace(hour=23, minute=30, tzinfo=timezone(-2 * timedelta(hours=1)))
    said = read_envelope(seal(statement(late), SshSigningKey(ada, folder / "ada")))

    told = refusal(said, roster(ada=dated(ada, last=TODAY)), when=late)
    assert told.endswith(f"the statement is of {TODAY + DAY}, it came on {TODAY + DAY}")


def test_a_time_that_is_none_in_utc_is_refused(ada: SshKey, folder: Path) -> None:
    early = datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))
    said = read_envelope(seal(statement(early), SshSigningKey(ada, folder / "ada")))
    assert "no time in UTC" in refusal(said, roster(ada=ada))


def test_what_is_no_act_is_not_proven(ada: SshKey, folder: Path) -> None:
    said = read_envelope(seal(b"{}", SshSigningKey(ada, folder / "ada")))
    with pytest.raises(Invalid, match="not an in-toto Statement"):
        proven(said, roster(ada=ada))


def test_an_altered_statement_is_told(said: Envelope, ada: SshKey) -> None:
    altered = replace(said, payload=said.payload.replace(b"publish", b"confirm"))
    assert "does not fit the statement: one of them is not as it was made" in refusal(altered, roster(ada=ada))


def test_an_envelope_that_names_another_key_is_refused(said: Envelope, ada: SshKey) -> None:
    assert "the envelope names the key 'ssh:SHA256:other', but the" in refusal(
        replace(said, keyid="ssh:SHA256:other"), roster(ada=ada)
    )


def test_a_signature_of_one_kind_is_no_signature_of_another(said: Envelope, ada: SshKey) -> None:
    listed = roster(ada=ada)
    assert "expected openpgp:FINGERPRINT" in refusal(replace(said, kind=Scheme.OPENPGP), listed)
    unknown = replace(said, kind=Scheme.OPENPGP, keyid=f"openpgp:{'A' * 40}")
    assert refusal(unknown, listed).endswith(f"openpgp key {'A' * 40}, which the roster lists for nobody")
    mixed = replace(said, signature=b"-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n")
    assert "no SSH signature" in refusal(mixed, listed)


def test_a_sealed_statement_is_an_envelope_with_the_very_bytes(said: Envelope) -> None:
    document = json.loads(said.text)
    assert base64.b64decode(document["payload"]) == statement()
    assert document["payloadType"] == "application/vnd.in-toto+json"
    assert len(document["signatures"]) == 1


ANYTHING = st.text(max_size=50)


ENVELOPES = st.builds(
    Envelope,
    payload=st.one_of(st.binary(max_size=50), st.just(statement())),
    signature=st.binary(max_size=50),
    kind=st.sampled_from(Scheme),
    keyid=ANYTHING,
    text=ANYTHING,
)


@given(hostile=ENVELOPES)
def test_whatever_comes_is_refused_and_nothing_else(ada: SshKey, sigstore: Sigstore, hostile: Envelope) -> None:
    people = roster(ada=ada)
    with pytest.raises((Refused, Invalid)):
        prove(hostile, person(people), NOW, roster=people, sigstore=sigstore)
