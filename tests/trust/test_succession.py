"""Which list takes the place of which: signed by whom the trusted one names, never older, never expired."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from baton.model.base import canonical_json
from baton.model.errors import Conflict, Invalid, Missing, Refused
from baton.model.signing import SigstoreInstance
from baton.sandbox.sigstore import ISSUER, machine_identity
from baton.trust.documents import held_identities, keep_identities, project_identities
from baton.trust.identities import TrustedIdentities, TrustedKey, TrustedSigstoreIdentity, TrustedStream, Who
from baton.trust.succession import adopt, issue
from baton.trust.verifiers import Trust

if TYPE_CHECKING:
    from collections.abc import Callable

    from baton.sandbox.sigstore.server import LocalSigstore
    from tests.trust.conftest import Gnupg

TODAY = date(2026, 6, 15)
PUBLISHER = TrustedSigstoreIdentity(identity=machine_identity("publisher"), issuer=ISSUER, who=Who.MACHINE)
MEMBER = TrustedSigstoreIdentity(identity=machine_identity("signer"), issuer=ISSUER, who=Who.MACHINE)
FIRST = TrustedIdentities(
    project="hello",
    sigstore=SigstoreInstance.SANDBOX,
    issued=date(2026, 1, 1),
    expires=date(2027, 1, 1),
    document_signers=(PUBLISHER,),
    streams=(TrustedStream(name="*", trusted=(MEMBER,)),),
)
SECOND: dict[str, Any] = {"serial": 2, "issued": date(2026, 6, 1)}


def changed(**changes: Any) -> TrustedIdentities:
    return TrustedIdentities.model_validate({**FIRST.model_dump(by_alias=True), **SECOND, **changes})


@pytest.fixture
def write(tmp_path: Path) -> Callable[[TrustedIdentities], Path]:
    def written(document: TrustedIdentities) -> Path:
        file = tmp_path / "identities.json"
        file.write_bytes(canonical_json(document))
        return file

    return written


@pytest.fixture
def published(
    sandbox: LocalSigstore, bundle: Callable[[str, bytes], bytes], write: Callable[[TrustedIdentities], Path]
) -> Callable[..., Path]:
    """Puts a list into a file, with a bundle by a machine beside it."""

    def publish(document: TrustedIdentities, by: str = "publisher") -> Path:
        file = write(document)
        signature = bundle(sandbox.tokens.for_machine(by), file.read_bytes())
        Path(f"{file}.sigstore.json").write_bytes(signature)
        return file

    return publish


@pytest.fixture
def trust(sandbox: LocalSigstore) -> Trust:
    return Trust(FIRST, trust_config=sandbox.trust_config)


def test_a_newer_list_counts_when_a_named_signer_signed_it(published: Callable[..., Path], trust: Trust) -> None:
    newer = changed()
    assert adopt(published(newer), trust, TODAY) == newer
    assert adopt(published(FIRST), trust, TODAY) == FIRST, "the same one again changes nothing"


def test_who_may_sign_files_may_not_sign_lists(published: Callable[..., Path], trust: Trust) -> None:
    with pytest.raises(Refused, match=f"{MEMBER.identity}.*does not count here; who does: {PUBLISHER.identity}"):
        adopt(published(changed(), by="signer"), trust, TODAY)


def test_a_list_can_not_name_its_own_signers(published: Callable[..., Path], trust: Trust) -> None:
    with pytest.raises(Refused, match="not signed as it has to be"):
        adopt(published(changed(document_signers=[MEMBER.model_dump()]), by="signer"), trust, TODAY)


def test_one_byte_more_or_no_signature_is_refused(published: Callable[..., Path], trust: Trust) -> None:
    file = published(changed())
    file.write_bytes(file.read_bytes() + b"\n")
    with pytest.raises(Refused, match="not signed as it has to be"):
        adopt(file, trust, TODAY)
    Path(f"{file}.sigstore.json").unlink()
    with pytest.raises(Refused, match="no signature lies beside it"):
        adopt(file, trust, TODAY)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"project": "other"}, "of other .* expected hello"),
        ({"sigstore": "public"}, "public instance; expected hello with the sandbox instance"),
        ({"expires": None}, "does not say when it expires"),
        ({"expires": TODAY - timedelta(days=1)}, "expired on 2026-06-14"),
    ],
)
def test_what_may_not_take_the_place_is_refused_whoever_signed_it(
    published: Callable[..., Path], trust: Trust, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(Refused, match=says):
        adopt(published(changed(**changes)), trust, TODAY)


def test_an_older_list_never_comes_back(published: Callable[..., Path], sandbox: LocalSigstore) -> None:
    newer = Trust(changed(serial=3), trust_config=sandbox.trust_config)
    with pytest.raises(Refused, match=r"number 2 .* number 3 .* trusted already"):
        adopt(published(changed()), newer, TODAY)
    with pytest.raises(Conflict, match="two documents are number 3"):
        adopt(published(changed(serial=3, issued=date(2026, 6, 2))), newer, TODAY)


def test_a_signer_of_lists_has_days_too(published: Callable[..., Path], sandbox: LocalSigstore) -> None:
    over = PUBLISHER.model_copy(update={"last": date(2020, 1, 1)})
    left = Trust(FIRST.model_copy(update={"document_signers": (over,)}), trust_config=sandbox.trust_config)
    with pytest.raises(Refused, match="until 2020-01-01"):
        adopt(published(changed()), left, TODAY)


def test_a_list_that_names_no_signers_can_not_be_followed(published: Callable[..., Path], trust: Trust) -> None:
    alone = Trust(FIRST.model_copy(update={"document_signers": ()}), trust_config=trust.trust_config)
    with pytest.raises(Refused, match="name nobody who may sign newer ones"):
        adopt(published(changed()), alone, TODAY)


def test_issuing_signs_a_list_with_the_teams_key_for_all_who_trust_the_one_before(
    gnupg: Gnupg, write: Callable[[TrustedIdentities], Path]
) -> None:
    team = gnupg.make("Signs lists")
    key = TrustedKey(fingerprint=team, public_key=gnupg.export(team).decode(), who=Who.MACHINE)
    trust = Trust(FIRST.model_copy(update={"document_signers": (key,)}))
    file = write(changed(document_signers=[key.model_dump()]))

    made = issue(file, trust, {".asc": lambda path: gnupg.sign(team, path)}, TODAY)
    assert adopt(file, trust, TODAY) == made


def test_issuing_leaves_no_signature_that_nobody_could_count(
    gnupg: Gnupg, write: Callable[[TrustedIdentities], Path]
) -> None:
    team, other = gnupg.make("May sign lists"), gnupg.make("May not")
    keys = [
        TrustedKey(fingerprint=key, public_key=gnupg.export(key).decode(), who=Who.MACHINE) for key in (team, other)
    ]
    trust = Trust(FIRST.model_copy(update={"document_signers": keys[:1]}), public_keys=(gnupg.export(other),))
    file = write(changed())

    with pytest.raises(Refused, match=other):
        issue(file, trust, {".asc": lambda path: gnupg.sign(other, path)}, TODAY)
    with pytest.raises(Invalid, match=r"expected \.sigstore\.json"):
        issue(file, trust, {".sig": lambda _: b""}, TODAY)
    with pytest.raises(Refused, match="is trusted already"):
        issue(write(changed(serial=1, issued=FIRST.issued)), Trust(changed()), {}, TODAY)
    assert list(file.parent.iterdir()) == [file]


@pytest.fixture
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "baton" / "identities"


def test_of_the_shipped_and_the_kept_list_the_newer_counts(
    own_data: Path, write: Callable[[TrustedIdentities], Path]
) -> None:
    shipped = held_identities("cpython")
    assert shipped.source == "shipped with Baton"

    newer = shipped.document.model_copy(update={"serial": 9, "expires": date(2027, 1, 1)})
    assert keep_identities(newer, write(newer)) == own_data / "cpython.json"
    kept = project_identities("cpython", TODAY)
    assert (kept.document, kept.source) == (newer, "fetched from the project")

    older = shipped.document.model_copy(update={"issued": date(2020, 1, 1)})
    keep_identities(older, write(older))
    assert held_identities("cpython").source == "shipped with Baton"
    assert [file.name for file in own_data.iterdir()] == ["cpython.json"]


@pytest.mark.usefixtures("own_data")
def test_a_kept_list_that_has_expired_is_refused_until_a_newer_one_is_fetched(
    write: Callable[[TrustedIdentities], Path],
) -> None:
    with pytest.raises(Missing, match="only those of: cpython"):
        project_identities("hello", TODAY)
    keep_identities(FIRST, write(FIRST))
    assert project_identities("hello", date(2027, 1, 1)).document == FIRST
    with pytest.raises(Refused, match=r"expired on 2027-01-01: .*`baton identities fetch hello`"):
        project_identities("hello", date(2027, 1, 2))
    assert held_identities("hello").document == FIRST
    with pytest.raises(Missing, match="only those of: cpython, hello"):
        held_identities("../hello")
