"""Who is acting, and in which role."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baton.model.errors import Refused
from baton.model.roster import SigstoreIdentity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from baton.model.roster import Person, Roster

RELEASE_MANAGER = "release-manager"
"""The role that may always decide, plan a release anew, and end it."""


@dataclass(frozen=True)
class GitIdentity:
    """Whom git would name as a commit's author here; empty where it is not set."""

    name: str = ""
    email: str = ""

    @classmethod
    def here(cls) -> GitIdentity:
        """As git is configured in this folder."""
        return cls(name=_git_config("user.name"), email=_git_config("user.email"))


def _git_config(key: str) -> str:
    try:
        told = subprocess.run(["git", "config", "--get", key], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return told.stdout.strip()


def find_person(roster: Roster, asked: str | None, git: GitIdentity) -> Person:
    """The person on the roster who is acting.

    This only fills in a name; what proves it, where a plan demands proof, is a signature.

    Args:
        roster: of the release or project.
        asked: the id given by ``--as`` or ``BATON_PERSON``, which decides alone.
        git: else the one person with this e-mail address as a Sigstore identity, or with this name.

    Raises:
        Refused: nobody, or not exactly one person, is meant.
    """
    known = ", ".join(person.id for person in roster.people) or "nobody"
    if asked is not None:
        person = roster.find(asked)
        if person is None:
            raise Refused(f"{asked} is not on the roster; on it: {known}")
        return person
    meant = [person for person in roster.people if _is(person, git)]
    if len(meant) == 1:
        return meant[0]
    raise Refused(
        f"git's user.email and user.name ({git.email or 'not set'}, {git.name or 'not set'}) name "
        f"{len(meant) or 'nobody'}{' people' if meant else ''} on the roster ({known}): "
        "say who you are with --as PERSON or BATON_PERSON"
    )


def _is(person: Person, git: GitIdentity) -> bool:
    mails = [key.identity for key in person.keys if isinstance(key, SigstoreIdentity)]
    return (git.email != "" and git.email in mails) or (git.name != "" and git.name == person.name)


def fitting_roles(person: Person, wanted: Iterable[str], asked: str | None, *, what: str) -> tuple[str, ...]:
    """The roles in which a person can do something.

    Args:
        person: who acts.
        wanted: the roles that would do.
        asked: the role given by ``--role``, if it was.
        what: what it is about: ``gate publish``.

    Raises:
        Refused: the person has none of them, or not the one asked for.
    """
    wanted = tuple(wanted)
    fitting = tuple(role for role in wanted if role in person.roles and asked in (None, role))
    if fitting:
        return fitting
    if asked is not None and asked in person.roles:
        raise Refused(f"{what} takes {_either(wanted)} now, not {asked}")
    raise Refused(
        f"{what} takes {_either(wanted)} now; {person.id} holds: {', '.join(person.roles)}"
        + (f", not {asked}" if asked is not None else "")
    )


def only_role(roles: tuple[str, ...], *, what: str) -> str:
    """The role to act in when it matters which.

    Raises:
        Refused: several would do.
    """
    if len(roles) > 1:
        raise Refused(f"{what} takes you as {_either(roles)}, and one person counts once: choose with --role")
    return roles[0]


def _either(roles: tuple[str, ...]) -> str:
    return " or ".join(roles) or "nobody"
