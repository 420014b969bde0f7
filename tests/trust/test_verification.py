from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from baton.model.base import digest_of
from baton.model.errors import Invalid, Missing
from baton.model.signing import SigstoreInstance
from baton.sandbox.sigstore import ISSUER, machine_identity
from baton.trust import Fault, Trust, TrustedIdentities, shipped_identities, verify
from baton.trust.digests import load_digests
from baton.trust.identities import TrustedKey, TrustedSigstoreIdentity, TrustedStream, Who
from baton.trust.subjects import find_subjects, version_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from baton.sandbox.sigstore.server import LocalSigstore
    from tests.trust.conftest import Gnupg

BUNDLES = Path(__file__).parent / "bundles"
MACHINE = TrustedSigstoreIdentity(identity=machine_identity("signer"), issuer=ISSUER, who=Who.MACHINE)


@pytest.fixture(scope="module")
def team(gnupg: Gnupg) -> str:
    return gnupg.make("Published by the team")


@pytest.fixture(scope="module")
def trust(sandbox: LocalSigstore, gnupg: Gnupg, team: str) -> Trust:
    key = TrustedKey(fingerprint=team, public_key=gnupg.export(team).decode(), who=Who.MACHINE)
    identities = TrustedIdentities(
        project="hello",
        sigstore=SigstoreInstance.SANDBOX,
        issued=date(2026, 1, 1),
        streams=(
            TrustedStream(name="1", trusted=(MACHINE, key)),
            TrustedStream(name="2", trusted=(MACHINE.model_copy(update={"identity": machine_identity("other")}),)),
        ),
    )
    return Trust(identities, trust_config=sandbox.trust_config)


@pytest.fixture
def published(
    tmp_path: Path, sandbox: LocalSigstore, bundle: Callable[[str, bytes], bytes], *, gnupg: Gnupg, team: str
) -> Path:
    """A folder with three files, each with a bundle and an OpenPGP signature beside it."""
    token = sandbox.tokens.for_machine("signer")
    for name in ("hello-1.0.tar.gz", "hello-1.0.zip", "hello-1.0-py3-none-any.whl"):
        (tmp_path / name).write_bytes(name.encode())
        (tmp_path / f"{name}.sigstore.json").write_bytes(bundle(token, name.encode()))
        (tmp_path / f"{name}.asc").write_bytes(gnupg.sign(team, tmp_path / name))
    return tmp_path


def test_a_folder_of_signed_files_verifies_and_says_by_whom(published: Path, trust: Trust, team: str) -> None:
    report = verify([published], trust)

    assert report, report.failures
    assert [file.name for file in report.files] == ["hello-1.0-py3-none-any.whl", "hello-1.0.tar.gz", "hello-1.0.zip"]
    for file in report.files:
        assert (file.version, file.stream) == ("1.0", "1")
        assert file.digest == digest_of(file.name.encode())
        assert {signature.identity for signature in file.signatures} == {MACHINE.identity, team}


def test_a_file_its_signature_and_its_folder_all_mean_the_file_once(published: Path, trust: Trust) -> None:
    zip_file = published / "hello-1.0.zip"
    for paths in ([zip_file], [Path(f"{zip_file}.asc")], [zip_file, Path(f"{zip_file}.sigstore.json")]):
        report = verify(paths, trust)
        assert report
        assert [file.name for file in report.files] == ["hello-1.0.zip"]
    assert len(verify([zip_file, published], trust).files) == 3


def test_the_older_suffix_and_links_are_found(published: Path, trust: Trust, tmp_path: Path) -> None:
    old = published / "hello-1.0.zip.sigstore"
    Path(f"{old}.json").rename(old)
    (published / "hello-1.0.zip.asc").unlink()
    elsewhere = tmp_path / "links"
    elsewhere.mkdir()
    for name in ("hello-1.0.zip", "hello-1.0.zip.sigstore"):
        (elsewhere / name).symlink_to(published / name)
    assert verify([elsewhere], trust)


def test_a_changed_file_fails_by_both_signatures_and_the_others_do_not(published: Path, trust: Trust) -> None:
    (published / "hello-1.0.zip").write_bytes(b"changed")
    report = verify([published], trust)
    assert not report
    (wrong,) = [file for file in report.files if not file]
    assert wrong.name == "hello-1.0.zip"
    assert [signature.fault for signature in wrong.signatures] == [Fault.BAD, Fault.BAD]
    assert len(report.failures) == 2


def test_one_bad_signature_is_enough_to_fail(published: Path, trust: Trust) -> None:
    (published / "hello-1.0.zip.asc").write_bytes((published / "hello-1.0.tar.gz.asc").read_bytes())
    report = verify([published / "hello-1.0.zip"], trust)
    assert not report
    assert [bool(signature) for signature in report.files[0].signatures] == [True, False]


def test_an_unsigned_file_fails(published: Path, trust: Trust) -> None:
    (published / "hello-1.0.exe").write_bytes(b"slipped in")
    report = verify([published], trust)
    assert report.failures == ("hello-1.0.exe: no signature lies beside it",)
    assert not report


def test_a_signature_without_its_file_fails(published: Path, trust: Trust) -> None:
    (published / "hello-1.0.zip").unlink()
    report = verify([published], trust)
    assert report.failures == ("hello-1.0.zip: the file is not here, and its digest is not known",)
    assert not report


