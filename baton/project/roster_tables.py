"""The tables of `release.toml` that say who may act, and what proves who they are."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from baton.model.base import Name
from baton.project.fields import Fingerprint, Issuer, KeyFile, Table


class _Dated(Table):
    first: date | None = Field(default=None, alias="from")
    """The first day on which it counts, in UTC."""

    last: date | None = Field(default=None, alias="until")
    """The last day on which it counts, in UTC."""

    revoked: date | None = None
    """Since when others may have it: nothing that it ever signed counts. For one that is merely unused, `until`."""


class SshKeyTable(_Dated):
    """An SSH key that proves who someone is; security keys and keys in an agent are fine."""

    kind: Literal["ssh"]
    """What the proof is."""

    public_key: Annotated[
        str,
        Field(alias="public-key"),
        StringConstraints(pattern=r"^(ssh|sk-ssh|ecdsa|sk-ecdsa)-\S+ [A-Za-z0-9+/=]+( .*)?$", max_length=4000),
    ]
    """The public key as one line of `authorized_keys`, without options: what `~/.ssh/id_ed25519.pub` holds."""


class OpenPgpKeyTable(_Dated):
    """An OpenPGP key that proves who someone is."""

    kind: Literal["openpgp"]
    """What the proof is."""

    fingerprint: Fingerprint
    """The primary key's fingerprint, in upper case and without spaces."""

    public_key_file: KeyFile | None = Field(default=None, alias="public-key-file")
    """The armoured public key, as `gpg --armor --export` writes it; a path relative to this file."""


class SigstoreIdentityTable(_Dated):
    """A Sigstore identity that proves who someone is."""

    kind: Literal["sigstore"]
    """What the proof is."""

    identity: Annotated[str, StringConstraints(min_length=3, max_length=500)]
    """The certificate's subject, exactly: an e-mail address, or the address of a workflow."""

    issuer: Issuer
    """Who vouches for the identity, exactly: `https://github.com/login/oauth`, `https://accounts.google.com`, …"""


KeyTable = Annotated[SshKeyTable | OpenPgpKeyTable | SigstoreIdentityTable, Field(discriminator="kind")]
"""What proves who someone is."""


class PersonTable(Table):
    """Someone who may act in the project's releases."""

    id: Name
    """The short name that sign-offs, decisions and the log use."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """As people know them."""

    roles: tuple[Name, ...] = Field(min_length=1, max_length=50)
    """What they may do, such as `release-manager` or `windows-expert`; gates and steps ask for these."""

    keys: tuple[KeyTable, ...] = Field(default=(), max_length=20)
    """What proves who they are."""
