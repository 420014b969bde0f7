"""Versions and the streams they belong to."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from packaging.version import InvalidVersion
from packaging.version import Version as _Pep440
from pydantic import AfterValidator, Field, StringConstraints

from baton.model.base import Name, Value


class StreamStatus(StrEnum):
    """Where a maintained line stands; the words of the Python Developer's Guide."""

    FEATURE = "feature"
    PRERELEASE = "prerelease"
    BUGFIX = "bugfix"
    SECURITY = "security"
    END_OF_LIFE = "end-of-life"


class ReleaseKind(StrEnum):
    """What kind of release a version is, by its form and its stream's status."""

    PRERELEASE = "prerelease"
    FINAL = "final"
    SECURITY = "security"


def _normal(version: str) -> str:
    try:
        normal = str(_Pep440(version))
    except InvalidVersion as error:
        raise ValueError(
            f"{version!r} is not a version; expected the form of PEP 440, such as 3.14.1 or 3.15.0rc2"
        ) from error
    if normal != version:
        raise ValueError(f"{version!r} is not in normal form; write {normal}")
    return version


Version = Annotated[str, StringConstraints(max_length=64), AfterValidator(_normal)]
"""A version in the normal form of PEP 440: ``3.14.1``, ``3.15.0rc2``."""


class Stream(Value):
    """A maintained line of a project: its versions are its name followed by a dot and more.

    Attributes:
        name: the versions' common beginning, such as ``3.14``; or ``*`` for a project with one line only.
        status: where the line stands.
        first_release: the day of its first final release, if known.
        end_of_life: the day from which nothing is released from it, if known.
    """

    name: Annotated[str, StringConstraints(pattern=r"^(\*|[0-9]+(\.[0-9]+)*)$", max_length=32)]
    status: StreamStatus
    first_release: date | None = None
    end_of_life: date | None = None

    def holds(self, version: Version) -> bool:
        """Whether the version belongs to this stream; ``3.1`` does not hold ``3.14.1``."""
        if self.name == "*":
            return True
        release = _Pep440(version).release
        prefix = _Pep440(self.name).release
        return release[: len(prefix)] == prefix


def kind_of(version: Version, stream: Stream) -> ReleaseKind:
    """The kind of release that this version of this stream is."""
    if _Pep440(version).is_prerelease:
        return ReleaseKind.PRERELEASE
    if stream.status is StreamStatus.SECURITY:
        return ReleaseKind.SECURITY
    return ReleaseKind.FINAL


class Purpose(StrEnum):
    """What is done with a version: it is released, or, once it is public, signed anew."""

    RELEASE = "release"
    RESIGN = "resign"


class ReleaseId(Value):
    """Which release: one version of one project. Its workflow id is the mutex that keeps it from running twice.

    Attributes:
        purpose: what is done with the version. In JSON it is there for a re-signing alone.
    """

    project: Name
    version: Version
    purpose: Purpose = Field(default=Purpose.RELEASE, exclude_if=lambda purpose: purpose is Purpose.RELEASE)

    @property
    def workflow_id(self) -> str:
        """The Temporal workflow id: ``release/PROJECT/VERSION``, or ``resign/PROJECT/VERSION``."""
        return f"{self.purpose}/{self.project}/{self.version}"

    @property
    def typed(self) -> str:
        """As people type it: ``PROJECT/VERSION``, or ``resign/PROJECT/VERSION``."""
        return f"{self.project}/{self.version}" if self.purpose is Purpose.RELEASE else self.workflow_id

    @property
    def branch(self) -> str:
        """The branch that its prepared commit can be put on: no other release has it."""
        return f"baton/{self.project}-{self.version}"

    def __str__(self) -> str:
        named = f"{self.project} {self.version}"
        return named if self.purpose is Purpose.RELEASE else f"the re-signing of {named}"


class SecurityId(Value):
    """Which security release of a project: several releases behind one barrier. Its name tells nothing.

    Attributes:
        security: 128 random bits in hexadecimal.
    """

    project: Name
    security: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]

    @property
    def workflow_id(self) -> str:
        """The Temporal workflow id: ``security/PROJECT/RANDOM``."""
        return f"security/{self.project}/{self.security}"

    def __str__(self) -> str:
        return f"{self.project} security/{self.security}"
