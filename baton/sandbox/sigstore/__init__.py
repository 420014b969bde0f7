"""A local Sigstore instance, for DEVELOPMENT AND TESTS ONLY: it hands an identity to whoever asks for one.

One process on one loopback port plays every part that a Sigstore client talks to: an OpenID Connect issuer, a
Fulcio-profile certificate authority with a certificate transparency log key, Rekor v2 and v1 transparency logs, and an
RFC 3161 timestamp authority. The client side is the real, unmodified ``sigstore`` library and command line.

This module holds what the rest of Baton needs to know about an instance without importing the server: the names it
puts into certificates, and how to tell its trust root from a real one. The server is in
:mod:`baton.sandbox.sigstore.server`, the command is ``python -m baton.sandbox.sigstore``.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Final

from baton.model.errors import Invalid

SANDBOX_MARKER: Final = "BATON SANDBOX - DEVELOPMENT ONLY"
"""The organization in the subject of every authority certificate, and the operator of every service, of an instance."""

SANDBOX_DOMAIN: Final = "sandbox.baton.invalid"
"""The domain of every name an instance makes up. RFC 6761 keeps ``.invalid`` from ever being a real one."""

ISSUER: Final = f"https://oidc.{SANDBOX_DOMAIN}"
"""The ``iss`` of the instance's own tokens, hence the issuer in certificates. It is a name and not an address: an
instance that comes up on another port still is the same issuer, and what it signed before still verifies."""


def machine_identity(name: str) -> str:
    """The URI that a machine of this name has as its certificate identity (its subject alternative name)."""
    return f"https://{SANDBOX_DOMAIN}/machines/{name}"


def is_sandbox_trust_root(document: str | bytes) -> bool:
    """Whether any part of a trust root belongs to a sandbox instance, so that a real plan can refuse it.

    The answer is a guard against mistakes, not against malice: it goes by the names in the authorities' certificates
    and in the logs' addresses, and whoever runs an instance could rename them.

    Args:
        document: the JSON of a Sigstore ``TrustedRoot``, or of a ``ClientTrustConfig``, which contains one.

    Raises:
        Invalid: it is neither of the two.
    """
    try:
        outer = json.loads(document)
        root = outer.get("trustedRoot", outer)
        authorities = [*root["certificateAuthorities"], *root.get("timestampAuthorities", [])]
        certificates = [_der(entry) for authority in authorities for entry in authority["certChain"]["certificates"]]
        addresses = [str(log["baseUrl"]) for log in (*root["tlogs"], *root["ctlogs"])]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid(
            "expected a Sigstore TrustedRoot or ClientTrustConfig in JSON, found something else "
            f"({type(error).__name__}: {error})"
        ) from error
    return any(SANDBOX_MARKER.encode() in der for der in certificates) or any(
        SANDBOX_DOMAIN in address for address in addresses
    )


def _der(certificate: dict[str, Any]) -> bytes:
    return base64.b64decode(certificate["rawBytes"], validate=True)
