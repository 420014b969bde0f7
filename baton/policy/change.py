"""The change itself: what `release.toml` and the published list say afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from baton.model.errors import Refused
from baton.model.version import StreamStatus
from baton.policy.listed import list_of_policy, published_list, require_real, signers_on
from baton.policy.phase_out import require_possible
from baton.project.check_identities import holds, identities_findings
from baton.project.finding import Severity
from baton.project.problem import InvalidProject
from baton.project.read import project_of
from baton.project.signing_policy import policy_of, spells
from baton.project.stream_tables import with_stream_tables
from baton.trust.identities import SignatureKind, TrustedIdentities, TrustedStream, Who, signature_kind
from baton.trust.withdrawal import withdrawn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from baton.policy.phase_out import PhaseOut
    from baton.project.read import Project
    from baton.trust.identities import TrustedIdentity

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Change:
    """A phase-out, worked out for one project.

    Attributes:
        project: as it is now; ``document`` are the bytes of its `release.toml`.
        after: the project as the changed `release.toml` describes it; ``changed`` are the bytes of that.
        before: whose signatures count now.
        listed: whose signatures count when all is done.
        published: whether the project publishes a list that people verify with.
    """

    phase_out: PhaseOut
    today: date
    project: Project
    document: bytes
    after: Project
    changed: bytes
    before: TrustedIdentities
    listed: TrustedIdentities
    published: bool

    @property
    def list_changes(self) -> bool:
        """Whether the project has to publish another list."""
        return self.published and self.listed.streams != self.before.streams


def plan_change(project: Project, phase_out: PhaseOut, today: date) -> Change:
    """Work out what has to be said so that something ends; nothing is written.

    Args:
        project: whose signatures they are.
        phase_out: what is to end.
        today: in UTC.

    Raises:
        Invalid, Missing, Refused: as :func:`baton.policy.phase_out.require_possible`; or the project is only ever
            rehearsed; or the `release.toml`, changed, would not pass ``baton check``, or some published file would stop
            verifying.
    """
    require_real(project)
    published = published_list(project)
    before = published or list_of_policy(project, today)
    require_possible(phase_out, project, before, today)
    document = project.file.read_bytes()
    changed = with_stream_tables(document, dict(_tables(project, phase_out)))
    after = _read_again(project, changed)
    _require_checked(project, after, today)
    listed = list_of_policy(after, today) if published is None else _new_list(published, after, phase_out, today)
    if lost := withdrawn(before, listed, today=today):
        raise Refused(f"published files would stop verifying: {'; '.join(map(str, lost))}")
    return Change(phase_out, today, project, document, after, changed, before, listed, published is not None)


def _tables(project: Project, phase_out: PhaseOut) -> Iterator[tuple[str, str]]:
    """What each stream has to say besides, as TOML; later changes win over former ones."""
    for name, stream in project.settings.streams.items():
        if stream.status is StreamStatus.END_OF_LIFE:
            continue
        to_come = [one for one in spells(project.settings, name) if one.last is None or one.last >= phase_out.day]
        values: dict[str, str] = {}
        for spell in to_come:
            values |= phase_out.changed(spell.policy, name)
        if values:
            lines = [f'[[streams."{name}".signing.changes]]', f"from = {phase_out.day}"]
            yield name, "\n".join([*lines, *(f'{key} = "{value}"' for key, value in values.items())])


def _read_again(project: Project, changed: bytes) -> Project:
    try:
        return project_of(project.file, changed)
    except InvalidProject as error:
        raise Refused(
            f"{project.file} can't be changed, since afterwards it would not be valid ({error}); write each stream's "
            'signing as tables under headers such as [streams."3.14".signing]'
        ) from error


def _require_checked(project: Project, after: Project, today: date) -> None:
    """Refuse what ``baton check`` would object to, and does not now."""
    known = set(identities_findings(project, today))
    found = [one for one in identities_findings(after, today) if one.severity is Severity.ERROR and one not in known]
    if found:
        raise Refused("; ".join(f"{one.subject}: {one.message}: {one.hint}" for one in found))


def _new_list(before: TrustedIdentities, after: Project, phase_out: PhaseOut, today: date) -> TrustedIdentities:
    """The published list with who ends closed the day before, and who signs instead from that day on."""
    streams = tuple(_new_stream(stream, after, phase_out) for stream in before.streams)
    if streams == before.streams:
        return before
    lasts = None if before.expires is None else today + (before.expires - before.issued)
    fields = dict(before) | {"serial": before.serial + 1, "issued": today, "expires": lasts, "streams": streams}
    return TrustedIdentities.model_validate(fields)


def _new_stream(stream: TrustedStream, after: Project, phase_out: PhaseOut) -> TrustedStream:
    if not (phase_out.ends_people(stream.name) or phase_out.ends_gpg(stream.name)):
        return stream
    closed = (
        _closed(entry, phase_out.day - _DAY) if phase_out.ends(entry, stream.name) else entry
        for entry in stream.trusted
    )
    kept = [entry for entry in closed if entry is not None]
    new = [one for one in _machines(stream.name, after, phase_out) if not any(_has(entry, one) for entry in kept)]
    ended = SignatureKind.OPENPGP if phase_out.ends_gpg(stream.name) else None
    requires = tuple(kind for kind in stream.requires if kind is not ended)
    return TrustedStream(name=stream.name, requires=requires, trusted=(*kept, *new))


def _closed(entry: TrustedIdentity, last: date) -> TrustedIdentity | None:
    """The entry with a last day; None if it would only have begun after that."""
    if entry.first is not None and entry.first > last:
        return None
    return entry if entry.last is not None and entry.last <= last else entry.model_copy(update={"last": last})


def _machines(stream: str, after: Project, phase_out: PhaseOut) -> list[TrustedIdentity]:
    """The machines that sign a stream when people don't any more; a stream to come is signed like the first of them."""
    if not phase_out.ends_people(stream):
        return []
    planned = stream if stream in after.settings.streams else phase_out.machine_from or stream
    signers = signers_on(after, policy_of(after.settings, planned, phase_out.day))
    return [
        one.model_copy(update={"first": phase_out.day, "last": None})
        for one in signers
        if one.who is Who.MACHINE and signature_kind(one) is SignatureKind.SIGSTORE
    ]


def _has(entry: TrustedIdentity, machine: TrustedIdentity) -> bool:
    """Whether the list has the machine already, for all days to come."""
    return holds(entry, machine) and entry.last is None and entry.revoked is None
