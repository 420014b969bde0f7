"""Signing as the platforms want it: Authenticode for Windows, code signing and notarization for macOS.

Such a signature becomes part of the file, so it is made between a build and the manifest, as a step of its own: it
takes files of a step that is done and gives the whole set of that step again, with those files replaced.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from baton.model.base import Digest, FileName, Value
from baton.model.code_signing import MAX_NOTARIZED, PlatformStep
from baton.model.gate import GateResult
from baton.model.work import Built, ReleaseRef, Work


class SignPlatform(Value):
    """Sign files of a step that is done: Authenticode, or Apple's code signing.

    Attributes:
        built: what is signed; its step is the one that the platform step names.
        gates: what people have agreed to; the signing worker proves it again before it signs.
    """

    release: ReleaseRef
    step: PlatformStep
    built: Built
    gates: tuple[GateResult, ...]


class VerifyAuthenticode(Value):
    """Verify what an Authenticode step made, on a worker that holds no key.

    Attributes:
        unsigned: what was to be signed.
        signed: what came of it.
    """

    release: ReleaseRef
    step: PlatformStep
    unsigned: Built
    signed: Built


class CodeVerified(Value):
    """Every file carries the right signature and is otherwise what was built."""

    files: int


class SubmitNotarization(Value):
    """Hand files to the notary service.

    Attributes:
        attempt: counted by the release; a new attempt submits anew what was not accepted.
    """

    release: ReleaseRef
    step: PlatformStep
    built: Built
    gates: tuple[GateResult, ...]
    attempt: Annotated[int, Field(ge=1)]


class Submission(Value):
    """One file that the notary service has.

    Attributes:
        id: the service's name for it: all that has to be kept.
        digest: the file's.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,100}$")]
    name: FileName
    digest: Digest


class Submitted(Value):
    """The notary service has every file of the step."""

    submissions: tuple[Submission, ...] = Field(min_length=1, max_length=MAX_NOTARIZED)


class AwaitNotarization(Value):
    """Wait until the notary service has judged every file, which takes minutes, or hours.

    Attributes:
        gates: what people have agreed to; the worker proves it again before it shows its key to anyone.
    """

    release: ReleaseRef
    step: PlatformStep
    submitted: Submitted
    gates: tuple[GateResult, ...]


class Notarized(Value):
    """The notary service accepted every file.

    Attributes:
        logs: the digests of the service's logs in the store, in the order of the submissions; they may hold warnings.
    """

    submissions: tuple[Submission, ...]
    logs: tuple[Digest, ...]


class Staple(Value):
    """Put the tickets of accepted files into them."""

    release: ReleaseRef
    step: PlatformStep
    built: Built
    notarized: Notarized


SIGN_PLATFORM = Work("sign_platform", SignPlatform, Built)
VERIFY_AUTHENTICODE = Work("verify_authenticode", VerifyAuthenticode, CodeVerified)
SUBMIT_NOTARIZATION = Work("submit_notarization", SubmitNotarization, Submitted)
AWAIT_NOTARIZATION = Work("await_notarization", AwaitNotarization, Notarized)
STAPLE = Work("staple", Staple, Built)
