"""Apple's notary service: hand a file over at most once, and read the verdict.

The service has no key by which a request that was sent twice counts once. A submission is opened, and then its file is
uploaded with credentials that the opening alone gives; what was opened and got no file is nothing to the service. So it
is remembered before and after the upload which submission the file goes to, and only where a worker died in between
may it be that the file is there: then the verdict tells, and only a submission without one after :data:`SETTLE` is
taken for one without a file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store
from pydantic import AwareDatetime

from baton.model.base import Value
from baton.model.errors import Invalid, Missing, Refused, Unavailable
from baton.model.platform import Submission
from baton.platform.notary_answers import Status

if TYPE_CHECKING:
    from pathlib import Path

    from baton.model.code_signing import Notarization
    from baton.model.manifest import Artifact
    from baton.platform.notary_answers import Grant
    from baton.platform.notary_api import NotaryApi

SETTLE = timedelta(minutes=15)
"""How long the verdict is waited for where it is not known whether the upload was completed; most come in five."""

_REGION = "us-west-2"
"""Where the service's buckets are: "Customizing the notarization workflow"."""

_AMAZON = f"https://s3.{_REGION}.amazonaws.com"
_PART = 8 * 1024**2

Kept = TypeVar("Kept", bound=Value)


class Memory(Protocol):
    """What outlives a worker."""

    def find(self, name: str, kind: type[Kept]) -> Kept | None:
        """The value that was kept under this name, or None."""

    def keep(self, name: str, effect: Kept) -> Kept:
        """Keep a value for good; gives the one that stands, which is the first that was kept."""


class _Begun(Value):
    """An upload that began."""

    submission: Submission
    at: AwareDatetime


@dataclass(frozen=True)
class Verdict:
    """What the service says of a file.

    Attributes:
        log: its log, as JSON.
        line: the verdict and the first issues, for people.
    """

    accepted: bool
    log: bytes
    line: str


def submit_once(
    file: Artifact, path: Path, *, notarization: Notarization, api: NotaryApi, memory: Memory, place: str
) -> Submission:
    """See to it that the service has a file; doing it again finds it done.

    What the service accepted before, whoever submitted it, is not submitted again.

    Args:
        file: what it is.
        path: where it lies.
        notarization: the plan's part.
        api: asks the service.
        memory: remembers.
        place: the names under which it does begin with this; another place submits anew what was not accepted.

    Raises:
        Unavailable: an upload broke off with a worker, and whether it was completed will show.
        BatonError: as :class:`~baton.platform.notary_api.NotaryApi` says.
    """
    if (done := memory.find(f"{place}/uploaded", Submission)) is not None:
        return done
    if (found := _accepted(file, api)) is not None:
        return memory.keep(f"{place}/uploaded", found)
    number = 1
    while (begun := memory.find(f"{place}/begun-{number}", _Begun)) is not None:
        if _arrived(begun, api):
            return memory.keep(f"{place}/uploaded", begun.submission)
        number += 1
    opened = api.open(_name(file), file.sha256)
    submission = Submission(id=str(opened.id), name=file.name, digest=file.digest)
    begun = _Begun(submission=submission, at=datetime.now(UTC))
    if memory.keep(f"{place}/begun-{number}", begun) != begun:
        raise Unavailable(f"another worker uploads {file.name} just now: nothing was uploaded here", after=60)
    _upload(path, opened.attributes, notarization)
    return memory.keep(f"{place}/uploaded", submission)


def judge(file: Submission, api: NotaryApi) -> Verdict | None:
    """The service's verdict, or None while there is none.

    Raises:
        Refused: the service has judged another file than this one.
        BatonError: as :class:`~baton.platform.notary_api.NotaryApi` says; ``Unavailable`` while the log is not there.
    """
    status = api.status(file.id).attributes.status
    if status is Status.IN_PROGRESS:
        return None
    try:
        content = api.log(file.id)
    except Missing as error:
        raise Unavailable(f"{file.name} is judged ({status}), but its log is not there yet: {error}") from None
    log = _read_log(content, file)
    accepted = status is Status.ACCEPTED and log.get("status") == Status.ACCEPTED
    # The service takes any file under any digest: its log says which it was.
    if accepted and log.get("sha256") != file.digest.removeprefix("sha256:"):
        raise Refused(f"the notary service accepted sha256:{log.get('sha256')} as {file.id}; expected {file.digest}")
    return Verdict(accepted, content, f"{file.name}: {status}{_issues(log)}; submission {file.id}"[:1900])


def _name(file: Artifact) -> str:
    return f"{file.sha256}-{file.name}"


def _accepted(file: Artifact, api: NotaryApi) -> Submission | None:
    for seen in api.recent():
        if seen.attributes.name == _name(file) and seen.attributes.status is Status.ACCEPTED:
            return Submission(id=str(seen.id), name=file.name, digest=file.digest)
    return None


def _arrived(begun: _Begun, api: NotaryApi) -> bool:
    """Whether the file of an upload arrived that began, and of whose end nothing is known."""
    if api.status(begun.submission.id).attributes.status is not Status.IN_PROGRESS:
        return True
    age = datetime.now(UTC) - begun.at
    if age < SETTLE:
        raise Unavailable(
            f"the upload of {begun.submission.name} to submission {begun.submission.id} began {age.seconds} s ago, and "
            f"it is not known whether it ended: if there is no verdict {SETTLE.seconds} s after its beginning, it is "
            "uploaded to a new one",
            after=60,
        )
    return False


def _upload(path: Path, grant: Grant, notarization: Notarization) -> None:
    """Put the file where the service expects it; a broken connection is tried again, to the same place."""
    address = notarization.upload or _AMAZON
    # All of it is given: what the environment says is about the worker's own store.
    bucket = S3Store(
        grant.bucket,
        config={
            "access_key_id": grant.aws_access_key_id,
            "secret_access_key": grant.aws_secret_access_key.get_secret_value(),
            "session_token": grant.aws_session_token.get_secret_value(),
            "region": _REGION,
            "endpoint": address,
            "virtual_hosted_style_request": False,
            "skip_signature": False,
        },
        client_options={"allow_http": address.startswith("http://"), "timeout": timedelta(minutes=10)},
        retry_config={"max_retries": 4, "retry_timeout": timedelta(minutes=5)},
    )
    try:
        obstore.put(bucket, grant.object, path, chunk_size=_PART, max_concurrency=4)
    except (BaseError, OSError) as error:
        problem = type(error).__name__
    else:
        return
    # Raised out here: the error may show the request.
    raise Unavailable(f"{path.name} could not be uploaded to the notary service: {problem}", after=60)


def _read_log(content: bytes, file: Submission) -> dict[str, Any]:
    try:
        log = json.loads(content)
    except ValueError:
        log = None
    if not isinstance(log, dict):
        raise Invalid(f"the notary service's log of {file.id} is no JSON object")
    return log


def _issues(log: dict[str, Any]) -> str:
    issues = [issue for issue in log.get("issues") or [] if isinstance(issue, dict)]
    told = [f"{issue.get('severity')}: {issue.get('path')}: {issue.get('message')}" for issue in issues[:10]]
    return "".join(f"; {line}" for line in [str(log.get("statusSummary") or ""), *told] if line)
