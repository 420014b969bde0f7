"""Which release is meant: what people type, and what Temporal calls it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from baton.cli.exits import WrongCall
from baton.model.base import Digest, Value
from baton.model.version import Purpose, ReleaseId, SecurityId

_SECURITY = "security/"
_DIGEST: TypeAdapter[str] = TypeAdapter(Digest)


def parse_release(text: str) -> ReleaseId:
    """Read ``PROJECT/VERSION``, ``"PROJECT VERSION"`` or a workflow id, such as ``resign/PROJECT/VERSION``.

    Raises:
        WrongCall: it is none of these.
    """
    first, *others = text.replace(" ", "/").split("/")
    whole = first in tuple(Purpose) and len(others) > 1
    project, *version = others if whole else (first, *others)
    if len(version) != 1:
        raise WrongCall(f"{text!r} is not a release; expected PROJECT/VERSION, such as hello/1.0.0")
    try:
        return ReleaseId(project=project, version=version[0], purpose=Purpose(first) if whole else Purpose.RELEASE)
    except ValidationError as error:
        problem = error.errors()[0]
        raise WrongCall(
            f"{text!r} is not a release: its {problem['loc'][0]} {problem['msg'].removeprefix('Value error, ')}; "
            "expected PROJECT/VERSION, such as hello/1.0.0"
        ) from error


class StreamId(Value):
    """A stream's release in a security release, as far as its workflow id tells: under an embargo no version.

    Attributes:
        number: the stream's, counted from one in the order of the plan.
    """

    security: SecurityId
    number: Annotated[int, Field(ge=1)]

    @property
    def project(self) -> str:
        """Whose release it is."""
        return self.security.project

    @property
    def workflow_id(self) -> str:
        """``security/PROJECT/RANDOM/NUMBER``."""
        return f"{self.security.workflow_id}/{self.number}"

    def __str__(self) -> str:
        return f"{self.security} stream {self.number}"


def name_of(workflow_id: str) -> ReleaseId | SecurityId | StreamId | None:
    """What a workflow makes, or None for a workflow of another kind."""
    try:
        if workflow_id.startswith(_SECURITY):
            project, security, *number = workflow_id.removeprefix(_SECURITY).split("/")
            whole = SecurityId(project=project, security=security)
            return StreamId(security=whole, number=int(number[0])) if number else whole
        release = parse_release(workflow_id)
    except (WrongCall, ValueError):
        return None
    return release if release.workflow_id == workflow_id else None


def parse_digest(text: str) -> Digest:
    """Read a digest.

    Raises:
        WrongCall: it is none.
    """
    try:
        return _DIGEST.validate_python(text)
    except ValidationError as error:
        raise WrongCall(f"{text!r} is no digest; expected sha256: and 64 lower-case hexadecimal digits") from error
