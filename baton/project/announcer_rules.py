"""What must agree within a table that says who is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.model.announcing import email_misfits, webhook_misfits
from baton.project.announcer_tables import EmailAnnouncerTable, WebhookAnnouncerTable
from baton.project.problem import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from baton.project.announcer_tables import AnnouncerTable


def announcer_faults(announcers: Sequence[AnnouncerTable]) -> Iterator[Fault]:
    """Everything that an announcer lacks, or has and can't use."""
    for index, announcer in enumerate(announcers):
        for field, fact in _misfits(announcer):
            yield Fault(("announcers", index, field.replace("_", "-")), fact)


def _misfits(announcer: AnnouncerTable) -> Iterator[tuple[str, str]]:
    match announcer:
        case WebhookAnnouncerTable():
            yield from webhook_misfits(announcer.shape, token_from=announcer.token_from, to=announcer.to)
        case EmailAnnouncerTable():
            yield from email_misfits(
                announcer.security,
                announcer.host,
                username_from=announcer.username_from,
                password_from=announcer.password_from,
            )
