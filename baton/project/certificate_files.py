"""The files with certificates that a `release.toml` names: by whose word a platform's signature is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates

from baton.project.key_files import content_of
from baton.project.platform_tables import AuthenticodeTable
from baton.project.problem import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from baton.project.problem import Place
    from baton.project.schema import ReleaseFile

LARGEST = 40_000
"""In bytes. Certificates travel with the plan; one has about two thousand."""


def named(settings: ReleaseFile) -> Iterator[tuple[Place, str]]:
    """Every file with certificates that is named: where, the path as written."""
    for index, table in enumerate(settings.platform_signing):
        if isinstance(table.signing, AuthenticodeTable):
            place: Place = ("platform-signing", index, "signing", "signer")
            yield (*place, "roots"), table.signing.signer.roots
            yield (*place, "timestamp-roots"), table.signing.signer.timestamp_roots


def read_all(settings: ReleaseFile, folder: Path) -> tuple[dict[str, str], list[Fault]]:
    """Read every file with certificates that is named.

    Returns:
        The certificates in PEM form (RFC 7468), one after the other and nothing else, by the path as written; and what
        is wrong with the other files.
    """
    certificates: dict[str, str] = {}
    faults: list[Fault] = []
    for place, path in named(settings):
        try:
            certificates[path] = _certificates(folder / path)
        except ValueError as error:
            faults.append(Fault(place, f'found "{path}"; {error}'))
    return certificates, faults


def _certificates(file: Path) -> str:
    content = content_of(file, LARGEST)
    if len(content) > LARGEST:
        raise ValueError(f"it has more than {LARGEST:,} bytes; keep the authorities in it that are meant")
    try:
        found = load_pem_x509_certificates(content)
    except ValueError as error:
        raise ValueError("accepted: certificates in PEM form, which begin with -----BEGIN CERTIFICATE-----") from error
    return "".join(certificate.public_bytes(Encoding.PEM).decode("ascii") for certificate in found)
