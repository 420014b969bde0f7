from __future__ import annotations

import base64
import hashlib
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from baton.model.errors import Refused
from baton.proof.ssh import NAMESPACE, verify_ssh
from baton.proof.sshsig import fingerprint, key_of_line, read_signature, ssh_string
from tests.conftest import PATIENCE
from tests.proof.conftest import make_ssh_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MESSAGE = b"the statement\n"
KINDS = [("ed25519", "256"), ("ecdsa", "256"), ("ecdsa", "384"), ("ecdsa", "521"), ("rsa", "2048")]


def sign(file: Path, message: bytes = MESSAGE, namespace: str = NAMESPACE, *options: str) -> bytes:
    command = ["ssh-keygen", "-Y", "sign", *options, "-n", namespace, "-f", str(file)]
    return subprocess.run(command, input=message, capture_output=True, check=True, timeout=PATIENCE).stdout


def armoured(blob: bytes) -> bytes:
    text = base64.b64encode(blob)
    lines = [text[at : at + 70] for at in range(0, len(text), 70)]
    return b"\n".join([b"-----BEGIN SSH SIGNATURE-----", *lines, b"-----END SSH SIGNATURE-----", b""])


def dearmoured(signature: bytes) -> bytes:
    return base64.b64decode(b"".join(signature.split(b"\n")[1:-2]))


def blob(
    key: bytes,
    signature: bytes,
    *,
    version: int = 1,
    namespace: str = NAMESPACE,
    reserved: bytes = b"",
    hashing: bytes = b"sha512",
) -> bytes:
    fields = (key, namespace.encode(), reserved, hashing, signature)
    return b"SSHSIG" + version.to_bytes(4, "big") + b"".join(map(ssh_string, fields))


def to_sign(message: bytes = MESSAGE) -> bytes:
    """What a key signs: PROTOCOL.sshsig."""
    fields = (NAMESPACE.encode(), b"", b"sha512", hashlib.sha512(message).digest())
    return b"SSHSIG" + b"".join(map(ssh_string, fields))