def test_signers_of_another_stream_do_not_count(published: Path, trust: Trust) -> None:
    for name in ("hello-1.0.zip", "hello-1.0.zip.sigstore.json"):
        (published / name).rename(published / name.replace("1.0", "2.0"))
    report = verify([published / "hello-2.0.zip"], trust)
    assert not report
    assert report.files[0].stream == "2"
    assert report.files[0].signatures[0].fault is Fault.UNTRUSTED

    assert verify([published / "hello-2.0.zip"], trust, version="1.5"), "the version that is said goes first"


def test_a_version_that_nobody_signs_and_one_that_can_not_be_told_fail(published: Path, trust: Trust) -> None:
    assert "nobody is known who may sign hello 3.0" in verify([published], trust, version="3.0").failures[0]
    (published / "hello-1.0.zip").rename(published / "hello.zip")
    (published / "hello-1.0.zip.sigstore.json").rename(published / "hello.zip.sigstore.json")
    assert "does not tell its version" in verify([published / "hello.zip"], trust).failures[0]


def test_openpgp_signatures_are_left_unchecked_when_no_key_is_at_hand(
    published: Path, trust: Trust, gnupg: Gnupg, team: str
) -> None:
    stream = trust.identities.streams[0]
    bare = TrustedKey(fingerprint=team, who=Who.MACHINE)
    streams = (stream.model_copy(update={"trusted": (MACHINE, bare)}),)
    keyless = Trust(trust.identities.model_copy(update={"streams": streams}), trust_config=trust.trust_config)

    report = verify([published], keyless)
    assert report, "the Sigstore signatures carry the verdict"
    assert all(file.signatures[1].fault is Fault.NOT_CHECKED for file in report.files)

    (published / "hello-1.0.zip.sigstore.json").unlink()
    assert not verify([published / "hello-1.0.zip"], keyless), "nothing counted"

    handed_in = Trust(keyless.identities, public_keys=(gnupg.export(team),), trust_config=trust.trust_config)
    assert verify([published / "hello-1.0.zip"], handed_in)


def test_digests_stand_for_files_that_are_not_here() -> None:
    digests = load_digests(BUNDLES / "digests.json")
    trust = Trust(shipped_identities("cpython"), offline=True)
    report = verify([BUNDLES], trust, digests=digests)
    assert report, report.failures
    assert {file.name: file.stream for file in report.files} == {
        "Python-3.7.17.tgz": "3.7",
        "Python-3.10.14.tar.xz": "3.10",
        "windows-3.13.9.json": "3.13",
        "Python-3.14.0.tgz": "3.14",
    }

    wrong = verify([BUNDLES], trust, digests=digests, version="3.14.0")
    assert [bool(file) for file in wrong.files] == [file.name == "Python-3.14.0.tgz" for file in wrong.files]


def test_digests_are_compared_with_files_that_are_here(published: Path, trust: Trust, tmp_path: Path) -> None:
    listed = tmp_path / "SHA256SUMS"
    right = digest_of(b"hello-1.0.zip").removeprefix("sha256:")
    listed.write_text(f"{right}  hello-1.0.zip\n")
    assert verify([published], trust, digests=load_digests(listed)), "only listed files are meant"

    listed.write_text(f"{'0' * 64} *hello-1.0.zip\n")
    report = verify([published], trust, digests=load_digests(listed))
    assert report.failures == (f"hello-1.0.zip: it is sha256:{right}; expected sha256:{'0' * 64}",)


@pytest.mark.parametrize(
    "content",
    ["", "{}", "junk", "{", "[]", '{"1.0": {"x": {}}}', '{"1.0": {"x": {"sha256": "00"}}}', '{"1.0": 1}', "00  x\n"],
)
def test_what_is_no_digests_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "digests").write_text(content)
    with pytest.raises(Invalid, match="digests"):
        load_digests(tmp_path / "digests")


def test_a_name_that_several_versions_have_is_told_apart_by_the_folder(tmp_path: Path) -> None:
    listed = {version: {"hello.zip": {"sha256": str(number) * 64}} for number, version in enumerate(("1.0", "2.0"))}
    (tmp_path / "digests.json").write_text(json.dumps(listed))
    digests = load_digests(tmp_path / "digests.json")
    for folder in ("2.0", "loose"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "hello.zip.sigstore").touch()

    (subject,) = find_subjects([tmp_path / "2.0"], digests)
    assert (subject.digest, subject.version) == (f"sha256:{'1' * 64}", "2.0")
    with pytest.raises(Invalid, match=r"several files hello\.zip"):
        find_subjects([tmp_path / "loose"], digests)


def test_paths_that_are_not_there_or_hold_nothing_are_refused(tmp_path: Path, trust: Trust) -> None:
    with pytest.raises(Missing, match="nowhere"):
        verify([tmp_path / "nowhere"], trust)
    (tmp_path / ".hidden").touch()
    with pytest.raises(Missing, match="no file"):
        verify([tmp_path], trust)


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("Python-3.13.9.tgz", "3.13.9"),
        ("python-3.14.0rc2-embed-amd64.zip", "3.14.0rc2"),
        ("windows-3.13.9.json", "3.13.9"),
        ("python-3.14.0-aarch64-linux-android.tar.gz", "3.14.0"),
        ("hello-1.0.0-py3-none-any.whl", "1.0.0"),
        ("hello-1.0.0-docs.zip", "1.0.0"),
        ("hello.zip", None),
        ("hello-7.zip", None),
    ],
)
def test_a_files_name_tells_its_version(name: str, version: str | None) -> None:
    assert version_in(name) == version
