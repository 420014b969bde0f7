"""The tables of `release.toml` that say how files are signed, and by whom."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, Strict, StringConstraints

from baton.model.base import Name
from baton.model.plan import SigstoreInstance
from baton.project.fields import Fingerprint, Issuer, KeyFile, Table

SigstorePolicy = Literal["machine", "none"]
GpgPolicy = Literal["team", "none"]

QUEUE = "sign"
"""The task queue of signing workers where none is named."""


class MachineTable(Table):
    """The machine identity that signs with Sigstore."""

    instance: Annotated[SigstoreInstance, Strict(strict=False)] = Field(default="public", validate_default=True)
    """Which Sigstore: `public`, its twin for tests `staging`, or, only where `project.sandbox` is true, `sandbox`."""

    identity: Annotated[str, StringConstraints(min_length=3, max_length=500)] | None = None
    """Whose signature it has to be: the certificate's subject, exactly, such as the address of a workflow. The sandbox
    instance knows its own, every other needs one."""

    issuer: Issuer | None = None
    """Who vouches for the identity, exactly, such as `https://token.actions.githubusercontent.com`."""

    queue: Name = QUEUE
    """The task queue of the worker that has the identity's token."""

    suffix: Literal[".sigstore.json", ".sigstore"] = ".sigstore.json"
    """What is appended to a file's name for its bundle."""


class TeamTable(Table):
    """The OpenPGP key of the team, which its signing worker alone holds."""

    fingerprint: Fingerprint
    """The primary key's fingerprint, in upper case and without spaces; signatures count by this key alone."""

    public_key_file: KeyFile = Field(alias="public-key-file")
    """The armoured public key, as `gpg --armor --export` writes it; a path relative to this file."""

    queue: Name = QUEUE
    """The task queue of the worker that holds the key."""


class SigningChangeTable(Table):
    """What is done otherwise from one day to another; what is left out stays as it is. Of several, the later win."""

    first: date | None = Field(default=None, alias="from")
    """The first day on which it is done so, in UTC."""

    last: date | None = Field(default=None, alias="until")
    """The last day on which it is done so, in UTC."""

    sigstore: SigstorePolicy | None = None
    """Who signs with Sigstore then: the `machine`, or nobody (`none`)."""

    gpg: GpgPolicy | None = None
    """Who signs with OpenPGP then: the `team` with its key, or nobody (`none`)."""

    machine: MachineTable | None = None
    """The machine identity that signs then."""

    team: TeamTable | None = None
    """The OpenPGP key that signs then."""

    def covers(self, day: date) -> bool:
        """Whether it is done so on that day."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


class SigningTable(Table):
    """How every file is signed. Where `project.sandbox` is true, `machine` and `team` may be left out."""

    sigstore: SigstorePolicy
    """Who signs with Sigstore: the `machine`, or nobody (`none`)."""

    gpg: GpgPolicy
    """Who signs with OpenPGP: the `team` with its key, or nobody (`none`)."""

    machine: MachineTable | None = None
    """The machine identity that signs with Sigstore."""

    team: TeamTable | None = None
    """The OpenPGP key of the team."""

    changes: tuple[SigningChangeTable, ...] = Field(default=(), max_length=100)
    """What was or will be done otherwise on some days."""

    @property
    def sigstore_queue(self) -> str | None:
        """The task queue of the worker that signs with Sigstore, or None if nobody does."""
        return None if self.sigstore == "none" else (self.machine or MachineTable()).queue

    @property
    def gpg_queue(self) -> str | None:
        """The task queue of the worker that signs with OpenPGP, or None if nobody does."""
        if self.gpg == "none":
            return None
        return QUEUE if self.team is None else self.team.queue

    def under(self, changed: "SigningChangeTable | StreamSigningTable") -> "SigningTable":
        """The policy with what is said there in its place."""
        return self.model_copy(
            update={key: value for key in _POLICY if (value := getattr(changed, key)) is not None},
        )


class StreamSigningTable(Table):
    """What this stream does otherwise than `[signing]` says; what is left out here stays as it is there."""

    sigstore: SigstorePolicy | None = None
    """Who signs this stream with Sigstore: the `machine`, or nobody (`none`)."""

    gpg: GpgPolicy | None = None
    """Who signs this stream with OpenPGP: the `team` with its key, or nobody (`none`)."""

    machine: MachineTable | None = None
    """The machine identity that signs this stream, in place of the project's."""

    team: TeamTable | None = None
    """The OpenPGP key that signs this stream, in place of the project's."""

    changes: tuple[SigningChangeTable, ...] = Field(default=(), max_length=100)
    """What was or will be done otherwise on some days in this stream."""


_POLICY = ("sigstore", "gpg", "machine", "team")
