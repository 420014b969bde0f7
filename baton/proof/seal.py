"""Signing a statement with a person's key."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import rfc8785

from baton.model.envelope import pae
from baton.model.statement import PAYLOAD_TYPE
from baton.proof.openpgp_key import OpenPgpSigningKey
from baton.proof.ssh_key import SshSigningKey

if TYPE_CHECKING:
    from baton.proof.find import SigningKey


def seal(statement: bytes, key: SigningKey) -> str:
    """Sign a statement, and verify the signature.

    Args:
        statement: an in-toto Statement in JSON; see :func:`baton.model.statement.statement_of`.
        key: as :func:`baton.proof.find.find_key` found it. It may ask for a passphrase, a PIN, a touch, or for signing
            in: see its ``asks``.

    Returns:
        The JSON of a DSSE envelope with one signature; of a Sigstore identity, of a bundle that holds one. It is what
        :func:`baton.model.envelope.read_envelope` reads.

    Raises:
        Missing: a program, or a token, is not there.
        Failed: the program that keeps the key does not sign, or Sigstore makes what does not count.
        Invalid, Refused, Unavailable: as :meth:`baton.proof.sigstore_key.SigstoreSigningKey.sign`.
    """
    if not isinstance(key, SshSigningKey | OpenPgpSigningKey):
        return key.sign(statement)
    signature = key.sign(pae(statement))
    envelope: dict[str, Any] = {
        "payload": base64.b64encode(statement).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": key.keyid, "sig": base64.b64encode(signature).decode()}],
    }
    return rfc8785.dumps(envelope).decode()
