"""Whether an SSH signature is by the key that it carries.

Verified in process, with `cryptography`: a worker needs no OpenSSH for it, and what ``ssh-keygen -Y verify`` leaves to
its caller is checked as well: that somebody touched the security key. The tests hold it against ``ssh-keygen``.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from baton.model.errors import Refused
from baton.proof.sshsig import Fields

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.serialization import SSHPublicKeyTypes

    from baton.proof.sshsig import SecurityKeyUse, SshSignature

NAMESPACE = "baton-act@v1"
"""What people's statements are signed as. A signature of a commit, a file or a login is of another namespace, so that
none of them can pass for a statement, nor a statement for them. In ``allowed_signers``: ``namespaces="baton-act@v1"``.
"""

SMALLEST_RSA = 2048
"""Bits; NIST SP 800-131A Rev. 2 accepts no fewer."""

_ALGORITHMS = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
    **{
        kind: (kind,)
        for kind in (
            "ecdsa-sha2-nistp256",
            "ecdsa-sha2-nistp384",
            "ecdsa-sha2-nistp521",
            "sk-ssh-ed25519@openssh.com",
            "sk-ecdsa-sha2-nistp256@openssh.com",
        )
    },
}
"""How each kind of key signs. The algorithm ``ssh-rsa`` rests on SHA-1 and is not accepted (RFC 8332)."""

_ECDSA_HASHES = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}
"""By the curve's size in bits (RFC 5656, section 6.2.1)."""


def verify_ssh(signature: SshSignature, message: bytes) -> None:
    """Verify a signature with the key that it carries. Whose key that is, is for the caller to judge.

    Args:
        signature: what was read.
        message: what has to be signed.

    Raises:
        Refused: the signature does not fit, or is of another namespace, by a key or an algorithm that is too weak or
            unknown, or by a security key that nobody touched.
    """
    if signature.namespace != NAMESPACE:
        raise Refused(
            f"the SSH signature is of the namespace {signature.namespace!r}; expected {NAMESPACE!r}, of statements"
        )
    key = _load(signature)
    signed = signature.signed_bytes(message)
    if signature.use is not None:
        signed = _by_security_key(signature.key, signature.use, signed)
    if not _fits(key, signature, signed):
        raise Refused(
            f"the signature by the ssh key {signature.fingerprint} does not fit the statement: one of them is not as "
            "it was made"
        )
    if signature.use is not None and not signature.use.touched:
        raise Refused(
            f"nobody touched the security key {signature.fingerprint} when it signed; "
            "use one that was made without `-O no-touch-required`"
        )


def _load(signature: SshSignature) -> SSHPublicKeyTypes:
    name = f"ssh key {signature.fingerprint}"
    try:
        kind = Fields(signature.key).name()
        accepted = _ALGORITHMS[kind]
        key = load_ssh_public_key(kind.encode() + b" " + base64.b64encode(signature.key))
    except KeyError as error:
        raise Refused(f"{name} is of the kind {error}; accepted: {', '.join(_ALGORITHMS)}") from None
    except (ValueError, NotImplementedError, UnsupportedAlgorithm) as error:
        raise Refused(f"{name} can't be read: {error}") from error
    if signature.algorithm not in accepted:
        raise Refused(f"{name} signed with {signature.algorithm!r}; accepted: {' or '.join(accepted)}")
    if isinstance(key, RSAPublicKey) and key.key_size < SMALLEST_RSA:
        raise Refused(f"{name} is an RSA key of {key.key_size} bits; accepted: {SMALLEST_RSA} or more")
    return key


def _by_security_key(key: bytes, use: SecurityKeyUse, signed: bytes) -> bytes:
    """What a security key signs: for whom it does, that it was touched, how often it signed, and the rest.

    The application is the last field of its public key (PROTOCOL.u2f, "SSH U2F Signatures").
    """
    application = hashlib.sha256(Fields(key).last_string()).digest()
    state = use.flags.to_bytes(1, "big") + use.counter.to_bytes(4, "big")
    return application + state + hashlib.sha256(signed).digest()


def _fits(key: SSHPublicKeyTypes, signature: SshSignature, signed: bytes) -> bool:
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature.value, signed)
        elif isinstance(key, RSAPublicKey):
            hashing = hashes.SHA512() if signature.algorithm == "rsa-sha2-512" else hashes.SHA256()
            # Some agents leave leading zeros out.
            value = signature.value.rjust((key.key_size + 7) // 8, b"\0")
            key.verify(value, signed, padding.PKCS1v15(), hashing)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(_der(signature.value), signed, ec.ECDSA(_ECDSA_HASHES[key.curve.key_size]))
        else:
            return False
    except (InvalidSignature, ValueError):
        return False
    return True


def _der(value: bytes) -> bytes:
    """SSH's two numbers of an ECDSA signature (RFC 5656, section 3.1.2) as `cryptography` takes them."""
    fields = Fields(value)
    r, s = fields.positive(), fields.positive()
    fields.end()
    return encode_dss_signature(r, s)
