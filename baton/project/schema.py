"""The tables of `release.toml`, as a release manager writes them: what a project releases, how, and who may act.

These are the file's words and shapes alone. What must agree between tables is in :mod:`baton.project.rules`; what a
release makes of them, in :mod:`baton.project.resolve`.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, Strict, StringConstraints

from baton.model.base import Name
from baton.model.plan import Audience, GatePoint
from baton.model.version import StreamStatus
from baton.project.announcer_tables import AnnouncerTable
from baton.project.fields import CommandTemplate, Duration, Repository, Table, TagTemplate
from baton.project.platform_tables import PlatformStepTable
from baton.project.roster_tables import PersonTable
from baton.project.security_tables import SecurityTable
from baton.project.selection import StreamName
from baton.project.signing_tables import SigningTable, StreamSigningTable
from baton.project.step_tables import CheckTable, StepTable


class ProjectTable(Table):
    """What is released, and from where."""

    name: Name
    """The project's name in commands and addresses."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """The project's name as people write it."""

    repository: Repository
    """Where the source is: a git URL, or a path relative to this file."""

    sandbox: bool = False
    """Whether the project is only ever rehearsed. Where this is false a release is real, and needs people's agreement
    before it builds and before it publishes."""

    signed_rehearsals: bool = Field(default=False, alias="signed-rehearsals")
    """Whether rehearsals, too, accept only acts that people signed. Real releases always do."""

    embargo: bool = False
    """Whether releases may be secret until a day. They are then started only where what is sent to Temporal is
    encrypted for the project, and `baton check` looks at who may read stores and staging."""

    tag: TagTemplate = "v{version}"
    """The tag that a release makes."""

    prepare: tuple[CommandTemplate, ...] = Field(default=(), max_length=50)
    """The project's own commands, run in order in a fresh clone before the tag is made."""

    sboms: bool = True
    """Whether each released file gets an SPDX document beside it."""

    queue: Name = "release"
    """The task queue of releases themselves, and of everything that needs no special machine."""


class StreamTable(Table):
    """A maintained line of the project. Its name is the beginning of its versions (`"3.13"`), or `"*"` for all."""

    status: Annotated[StreamStatus, Strict(strict=False)]
    """Where the line stands; nothing is released from one that is at its `end-of-life`."""

    first_release: date | None = Field(default=None, alias="first-release")
    """The day of its first final release."""

    end_of_life: date | None = Field(default=None, alias="end-of-life")
    """The day from which nothing is released from it."""

    signing: StreamSigningTable | None = None
    """What this stream does otherwise than `[signing]` says."""


class ReminderTable(Table):
    """People are told again of what has waited for so long without anybody acting."""

    after: Duration
    """How long it has waited, since it began to or since somebody last acted."""

    to: Annotated[Audience, Strict(strict=False)] = Field(default="roles", validate_default=True)
    """Who: the `roles` that can bring it forward, or `everyone` on the roster."""


class EvidenceTable(Table):
    """What becomes of the record of a release: its plan, its files, and who said what."""

    publish: bool = False
    """Whether it becomes public beside the files."""


class IdentitiesTable(Table):
    """The list of everyone whose signature counts, which the project publishes for those who download."""

    document: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]+$", max_length=1000)]
    """The list that is published, as a path relative to this file; no server is asked. `baton check` refuses a change
    to who signs after which published files would not have been signed by whom they were, or new ones by nobody whom
    the list has."""


class GateTable(Table):
    """A point where people must agree before the release goes on."""

    name: Name
    """The gate's name in sign-offs and the log."""

    before: Annotated[GatePoint, Strict(strict=False)]
    """What waits for it. Before `build` people agree to the plan, later to the manifest: the list of all files."""

    needs: dict[Name, Annotated[int, Field(ge=1, le=20)]] = Field(min_length=1, max_length=10)
    """How many different people of each role must agree: `{ release-manager = 2 }`."""

    starter_counts: bool = Field(default=True, alias="starter-counts")
    """Whether the one who started the release counts."""


class DirectoryTargetTable(Table):
    """A folder that a web server serves; a release appears in it at once and whole."""

    kind: Literal["directory"]
    """Where the files go."""

    name: Name
    """The target's name in commands and the log."""

    path: Annotated[str, StringConstraints(pattern=r"^/[^\x00-\x1f]*$", max_length=1000)]
    """The absolute path of the served folder on the publishing worker."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=1000)]
    """The address under which people find that folder."""

    queue: Name = "publish"
    """The task queue of the worker that may publish there."""


class SandboxTargetTable(Table):
    """The served folder of the sandbox, for a project that is only ever rehearsed."""

    kind: Literal["sandbox"]
    """Where the files go."""

    name: Name
    """The target's name in commands and the log."""

    queue: Name = "publish"
    """The task queue of the worker that may publish there."""


class ArchiveLimitsTable(Table):
    """Bounds that the declared contents of every archive must keep, against archive bombs."""

    entries: Annotated[int, Field(gt=0, le=10_000_000)] = 200_000
    """At most this many entries."""

    unpacked_bytes: Annotated[int, Field(alias="unpacked-bytes", gt=0, le=2**50)] = 8 * 1024**3
    """At most this many bytes when unpacked."""

    ratio: Annotated[int, Field(gt=0, le=100_000)] = 200
    """At most this many times its own size when unpacked."""


TargetTable = Annotated[DirectoryTargetTable | SandboxTargetTable, Field(discriminator="kind")]


class ReleaseFile(Table):
    """How a project makes its releases, and who may act in them."""

    project: ProjectTable
    streams: dict[StreamName, StreamTable] = Field(min_length=1, max_length=200)
    """The lines that are maintained; each version belongs to exactly one."""

    roster: tuple[PersonTable, ...] = Field(min_length=1, max_length=200)
    """Who may act in the project's releases."""

    steps: tuple[StepTable, ...] = Field(min_length=1, max_length=100)
    """What is built; every step at once."""

    platform_signing: tuple[PlatformStepTable, ...] = Field(default=(), max_length=50, alias="platform-signing")
    """What is signed inside the files, between the builds and the manifest."""

    checks: tuple[CheckTable, ...] = Field(default=(), max_length=50)
    """What the finished files must pass before anyone is asked to agree."""

    signing: SigningTable
    gates: tuple[GateTable, ...] = Field(min_length=1, max_length=20)
    """Where people must agree."""

    targets: tuple[TargetTable, ...] = Field(min_length=1, max_length=10)
    """Where the files go."""

    announcers: tuple[AnnouncerTable, ...] = Field(default=(), max_length=20)
    """Who is told, and how."""

    reminders: tuple[ReminderTable, ...] = Field(default=(), max_length=10)
    """When people are told again of what waits."""

    security: SecurityTable | None = None
    """How security fixes are shipped in several streams at once; without it, they can't be."""

    evidence: EvidenceTable = EvidenceTable()
    identities: IdentitiesTable | None = None
    archive_limits: ArchiveLimitsTable = Field(default=ArchiveLimitsTable(), alias="archive-limits")
