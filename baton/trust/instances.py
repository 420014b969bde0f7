"""Which Sigstore: an instance's trust configuration, and the guard that keeps the sandbox's apart from real ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import ValidationError
from sigstore.errors import Error as SigstoreError
from sigstore.models import ClientTrustConfig

from baton.model.errors import Failed, Invalid, Missing, Refused, Unavailable
from baton.model.signing import SigstoreInstance

if TYPE_CHECKING:
    from pathlib import Path

_DOMAINS = {SigstoreInstance.PUBLIC: "sigstore.dev", SigstoreInstance.STAGING: "sigstage.dev"}
"""Where the certificate authorities of the instances that Sigstore runs are."""


def trust_configuration(
    instance: SigstoreInstance, file: Path | None = None, *, offline: bool = False
) -> ClientTrustConfig:
    """What a client of an instance trusts, and where it signs.

    Args:
        instance: which one is meant.
        file: its client trust configuration; without one, that of the public or staging instance comes by TUF.
        offline: take the copy that came with the sigstore library or was fetched before, instead of refreshing it.

    Raises:
        Missing: there is no such file; or the sandbox is meant, which is known from its file only.
        Invalid: the file is not a client trust configuration.
        Refused: the file is another instance's: the sandbox's for a real one, or a real one's for the sandbox.
        Unavailable: the trust root could not be refreshed.
    """
    if file is not None:
        return _from_file(instance, file)
    if instance is SigstoreInstance.SANDBOX:
        raise Missing(
            "the sandbox's Sigstore instance is known from its trust configuration file only: set "
            "BATON_SIGSTORE_TRUST_CONFIG, or give --trust-config FILE"
        )
    fetch = ClientTrustConfig.production if instance is SigstoreInstance.PUBLIC else ClientTrustConfig.staging
    try:
        return fetch(offline=offline)
    except SigstoreError as error:
        raise Unavailable(
            f"the trust root of Sigstore's {instance} instance could not be refreshed: {_root_cause(error)}; "
            "try again, or use the copy at hand with --offline"
        ) from error
    except OSError as error:
        raise Failed(f"the trust root of Sigstore's {instance} instance can't be kept here: {error}") from error


def _from_file(instance: SigstoreInstance, file: Path) -> ClientTrustConfig:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Missing(f"can't read the Sigstore trust configuration {file}: {error}") from error
    try:
        config = ClientTrustConfig.from_json(text)
        hosts = {
            urlsplit(authority["uri"]).hostname or ""
            for authority in json.loads(text)["trustedRoot"]["certificateAuthorities"]
        }
    except (ValueError, ValidationError, KeyError, TypeError, SigstoreError) as error:
        raise Invalid(f"{file} is not a Sigstore client trust configuration: {str(error)[:300]}") from error
    _require_instance(instance, hosts, file)
    return config


def _require_instance(instance: SigstoreInstance, hosts: set[str], file: Path) -> None:
    """Guard against mistakes, not malice: who can change the worker's settings can change more."""
    real = {host for host in hosts if any(_is_in(host, domain) for domain in _DOMAINS.values())}
    expected = _DOMAINS.get(instance)
    fits = not real if expected is None else bool(hosts) and all(_is_in(host, expected) for host in hosts)
    if not fits:
        wanted = f"only ones in {expected}" if expected else "none that Sigstore runs"
        raise Refused(
            f"{file} is not of the {instance} instance that is meant: its certificate authorities are at "
            f"{', '.join(sorted(hosts)) or 'nowhere'}; expected {wanted}"
        )


def _root_cause(error: BaseException) -> str:
    """The innermost cause that says anything: the library's own errors only say that something went wrong."""
    told = str(error)
    cause = error.__cause__ or error.__context__
    return (_root_cause(cause) or told) if cause is not None else told


def _is_in(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")
