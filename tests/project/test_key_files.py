from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from baton.project.key_files import LARGEST

if TYPE_CHECKING:
    from tests.project.conftest import Writer

GRACE = ('name = "Grace"', 'name = "Grace"\nkeys = [{{ kind = "openpgp", fingerprint = "{0}", {1} }}]')
BEGIN = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n"


def grace_with(file: str) -> tuple[str, str]:
    return GRACE[0], GRACE[1].format("C" * 40, f'public-key-file = "{file}"')


def test_a_key_file_is_read_from_beside_the_file(release_toml: Writer) -> None:
    (release_toml.folder / "keys").mkdir()
    (release_toml.folder / "keys" / "grace.asc").write_bytes(BEGIN)

    project = release_toml.changed(grace_with("keys/grace.asc"))

    assert project.public_keys == {"keys/grace.asc": BEGIN.decode()}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "it can't be read: No such file or directory"),
        (b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n", "it holds a private key; take it away from here"),
        (BEGIN + b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n", "it holds a private key; take it away from here"),
        (BEGIN + b"x" * LARGEST, "export it with --export-options export-minimal"),
        (b"\x99\x01\x0d\x04", "accepted: an armoured public key that begins with -----BEGIN PGP PUBLIC KEY BLOCK-----"),
    ],
    ids=["missing", "private", "private behind public", "large", "binary"],
)
def test_what_is_no_public_key_is_told_with_its_line(
    release_toml: Writer, content: bytes | None, expected: str
) -> None:
    if content is not None:
        (release_toml.folder / "grace.asc").write_bytes(content)

    (problem,) = release_toml.problems(grace_with("grace.asc"))

    assert problem.startswith('21: roster[1].keys[0].public-key-file: found "grace.asc"; ')
    assert expected in problem
