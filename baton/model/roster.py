"""Who may act, what each may do, and what proves who they are."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from baton.model.base import Name, Value


def _absent(value: object) -> bool:
    return value is None


class Window(Value):
    """A key or identity counts from the first day to the last, both included, in UTC; absent means no bound.

    Attributes:
        revoked: the day on which it became known that others may use it. It counts for nothing then, not even for what
            is older: whoever has a stolen key writes any day they like. For one that is merely not used any more, the
            last day is enough. Left out of the JSON when absent, so that documents keep their digests.
    """

    first: date | None = Field(default=None, alias="from")
    last: date | None = Field(default=None, alias="until")
    revoked: date | None = Field(default=None, exclude_if=_absent)

    def covers(self, day: date) -> bool:
        """Whether the day lies in the window, and nothing has been revoked."""
        within = (self.first is None or self.first <= day) and (self.last is None or day <= self.last)
        return within and self.revoked is None

    @property
    def span(self) -> str:
        """When it counts, in words: ``from 2026-01-01 until now``, ``never, revoked on 2026-03-01``."""
        if self.revoked is not None:
            return f"never, revoked on {self.revoked}"
        return f"from {self.first or 'the beginning'} until {self.last or 'now'}"


class SshKey(Window):
    """An SSH public key in the one-line form of ``authorized_keys``, without options."""

    kind: Literal["ssh"] = "ssh"
    public_key: Annotated[str, StringConstraints(pattern=r"^(ssh|sk-ssh|ecdsa|sk-ecdsa)-\S+ [A-Za-z0-9+/=]+( .*)?$")]


class OpenPgpKey(Window):
    """An OpenPGP key, named by its primary key's fingerprint (RFC 9580: 40 or 64 hexadecimal digits, upper case)."""

    kind: Literal["openpgp"] = "openpgp"
    fingerprint: Annotated[str, StringConstraints(pattern=r"^([0-9A-F]{40}|[0-9A-F]{64})$")]
    public_key: str | None = Field(default=None, description="ASCII-armoured public key block")


class SigstoreIdentity(Window):
    """A Sigstore identity: the certificate's subject alternative name and the OIDC issuer, both exact."""

    kind: Literal["sigstore"] = "sigstore"
    identity: Annotated[str, StringConstraints(min_length=3, max_length=500)]
    issuer: Annotated[str, StringConstraints(pattern=r"^https?://", max_length=500)]


Credential = Annotated[SshKey | OpenPgpKey | SigstoreIdentity, Field(discriminator="kind")]
"""What proves that someone is who they say."""


class Person(Value):
    """Someone on the roster.

    Attributes:
        id: the short name that statements, gates and the log use.
        name: as people know them.
        roles: what they may do.
        keys: what proves who they are.
    """

    id: Name
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    roles: tuple[Name, ...] = Field(min_length=1)
    keys: tuple[Credential, ...] = ()


class Roster(Value):
    """Everyone who may act in a project's releases."""

    people: tuple[Person, ...] = ()

    def find(self, person_id: str) -> Person | None:
        """The person of that id, or None."""
        return next((person for person in self.people if person.id == person_id), None)

    def naming(self, key: str) -> Roster:
        """The same roster without the OpenPGP key blocks that a signature by this key needs none of, to travel light.

        Args:
            key: text that holds the fingerprint of the key in question.
        """

        def light(credential: Credential) -> Credential:
            if isinstance(credential, OpenPgpKey) and credential.fingerprint not in key:
                return credential.model_copy(update={"public_key": None})
            return credential

        people = (person.model_copy(update={"keys": tuple(map(light, person.keys))}) for person in self.people)
        return Roster(people=tuple(people))

    def holders(self, role: str) -> tuple[Person, ...]:
        """Everyone who has the role, in roster order."""
        return tuple(person for person in self.people if role in person.roles)

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role that somebody has, sorted."""
        return tuple(sorted({role for person in self.people for role in person.roles}))
