"""A signed statement as it travels: a DSSE envelope, or a Sigstore bundle with one inside.

This is the parser alone: what it returns is well formed, and nothing about it is proven. The forms are
DSSE (https://github.com/secure-systems-lab/dsse/blob/master/envelope.md) with exactly one signature, and the Sigstore
bundle (https://docs.sigstore.dev/about/bundle/) with a ``dsseEnvelope``.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

import rfc8785
from pydantic import ConfigDict, Field, StringConstraints, ValidationError

from baton.model.base import Digest, Value, digest_of
from baton.model.errors import Invalid
from baton.model.statement import PAYLOAD_TYPE, facts_of

MAX_ENVELOPE = 32 * 1024
"""How many bytes of JSON a signed statement may have; a Sigstore bundle with a long reason takes about a third."""

_BUNDLE = "application/vnd.dev.sigstore.bundle"

_Base64 = Annotated[str, StringConstraints(max_length=MAX_ENVELOPE)]


class Scheme(StrEnum):
    """How a statement is signed."""

    SSH = "ssh"
    OPENPGP = "openpgp"
    SIGSTORE = "sigstore"


class _Signature(Value):
    sig: _Base64
    keyid: Annotated[str, StringConstraints(max_length=300)] = ""


class _Dsse(Value):
    payload: _Base64
    payload_type: Literal["application/vnd.in-toto+json"] = Field(alias="payloadType")
    signatures: tuple[_Signature] = Field(min_length=1, max_length=1)


class _Bundle(Value):
    model_config = ConfigDict(extra="ignore")

    media_type: str = Field(alias="mediaType", pattern=rf"^{_BUNDLE}")
    dsse: _Dsse = Field(alias="dsseEnvelope")


@dataclass(frozen=True)
class Envelope:
    """A well-formed signed statement.

    Attributes:
        text: the whole of it as canonical JSON (RFC 8785), which is how it is kept.
        kind: how it is signed.
        payload: the statement's bytes.
        signature: the signature's bytes, in its kind's own form.
        keyid: what the envelope says of the key; a hint that proves nothing.
    """

    text: str
    kind: Scheme
    payload: bytes
    signature: bytes
    keyid: str

    @property
    def digest(self) -> Digest:
        """The name of the kept text."""
        return digest_of(self.text.encode())

    @property
    def payload_type(self) -> str:
        """The payload's media type; there is only one."""
        return PAYLOAD_TYPE

    @property
    def signed_bytes(self) -> bytes:
        """What the signature is over: DSSE's pre-authentication encoding of the payload."""
        return pae(self.payload)


def pae(payload: bytes) -> bytes:
    """DSSE v1's pre-authentication encoding of a statement (``protocol.md``, "Signature Definition")."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def is_envelope(message: object) -> bool:
    """Whether a message looks like a signed statement, well formed or not, rather than a plain act."""
    return isinstance(message, dict) and ("payloadType" in message or "mediaType" in message)


def require_small(message: object) -> None:
    """Keep out decoded JSON that takes more room than a signed statement may, in a time that its size does not change.

    Everything in it counts for no more bytes than it has in JSON; what passes may still prove too large in full.

    Raises:
        Invalid: it is too large.
    """
    room, rest = MAX_ENVELOPE, [message]
    while rest:
        part = rest.pop()
        room -= len(part) if isinstance(part, str | list | dict) else 1
        if room < 0:
            raise Invalid(f"the message has more than the {MAX_ENVELOPE:,} bytes that are taken")
        if isinstance(part, list):
            rest.extend(part)
        elif isinstance(part, dict):
            rest.extend(part)
            rest.extend(part.values())


def open_envelope(message: object) -> Envelope:
    """Read a signed statement from decoded JSON.

    Raises:
        Invalid: it is too large or not of the form; the message says what was expected.
    """
    require_small(message)
    try:
        text = rfc8785.dumps(message)  # type: ignore[arg-type]  # it refuses what is not JSON by itself
    except (rfc8785.CanonicalizationError, RecursionError, ValueError) as error:
        raise Invalid("the envelope is not plain JSON") from error
    if len(text) > MAX_ENVELOPE:
        raise Invalid(f"the envelope has {len(text):,} bytes; at most {MAX_ENVELOPE:,} are taken")
    sealed_by_sigstore = isinstance(message, dict) and "mediaType" in message
    try:
        dsse = _Bundle.model_validate(message).dsse if sealed_by_sigstore else _Dsse.model_validate(message)
    except ValidationError as error:
        form = "a Sigstore bundle with a DSSE envelope" if sealed_by_sigstore else "a DSSE envelope"
        raise Invalid(f"this is not {form} of one signature over {PAYLOAD_TYPE}: {facts_of(error)}") from error
    (signature,) = dsse.signatures
    return Envelope(
        text=text.decode(),
        kind=Scheme.SIGSTORE if sealed_by_sigstore else _scheme(signature.keyid),
        payload=_decoded(dsse.payload, "payload"),
        signature=_decoded(signature.sig, "signature"),
        keyid=signature.keyid,
    )


def read_envelope(text: str | bytes) -> Envelope:
    """Read a signed statement from JSON text; raises like :func:`open_envelope`."""
    if len(text) > 2 * MAX_ENVELOPE:
        raise Invalid(f"the envelope has {len(text):,} bytes; at most {MAX_ENVELOPE:,} are taken")
    try:
        message: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"the envelope is not JSON: {facts_of(error)}") from error
    return open_envelope(message)


def _scheme(keyid: str) -> Scheme:
    name = keyid.partition(":")[0]
    if name in (Scheme.SSH, Scheme.OPENPGP):
        return Scheme(name)
    raise Invalid(f"the envelope's keyid begins with neither ssh: nor openpgp:, but is {keyid[:80]!r}")


def _decoded(text: str, what: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid(f"the envelope's {what} is not base64") from error
