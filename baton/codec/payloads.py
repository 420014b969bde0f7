"""What the codec server does with payloads: Temporal's remote codec, for one person and what they may read.

The protocol: https://docs.temporal.io/codec-server and ``codec-server/protocol.md`` in temporalio/samples-go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.json_format import MessageToJson, Parse, ParseError
from temporalio.api.common.v1 import Payload, Payloads

from baton.codec.codec import Codec, is_encrypted, project_in
from baton.codec.scope import Scope
from baton.model.errors import Invalid, Missing, Refused

if TYPE_CHECKING:
    from baton.codec.keys import Keyring

MOST = 10_000
"""Payloads in one request; the Web UI asks for those of one event or page at a time."""


def parse(body: bytes) -> list[Payload]:
    """Read a request's body: the JSON form of ``temporal.api.common.v1.Payloads``.

    Raises:
        Invalid: it is something else, or too much.
    """
    try:
        read = Parse(body, Payloads(), ignore_unknown_fields=True)
    except (ParseError, UnicodeDecodeError, RecursionError):
        raise Invalid('the body is not {"payloads": [...]} as Temporal writes it') from None
    if len(read.payloads) > MOST:
        raise Invalid(f"{len(read.payloads)} payloads are too many at once; at most {MOST}")
    return list(read.payloads)


def dump(payloads: list[Payload]) -> str:
    """The body of an answer."""
    return MessageToJson(Payloads(payloads=payloads), indent=None)


async def decoded(payloads: list[Payload], keyring: Keyring, namespace: str, readable: frozenset[str]) -> list[Payload]:
    """Payloads as somebody may read them. What no key of the server's opens stays as it is, and so does what is plain.

    Raises:
        Refused: one belongs to a project that they may not read.
    """
    return [await _decoded(payload, keyring, namespace, readable) for payload in payloads]


async def _decoded(payload: Payload, keyring: Keyring, namespace: str, readable: frozenset[str]) -> Payload:
    if not is_encrypted(payload):
        return payload
    project = project_in(payload)
    if project not in readable:
        raise Refused(f"you may not read what belongs to {project[:64]!r}")
    try:
        (opened,) = await Codec(keyring, Scope(namespace, project)).decode([payload])
    except (Missing, Refused):
        return payload
    return opened


async def encoded(payloads: list[Payload], keyring: Keyring, namespace: str, project: str) -> list[Payload]:
    """The same payloads encrypted for a project; what is encrypted already stays as it is.

    Raises:
        Missing: the server has no key for the project.
    """
    if keyring.encrypting(project) is None:
        raise Missing(f"the codec server has no key for {project}: nothing was encrypted")
    codec = Codec(keyring, Scope(namespace, project))
    return [payload if is_encrypted(payload) else (await codec.encode([payload]))[0] for payload in payloads]
