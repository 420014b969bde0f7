"""Keys, certificates and secrets in the state folder."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from baton.model.errors import Invalid
from baton.sandbox.sigstore import certificates
from baton.sandbox.sigstore.files import create_once
from baton.sandbox.sigstore.keys import KeyFolder, subject_public_key_info
from baton.sandbox.sigstore.server import local_sigstore

if TYPE_CHECKING:
    from pathlib import Path

    from baton.sandbox.sigstore.keys import CertifiedKey


def root(state: Path) -> CertifiedKey:
    return KeyFolder(state).certified("root", ec.SECP384R1(), lambda key: certificates.root(key, "Test root"))


def test_nobody_else_can_read_what_is_secret(tmp_path: Path) -> None:
    with local_sigstore(tmp_path / "state") as instance:
        instance.machines.register("release-worker")
    folders = [tmp_path / "state", *(path for path in (tmp_path / "state").rglob("*") if path.is_dir())]
    secret = [path for folder in ("keys", "machines", "logs") for path in (tmp_path / "state" / folder).iterdir()]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
    assert {stat.S_IMODE(file.stat().st_mode) for file in secret} == {0o600}
    assert len(secret) > 10


def test_keys_and_certificates_stay_the_same(tmp_path: Path) -> None:
    first, second = root(tmp_path), root(tmp_path)
    assert subject_public_key_info(first.key) == subject_public_key_info(second.key)
    assert first.certificate == second.certificate


def test_all_who_come_first_at_once_get_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = list(pool.map(lambda _: KeyFolder(tmp_path).ed25519("key"), range(16)))
    assert len({subject_public_key_info(key) for key in keys}) == 1
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["key.key.pem"]


def test_a_file_is_made_once(tmp_path: Path) -> None:
    assert create_once(tmp_path / "file", lambda: b"first") == b"first"
    assert create_once(tmp_path / "file", lambda: b"second") == b"first"


@pytest.mark.parametrize(
    "content", [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    create_once(tmp_path / "keys" / "key.key.pem", lambda: content)
    with pytest.raises(Invalid, match=r"key\.key\.pem should hold a private key"):
        KeyFolder(tmp_path).ed25519("key")


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    KeyFolder(tmp_path).ed25519("one")
    KeyFolder(tmp_path).elliptic_curve("two", ec.SECP384R1())
    with pytest.raises(Invalid, match="ECDSA key on secp256r1"):
        KeyFolder(tmp_path).elliptic_curve("one", ec.SECP256R1())
    with pytest.raises(Invalid, match="ECDSA key on secp256r1"):
        KeyFolder(tmp_path).elliptic_curve("two", ec.SECP256R1())
    with pytest.raises(Invalid, match="an Ed25519 key"):
        KeyFolder(tmp_path).ed25519("two")


def test_the_certificate_of_another_key_is_refused(tmp_path: Path) -> None:
    root(tmp_path)
    (tmp_path / "keys" / "root.key.pem").unlink()
    with pytest.raises(Invalid, match="certificate of another key"):
        root(tmp_path)


def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    root(tmp_path)
    (tmp_path / "keys" / "root.crt.pem").write_text("nothing")
    with pytest.raises(Invalid, match="should hold a certificate"):
        root(tmp_path)
