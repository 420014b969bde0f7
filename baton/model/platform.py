"""Signing as the platforms want it: Authenticode for Windows, code signing and notarization for macOS.

Such a signature becomes part of the file, so it is made between a build and the manifest, as a step of its own: it
takes files of a step that is done and gives the whole set of that step again, with those files replaced.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from baton.model.base import Digest, FileName, Name, Value
from baton.model.building import Seconds
from baton.model.code_signing import AppleCodeSigning, Authenticode, Notarization
from baton.model.gate import GateResult
from baton.model.work import Built, ReleaseRef, Work

MAX_NOTARIZED = 20
"""How many files one step may have notarized; each is a submission of its own."""

PlatformSigning = Annotated[Authenticode | AppleCodeSigning | Notarization, Field(discriminator="kind")]
"""What is done to the files."""


class PlatformStep(Value):
    """One unit of platform signing.

    Attributes:
        of: the step whose files are signed; it may be a platform step itself, as notarization follows code signing.
        files: which of its files; the others go through as they are.
        queue: the workers that have the tool and the key; for a notarization, those that staple.
        role: who may decide about it; release managers always may.
        timeout: seconds that one attempt may take; Apple's notary service is known to take hours.
        wait_for_runner: seconds until a missing worker is put before a person.
    """

    name: Name
    of: Name
    signing: PlatformSigning
    files: tuple[FileName, ...] = Field(min_length=1, max_length=1000)
    queue: Name
    role: Name = "release-manager"
    timeout: Seconds = 3600
    wait_for_runner: Seconds = 900

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        if isinstance(self.signing, Notarization) and len(self.files) > MAX_NOTARIZED:
            raise ValueError(f"{len(self.files)} files are to be notarized; expected {MAX_NOTARIZED} at most")
        return self


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
    """Wait until the notary service has judged every file, which takes minutes, or hours."""

    release: ReleaseRef
    step: PlatformStep
    submitted: Submitted


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
