"""What a change means for those who verify: for each stream whose signature counts, and which pin stops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baton.policy.listed import in_force, undated
from baton.policy.phase_out import number
from baton.project.signing_policy import policy_of
from baton.trust.identities import SignatureKind, TrustedKey, TrustedSigstoreIdentity, Who, signature_kind

if TYPE_CHECKING:
    from datetime import date

    from baton.policy.change import Change
    from baton.trust.identities import TrustedIdentity


@dataclass(frozen=True)
class Pin:
    """An identity or key that somebody may have written down as the one to verify a stream by.

    Attributes:
        last: the last day on which its signatures count for the stream; None when they never do.
        older: the older stream that it is known from; None when it counted for this one.
    """

    entry: TrustedIdentity
    last: date | None
    older: str | None


@dataclass(frozen=True)
class StreamFacts:
    """One stream, as those see it who verify its files.

    Attributes:
        status: what `release.toml` says; None for a stream that only the published list has.
        end_of_life: the day from which nothing is released from it, if known.
        people_end: people's own Sigstore signatures end in it, or have never been there.
        gpg_ends: the same of OpenPGP.
        signers: everyone whose signature counts or did, with their days.
        counting: those whose signatures count when all is done.
        stops: the pins that don't hold, or not any more.
        suffix: what is appended to a file's name for the machine's bundle; None where no machine signs.
    """

    name: str
    status: str | None
    end_of_life: date | None
    people_end: bool
    gpg_ends: bool
    signers: tuple[TrustedIdentity, ...]
    counting: tuple[TrustedIdentity, ...]
    stops: tuple[Pin, ...]
    suffix: str | None

    @property
    def changes(self) -> bool:
        """Whether anything has ended in it."""
        return self.people_end or self.gpg_ends

    @property
    def openpgp(self) -> bool:
        """Whether an OpenPGP signature counts when all is done."""
        return any(signature_kind(entry) is SignatureKind.OPENPGP for entry in self.counting)

    @property
    def commands(self) -> tuple[tuple[TrustedSigstoreIdentity, str], ...]:
        """For each Sigstore identity that counts, where its bundle is."""
        exact = (entry for entry in self.counting if isinstance(entry, TrustedSigstoreIdentity))
        return tuple((entry, self._bundle(entry)) for entry in exact)

    def _bundle(self, entry: TrustedSigstoreIdentity) -> str:
        return f"FILE{self.suffix}" if entry.who is Who.MACHINE and self.suffix else "FILE.sigstore"


def stream_facts(change: Change) -> tuple[StreamFacts, ...]:
    """The facts of every stream that somebody's signature counts for, the oldest first."""
    names = sorted((stream.name for stream in change.listed.streams), key=number)
    return tuple(_facts(change, name) for name in names)


def stopped(facts: tuple[StreamFacts, ...]) -> tuple[TrustedIdentity, ...]:
    """Everyone who is pinned somewhere for a stream that they don't sign, each once."""
    return tuple(dict.fromkeys(undated(pin.entry) for stream in facts for pin in stream.stops))


def needle(entry: TrustedIdentity) -> str:
    """What to look for in files that pin it: of a key the last 16 digits, which every spelling of it ends with."""
    if isinstance(entry, TrustedKey):
        return entry.fingerprint[-16:]
    return entry.identity if isinstance(entry, TrustedSigstoreIdentity) else entry.workflow


def _facts(change: Change, name: str) -> StreamFacts:
    phase_out, settings = change.phase_out, change.after.settings
    table = settings.streams.get(name)
    planned = name if table is not None else phase_out.machine_from
    policy = None if planned is None else policy_of(settings, planned, phase_out.day)
    machine = policy is not None and policy.sigstore in ("machine", "dispatched")
    return StreamFacts(
        name=name,
        status=None if table is None else str(table.status),
        end_of_life=None if table is None else table.end_of_life,
        people_end=phase_out.ends_people(name),
        gpg_ends=phase_out.ends_gpg(name),
        signers=next(stream.trusted for stream in change.listed.streams if stream.name == name),
        counting=in_force(change.listed, name, phase_out.day),
        stops=tuple(_stops(change, name)),
        suffix=policy.suffix if policy is not None and machine else None,
    )


def _stops(change: Change, name: str) -> list[Pin]:
    day = change.phase_out.day
    counting = {undated(entry) for entry in in_force(change.listed, name, day)}
    ended = [entry for stream in change.listed.streams if stream.name == name for entry in stream.trusted]
    own = [
        Pin(entry, entry.last, older=None)
        for entry in ended
        if change.phase_out.ends(entry, name) and undated(entry) not in counting
    ]
    known = {undated(pin.entry) for pin in own} | counting
    carried = [
        Pin(entry, last=None, older=older)
        for kind, older in _last_before(change, name)
        for entry in in_force(change.listed, older, day)
        if signature_kind(entry) is kind and change.phase_out.ends(entry, name) and undated(entry) not in known
    ]
    return [*own, *carried]


def _last_before(change: Change, name: str) -> list[tuple[SignatureKind, str]]:
    """The streams from which a pin may be carried over: for each kind the last in which it does not end."""
    older = sorted((stream.name for stream in change.listed.streams), key=number)
    kinds = ((SignatureKind.SIGSTORE, change.phase_out.ends_people), (SignatureKind.OPENPGP, change.phase_out.ends_gpg))
    last = {kind: [stream for stream in older if not ends(stream)][-1:] for kind, ends in kinds if ends(name)}
    return [(kind, stream) for kind, streams in last.items() for stream in streams]
