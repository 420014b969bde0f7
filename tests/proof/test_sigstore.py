from __future__ import annotations

import base64
import json
import threading
import webbrowser
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from baton.model.envelope import read_envelope
from baton.model.errors import BatonError, Invalid, Missing, Refused, Unavailable
from baton.model.roster import SigstoreIdentity
from baton.model.signing import SigstoreInstance
from baton.proof import Sigstore, prove, seal
from baton.proof.sigstore_key import SigstoreSigningKey
from baton.sandbox.sigstore import ISSUER
from baton.sandbox.sigstore.server import local_sigstore
from tests.proof.conftest import NO_SIGSTORE, person, roster, statement

if TYPE_CHECKING:
    from pathlib import Path

    from baton.model.envelope import Envelope
    from baton.model.roster import Credential, Roster
    from baton.sandbox.sigstore.server import LocalSigstore

ADA = SigstoreIdentity(identity="ada@example.org", issuer=ISSUER)
GRACE = SigstoreIdentity(identity="grace@example.org", issuer=ISSUER)


@pytest.fixture
def signed_in(instance: LocalSigstore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token of Ada's lies where this machine looks for one."""
    (tmp_path / "token").write_text(instance.tokens.for_person("ada@example.org"))
    monkeypatch.setenv("BATON_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))


@pytest.fixture
def said(sigstore: Sigstore, signed_in: None) -> Envelope:  # noqa: ARG001  # its effect is what is needed
    return read_envelope(seal(statement(datetime.now(UTC)), SigstoreSigningKey((GRACE, ADA), sigstore)))


def proven(said: Envelope, people: Roster, sigstore: Sigstore, name: str = "ada") -> Credential:
    return prove(said, person(people, name), datetime.now(UTC), roster=people, sigstore=sigstore)


def refusal(said: Envelope, people: Roster, sigstore: Sigstore, name: str = "ada") -> str:
    with pytest.raises(Refused) as caught:
        proven(said, people, sigstore, name)
    return str(caught.value)


def test_signing_in_proves_who_said_it(said: Envelope, sigstore: Sigstore) -> None:
    assert proven(said, roster(ada=ADA, grace=GRACE), sigstore) == ADA


@pytest.mark.usefixtures("signed_in")
def test_nobody_speaks_for_another_person(sigstore: Sigstore) -> None:
    posing = read_envelope(seal(statement(by="grace"), SigstoreSigningKey((ADA,), sigstore)))
    told = refusal(posing, roster(ada=ADA, grace=GRACE), sigstore, "grace")
    assert told.endswith("which the roster lists for ada, not for grace")


@pytest.mark.parametrize(
    "change", [{"identity": "ADA@example.org"}, {"issuer": ISSUER + "/"}, {"issuer": "https://accounts.google.com"}]
)
def test_identity_and_issuer_are_both_exact(said: Envelope, sigstore: Sigstore, change: dict[str, str]) -> None:
    assert refusal(said, roster(ada=ADA.model_copy(update=change)), sigstore) == (
        f"the signature is by the Sigstore identity {ADA.identity} (issuer {ISSUER}), which the roster lists for nobody"
    )


def test_dates_and_revocation_are_those_of_the_roster(said: Envelope, sigstore: Sigstore) -> None:
    today = datetime.now(UTC).date()
    over = ADA.model_copy(update={"last": today - timedelta(days=1)})
    assert f"it was certified on {today}" in refusal(said, roster(ada=over), sigstore)
    revoked = ADA.model_copy(update={"revoked": today})
    assert f"was revoked on {today}" in refusal(said, roster(ada=revoked), sigstore)


def changed(said: Envelope, **envelope: Any) -> Envelope:
    document = json.loads(said.text)
    document["dsseEnvelope"] |= envelope
    return read_envelope(json.dumps(document))


def test_an_altered_statement_or_signature_does_not_verify(said: Envelope, sigstore: Sigstore) -> None:
    people = roster(ada=ADA)
    payload = base64.b64encode(said.payload.replace(b"publish", b"confirm")).decode()
    assert "does not verify" in refusal(changed(said, payload=payload), people, sigstore)

    signature = bytearray(said.signature)
    signature[-1] ^= 1
    altered = [{"sig": base64.b64encode(signature).decode(), "keyid": ""}]
    assert "does not verify" in refusal(changed(said, signatures=altered), people, sigstore)


def test_the_bundle_has_to_sign_the_very_statement_and_its_type(said: Envelope, sigstore: Sigstore) -> None:
    other = replace(said, payload=statement(datetime.now(UTC), gate="build"))
    assert "signs another statement than the envelope holds" in refusal(other, roster(ada=ADA), sigstore)
    retyped = replace(said, text=said.text.replace("application/vnd.in-toto+json", "text/plain"))
    assert "does not verify" in refusal(retyped, roster(ada=ADA), sigstore)


def test_a_bundle_of_another_instance_does_not_verify(said: Envelope, tmp_path: Path) -> None:
    with local_sigstore(tmp_path / "other") as other:
        another = Sigstore(SigstoreInstance.SANDBOX, other.trust_config)
        assert "does not verify" in refusal(said, roster(ada=ADA), another)


def test_what_is_no_bundle_is_refused(said: Envelope, sigstore: Sigstore) -> None:
    document = json.loads(said.text)
    del document["verificationMaterial"]
    for text in ("", "{}", "[]", "null", json.dumps(document), "[" * 100_000):
        assert "bundle" in refusal(replace(said, text=text), roster(ada=ADA), sigstore)
    long = said.text + " " * 1024**2
    assert "accepted: up to 1048576" in refusal(replace(said, text=long), roster(ada=ADA), sigstore)


def test_verifying_needs_to_know_the_instance(said: Envelope) -> None:
    with pytest.raises(Missing, match="trust configuration file"):
        proven(said, roster(ada=ADA), NO_SIGSTORE)


@pytest.mark.usefixtures("signed_in")
def test_nobody_signs_as_someone_else(sigstore: Sigstore) -> None:
    with pytest.raises(Refused, match=r"you are signed in as ada@example\.org .* Nothing was signed"):
        seal(statement(), SigstoreSigningKey((GRACE,), sigstore))


@pytest.mark.usefixtures("signed_in")
def test_what_is_no_statement_is_not_signed(sigstore: Sigstore) -> None:
    with pytest.raises(Invalid, match="not an in-toto Statement"):
        seal(b"{}", SigstoreSigningKey((ADA,), sigstore))


@pytest.mark.usefixtures("signed_in")
def test_an_instance_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with local_sigstore(tmp_path / "gone") as gone:
        ended = Sigstore(SigstoreInstance.SANDBOX, gone.trust_config)
        assert ended.config is not None
    with pytest.raises(Unavailable):
        seal(statement(), SigstoreSigningKey((ADA,), ended))


def test_without_a_token_the_person_signs_in_with_the_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def browser(url: str) -> bool:
        threading.Thread(target=httpx.get, args=(url,), kwargs={"follow_redirects": True}).start()
        return True

    monkeypatch.setattr(webbrowser, "open", browser)
    with local_sigstore(tmp_path / "own", person="ada@example.org") as own:
        sigstore = Sigstore(SigstoreInstance.SANDBOX, own.trust_config)
        said = read_envelope(seal(statement(datetime.now(UTC)), SigstoreSigningKey((ADA,), sigstore)))
        assert proven(said, roster(ada=ADA), sigstore) == ADA


def test_without_token_browser_and_terminal_the_person_is_told_what_to_do(
    sigstore: Sigstore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end_of_input(_prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr(webbrowser, "open", lambda _url: False)
    monkeypatch.setattr("builtins.input", end_of_input)
    with pytest.raises(Missing, match="BATON_IDENTITY_TOKEN_FILE"):
        seal(statement(), SigstoreSigningKey((ADA,), sigstore))


def test_a_sign_in_service_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with local_sigstore(tmp_path / "gone") as gone:
        ended = Sigstore(SigstoreInstance.SANDBOX, gone.trust_config)
        assert ended.config is not None
    with pytest.raises(BatonError, match="does not answer"):
        seal(statement(), SigstoreSigningKey((ADA,), ended))
