"""The tables of `release.toml` that say how files are signed, and by whom."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, Strict, StringConstraints

from baton.model.base import Name
from baton.model.signing import SigstoreInstance
from baton.project.builder_tables import GitHubBuilderTable, InputName
from baton.project.fields import Fingerprint, Issuer, KeyFile, Table

SigstorePolicy = Literal["machine", "dispatched", "human", "none"]
GpgPolicy = Literal["team", "human", "none"]

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


class DispatchedTable(Table):
    """A GitHub Actions workflow that gets the files' digests and signs them with Sigstore as itself."""

    instance: Annotated[SigstoreInstance, Strict(strict=False)] = Field(default="public", validate_default=True)
    """Which Sigstore: `public`, or its twin for tests `staging`."""

    identity: Annotated[str, StringConstraints(min_length=3, max_length=500)]
    """Whose signature it has to be: the address of the workflow, exactly, with its ref."""

    issuer: Issuer = "https://token.actions.githubusercontent.com"
    """Who vouches for the identity, exactly."""

    run: GitHubBuilderTable
    """How the workflow is started, and which of its artifacts hold the bundles."""

    digests_in: InputName = Field(default="digests", alias="digests-in")
    """The input that gets the digests, as `sha256sum` prints them."""

    queue: Name = QUEUE
    """The task queue of the worker that holds what proves to GitHub who asks."""

    suffix: Literal[".sigstore.json", ".sigstore"] = ".sigstore.json"
    """What is appended to a file's name for its bundle."""


class PeopleTable(Table):
    """The people who may sign, on machines of their own, with the keys and identities that the roster has of them."""

    roles: tuple[Name, ...] = Field(default=(), max_length=50)
    """Everyone who has one of these roles."""

    ids: tuple[Name, ...] = Field(default=(), max_length=200)
    """And these, by their short names."""

    instance: Annotated[SigstoreInstance, Strict(strict=False)] = Field(default="public", validate_default=True)
    """Which Sigstore they sign with: `public`, or its twin for tests `staging`."""

    suffix: Literal[".sigstore.json", ".sigstore"] = ".sigstore.json"
    """What is appended to a file's name for its bundle."""


class SigningChangeTable(Table):
    """What is done otherwise from one day to another; what is left out stays as it is. Of several, the later win."""

    first: date | None = Field(default=None, alias="from")
    """The first day on which it is done so, in UTC."""

    last: date | None = Field(default=None, alias="until")
    """The last day on which it is done so, in UTC."""

    sigstore: SigstorePolicy | None = None
    """Who signs with Sigstore then: `machine`, `dispatched`, `human` or `none`."""

    gpg: GpgPolicy | None = None
    """Who signs with OpenPGP then: `team`, `human` or `none`."""

    machine: MachineTable | None = None
    """The machine identity that signs then."""

    team: TeamTable | None = None
    """The OpenPGP key that signs then."""

    dispatched: DispatchedTable | None = None
    """The workflow that signs then."""

    people: PeopleTable | None = None
    """The people who may sign then."""

    def covers(self, day: date) -> bool:
        """Whether it is done so on that day."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


class SigningTable(Table):
    """How every file is signed. Where `project.sandbox` is true, `machine` and `team` may be left out."""

    sigstore: SigstorePolicy
    """Who signs with Sigstore: the `machine`, the `dispatched` workflow, a `human` of the `people`, or nobody
    (`none`)."""

    gpg: GpgPolicy
    """Who signs with OpenPGP: the `team` with its key, a `human` of the `people`, or nobody (`none`)."""

    machine: MachineTable | None = None
    """The machine identity that signs with Sigstore."""

    team: TeamTable | None = None
    """The OpenPGP key of the team."""

    dispatched: DispatchedTable | None = None
    """The workflow that signs with Sigstore."""

    people: PeopleTable | None = None
    """The people any one of whom signs, with Sigstore, OpenPGP or both."""

    changes: tuple[SigningChangeTable, ...] = Field(default=(), max_length=100)
    """What was or will be done otherwise on some days."""

    @property
    def sigstore_queue(self) -> str | None:
        """The task queue of the worker that signs with Sigstore, or None if no worker does."""
        match self.sigstore:
            case "machine":
                return QUEUE if self.machine is None else self.machine.queue
            case "dispatched":
                return QUEUE if self.dispatched is None else self.dispatched.queue
            case _:
                return None

    @property
    def gpg_queue(self) -> str | None:
        """The task queue of the worker that signs with OpenPGP, or None if no worker does."""
        if self.gpg != "team":
            return None
        return QUEUE if self.team is None else self.team.queue

    @property
    def suffix(self) -> Literal[".sigstore.json", ".sigstore"]:
        """What is appended to a file's name for its bundle."""
        tables = {"machine": self.machine, "dispatched": self.dispatched, "human": self.people}
        return (tables.get(self.sigstore) or MachineTable()).suffix

    def under(self, changed: "SigningChangeTable | StreamSigningTable") -> "SigningTable":
        """The policy with what is said there in its place."""
        return self.model_copy(
            update={key: value for key in _POLICY if (value := getattr(changed, key)) is not None},
        )


class StreamSigningTable(Table):
    """What this stream does otherwise than `[signing]` says; what is left out here stays as it is there."""

    sigstore: SigstorePolicy | None = None
    """Who signs this stream with Sigstore: `machine`, `dispatched`, `human` or `none`."""

    gpg: GpgPolicy | None = None
    """Who signs this stream with OpenPGP: `team`, `human` or `none`."""

    machine: MachineTable | None = None
    """The machine identity that signs this stream, in place of the project's."""

    team: TeamTable | None = None
    """The OpenPGP key that signs this stream, in place of the project's."""

    dispatched: DispatchedTable | None = None
    """The workflow that signs this stream, in place of the project's."""

    people: PeopleTable | None = None
    """The people who may sign this stream, in place of the project's."""

    changes: tuple[SigningChangeTable, ...] = Field(default=(), max_length=100)
    """What was or will be done otherwise on some days in this stream."""


_POLICY = ("sigstore", "gpg", "machine", "team", "dispatched", "people")
