"""Whether the people of a project can act: their keys, and the gates that wait for them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from baton.model.roster import OpenPgpKey, SshKey
from baton.project.finding import error, ok, warning
from baton.project.quorum import shortages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from baton.model.roster import Credential, Person, Roster
    from baton.project.finding import Finding
    from baton.project.schema import GateTable, ReleaseFile
    from baton.project.step_tables import StepTable

SMALLEST_RSA = 2048
"""Bits; NIST SP 800-131A Rev. 2 accepts no fewer."""

SOON = timedelta(days=30)
"""How long before its end a key is worth a warning."""


def people_findings(roster: Roster, settings: ReleaseFile, today: date) -> Iterator[Finding]:
    """What is to be said of each person's keys, and of each gate and handed-in step.

    Args:
        roster: the people.
        settings: what waits for them. In a project that is only ever rehearsed, people may act without keys, unless it
            says otherwise.
        today: the day by which keys are judged.
    """
    rehearsed = settings.project.sandbox and not settings.project.signed_rehearsals
    for person in roster.people:
        yield from _person(person, today, rehearsed=rehearsed)
    able = [person for person in roster.people if rehearsed or _counting_keys(person, today)]
    for gate in settings.gates:
        yield from _gate(gate, able)
    for step in settings.steps:
        if step.builder.kind == "handed-in":
            yield from _handed_in(step, able)


def ending(subject: str, last: date | None, today: date) -> Iterator[Finding]:
    """A warning about a key whose last day is past or near."""
    if last is None or last - today > SOON:
        return
    ends = "ended" if last < today else "ends"
    yield warning(subject, f"{ends} on {last}", "add its successor beside it, with the day from which that counts")


def _person(person: Person, today: date, *, rehearsed: bool) -> Iterator[Finding]:
    subject, roles = f"roster {person.id}", ", ".join(person.roles)
    for index, key in enumerate(person.keys):
        yield from _key(f"{subject} keys[{index}]", key, today)
    counting = len(_counting_keys(person, today))
    if counting:
        yield ok(subject, f"{roles}; keys that count today: {counting}")
    elif rehearsed:
        yield ok(subject, f"{roles}; no key, and rehearsals ask for none")
    else:
        reasons = "; ".join(objection for key in person.keys if (objection := _objection(key, today)))
        none = "no key that counts today" + (f" ({reasons})" if reasons else "")
        yield warning(subject, f"{roles}; {none}, so nothing that they say counts", "add a key")


def _key(subject: str, key: Credential, today: date) -> Iterator[Finding]:
    if isinstance(key, SshKey) and (fault := _ssh_fault(key)) is not None:
        yield error(subject, fault, "copy the one line of the .pub file")
    if isinstance(key, OpenPgpKey) and key.public_key is None:
        yield warning(subject, f"{key.fingerprint} can't be verified without its public key", "add its public-key-file")
    if key.revoked is not None:
        yield ok(subject, f"revoked on {key.revoked}; nothing that it ever signed counts")
        return
    if key.first is not None and today < key.first:
        yield warning(subject, f"counts only from {key.first}")
    yield from ending(subject, key.last, today)


def _counting_keys(person: Person, today: date) -> list[Credential]:
    return [key for key in person.keys if _objection(key, today) is None]


def _objection(key: Credential, today: date) -> str | None:
    """Why a key does not count today, in a few words, or None if it does."""
    if isinstance(key, SshKey) and _ssh_fault(key) is not None:
        return "one can't be read"
    if isinstance(key, OpenPgpKey) and key.public_key is None:
        return "one has no public key here"
    return None if key.covers(today) else f"one counts {key.span}"


def _ssh_fault(key: SshKey) -> str | None:
    """Why the line is no usable SSH public key, or None if it is one."""
    try:
        loaded = load_ssh_public_key(key.public_key.encode())
    except (ValueError, NotImplementedError, UnsupportedAlgorithm) as fault:
        return f"no SSH public key that can be read: {fault}"
    if isinstance(loaded, RSAPublicKey) and loaded.key_size < SMALLEST_RSA:
        return f"an RSA key of {loaded.key_size} bits; accepted: {SMALLEST_RSA} or more"
    return None


def _handed_in(step: StepTable, able: list[Person]) -> Iterator[Finding]:
    """Whether somebody can hand the step's files in, so that it counts."""
    subject = f"step {step.name}"
    by = [person.id for person in able if step.role in person.roles]
    if by:
        yield ok(subject, f"handed in by {' or '.join(by)}")
        return
    yield error(subject, f"handed in by a {step.role}, none of whom has a key that counts today", "add a key")


def _gate(gate: GateTable, able: list[Person]) -> Iterator[Finding]:
    """Whether the gate can pass with the people who are able to act, and with each of them away."""
    subject = f"gate {gate.name}"
    asked = "asks for " + ", ".join(f"{number} {role}" for role, number in gate.needs.items())
    if missing := list(shortages(gate.needs, [person.roles for person in able])):
        yield error(subject, f"{'; '.join(missing)} with a key that counts today", "add keys or people to the roster")
        return
    needed = [
        person.id
        for person in able
        if any(shortages(gate.needs, [other.roles for other in able if other is not person]))
    ]
    if not needed:
        yield ok(subject, f"{asked}, and passes without any one person")
        return
    consequence = "can't pass" if gate.starter_counts else "can't pass, nor can a release pass that they start"
    yield warning(subject, f"{asked}; without {' or '.join(needed)} it {consequence}", "give the role to more people")
