"""What is to end: people's own signatures from one stream on, OpenPGP from another; and what stands against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import Version as _Pep440

from baton.model.errors import Invalid, Missing, Refused
from baton.model.version import StreamStatus
from baton.policy.listed import in_force
from baton.project.signing_policy import policy_of, spells
from baton.trust.identities import SignatureKind, Who, signature_kind

if TYPE_CHECKING:
    from datetime import date

    from baton.project.read import Project
    from baton.project.schema import StreamTable
    from baton.project.signing_tables import SigningTable
    from baton.trust.identities import TrustedIdentities, TrustedIdentity

_BY_MACHINES = ("machine", "dispatched")


@dataclass(frozen=True)
class PhaseOut:
    """From which streams on something is not done any more, and from which day.

    Attributes:
        machine_from: the first stream that machines alone sign with Sigstore; None when that stays as it is.
        no_gpg_from: the first stream without OpenPGP signatures; None when that stays as it is.
        day: the first day on which it holds, in UTC.
    """

    machine_from: str | None
    no_gpg_from: str | None
    day: date

    def ends_people(self, stream: str) -> bool:
        """Whether machines alone sign the stream with Sigstore."""
        return self.machine_from is not None and _begins(stream, self.machine_from)

    def ends_gpg(self, stream: str) -> bool:
        """Whether the stream gets no OpenPGP signatures."""
        return self.no_gpg_from is not None and _begins(stream, self.no_gpg_from)

    def ends(self, entry: TrustedIdentity, stream: str) -> bool:
        """Whether the signatures of this identity stop counting for the stream."""
        if signature_kind(entry) is SignatureKind.OPENPGP:
            return self.ends_gpg(stream)
        return entry.who is Who.HUMAN and self.ends_people(stream)

    def changed(self, policy: SigningTable, stream: str) -> dict[str, str]:
        """The keys of a stream's policy that have to say something else, with what they have to say."""
        values = {}
        if self.ends_people(stream) and policy.sigstore not in _BY_MACHINES:
            values["sigstore"] = "dispatched" if policy.machine is None else "machine"
        if self.ends_gpg(stream) and policy.gpg != "none":
            values["gpg"] = "none"
        return values


def require_possible(phase_out: PhaseOut, project: Project, listed: TrustedIdentities, today: date) -> None:
    """Refuse what can't be announced, or would take from people what they verify published files by.

    Args:
        phase_out: what is to end.
        project: whose signatures they are.
        listed: whose signatures count until then.
        today: in UTC.

    Raises:
        Invalid: it begins today or earlier, or its streams have no order.
        Missing: a stream is not there, or no machine could sign instead.
        Refused: a stream that is published would be verified otherwise, or nobody would sign one.
    """
    if phase_out.day <= today:
        raise Invalid(f"--on {phase_out.day} is not after today, {today}: what has been signed keeps counting")
    rules = _Rules(phase_out, project, listed, today)
    for option, name in (("--machine-from", phase_out.machine_from), ("--no-gpg-from", phase_out.no_gpg_from)):
        if name is not None:
            rules.require_stream(option, name)
    for name, stream in project.settings.streams.items():
        if stream.status is not StreamStatus.END_OF_LIFE:
            rules.require_signers(name)
            rules.require_unchanged(name)


def number(stream: str) -> tuple[int, ...]:
    """What streams are ordered by: 3.9 comes before 3.14, and ``*`` before all."""
    return () if stream == "*" else _Pep440(stream).release


def is_published(stream: StreamTable, today: date) -> bool:
    """Whether people verify files of the stream and may rely on how: it is past its alphas."""
    final = stream.first_release is not None and stream.first_release <= today
    return final or stream.status is not StreamStatus.FEATURE


def _begins(stream: str, first: str) -> bool:
    return number(stream) >= number(first)


@dataclass(frozen=True)
class _Rules:
    """What a phase-out has to keep."""

    phase_out: PhaseOut
    project: Project
    listed: TrustedIdentities
    today: date

    def require_stream(self, option: str, name: str) -> None:
        known = self.project.settings.streams
        if name == "*":
            raise Invalid(f'{option} "*": it holds every version; name the stream to begin with, such as 3.16')
        if name not in known:
            raise Missing(
                f"{option} {name}: {self.project.file} has no such stream, only {', '.join(known)}; "
                f'add it, with [streams."{name}"] and status = "feature"'
            )

    def require_signers(self, name: str) -> None:
        """Somebody goes on to sign the stream."""
        policy = spells(self.project.settings, name)[-1].policy
        change = self.phase_out.changed(policy, name)
        if change.get("sigstore") == "dispatched" and policy.dispatched is None:
            raise Missing(
                f"{self.project.file} names no machine that could sign stream {name}; add who it is:\n"
                f'[streams."{name}".signing.machine]\n'
                'identity = "https://github.com/OWNER/REPOSITORY/.github/workflows/FILE@refs/heads/main"\n'
                'issuer = "https://token.actions.githubusercontent.com"\n'
                "or [signing.machine] for all streams; docs/release-toml.md explains it"
            )
        if change.get("gpg") == "none" and policy.sigstore == "none" and "sigstore" not in change:
            raise Refused(
                f"stream {name} has OpenPGP signatures alone, so that nobody would sign it: "
                f"give --machine-from {name} too, or an older stream"
            )

    def require_unchanged(self, name: str) -> None:
        """What is published of the stream, and what follows, verifies alike."""
        if not is_published(self.project.settings.streams[name], self.today):
            return
        day = self.phase_out.day
        policy = policy_of(self.project.settings, name, day)
        reasons = [
            *(str(one) for one in in_force(self.listed, name, day) if self.phase_out.ends(one, name)),
            *(f'{key} = "{getattr(policy, key)}"' for key in self.phase_out.changed(policy, name)),
        ]
        if reasons:
            raise Refused(
                f"stream {name} is public, and what people verify in it stays as it is while it is maintained. "
                f"It would lose {', '.join(reasons)}. {self._instead()}"
            )

    def _instead(self) -> str:
        streams = self.project.settings.streams.items()
        free = [name for name, stream in streams if name != "*" and not is_published(stream, self.today)]
        if not free:
            return 'No stream can begin otherwise: add the next one to release.toml, with status = "feature"'
        return f"The first stream that can begin otherwise: {min(free, key=number)}"
