"""The parts of a plan, each from the table that describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.model.announcing import EmailAnnouncer, LogAnnouncer, WebhookAnnouncer
from baton.model.building import Check, Step
from baton.model.plan import ArchiveLimits, DirectoryTarget, Gate, Reminder, SandboxTarget
from baton.model.roster import OpenPgpKey, Person, Roster, SigstoreIdentity, SshKey
from baton.model.version import Stream
from baton.project.announcer_tables import EmailAnnouncerTable, WebhookAnnouncerTable
from baton.project.builder_parts import builder, command, rehearsed
from baton.project.fields import seconds
from baton.project.roster_tables import OpenPgpKeyTable, SshKeyTable
from baton.project.schema import DirectoryTargetTable
from baton.project.template import expand

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from baton.model.announcing import Announcer
    from baton.model.plan import Target
    from baton.model.roster import Credential
    from baton.project.announcer_tables import AnnouncerTable
    from baton.project.builder_parts import Simulators
    from baton.project.roster_tables import KeyTable, PersonTable
    from baton.project.schema import ArchiveLimitsTable, GateTable, ReminderTable, StreamTable, TargetTable
    from baton.project.step_tables import CheckTable, StepTable


def stream(name: str, table: StreamTable) -> Stream:
    """A maintained line."""
    return Stream(name=name, status=table.status, first_release=table.first_release, end_of_life=table.end_of_life)


def step(table: StepTable, version: str, simulators: Simulators | None = None) -> Step:
    """A step for this version.

    Args:
        table: the step as it is in this release.
        version: which release.
        simulators: what takes the place of CI systems elsewhere in a rehearsal; None in a real release.
    """
    return Step(
        name=table.name,
        builder=builder(table.builder, version)
        if simulators is None
        else rehearsed(table.builder, version, simulators),
        queue=table.queue,
        files=tuple(expand(file, version) for file in table.files),
        role=table.role,
        agrees_with=table.agrees_with,
        skippable=table.skippable,
        timeout=seconds(table.timeout),
        wait_for_runner=seconds(table.wait_for_runner),
    )


def check(table: CheckTable, version: str) -> Check:
    """A check for this version."""
    return Check(
        name=table.name,
        commands=tuple(command(template, version) for template in table.commands),
        queue=table.queue,
        timeout=seconds(table.timeout),
        wait_for_runner=seconds(table.wait_for_runner),
    )


def limits(table: ArchiveLimitsTable) -> ArchiveLimits:
    """The bounds of archives."""
    return ArchiveLimits(entries=table.entries, unpacked_bytes=table.unpacked_bytes, ratio=table.ratio)


def gate(table: GateTable) -> Gate:
    """A point where people must agree."""
    return Gate(name=table.name, before=table.before, needs=dict(table.needs), starter_counts=table.starter_counts)


def reminders(tables: Sequence[ReminderTable]) -> tuple[Reminder, ...]:
    """When people are told again, in order of time."""
    made = {Reminder(after=seconds(table.after), to=table.to) for table in tables}
    return tuple(sorted(made, key=lambda reminder: (reminder.after, reminder.to)))


def targets(tables: Sequence[TargetTable]) -> tuple[Target, ...]:
    """Where a real release goes."""
    return tuple(
        DirectoryTarget(name=table.name, path=table.path, url=table.url, queue=table.queue)
        for table in tables
        if isinstance(table, DirectoryTargetTable)
    )


def sandbox_target(tables: Sequence[TargetTable]) -> SandboxTarget:
    """Where a rehearsal goes: one place under the first target's name, since a sandbox has one served folder."""
    first = tables[0]
    return SandboxTarget(name=first.name, queue=first.queue)


def announcer(table: AnnouncerTable, *, rehearsed: bool) -> Announcer:
    """Who is told; in a rehearsal the log hears what would go to people elsewhere."""
    if isinstance(table, WebhookAnnouncerTable) and not rehearsed:
        return WebhookAnnouncer(
            name=table.name,
            on=table.on,
            shape=table.shape,
            url_from=table.url_from,
            token_from=table.token_from,
            to=table.to,
        )
    if isinstance(table, EmailAnnouncerTable) and not rehearsed:
        return EmailAnnouncer(
            name=table.name,
            on=table.on,
            host=table.host,
            port=table.security.usual_port if table.port is None else table.port,
            security=table.security,
            sender=table.sender,
            recipients=table.recipients,
            username_from=table.username_from,
            password_from=table.password_from,
        )
    return LogAnnouncer(name=table.name, on=table.on)


def roster(people: Sequence[PersonTable], public_keys: Mapping[str, str]) -> Roster:
    """Everyone who may act, with what proves who they are."""
    return Roster(
        people=tuple(
            Person(
                id=person.id,
                name=person.name,
                roles=person.roles,
                keys=tuple(credential(key, public_keys) for key in person.keys),
            )
            for person in people
        )
    )


def credential(key: KeyTable, public_keys: Mapping[str, str]) -> Credential:
    """What proves who someone is."""
    if isinstance(key, SshKeyTable):
        return SshKey(first=key.first, last=key.last, revoked=key.revoked, public_key=key.public_key)
    if isinstance(key, OpenPgpKeyTable):
        return OpenPgpKey(
            first=key.first,
            last=key.last,
            revoked=key.revoked,
            fingerprint=key.fingerprint,
            public_key=None if key.public_key_file is None else public_keys[key.public_key_file],
        )
    return SigstoreIdentity(
        first=key.first, last=key.last, revoked=key.revoked, identity=key.identity, issuer=key.issuer
    )
