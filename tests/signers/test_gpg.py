from __future__ import annotations

import logging
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from baton.model.base import digest_of
from baton.model.errors import Conflict, Failed, Invalid, Missing, Refused
from baton.model.manifest import Artifact
from baton.model.roster import OpenPgpKey
from baton.model.signing import GpgSigner
from baton.settings import WorkerSettings
from baton.signers import open_signer
from baton.trust.identities import trusted_signers
from baton.trust.openpgp import open_keyring

if TYPE_CHECKING:
    from collections.abc import Mapping

    from baton.signers.port import File
    from baton.trust.result import SignatureResult
    from tests.signers.conftest import Gnupg, Kept


def plan_signer(gnupg: Gnupg, key: str) -> GpgSigner:
    return GpgSigner(key=OpenPgpKey(fingerprint=key, public_key=gnupg.public(key)))


def sign(
    signer: GpgSigner,
    home: Path,
    files: list[File],
    kept: Kept,
    *,
    passphrase: str | None = None,
    passphrase_file: Path | None = None,
) -> None:
    settings = WorkerSettings(
        gpg_home=home,
        gpg_passphrase=None if passphrase is None else SecretStr(passphrase),
        gpg_passphrase_file=passphrase_file,
    )
    open_signer(signer, settings).sign(files, kept)


def verify(signer: GpgSigner, files: list[File], kept: Mapping[str, bytes]) -> list[SignatureResult]:
    assert signer.key.public_key is not None
    with open_keyring([signer.key.public_key.encode()]) as keyring:
        return [
            keyring.verify(kept[artifact.name], path, trusted_signers(signer), source=f"{artifact.name}.asc")
            for artifact, path in files
        ]


def test_every_file_of_a_batch_gets_a_signature_that_gpg_accepts(
    gnupg: Gnupg, files: list[File], kept: Kept, tmp_path: Path
) -> None:
    signer = plan_signer(gnupg, gnupg.make("team"))
    sign(signer, gnupg.home, files, kept)

    assert set(kept) == {artifact.name for artifact, _ in files}
    assert all(verify(signer, files, kept))
    for artifact, path in files:
        (tmp_path / "signature").write_bytes(kept[artifact.name])
        subprocess.run(["gpg", "--homedir", gnupg.home, "--verify", tmp_path / "signature", path], check=True)


def test_a_large_file_is_signed_whole(gnupg: Gnupg, kept: Kept, tmp_path: Path) -> None:
    content = os.urandom(5 * 1024**2)
    path = tmp_path / "large"
    path.write_bytes(content)
    large = (Artifact(name="large", digest=digest_of(content), size=len(content)), path)
    signer = plan_signer(gnupg, gnupg.make("team"))
    sign(signer, gnupg.home, [large], kept)
    assert all(verify(signer, [large], kept))


def test_a_file_without_its_digest_is_not_signed_and_the_others_are_kept(
    gnupg: Gnupg, files: list[File], kept: Kept
) -> None:
    signer = plan_signer(gnupg, gnupg.make("team"))
    artifact, path = files[-1]
    path.write_bytes(b"something else")

    with pytest.raises(Conflict) as conflict:
        sign(signer, gnupg.home, files, kept)

    assert artifact.digest in str(conflict.value)
    assert digest_of(b"something else") in str(conflict.value)
    assert artifact.name not in kept
    made = [(one, path) for one, path in files if one.name in kept]
    assert made
    assert all(verify(signer, made, kept))


def test_what_keeping_raises_stops_the_batch(gnupg: Gnupg, files: list[File]) -> None:
    calls: list[str] = []

    def keep(artifact: Artifact, signature: bytes) -> None:
        calls.append(artifact.name)
        raise Conflict(f"{len(signature)} bytes are too many")

    signer = plan_signer(gnupg, gnupg.make("team"))
    many = [(artifact.model_copy(update={"name": f"{n}.gz"}), path) for n in range(20) for artifact, path in files]
    with pytest.raises(Conflict, match="too many"):
        open_signer(signer, WorkerSettings(gpg_home=gnupg.home)).sign(many, keep)
    assert len(calls) < len(many)


