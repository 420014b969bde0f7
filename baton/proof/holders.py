"""Whose key it is by the roster, and whether it counts on the days that matter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from baton.model.errors import Refused
from baton.model.roster import OpenPgpKey, SshKey
from baton.proof.sshsig import fingerprint, key_of_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime

    from baton.model.roster import Credential, Person, Roster


@dataclass(frozen=True)
class Listed:
    """Where the roster lists one key.

    Attributes:
        name: the key in words: ``ssh key SHA256:…``.
        entries: each time it is listed, with the person it is listed for; at least one.
    """

    name: str
    entries: tuple[tuple[Person, Credential], ...]

    def counting_for(self, person: Person, moments: Mapping[str, datetime]) -> Credential:
        """The entry by which the key proves that this person spoke.

        Args:
            person: who is said to have spoken.
            moments: what happened when, each of which the entry has to cover: ``{"the statement is of": …}``.

        Raises:
            Refused: it is someone else's key, or several people's, or revoked, or no entry covers every moment.
        """
        self._require_owner(person)
        credentials = [credential for _, credential in self.entries]
        if revoked := next((credential.revoked for credential in credentials if credential.revoked), None):
            raise Refused(f"the {self.name} of {person.id} was revoked on {revoked}: nothing that it signed counts")
        covering = (key for key in credentials if all(key.covers(_day(at)) for at in moments.values()))
        if (found := next(covering, None)) is not None:
            return found
        spans = ", and ".join(credential.span for credential in credentials)
        told = ", ".join(f"{what} {_day(at)}" for what, at in moments.items())
        raise Refused(f"the signature is by the {self.name}, which the roster lists for {person.id} {spans}; {told}")

    def _require_owner(self, person: Person) -> None:
        owners = list(dict.fromkeys(owner.id for owner, _ in self.entries))
        if person.id not in owners:
            raise Refused(
                f"the signature is by the {self.name}, which the roster lists for {' and '.join(owners)}, "
                f"not for {person.id}"
            )
        if len(owners) > 1:
            raise Refused(
                f"the signature is by the {self.name}, which the roster lists for {' and '.join(owners)}: "
                "it proves which of them spoke only when it is listed for one"
            )


def name_of(credential: Credential) -> str:
    """A key in words, whatever its dates: ``ssh key SHA256:…``, ``openpgp key …``, ``Sigstore identity …``."""
    if isinstance(credential, SshKey):
        key = key_of_line(credential.public_key)
        return f"ssh key {fingerprint(key)}" if key is not None else "ssh key that can't be read"
    if isinstance(credential, OpenPgpKey):
        return f"openpgp key {credential.fingerprint}"
    return f"Sigstore identity {credential.identity} (issuer {credential.issuer})"


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def find_listed(roster: Roster, name: str, is_it: Callable[[Credential], bool]) -> Listed:
    """Where the roster lists a key.

    Args:
        roster: the people.
        name: the key in words, for messages.
        is_it: whether an entry is this key, whatever its dates.

    Raises:
        Refused: nowhere.
    """
    entries = tuple((person, key) for person in roster.people for key in person.keys if is_it(key))
    if not entries:
        raise Refused(f"the signature is by the {name}, which the roster lists for nobody")
    return Listed(name, entries)
