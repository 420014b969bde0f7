"""The files with OpenPGP public keys that a `release.toml` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.project.problem import Fault
from baton.project.roster_tables import OpenPgpKeyTable
from baton.project.signing_policy import signing_parts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from baton.project.problem import Place
    from baton.project.schema import ReleaseFile

LARGEST = 32 * 1024
"""In bytes. Keys travel with the plan; without other people's signatures on it a key has a few thousand."""

BEGINNING = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
"""The first line of an armoured public key (RFC 9580, section 6.2.1)."""


def named(settings: ReleaseFile) -> Iterator[tuple[Place, str, str]]:
    """Every key file that is named: where, the fingerprint of the key, the path as written."""
    for number, person in enumerate(settings.roster):
        for index, key in enumerate(person.keys):
            if isinstance(key, OpenPgpKeyTable) and key.public_key_file is not None:
                yield ("roster", number, "keys", index), key.fingerprint, key.public_key_file
    for place, table in signing_parts(settings):
        if table.team is not None:
            yield (*place, "team"), table.team.fingerprint, table.team.public_key_file


def read_all(settings: ReleaseFile, folder: Path) -> tuple[dict[str, str], list[Fault]]:
    """Read every key file that is named.

    Returns:
        The armoured keys by their path as written, and what is wrong with the others.
    """
    keys: dict[str, str] = {}
    faults: list[Fault] = []
    for place, _, path in named(settings):
        try:
            keys[path] = _armoured_key(folder / path)
        except ValueError as error:
            faults.append(Fault((*place, "public-key-file"), f'found "{path}"; {error}'))
    return keys, faults


def content_of(file: Path, largest: int) -> bytes:
    """What a public file holds, up to one byte more than it may have.

    Raises:
        ValueError: it can't be read, or holds a private key.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(largest + 1)
    except OSError as error:
        raise ValueError(f"it can't be read: {error.strerror}") from error
    if b"PRIVATE KEY" in content:
        raise ValueError("it holds a private key; take it away from here, and export the public one")
    return content


def _armoured_key(file: Path) -> str:
    content = content_of(file, LARGEST)
    if len(content) > LARGEST:
        raise ValueError(f"it has more than {LARGEST:,} bytes; export it with --export-options export-minimal")
    if not content.startswith(BEGINNING.encode()) or not content.isascii():
        raise ValueError(f"accepted: an armoured public key that begins with {BEGINNING}")
    return content.decode("ascii")