def test_a_passphrase_reaches_gpg_and_nothing_else(
    gnupg: Gnupg, files: list[File], kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    passphrase = "pässwörd … 鍵"  # noqa: S105  # a test's; no Latin-1
    signer = plan_signer(gnupg, gnupg.make("team", passphrase=passphrase))
    with caplog.at_level(logging.DEBUG):
        sign(signer, gnupg.home, files, kept, passphrase=passphrase)
    assert all(verify(signer, files, kept))
    assert "--passphrase-fd" in caplog.text, "the command line is logged"
    assert passphrase not in caplog.text


def test_a_passphrase_can_come_from_a_file(gnupg: Gnupg, files: list[File], kept: Kept, tmp_path: Path) -> None:
    signer = plan_signer(gnupg, gnupg.make("team", passphrase="correct horse"))  # noqa: S106  # a test's
    (tmp_path / "passphrase").write_text("correct horse\nthe rest is a comment\n")
    sign(signer, gnupg.home, files[:1], kept, passphrase_file=tmp_path / "passphrase")
    assert all(verify(signer, files[:1], kept))

    with pytest.raises(Missing, match="BATON_GPG_PASSPHRASE_FILE"):
        sign(signer, gnupg.home, files, kept, passphrase_file=tmp_path / "nowhere")


def test_a_wrong_passphrase_is_refused_even_while_the_agent_has_the_key(
    gnupg: Gnupg, files: list[File], kept: Kept
) -> None:
    signer = plan_signer(gnupg, gnupg.make("team", passphrase="right"))  # noqa: S106  # a test's
    sign(signer, gnupg.home, files[:1], kept, passphrase="right")  # noqa: S106  # a test's
    with pytest.raises(Refused, match="BATON_GPG_PASSPHRASE") as refusal:
        sign(signer, gnupg.home, files[1:], kept, passphrase="wrong-4711")  # noqa: S106  # a test's
    assert "wrong-4711" not in str(refusal.value)
    assert len(kept) == 1


def test_a_missing_passphrase_fails_instead_of_asking(gnupg: Gnupg, files: list[File], kept: Kept) -> None:
    signer = plan_signer(gnupg, gnupg.make("team", passphrase="right"))  # noqa: S106  # a test's
    subprocess.run(["gpgconf", "--homedir", gnupg.home, "--kill", "gpg-agent"], check=True)
    with pytest.raises(Missing, match="needs a passphrase"):
        sign(signer, gnupg.home, files, kept)


@pytest.mark.parametrize("passphrase", ["", "two\nlines", "null\0"])
def test_a_passphrase_that_gpg_would_misread_is_refused(
    gnupg: Gnupg, files: list[File], kept: Kept, passphrase: str
) -> None:
    signer = plan_signer(gnupg, gnupg.make("team"))
    with pytest.raises(Invalid, match="passphrase"):
        sign(signer, gnupg.home, files, kept, passphrase=passphrase)


def test_a_signing_subkey_signs_while_the_primary_is_elsewhere(gnupg: Gnupg, files: list[File], kept: Kept) -> None:
    primary = gnupg.make("team", *gnupg.long_ago, usage="cert")
    gnupg.add_subkey(primary, *gnupg.long_ago)
    newest = gnupg.add_subkey(primary)
    signer = plan_signer(gnupg, primary)
    subkeys = gnupg.run("--export-secret-subkeys", primary)
    gnupg.run("--yes", "--delete-secret-keys", primary)
    gnupg.run("--import", stdin=subkeys)

    sign(signer, gnupg.home, files, kept)

    for result in verify(signer, files, kept):
        assert result
        assert (result.identity, result.signing_key) == (primary, newest)


def test_the_subkey_that_is_here_signs_though_a_newer_one_lies_elsewhere(
    gnupg: Gnupg, files: list[File], kept: Kept
) -> None:
    primary = gnupg.make("team", *gnupg.long_ago)
    here = gnupg.add_subkey(primary, *gnupg.long_ago)
    gnupg.add_subkey(primary)
    signer = plan_signer(gnupg, primary)
    subkey = gnupg.run("--export-secret-subkeys", f"{here}!")
    gnupg.run("--yes", "--delete-secret-keys", primary)
    gnupg.run("--import", stdin=subkey)
    sign(signer, gnupg.home, files, kept)
    assert {result.signing_key for result in verify(signer, files, kept)} == {here}


def test_an_expired_subkey_gives_way_to_one_that_has_not(gnupg: Gnupg, files: list[File], kept: Kept) -> None:
    primary = gnupg.make("team", *gnupg.long_ago, usage="cert")
    good = gnupg.add_subkey(primary, *gnupg.long_ago)
    gnupg.add_subkey(primary, "--faked-system-time", "20210101T000000!", expires="30d")
    signer = plan_signer(gnupg, primary)
    sign(signer, gnupg.home, files, kept)
    assert {result.signing_key for result in verify(signer, files, kept)} == {good}


def test_a_key_without_any_secret_part_that_signs_is_missing(gnupg: Gnupg, files: list[File], kept: Kept) -> None:
    signer = plan_signer(gnupg, gnupg.make("team", usage="cert"))
    with pytest.raises(Missing, match="no secret key of it that can sign"):
        sign(signer, gnupg.home, files, kept)


def test_an_expired_key_is_refused_with_its_dates_though_others_could_sign(
    gnupg: Gnupg, files: list[File], kept: Kept
) -> None:
    gnupg.make("another")
    signer = plan_signer(gnupg, gnupg.make("team", *gnupg.long_ago, expires="30d"))
    with pytest.raises(Refused, match="2020-01-05 for use until 2020-02-04"):
        sign(signer, gnupg.home, files, kept)
    assert not kept


def test_a_revoked_key_is_refused(gnupg: Gnupg, files: list[File], kept: Kept) -> None:
    key = gnupg.make("team")
    gnupg.revoke(key)
    with pytest.raises(Refused, match="revoked"):
        sign(plan_signer(gnupg, key), gnupg.home, files, kept)


def test_a_key_that_the_home_lacks_is_missing_and_no_other_is_used(gnupg: Gnupg, files: list[File], kept: Kept) -> None:
    key = gnupg.make("team")
    signer = plan_signer(gnupg, key)
    gnupg.run("--yes", "--delete-secret-keys", key)
    gnupg.make("another")
    with pytest.raises(Missing, match=f"no secret key of {key}"):
        sign(signer, gnupg.home, files, kept)
    assert not kept


def test_a_signature_that_the_plans_public_key_does_not_verify_is_never_handed_out(
    gnupg: Gnupg, files: list[File], kept: Kept
) -> None:
    primary = gnupg.make("team")
    outdated = plan_signer(gnupg, primary)
    gnupg.add_subkey(primary)
    with pytest.raises(Failed, match="not at hand"):
        sign(outdated, gnupg.home, files, kept)
    assert not kept


def test_a_worker_without_a_home_is_told_the_setting(gnupg: Gnupg) -> None:
    signer = plan_signer(gnupg, gnupg.make("team"))
    with pytest.raises(Missing, match="BATON_GPG_HOME"):
        open_signer(signer, WorkerSettings())
    with pytest.raises(Missing, match="nowhere"):
        open_signer(signer, WorkerSettings(gpg_home=Path("/nowhere"))).sign([], lambda _artifact, _signature: None)


def test_a_home_too_long_for_the_agents_sockets_is_refused_with_the_reason(gnupg: Gnupg, kept: Kept) -> None:
    signer = plan_signer(gnupg, gnupg.make("team"))
    folder = Path(tempfile.mkdtemp())
    home = folder / ("x" * (87 - len(os.fsencode(folder)) - 1))
    home.mkdir()
    try:
        with pytest.raises(Invalid, match="87 bytes long; at most 86"):
            sign(signer, home, [], kept)
    finally:
        shutil.rmtree(folder)


def test_a_plan_without_the_public_key_block_is_refused(gnupg: Gnupg) -> None:
    signer = GpgSigner(key=OpenPgpKey(fingerprint=gnupg.make("team")))
    with pytest.raises(Invalid, match="public key block"):
        open_signer(signer, WorkerSettings(gpg_home=gnupg.home))
