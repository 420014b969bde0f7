"""Which release is meant: what people type, and what Temporal calls it."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from baton.cli.exits import WrongCall
from baton.model.base import Digest
from baton.model.version import ReleaseId

_PREFIX = "release/"
_DIGEST: TypeAdapter[str] = TypeAdapter(Digest)


def parse_release(text: str) -> ReleaseId:
    """Read ``PROJECT/VERSION``, ``"PROJECT VERSION"`` or a workflow id.

    Raises:
        WrongCall: it is none of these.
    """
    parts = text.removeprefix(_PREFIX).replace(" ", "/").split("/")
    if len(parts) != len(ReleaseId.model_fields):
        raise WrongCall(f"{text!r} is not a release; expected PROJECT/VERSION, such as hello/1.0.0")
    try:
        return ReleaseId(project=parts[0], version=parts[1])
    except ValidationError as error:
        problem = error.errors()[0]
        raise WrongCall(
            f"{text!r} is not a release: its {problem['loc'][0]} {problem['msg'].removeprefix('Value error, ')}; "
            "expected PROJECT/VERSION, such as hello/1.0.0"
        ) from error


def release_of(workflow_id: str) -> ReleaseId | None:
    """The release that a workflow makes, or None for a workflow of another kind."""
    if not workflow_id.startswith(_PREFIX):
        return None
    try:
        return parse_release(workflow_id)
    except WrongCall:
        return None


def parse_digest(text: str) -> Digest:
    """Read a digest.

    Raises:
        WrongCall: it is none.
    """
    try:
        return _DIGEST.validate_python(text)
    except ValidationError as error:
        raise WrongCall(f"{text!r} is no digest; expected sha256: and 64 lower-case hexadecimal digits") from error
