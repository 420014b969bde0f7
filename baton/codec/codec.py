"""The payload codec: AES-256-GCM (NIST SP 800-38D), each ciphertext bound to its key, namespace and project.

A payload that was not encrypted with one of the process's keys, or was encrypted for another place, is refused: what
it says is replaced by why. Only where a *key* is missing does decoding fail, since giving the key mends that.
"""

from __future__ import annotations

import json
import logging
import secrets
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec, WithSerializationContext

from baton.codec.scope import NO_PROJECT, Scope
from baton.model.errors import Missing, Refused
from baton.model.hearing import REFUSED_IN_TRANSIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from temporalio.converter import SerializationContext

    from baton.codec.keys import CodecKey, Keyring

ENCODING = b"binary/encrypted"
"""The encoding of an encrypted payload, as Temporal's samples name it."""

KEY_ID, PROJECT = "baton-key", "baton-project"
"""The metadata of an encrypted payload: readable by everyone, and part of what the ciphertext is bound to."""

_NONCE = 12
"""Bytes, random for each payload: safe for 2**32 payloads with one key (NIST SP 800-38D, section 8.3)."""

_PLAIN = (
    "it came unencrypted, and this project's releases take only what is encrypted: say it with `baton`, or give the "
    "temporal CLI or the Web UI the address of the codec server"
)
_FOREIGN = "it was encrypted for another namespace or project, or changed on its way"

log = logging.getLogger("baton.codec")


class Codec(PayloadCodec, WithSerializationContext):
    """Encrypts and decrypts a process's payloads.

    Args:
        keyring: the process's keys. What belongs to a project that none of them fits is not encrypted.
        scope: where payloads belong; the SDK narrows it to the project of each workflow.
        allow_plain: take unencrypted payloads as they are: releases that began before there were keys can then end.
        serving: for a worker, which goes on after a payload that it refuses, since anyone who may write to the
            namespace can send such; it takes the payload for a message that can't be read. Others raise.
    """

    def __init__(self, keyring: Keyring, scope: Scope, *, allow_plain: bool = False, serving: bool = False) -> None:
        self._keyring = keyring
        self._scope = scope
        self._allow_plain = allow_plain
        self._serving = serving

    def with_context(self, context: SerializationContext) -> Codec:
        """Narrow the codec to what the SDK is about to convert; called by the SDK."""
        scope = self._scope.inside(context)
        if scope == self._scope:
            return self
        return Codec(self._keyring, scope, allow_plain=self._allow_plain, serving=self._serving)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt payloads; called by the SDK.

        Raises:
            Refused: what belongs to no project that the codec knows of would be sent unencrypted.
        """
        if not self._keyring:
            return list(payloads)
        project = self._scope.project or NO_PROJECT
        key = self._keyring.encrypting(project)
        if key is None and self._scope.project is None:
            raise Refused(
                "nothing says which project this payload belongs to, and each of this process's keys "
                f"({self._keyring.ids()}) is bound to one: it is not sent unencrypted"
            )
        return list(payloads) if key is None else [self._encrypt(payload, key, project) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt payloads; called by the SDK.

        Raises:
            Missing: one was encrypted with a key that this process does not have.
            Refused: one is refused, and the codec does not serve a worker.
        """
        return [self._decode(payload) for payload in payloads]

    def _decode(self, payload: Payload) -> Payload:
        if is_encrypted(payload):
            return self._decrypt(payload)
        if self._allow_plain or self._scope.project is None or self._keyring.encrypting(self._scope.project) is None:
            return payload
        return self._refuse(_PLAIN)

    def _encrypt(self, payload: Payload, key: CodecKey, project: str) -> Payload:
        nonce = secrets.token_bytes(_NONCE)
        bound = self._bound_to(key.id, project)
        return Payload(
            metadata={"encoding": ENCODING, KEY_ID: key.id.encode(), PROJECT: project.encode()},
            data=nonce + AESGCM(key.secret).encrypt(nonce, payload.SerializeToString(), bound),
        )

    def _decrypt(self, payload: Payload) -> Payload:
        key_id, project = _said(payload, KEY_ID), project_in(payload)
        key = self._keyring.find(key_id)
        if key is None:
            raise self._without_key(key_id, project)
        if self._scope.project not in (None, project) or not key.fits(project):
            return self._refuse(_FOREIGN)
        nonce, sealed = payload.data[:_NONCE], payload.data[_NONCE:]
        try:
            opened = AESGCM(key.secret).decrypt(nonce, sealed, self._bound_to(key_id, project))
            return Payload.FromString(opened)
        except (InvalidTag, ValueError, DecodeError):
            return self._refuse(_FOREIGN)

    def _bound_to(self, key_id: str, project: str) -> bytes:
        return json.dumps(["baton-codec-1", key_id, self._scope.namespace, project]).encode()

    def _without_key(self, key_id: str, project: str) -> Missing:
        facts = (
            f"a payload of {project[:64]!r} is encrypted with key {key_id[:20]!r}, which this process does not have; "
            f"it has {self._keyring.ids()}: give it the key in BATON_CODEC_KEYS_FILE and start it again"
        )
        if self._serving:
            # The SDK tells the server, where people see it; whoever looks after this worker looks here.
            log.error("%s", facts)
        return Missing(facts)

    def _refuse(self, why: str) -> Payload:
        if not self._serving:
            raise Refused(f"Temporal gave something that is not taken: {why}")
        log.warning("refused a payload of %s in namespace %s: %s", self._scope.project, self._scope.namespace, why)
        return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps({REFUSED_IN_TRANSIT: why}).encode())


def is_encrypted(payload: Payload) -> bool:
    """Whether the codec made this payload, or somebody who wants it to seem so."""
    return payload.metadata.get("encoding") == ENCODING


def project_in(payload: Payload) -> str:
    """The project that an encrypted payload says it belongs to."""
    return _said(payload, PROJECT)


def _said(payload: Payload, name: str) -> str:
    return payload.metadata.get(name, b"").decode(errors="replace")
