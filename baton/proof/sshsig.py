"""SSH signatures in OpenSSH's SSHSIG format, read strictly.

The format is that of PROTOCOL.sshsig, security keys' that of PROTOCOL.u2f, both in
https://github.com/openssh/openssh-portable; its encodings are RFC 4251, section 5.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from baton.model.errors import Refused

LARGEST_SIGNATURE = 16 * 1024
"""Bytes, armoured; one by an RSA key of 16,384 bits, the longest that OpenSSH knows, has less than 6,000."""

_ARMOUR = re.compile(
    rb"-----BEGIN SSH SIGNATURE-----\n((?:[A-Za-z0-9+/=]{1,76}\n)+)-----END SSH SIGNATURE-----\n?",
)
_MAGIC = b"SSHSIG"
_VERSION = 1
_HASHES = frozenset({"sha256", "sha512"})
_SECURITY_KEY = "sk-"
_LONGEST_NAME = 64


@dataclass(frozen=True)
class SecurityKeyUse:
    """What a security key adds to what it signs.

    Attributes:
        flags: bit 0 says that somebody touched it, bit 2 that it knows who (PROTOCOL.u2f).
        counter: how often it has signed.
    """

    flags: int
    counter: int

    @property
    def touched(self) -> bool:
        """Whether somebody was there and touched it."""
        return bool(self.flags & 1)


@dataclass(frozen=True)
class SshSignature:
    """One signature, as it says of itself: nothing here is proven.

    Attributes:
        key: the public key in SSH's encoding.
        namespace: what kind of thing is signed, so that it can't pass for another.
        hashing: how the message is hashed: ``sha256`` or ``sha512``.
        algorithm: how it is signed: ``ssh-ed25519``, ``rsa-sha2-512``, …
        value: the signature itself, in the algorithm's own encoding.
        use: of a security key only.
    """

    key: bytes
    namespace: str
    hashing: str
    algorithm: str
    value: bytes
    use: SecurityKeyUse | None

    @property
    def fingerprint(self) -> str:
        """The key's, as ``ssh-keygen -l`` prints it: ``SHA256:…``."""
        return fingerprint(self.key)

    def signed_bytes(self, message: bytes) -> bytes:
        """What the key signs for a message; a security key wraps it once more."""
        digest = hashlib.new(self.hashing, message).digest()
        fields = (self.namespace.encode(), b"", self.hashing.encode(), digest)
        return _MAGIC + b"".join(ssh_string(field) for field in fields)


def read_signature(armoured: bytes) -> SshSignature:
    """Read what ``ssh-keygen -Y sign`` writes: one armoured block and nothing else.

    Raises:
        Refused: it is anything else.
    """
    if len(armoured) > LARGEST_SIGNATURE:
        raise Refused(f"the SSH signature has {len(armoured)} bytes; accepted: up to {LARGEST_SIGNATURE}")
    match = _ARMOUR.fullmatch(armoured)
    if match is None:
        raise Refused("the signature is no SSH signature: expected one block as `ssh-keygen -Y sign` writes it")
    try:
        return _read(Fields(_decoded(match[1].replace(b"\n", b""))))
    except ValueError as error:
        raise Refused(f"the SSH signature can't be read: {error}") from error


def fingerprint(key: bytes) -> str:
    """A public key's name, as ``ssh-keygen -l`` prints it: ``SHA256:…``."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def key_of_line(line: str) -> bytes | None:
    """The public key in a line of ``authorized_keys`` without options, in SSH's encoding; None if there is none."""
    words = line.split(maxsplit=2)
    try:
        key = _decoded(words[1].encode())
        return key if Fields(key).name() == words[0] else None
    except (ValueError, IndexError):
        return None


def ssh_string(content: bytes) -> bytes:
    """RFC 4251's ``string``."""
    return len(content).to_bytes(4, "big") + content


class Fields:
    """Reads RFC 4251's encodings one after the other; what does not fit raises ValueError."""

    def __init__(self, content: bytes) -> None:
        self._rest = content

    def take(self, count: int) -> bytes:
        """So many bytes."""
        if count > len(self._rest):
            raise ValueError(f"it ends {count - len(self._rest)} bytes early")
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def number(self) -> int:
        """``uint32``."""
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        """``string``."""
        return self.take(self.number())

    def name(self) -> str:
        """A ``string`` that names something: short, and in ASCII (RFC 4251, section 6)."""
        content = self.string()
        if len(content) > _LONGEST_NAME:
            raise ValueError(f"it holds a name of {len(content)} bytes; accepted: up to {_LONGEST_NAME}")
        return content.decode("ascii")

    def positive(self) -> int:
        """An ``mpint`` above zero, in its one encoding."""
        content = self.string()
        number = int.from_bytes(content, "big", signed=True)
        if number <= 0 or len(content) != number.bit_length() // 8 + 1:
            raise ValueError("it holds a number that is not positive, or not in its one form")
        return number

    def last_string(self) -> bytes:
        """The last of the strings that are left."""
        content = self.string()
        while self._rest:
            content = self.string()
        return content

    def end(self) -> None:
        """Nothing may be left."""
        if self._rest:
            raise ValueError(f"it is followed by {len(self._rest)} bytes that do not belong to it")


def _read(fields: Fields) -> SshSignature:
    if fields.take(len(_MAGIC)) != _MAGIC or fields.number() != _VERSION:
        raise ValueError(f"expected {_MAGIC.decode()} of version {_VERSION}")
    key, namespace, reserved = fields.string(), fields.name(), fields.string()
    if reserved:
        raise ValueError("a field that is reserved is filled")
    hashing = fields.name()
    if hashing not in _HASHES:
        raise ValueError(f"it hashes with {hashing!r}; accepted: {', '.join(sorted(_HASHES))}")
    signature = Fields(fields.string())
    fields.end()
    algorithm, value = signature.name(), signature.string()
    use = SecurityKeyUse(signature.take(1)[0], signature.number()) if algorithm.startswith(_SECURITY_KEY) else None
    signature.end()
    return SshSignature(key, namespace, hashing, algorithm, value, use)


def _decoded(text: bytes) -> bytes:
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from error
    if base64.b64encode(content) != text:
        raise ValueError("not base64 in its one form (RFC 4648, section 3.5)")
    return content