def mpint(number: int) -> bytes:
    return ssh_string(number.to_bytes(number.bit_length() // 8 + 1, "big"))


def refusal(signature: bytes, message: bytes = MESSAGE) -> str:
    with pytest.raises(Refused) as caught:
        verify_ssh(read_signature(signature), message)
    return str(caught.value)


@pytest.mark.parametrize(("kind", "bits"), KINDS)
def test_what_ssh_keygen_signs_verifies_and_nothing_else_does(tmp_path: Path, kind: str, bits: str) -> None:
    listed = make_ssh_key(tmp_path / "key", kind, bits)
    signature = read_signature(sign(tmp_path / "key"))

    verify_ssh(signature, MESSAGE)
    assert signature.key == key_of_line(listed.public_key)
    with pytest.raises(Refused, match=r"does not fit the statement: one of them is not as it was made"):
        verify_ssh(signature, MESSAGE + b" ")


def test_either_hash_that_ssh_keygen_offers_will_do(tmp_path: Path) -> None:
    make_ssh_key(tmp_path / "key")
    for hashing in ("sha256", "sha512"):
        signature = read_signature(sign(tmp_path / "key", MESSAGE, NAMESPACE, "-O", f"hashalg={hashing}"))
        assert signature.hashing == hashing
        verify_ssh(signature, MESSAGE)


def test_fingerprints_are_those_of_ssh_keygen(tmp_path: Path) -> None:
    listed = make_ssh_key(tmp_path / "key")
    told = subprocess.check_output(["ssh-keygen", "-l", "-f", tmp_path / "key"], text=True)
    key = key_of_line(listed.public_key + " a comment")
    assert key is not None
    assert fingerprint(key) == told.split()[1]


@pytest.mark.parametrize(
    "line", ["", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-ed25519 !", "ssh-rsa AAAAC3NzaC1lZDI1NTE5"]
)
def test_a_line_that_holds_no_key_is_told(line: str) -> None:
    assert key_of_line(line) is None


def test_a_signature_of_something_else_is_no_statement(tmp_path: Path) -> None:
    make_ssh_key(tmp_path / "key")
    assert refusal(sign(tmp_path / "key", MESSAGE, "git")) == (
        "the SSH signature is of the namespace 'git'; expected 'baton-act@v1', of statements"
    )


class SecurityKey:
    """A security key in software: it signs as PROTOCOL.u2f says."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        if kind == "sk-ssh-ed25519@openssh.com":
            self._ed25519 = Ed25519PrivateKey.generate()
            raw = self._ed25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            fields = [kind.encode(), raw, b"ssh:"]
        else:
            self._ecdsa = ec.generate_private_key(ec.SECP256R1())
            point = self._ecdsa.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            fields = [kind.encode(), b"nistp256", point, b"ssh:"]
        self.public = b"".join(map(ssh_string, fields))

    def sign(self, message: bytes = MESSAGE, *, flags: int = 1, application: bytes = b"ssh:") -> bytes:
        state = bytes([flags]) + (7).to_bytes(4, "big")
        signed = hashlib.sha256(application).digest() + state + hashlib.sha256(to_sign(message)).digest()
        if self.kind == "sk-ssh-ed25519@openssh.com":
            value = self._ed25519.sign(signed)
        else:
            value = b"".join(map(mpint, decode_dss_signature(self._ecdsa.sign(signed, ec.ECDSA(hashes.SHA256())))))
        return armoured(blob(self.public, ssh_string(self.kind.encode()) + ssh_string(value) + state))


@pytest.mark.parametrize("kind", ["sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"])
class TestSecurityKey:
    def test_counts_when_somebody_touched_it(self, kind: str, tmp_path: Path) -> None:
        key = SecurityKey(kind)
        signature = key.sign()
        (tmp_path / "signature").write_bytes(signature)

        verify_ssh(read_signature(signature), MESSAGE)
        check = ["ssh-keygen", "-Y", "check-novalidate", "-n", NAMESPACE, "-s", str(tmp_path / "signature")]
        subprocess.run(check, input=MESSAGE, check=True, timeout=PATIENCE, capture_output=True)
        assert "does not fit" in refusal(signature, b"another statement")

    def test_does_not_count_when_nobody_did(self, kind: str) -> None:
        assert refusal(SecurityKey(kind).sign(flags=0)).startswith("nobody touched the security key SHA256:")

    def test_signs_that_it_was_touched_and_for_whom(self, kind: str) -> None:
        key = SecurityKey(kind)
        untouched = dearmoured(key.sign(flags=0))
        claimed = untouched[:-5] + b"\x01" + untouched[-4:]
        assert "does not fit" in refusal(armoured(claimed))
        assert "does not fit" in refusal(key.sign(application=b"https://example.org"))


def rsa_signature(bits: int, algorithm: str, hashing: hashes.HashAlgorithm) -> bytes:
    private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    line = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    value = private.sign(to_sign(), padding.PKCS1v15(), hashing)
    return armoured(blob(base64.b64decode(line.split()[1]), ssh_string(algorithm.encode()) + ssh_string(value)))


def test_an_rsa_signature_must_not_rest_on_sha1_nor_on_a_short_key() -> None:
    verify_ssh(read_signature(rsa_signature(2048, "rsa-sha2-256", hashes.SHA256())), MESSAGE)

    sha1 = rsa_signature(2048, "ssh-rsa", hashes.SHA1())  # noqa: S303  # weak on purpose
    assert refusal(sha1).endswith("signed with 'ssh-rsa'; accepted: rsa-sha2-512 or rsa-sha2-256")
    short = rsa_signature(1024, "rsa-sha2-512", hashes.SHA512())
    assert refusal(short).endswith("is an RSA key of 1024 bits; accepted: 2048 or more")


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A good signature of each kind."""
    folder = tmp_path_factory.mktemp("keys")
    made = {}
    for kind, bits in KINDS:
        make_ssh_key(folder / f"{kind}{bits}", kind, bits)
        made[f"{kind}{bits}"] = sign(folder / f"{kind}{bits}")
    return {**made, "sk": SecurityKey("sk-ssh-ed25519@openssh.com").sign()}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda good: good + good, "expected one block"),
        (lambda good: b"text\n" + good, "expected one block"),
        (lambda good: good.replace(b"\n", b"\r\n"), "expected one block"),
        (lambda _: b"", "expected one block"),
        (lambda good: good * 100, "accepted: up to 16384"),
        (lambda good: armoured(dearmoured(good) + b"\0"), "followed by 1 bytes"),
        (lambda good: armoured(dearmoured(good)[:-1]), "ends 1 bytes early"),
        (lambda _: armoured(b""), "expected one block"),
        (lambda _: armoured(b"SSH"), "ends 3 bytes early"),
        (lambda _: armoured(blob(b"", b"", version=2)), "expected SSHSIG of version 1"),
        (lambda _: armoured(blob(b"", b"", reserved=b"x")), "reserved is filled"),
        (lambda _: armoured(blob(b"", b"", hashing=b"md5")), "hashes with 'md5'; accepted: sha256, sha512"),
        (lambda _: armoured(blob(b"", b"")), "ends 4 bytes early"),
        (lambda _: armoured(blob(b"", b"", namespace="n" * 65)), "a name of 65 bytes"),
    ],
)
def test_what_is_not_one_whole_signature_is_refused(
    signed: dict[str, bytes], change: Callable[[bytes], bytes], expected: str
) -> None:
    assert expected in refusal(change(signed["ed25519256"]))


def test_a_signature_has_one_form_only() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    line = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    key, algorithm = base64.b64decode(line.split()[1]), ssh_string(b"ecdsa-sha2-nistp256")
    r, s = decode_dss_signature(private.sign(to_sign(), ec.ECDSA(hashes.SHA256())))

    def signature(value: bytes, more: bytes = b"") -> bytes:
        return armoured(blob(key, algorithm + ssh_string(value) + more))

    good = signature(mpint(r) + mpint(s))
    verify_ssh(read_signature(good), MESSAGE)
    longer = ssh_string(b"\0" + mpint(r)[4:])
    for bad in (longer + mpint(s), mpint(r) + mpint(s) + b"\0", mpint(r), mpint(r) + ssh_string(b"\xff"), b""):
        assert "does not fit" in refusal(signature(bad))
    assert "followed by 1 bytes" in refusal(signature(mpint(r) + mpint(s), b"\0"))


def test_base64_has_one_form_only() -> None:
    good = next(made for length in range(40, 43) if b"==" in (made := armoured(blob(b"", b"x" * length))))
    at = good.index(b"==") - 1
    assert "base64 in its one form" in refusal(good[:at] + bytes([good[at] + 1]) + good[at + 1 :])


def test_a_key_of_a_kind_that_is_not_known_is_refused() -> None:
    key = ssh_string(b"ssh-dss") + ssh_string(b"x")
    assert "of the kind 'ssh-dss'; accepted: ssh-ed25519" in refusal(
        armoured(blob(key, ssh_string(b"ssh-dss") + ssh_string(b"x")))
    )


@settings(max_examples=300)
@given(data=st.data())
def test_a_changed_signature_never_verifies_and_only_ever_is_refused(
    signed: dict[str, bytes], data: st.DataObject
) -> None:
    good = dearmoured(signed[data.draw(st.sampled_from(sorted(signed)))])
    at, flip = data.draw(st.integers(0, len(good) - 1)), data.draw(st.integers(1, 255))
    cut = data.draw(st.sampled_from([slice(None), slice(None, at), slice(at, None)]))
    changed = (good[:at] + bytes([good[at] ^ flip]) + good[at + 1 :])[cut]
    with pytest.raises(Refused):
        verify_ssh(read_signature(armoured(changed)), MESSAGE)


@settings(max_examples=300)
@given(data=st.data())
def test_changed_text_of_a_signature_never_verifies(signed: dict[str, bytes], data: st.DataObject) -> None:
    good = signed["ecdsa256"]
    at, byte = data.draw(st.integers(0, len(good) - 2)), data.draw(st.integers(0, 255).map(lambda code: bytes([code])))
    changed = good[:at] + byte + good[at + 1 :]
    if changed != good:
        with pytest.raises(Refused):
            verify_ssh(read_signature(changed), MESSAGE)


@given(key=st.binary(max_size=60), signature=st.binary(max_size=60), kind=st.sampled_from([b"ssh-rsa", b"ssh-ed25519"]))
def test_hostile_bytes_are_refused(key: bytes, signature: bytes, kind: bytes) -> None:
    for inner in (key, ssh_string(kind) + key):
        for value in (signature, ssh_string(kind) + ssh_string(signature)):
            with pytest.raises(Refused):
                verify_ssh(read_signature(armoured(blob(inner, value))), MESSAGE)
